/* exchange.h - the place of telephony and speech on the bus, for callers by text.
 *
 * Binds as telephony-N and speech-N, so that a real dialogue process finds both where its
 * configuration says, and passes on what it orders to the legs here, by call. A leg has one owner:
 * an order of an older epoch, or of another instance, is refused as the real ones refuse it.
 *
 * Threads: the loop's.
 */
#ifndef CALLSIM_EXCHANGE_H
#define CALLSIM_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/bus.h"
#include "common/loop.h"

enum { EXCHANGE_ID_BYTES = 37, EXCHANGE_INSTANCE_BYTES = 64 };

typedef struct exchange exchange_t;
typedef struct exchange_leg exchange_leg_t;

/* What the owner of a leg orders. Messages are borrowed. */
typedef struct {
    void (*accepted)(void *arg, const Pl__CallAccepted *body); /* of a leg that rings */
    void (*refused)(void *arg, pl_err_t err, const char *detail);
    void (*listen)(void *arg, const Pl__Listen *body);
    void (*say)(void *arg, const Pl__Say *body);
    void (*say_stop)(void *arg, uint32_t turn);
    void (*hang_up)(void *arg);
    bool (*transfer)(void *arg, const char *to); /* false: the leg cannot be transferred now */
    void (*keys)(void *arg, const char *digits);
    void (*owner_lost)(void *arg); /* it has been silent for telephony.owner_timeout_ms */
    void *arg;
} exchange_sink_t;

typedef struct {
    /* Somebody is to be rung: the sink of the caller with that number, or NULL (it cannot be
     * reached). *leg_out is the leg it has from then on. */
    const exchange_sink_t *(*dial)(void *arg, const Pl__LegDial *body);
    void (*dialled)(void *arg, const Pl__LegDial *body, exchange_leg_t *leg);
    bool (*sms)(void *arg, const char *call_id, const Pl__SmsSend *body); /* was it delivered? */
    void *arg;
} exchange_desk_t;

/* settings: arguments as a service takes them (--config, --set, --instance), NULL-terminated. Has
 * said why when it fails. */
pl_err_t exchange_new(exchange_t **out, pl_loop_t *loop, const char *const *settings,
                      const exchange_desk_t *desk);
void exchange_destroy(exchange_t **self_p);

/* Both see a dialogue process that takes calls. */
bool exchange_ready(const exchange_t *self);

/* A caller rings: accepted or refused follows. The sink is copied. */
exchange_leg_t *exchange_ring(exchange_t *self, const char *from, const exchange_sink_t *sink);

/* Events to the owner; the body is set, the rest is filled in here. */
void exchange_tell(exchange_leg_t *leg, Pl__Envelope *env);        /* as telephony */
void exchange_tell_speech(exchange_leg_t *leg, Pl__Envelope *env); /* as speech */
void exchange_answered(exchange_leg_t *leg);                       /* LegAnswered */

/* Tells how the leg ended, unless it was never accepted, and forgets it: *leg_p is NULL then. */
void exchange_end(exchange_leg_t **leg_p, Pl__LegEnd end, const char *detail, uint32_t duration_ms);

const char *exchange_call_id(const exchange_leg_t *leg);

#endif
