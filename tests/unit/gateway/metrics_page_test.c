/* metrics_page_test.c - many instances' metrics as one valid text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "services/gateway/metrics_page.h"

static Pl__Metric metric(char *name, char *label, double value)
{
    Pl__Metric m = PL__METRIC__INIT;
    m.name = name;
    m.help = "calls\nand \\ more";
    m.label = label;
    m.value = value;
    return m;
}

static void one_name_stands_together_under_one_type(void **state)
{
    (void)state;
    Pl__Metric a = metric("parley_calls_total", "reason=\"busy\"", 3);
    Pl__Metric b = metric("parley_calls_total", "", 4);
    Pl__Metric bad = metric("parley calls{", "", 1);
    Pl__Metric *first[] = {&a, &bad}, *second[] = {&b};
    Pl__MetricsReply one = PL__METRICS_REPLY__INIT, two = PL__METRICS_REPLY__INIT;
    one.n_metrics = 2;
    one.metrics = first;
    two.n_metrics = 1;
    two.metrics = second;
    metrics_source_t sources[] = {{"dialogue", "dialogue-0", true, 1, 5, &one},
                                  {"dialogue", "dialogue-\"1", true, 0, 5, &two},
                                  {"speech", "speech-0", false, 0, 0, NULL}};
    text_t out = {0};
    metrics_page(&out, sources, 3);
    const char *type = strstr(out.data, "# TYPE parley_calls_total counter");
    assert_non_null(type);
    assert_null(strstr(type + 1, "# TYPE parley_calls_total"));
    assert_non_null(strstr(out.data, "# HELP parley_calls_total calls\\nand \\\\ more\n"));
    assert_non_null(
        strstr(out.data, "\nparley_calls_total{instance=\"dialogue-0\",reason=\"busy\"} 3\n"));
    assert_non_null(strstr(out.data, "\nparley_calls_total{instance=\"dialogue-\\\"1\"} 4\n"));
    assert_non_null(strstr(out.data, "parley_up{instance=\"speech-0\",service=\"speech\"} 0\n"));
    assert_non_null(
        strstr(out.data, "parley_load{instance=\"dialogue-0\",service=\"dialogue\"} 1"));
    assert_null(strstr(out.data, "parley calls{"));
    text_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_name_stands_together_under_one_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
