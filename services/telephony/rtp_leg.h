/* rtp_leg.h - one leg's audio over RTP: sockets, jitter buffer, concealment, cleaning, DTMF, RTCP.
 *
 * The owner calls rtp_leg_tick every 20 ms by an absolute clock; the leg then takes one frame out
 * of its jitter buffer for the owner and puts one frame of the owner's on the wire. Also used by
 * tools/callsim, so it knows nothing of calls, lanes or SIP.
 *
 * Threads: belongs to the loop it was started on. Never blocks.
 * Sources: RFC 3550 (RTP, RTCP), RFC 3551 (profile), RFC 4733 (telephone events), symmetric RTP
 * (RFC 4961): sends to where valid packets come from once they come.
 */
#ifndef PL_TELEPHONY_RTP_LEG_H
#define PL_TELEPHONY_RTP_LEG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/err.h"
#include "common/loop.h"
#include "services/telephony/cleaner.h"
#include "services/telephony/codec.h"

typedef struct rtp_leg rtp_leg_t;

typedef struct {
    int16_t pcm[CODEC_FRAME_SAMPLES]; /* zeros when missing */
    uint32_t seq;                     /* counts ticks */
    bool missing;                     /* nothing arrived and nothing was concealed */
    bool concealed;
    bool narrow;   /* of a codec at 8 kHz: nothing lies above 4 kHz */
    float echo_db; /* up to this level it may be an echo of what was played: see cleaner.h */
} rtp_heard_t;

typedef struct {
    void (*heard)(void *arg, const rtp_heard_t *frame); /* every tick */
    /* Every tick with a frame to send (not on hold, nor while a key is sent); false: silence. */
    bool (*next)(void *arg, int16_t pcm[CODEC_FRAME_SAMPLES]);
    void (*dtmf)(void *arg, char digit, uint32_t duration_ms); /* a key was let go */
    void (*lost)(void *arg);                                   /* media_timeout_ms without RTP */
    void *arg;
} rtp_sink_t;

typedef struct {
    uint32_t received, lost, late, duplicate, malformed, foreign, concealed_frames, sent;
    uint32_t jitter_us, remote_lost, round_trip_us;
    uint32_t buffer_ms; /* mean delay of the jitter buffer */
    uint32_t clipped_frames;
    cleaner_stats_t echo;
} rtp_stats_t;

/* Binds an even RTP port and the RTCP port above it in [port_min, port_max] on the address
 * (port part ignored). May be called on another thread than rtp_leg_start. PL_BUSY: none free. */
pl_err_t rtp_leg_new(rtp_leg_t **out, const struct sockaddr *address, uint16_t port_min,
                     uint16_t port_max);
void rtp_leg_destroy(rtp_leg_t **self_p); /* sends RTCP BYE; on the loop's thread once started */
uint16_t rtp_leg_port(const rtp_leg_t *self);

typedef struct {
    codec_kind_t codec;
    uint8_t pt;                     /* payload type to send and expect */
    uint8_t dtmf_pt;                /* of telephone-event; 0: none, keys are tones */
    uint32_t dtmf_hz;               /* its clock: 8000, or the codec's */
    struct sockaddr_storage remote; /* RTP; RTCP is one port above unless remote_rtcp is set */
    struct sockaddr_storage remote_rtcp;
    bool send; /* false: hold (recvonly/inactive seen from here) */
    bool receive;
    uint32_t media_timeout_ms;             /* 0: never lost */
    uint32_t jitter_min_ms, jitter_max_ms; /* bounds of the adaptive delay; 0: 20 and 200 */
    uint32_t rtcp_interval_ms;             /* mean time between reports; 0: 5000 */
    cleaner_opts_t clean;
} rtp_params_t;

/* First call hangs the RTCP socket on the loop (RTP is read at every tick, with the kernel's time
 * stamps); later calls change the parameters (re-INVITE). PL_INVALID: payload types that are none
 * or the same, or an address of another family than the sockets'. */
pl_err_t rtp_leg_start(rtp_leg_t *self, pl_loop_t *loop, const rtp_params_t *params,
                       const rtp_sink_t *sink);
void rtp_leg_tick(rtp_leg_t *self);
/* The same with the clock as an argument (monotonic), for owners that have read it already. */
void rtp_leg_tick_at(rtp_leg_t *self, uint64_t now_us);
/* Queues keys to be sent one after another, 50 ms apart: as telephone events, or as tones where the
 * far end takes none. PL_UNSUPPORTED: not started; PL_INVALID: not keys; PL_BUSY: 64 are waiting. */
pl_err_t rtp_leg_send_dtmf(rtp_leg_t *self, const char *digits, uint32_t tone_ms);
void rtp_leg_stats(const rtp_leg_t *self, rtp_stats_t *out);

#endif
