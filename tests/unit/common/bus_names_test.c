/* bus_names_test.c - instances that come and go behind a name, as a headless service's pods do.
 *
 * The resolver is this file's own (it is linked in place of common/bus_resolver.c), so that the
 * test says which addresses the name has.
 */
#include "tests/unit/common/bus_node.h"

#include "common/bus_resolver.h"

static const char *const speech_peer[] = {"speech", NULL};
static pl_loop_t *loop;

/* ---- the resolver of this test ------------------------------------------------------------- */

struct bus_resolver {
    bus_resolver_fn *fn;
    void *arg;
};

static struct bus_resolver *resolver;

bus_resolver_t *bus_resolver_new(pl_loop_t *on, const char *host, const char *port,
                                 bus_resolver_fn *fn, void *arg)
{
    assert_ptr_equal(on, loop);
    assert_string_equal(host, "speech.parley.svc");
    assert_string_equal(port, "7000");
    resolver = malloc(sizeof *resolver);
    assert_non_null(resolver);
    *resolver = (struct bus_resolver){fn, arg};
    return resolver;
}

void bus_resolver_destroy(bus_resolver_t **self_p)
{
    free(*self_p);
    *self_p = resolver = NULL;
}

/* ---- two pods ------------------------------------------------------------------------------ */

static const char *const addresses[] = {"tcp://127.0.0.1:21450", "tcp://127.0.0.1:21451",
                                        "tcp://127.0.0.1:21452"};
static const char *const binds[] = {"bus.bind=tcp://127.0.0.1:21450",
                                    "bus.bind=tcp://127.0.0.1:21451"};

static int open_loop(void **state)
{
    loop = pl_loop_new();
    return make_run_dir(state);
}

static int close_loop(void **state)
{
    pl_loop_destroy(&loop);
    return remove_run_dir(state);
}

static node_t *open_pod(int number)
{
    static const char *const numbers[] = {"0", "1"};
    const char *settings[] = {binds[number], NULL};
    return node_open(loop, "speech", numbers[number], NULL, settings);
}

static node_t *open_dialogue(void)
{
    const char *settings[] = {"bus.endpoints.speech[0]=tcp://speech.parley.svc:7000", NULL};
    node_t *dialogue = node_open(loop, "dialogue", "0", speech_peer, settings);
    assert_non_null(resolver);
    return dialogue;
}

static void name_has(size_t count)
{
    resolver->fn(resolver->arg, addresses, count);
}

static size_t known(const node_t *node)
{
    pl_peer_t peers[8];
    return pl_bus_peers(node->bus, "speech", peers, 8);
}

static bool knows_none(void *arg)
{
    return known(arg) == 0;
}

static void an_address_that_appears_is_a_peer(void **state)
{
    (void)state;
    node_t *dialogue = open_dialogue();
    assert_int_equal(known(dialogue), 0);
    node_t *pods[] = {open_pod(0), open_pod(1)};
    name_has(1);
    assert_true(wait_up(dialogue, "speech", 1, 1000));
    name_has(2);
    assert_true(wait_up(dialogue, "speech", 2, 1000));
    name_has(2);
    assert_int_equal(known(dialogue), 2); /* the same one is not another */
    node_close(&pods[0]);
    node_close(&pods[1]);
    node_close(&dialogue);
}

static void an_address_that_vanishes_is_kept_while_it_answers(void **state)
{
    (void)state;
    node_t *pod = open_pod(0), *dialogue = open_dialogue();
    name_has(1);
    assert_true(wait_up(dialogue, "speech", 1, 1000));
    name_has(0); /* a pod that is ending leaves the name first, and drains */
    run_for(loop, 300);
    assert_int_equal(count_up(dialogue, "speech"), 1);
    node_close(&pod);
    assert_true(run_until(loop, 2000, knows_none, dialogue)); /* then it is forgotten */
    node_close(&dialogue);
}

static void an_address_that_never_answered_is_forgotten_at_once(void **state)
{
    (void)state;
    node_t *dialogue = open_dialogue();
    name_has(3);
    run_for(loop, 50);
    assert_int_equal(known(dialogue), 3);
    name_has(0);
    assert_int_equal(known(dialogue), 0);
    node_close(&dialogue);
}

static void an_address_that_comes_back_is_kept_for_good(void **state)
{
    (void)state;
    node_t *pod = open_pod(0), *dialogue = open_dialogue();
    name_has(1);
    assert_true(wait_up(dialogue, "speech", 1, 1000));
    name_has(0);
    name_has(1); /* the look-up in between had a hole */
    node_close(&pod);
    assert_true(wait_up(dialogue, "speech", 0, 2000));
    assert_int_equal(known(dialogue), 1);
    pod = open_pod(0);
    assert_true(wait_up(dialogue, "speech", 1, 2000));
    node_close(&pod);
    node_close(&dialogue);
}

int main(void)
{
    pl_signals_init();
#define ON_A_LOOP(test) cmocka_unit_test_setup_teardown(test, open_loop, close_loop)
    const struct CMUnitTest tests[] = {
        ON_A_LOOP(an_address_that_appears_is_a_peer),
        ON_A_LOOP(an_address_that_vanishes_is_kept_while_it_answers),
        ON_A_LOOP(an_address_that_never_answered_is_forgotten_at_once),
        ON_A_LOOP(an_address_that_comes_back_is_kept_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
