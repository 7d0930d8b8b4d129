/* rtp_fuzz.c - every byte that comes by RTP and RTCP, through the parsers and the whole receive path.
 *
 * Build: clang -fsanitize=fuzzer,address,undefined; an input is a run of datagrams, each with its
 * length in two bytes and 20 ms steps of time in one.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/telephony/dtmf.h"
#include "services/telephony/receiver.h"
#include "services/telephony/rtcp.h"
#include "services/telephony/rtp.h"
#include "services/telephony/rtp_source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENT_PT = 101, MAX_TICKS = 2000 };

typedef struct {
    codec_t *codec;
    receiver_t *receiver;
    rtp_source_t source;
    dtmf_in_t keys;
    uint64_t now_us;
    unsigned ticks;
} leg_t;

static void tick(leg_t *leg)
{
    int16_t pcm[CODEC_FRAME_SAMPLES];
    leg->now_us += 20000;
    if (++leg->ticks > MAX_TICKS) return;
    (void)receiver_frame(leg->receiver, leg->now_us, pcm);
    (void)dtmf_in_tick(&leg->keys, leg->now_us);
    if (receiver_packets(leg->receiver) > 64) abort();
}

static void take(leg_t *leg, const uint8_t *datagram, size_t size)
{
    rtcp_report_t report;
    if (rtp_is_rtcp(datagram, size) && rtcp_parse(datagram, size, leg->source.ssrc, &report)) {
        (void)rtcp_round_trip_us(rtcp_ntp(leg->now_us), &report.block);
        return;
    }
    rtp_packet_t packet;
    if (!rtp_parse(datagram, size, &packet)) return;
    if (packet.payload < datagram || packet.payload + packet.payload_bytes > datagram + size)
        abort();
    rtp_seq_t seq = rtp_source_packet(&leg->source, packet.seq);
    if (seq == RTP_SEQ_DUPLICATE || seq == RTP_SEQ_JUMP) return;
    if (packet.pt == EVENT_PT) {
        (void)dtmf_in_packet(&leg->keys, leg->now_us, &packet);
        return;
    }
    (void)receiver_packet(leg->receiver, leg->now_us, packet.timestamp, packet.payload,
                          packet.payload_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    codec_kind_t kind = (codec_kind_t)(data[0] % CODEC_KINDS);
    leg_t leg = {.codec = codec_new(kind), .now_us = 1000000};
    leg.receiver = receiver_new(leg.codec, codec_info(kind), 20, 200);
    rtp_source_init(&leg.source, 1, codec_info(kind)->rtp_hz);
    size_t at = 1;
    while (size - at >= 3) {
        size_t length = (size_t)(data[at] << 8 | data[at + 1]) % RTP_MAX_BYTES;
        unsigned steps = data[at + 2] & 0x0f;
        at += 3;
        if (length > size - at) length = size - at;
        uint8_t *datagram = malloc(length > 0 ? length : 1); /* exact: a step too far is seen */
        if (!datagram) abort();
        memcpy(datagram, data + at, length);
        take(&leg, datagram, length);
        free(datagram);
        at += length;
        for (unsigned i = 0; i < steps; i++) tick(&leg);
    }
    receiver_destroy(&leg.receiver);
    codec_destroy(&leg.codec);
    return 0;
}
