/* bus_peers.h - the instances this one talks to: their sockets, heartbeats and state.
 *
 * A link is one address. It is up from its first HeartbeatReply until its connection breaks, three
 * heartbeats go unanswered, or the reply shows another start of the process. A link that went down
 * gets a fresh socket, so that nothing queued for the former process reaches the next one. A name's
 * address that is no longer listed is kept while it answers (a pod that drains) and then dropped.
 *
 * Threads: the loop's. Internal to the bus.
 */
#ifndef PL_COMMON_BUS_PEERS_H
#define PL_COMMON_BUS_PEERS_H

#include "common/arena.h"
#include "common/bus.h"
#include "common/curve.h"
#include "common/loop.h"

typedef struct bus_peers bus_peers_t;
typedef struct bus_link bus_link_t;

typedef enum { BUS_LINK_UP, BUS_LINK_DOWN, BUS_LINK_DRAINING } bus_link_event_t;

typedef struct {
    pl_loop_t *loop;
    const char *instance;    /* own */
    const char *service;     /* own */
    const pl_curve_t *curve; /* NULL: in the clear */
    uint64_t heartbeat_ms;
    pl_arena_t *arena;     /* shared with who else receives on this loop */
    uint64_t *correlation; /* the last number drawn by this process */
    void (*reply)(void *arg, const bus_link_t *link, const Pl__Envelope *env);
    void (*event)(void *arg, const bus_link_t *link, bus_link_event_t event);
    void *arg;
} bus_peers_opts_t;

bus_peers_t *bus_peers_new(const bus_peers_opts_t *opts); /* strings are borrowed for life */
/* linger_ms: how long what is queued for live peers may take. No callback is called. */
void bus_peers_destroy(bus_peers_t **self_p, int linger_ms);

/* A name is looked up, anything else is one link. */
void bus_peers_add(bus_peers_t *self, const char *service, const char *endpoint);

/* to: a service or an instance, as for pl_bus_request. NULL: nobody. */
const bus_link_t *bus_peers_pick(const bus_peers_t *self, const char *to);
/* Sends to that one, which *link then is. What goes out by a service's name counts towards the
 * balance. */
pl_err_t bus_peers_send(bus_peers_t *self, const char *to, const Pl__Envelope *env,
                        const bus_link_t **link);

void bus_link_peer(const bus_link_t *link, pl_peer_t *out);
size_t bus_peers_list(const bus_peers_t *self, const char *service, pl_peer_t *out, size_t max);

#endif
