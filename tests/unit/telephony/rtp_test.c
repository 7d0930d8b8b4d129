/* What is on the wire: RTP, telephone events, RTCP, sequence statistics, the learned source. */
#include "services/telephony/rtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "services/telephony/dtmf.h"
#include "services/telephony/rtcp.h"
#include "services/telephony/rtp_latch.h"
#include "services/telephony/rtp_source.h"
#include "tests/unit/telephony/tone.h"

enum { MS = 1000 };

/* ---- RTP ------------------------------------------------------------------------------------- */

static void a_header_is_read_as_it_was_written(void **state)
{
    (void)state;
    uint8_t bytes[16] = {0};
    rtp_packet_t in = {
        .pt = 9, .marker = true, .seq = 0xfffe, .timestamp = 0x80000001u, .ssrc = 0xdeadbeefu};
    rtp_write_header(&in, bytes);
    const uint8_t expected[12] = {0x80, 0x89, 0xff, 0xfe, 0x80, 0, 0, 1, 0xde, 0xad, 0xbe, 0xef};
    assert_memory_equal(bytes, expected, 12);
    rtp_packet_t out;
    assert_true(rtp_parse(bytes, sizeof bytes, &out));
    assert_int_equal(out.pt, 9);
    assert_true(out.marker);
    assert_int_equal(out.seq, 0xfffe);
    assert_int_equal(out.timestamp, 0x80000001u);
    assert_int_equal(out.ssrc, 0xdeadbeefu);
    assert_int_equal(out.payload_bytes, 4);
    assert_ptr_equal(out.payload, bytes + 12);
}

static void csrcs_extensions_and_padding_are_passed_over(void **state)
{
    (void)state;
    const uint8_t bytes[] = {0xb2, 8,    0, 1, 0, 0, 0, 2, 0, 0, 0, 3, /* padding, extension, 2 */
                             1,    1,    1, 1, 2, 2, 2, 2,             /* CSRCs */
                             0xbe, 0xde, 0, 1, 9, 9, 9, 9,             /* extension of a word */
                             0x55, 0x66, 0, 0, 3};                     /* payload, padding */
    rtp_packet_t out;
    assert_true(rtp_parse(bytes, sizeof bytes, &out));
    assert_int_equal(out.payload_bytes, 2);
    assert_int_equal(out.payload[0], 0x55);
}

static void lengths_that_lie_are_refused(void **state)
{
    (void)state;
    rtp_packet_t out;
    uint8_t bytes[64] = {0x80};
    assert_false(rtp_parse(bytes, 11, &out));
    assert_true(rtp_parse(bytes, 12, &out));
    assert_int_equal(out.payload_bytes, 0);
    bytes[0] = 0x40;
    assert_false(rtp_parse(bytes, 12, &out)); /* version 1 */
    bytes[0] = 0x81;
    assert_false(rtp_parse(bytes, 15, &out)); /* a CSRC that is cut */
    bytes[0] = 0x90;
    assert_false(rtp_parse(bytes, 15, &out)); /* an extension header that is cut */
    bytes[14] = 0xff;
    bytes[15] = 0xff;
    assert_false(rtp_parse(bytes, 64, &out)); /* an extension longer than all */
    bytes[0] = 0xa0;
    assert_false(rtp_parse(bytes, 12 + 20, &out)); /* padding of 0 */
    bytes[31] = 21;
    assert_false(rtp_parse(bytes, 12 + 20, &out)); /* more padding than payload */
    bytes[31] = 20;
    assert_true(rtp_parse(bytes, 12 + 20, &out));
    assert_int_equal(out.payload_bytes, 0);
    bytes[0] = 0x80;
    bytes[1] = 72; /* RTCP's */
    assert_false(rtp_parse(bytes, 12, &out));
    bytes[1] = 200;
    assert_true(rtp_is_rtcp(bytes, 12));
    assert_false(rtp_is_rtcp(bytes, 7));
}

static void random_bytes_never_lead_out_of_the_packet(void **state)
{
    (void)state;
    uint32_t random = 0xc0ffee;
    unsigned parsed = 0;
    for (int i = 0; i < 300000; i++) {
        size_t size = tone_random(&random) % 100;
        uint8_t *bytes = malloc(size ? size : 1); /* exact, so that ASan sees a step too far */
        for (size_t k = 0; k < size; k++) bytes[k] = (uint8_t)tone_random(&random);
        if (size > 0 && i % 2) bytes[0] = (uint8_t)(0x80 | (bytes[0] & 0x3f));
        rtp_packet_t packet;
        if (rtp_parse(bytes, size, &packet)) {
            parsed++;
            assert_true(packet.payload >= bytes + 12);
            assert_true(packet.payload + packet.payload_bytes <= bytes + size);
            rtp_event_t event;
            (void)rtp_event_parse(packet.payload, packet.payload_bytes, &event);
        }
        if (size > 1 && i % 3) bytes[1] = (uint8_t)(200 + i % 5);
        rtcp_report_t report;
        (void)rtcp_parse(bytes, size, 42, &report);
        free(bytes);
    }
    assert_true(parsed > 10000);
}

/* ---- telephone events ------------------------------------------------------------------------ */

typedef struct {
    dtmf_in_t in;
    char keys[64];
    uint32_t ticks[64];
    size_t count;
} keypad_t;

static void note(keypad_t *k, dtmf_key_t key)
{
    if (!key.digit) return;
    k->keys[k->count] = key.digit;
    k->ticks[k->count++] = key.ticks;
}

static void event_packet(keypad_t *k, uint64_t now_us, uint8_t event, uint32_t timestamp,
                         uint16_t duration, bool end, bool marker)
{
    uint8_t payload[RTP_EVENT_BYTES];
    rtp_event_write(&(rtp_event_t){event, end, 10, duration}, payload);
    rtp_packet_t packet = {
        .timestamp = timestamp, .marker = marker, .payload = payload, .payload_bytes = 4};
    note(k, dtmf_in_packet(&k->in, now_us, &packet));
}

static void a_key_is_told_once_with_its_duration(void **state)
{
    (void)state;
    keypad_t k = {0};
    for (uint16_t i = 1; i <= 5; i++) {
        event_packet(&k, i * 20 * MS, 5, 1000, (uint16_t)(160 * i), false, i == 1);
    }
    for (int i = 0; i < 3; i++) event_packet(&k, 110 * MS, 5, 1000, 800, true, false);
    event_packet(&k, 111 * MS, 5, 1000, 320, false, false); /* late and reordered */
    note(&k, dtmf_in_tick(&k.in, 1000 * MS));
    assert_string_equal(k.keys, "5");
    assert_int_equal(k.ticks[0], 800);
    event_packet(&k, 1100 * MS, 5, 9000, 160, true, true); /* the same key again, one packet */
    assert_string_equal(k.keys, "55");
}

static void a_key_whose_end_is_lost_is_told_by_the_next_or_by_time(void **state)
{
    (void)state;
    keypad_t k = {0};
    event_packet(&k, 20 * MS, 1, 1000, 160, false, true);
    event_packet(&k, 90 * MS, 2, 2000, 160, false, true);
    assert_string_equal(k.keys, "1");
    note(&k, dtmf_in_tick(&k.in, 200 * MS));
    assert_string_equal(k.keys, "1");
    note(&k, dtmf_in_tick(&k.in, 241 * MS));
    assert_string_equal(k.keys, "12");
    event_packet(&k, 260 * MS, 2, 2000, 400, true, false); /* its end after all */
    assert_string_equal(k.keys, "12");
    event_packet(&k, 300 * MS, 3, 3000, 160, false, true);
    event_packet(&k, 400 * MS, 4, 4000, 800, true, false); /* 3's end and 4's begin are lost */
    event_packet(&k, 401 * MS, 4, 4000, 800, true, false);
    assert_string_equal(k.keys, "1234");
}

static void a_very_long_key_is_one_key(void **state)
{
    (void)state;
    keypad_t k = {0};
    uint32_t start = 0xffff0000u; /* wraps, too */
    event_packet(&k, 20 * MS, 0, start, 0xff00, false, true);
    event_packet(&k, 40 * MS, 0, start, 0xffff, false, false);
    event_packet(&k, 60 * MS, 0, start + 0xffff, 160, false, false);
    event_packet(&k, 80 * MS, 0, start + 0xffff, 320, true, false);
    assert_string_equal(k.keys, "0");
    assert_int_equal(k.ticks[0], 0xffff + 320);
}

static void events_that_are_no_keys_and_short_payloads_are_ignored(void **state)
{
    (void)state;
    keypad_t k = {0};
    event_packet(&k, 1, 16, 1000, 160, true, true); /* flash */
    event_packet(&k, 1, 255, 2000, 160, true, true);
    rtp_packet_t packet = {.timestamp = 3000, .payload = (const uint8_t *)"\1\2\3", 3};
    packet.payload_bytes = 3;
    note(&k, dtmf_in_packet(&k.in, 1, &packet));
    note(&k, dtmf_in_tick(&k.in, 10000 * MS));
    assert_int_equal(k.count, 0);
}

static void sent_keys_have_marker_rising_duration_three_ends_and_a_pause(void **state)
{
    (void)state;
    dtmf_out_t out = {0};
    assert_int_equal(dtmf_out_queue(&out, "4#", 100), PL_OK);
    uint32_t timestamp = 5000;
    char seen[64] = "";
    for (int tick = 0; tick < 24; tick++, timestamp += 160) {
        dtmf_packet_t p;
        if (!dtmf_out_tick(&out, timestamp, 8000, &p)) {
            strcat(seen, ".");
            continue;
        }
        strcat(seen, p.event.end ? "E" : p.marker ? "M" : "-");
        if (tick < 7) {
            assert_int_equal(p.timestamp, 5000);
            assert_int_equal(p.event.duration, tick < 5 ? 160 * (tick + 1) : 800);
            assert_int_equal(p.event.event, 4);
        }
    }
    assert_string_equal(seen, "M---EEE...M---EEE.......");
    assert_int_equal(dtmf_out_queue(&out, "1", 0), PL_INVALID);
    for (int i = 0; i < 64; i++) assert_int_equal(dtmf_out_queue(&out, "1", 50), PL_OK);
    assert_int_equal(dtmf_out_queue(&out, "1", 50), PL_BUSY);
}

/* ---- RTCP ------------------------------------------------------------------------------------ */

static void a_report_is_read_as_it_was_written(void **state)
{
    (void)state;
    rtcp_report_t in = {.ssrc = 7,
                        .sender = true,
                        .ntp = 0x1122334455667788u,
                        .timestamp = 9,
                        .packets = 10,
                        .octets = 11,
                        .has_block = true,
                        .block = {42, 200, -5, 0x10002, 33, 44, 55},
                        .cname = "abc",
                        .bye = true};
    uint8_t bytes[RTCP_MAX_BYTES];
    size_t size = rtcp_write(&in, bytes);
    assert_int_equal(size, 52 + 16 + 8);
    rtcp_report_t out;
    assert_true(rtcp_parse(bytes, size, 42, &out));
    assert_int_equal(out.ssrc, 7);
    assert_true(out.sender && out.has_block && out.bye);
    assert_true(out.ntp == in.ntp);
    assert_int_equal(out.block.ssrc, 42);
    assert_int_equal(out.block.fraction_lost, 200);
    assert_int_equal(out.block.lost, -5);
    assert_int_equal(out.block.highest_seq, 0x10002);
    assert_int_equal(out.block.jitter, 33);
    assert_int_equal(out.block.lsr, 44);
    assert_int_equal(out.block.dlsr, 55);
    assert_true(rtcp_parse(bytes, size, 43, &out));
    assert_false(out.has_block); /* about somebody else */
    for (size_t cut = 1; cut < size; cut++) {
        bool whole = cut == 52 || cut == 68; /* where a packet of the compound ends */
        assert_int_equal(rtcp_parse(bytes, cut, 42, &out), whole);
    }
    in.sender = false;
    in.cname = NULL;
    in.bye = false;
    assert_int_equal(rtcp_write(&in, bytes), 32);
    assert_true(rtcp_parse(bytes, 32, 42, &out));
    assert_false(out.sender);
    bytes[0] |= 0x1f; /* claims 31 blocks */
    assert_false(rtcp_parse(bytes, 32, 42, &out));
    assert_false(rtcp_parse(bytes, 0, 42, &out));
}

static void the_round_trip_is_what_the_peer_did_not_hold(void **state)
{
    (void)state;
    uint64_t sent = rtcp_ntp(1000000000000);
    uint64_t now = rtcp_ntp(1000000000000 + 350 * MS);
    rtcp_block_t block = {.lsr = (uint32_t)(sent >> 16), .dlsr = 65536 / 4};
    uint32_t trip = rtcp_round_trip_us(now, &block);
    assert_in_range(trip, 99900, 100100);
    block.dlsr = 65536;
    assert_int_equal(rtcp_round_trip_us(now, &block), 0); /* held longer than it could */
    block.lsr = 0;
    assert_int_equal(rtcp_round_trip_us(now, &block), 0);
}

/* ---- sequence statistics ----------------------------------------------------------------------- */

static void loss_duplicates_and_wrap_are_counted(void **state)
{
    (void)state;
    rtp_source_t s;
    rtp_source_init(&s, 1, 8000);
    assert_int_equal(rtp_source_lost(&s), 0);
    for (uint32_t i = 0; i < 100; i++) {
        uint16_t seq = (uint16_t)(65500 + i);
        if (i % 10 == 5) continue;
        assert_int_equal(rtp_source_packet(&s, seq), RTP_SEQ_OK);
    }
    assert_int_equal(rtp_source_lost(&s), 10);
    assert_int_equal(rtp_source_fraction_lost(&s), 25);
    assert_int_equal(rtp_source_fraction_lost(&s), 0);                           /* nothing since */
    assert_int_equal(rtp_source_packet(&s, (uint16_t)(65500 + 95)), RTP_SEQ_OK); /* late */
    assert_int_equal(rtp_source_packet(&s, (uint16_t)(65500 + 95)), RTP_SEQ_DUPLICATE);
    assert_int_equal(rtp_source_packet(&s, (uint16_t)(65500 + 99)), RTP_SEQ_DUPLICATE);
    assert_int_equal(rtp_source_lost(&s), 9);
    assert_int_equal(s.duplicates, 2);
}

static void a_sequence_that_begins_anew_is_followed_after_two(void **state)
{
    (void)state;
    rtp_source_t s;
    rtp_source_init(&s, 1, 8000);
    for (uint16_t i = 0; i < 50; i++) rtp_source_packet(&s, i);
    assert_int_equal(rtp_source_packet(&s, 30000), RTP_SEQ_JUMP);
    assert_int_equal(rtp_source_packet(&s, 50), RTP_SEQ_OK); /* it was one stray packet */
    assert_int_equal(rtp_source_packet(&s, 40000), RTP_SEQ_JUMP);
    assert_int_equal(rtp_source_packet(&s, 40001), RTP_SEQ_RESTARTED);
    assert_int_equal(rtp_source_packet(&s, 40002), RTP_SEQ_OK);
    assert_int_equal(rtp_source_lost(&s), 0);
}

static void jitter_is_measured_as_the_rfc_says(void **state)
{
    (void)state;
    rtp_source_t s;
    rtp_source_init(&s, 1, 8000);
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t arrival = 1000000 + i * 20000ull + (i % 2 ? 5000 : 0);
        rtp_source_timing(&s, arrival, 160 * i + 0xfffffe00u);
    }
    assert_in_range(rtp_source_jitter_us(&s), 4800, 5100); /* each differs by 5 ms from the last */
    rtp_source_timing(&s, 1000000 + 1000 * 20000ull, 77);  /* a new time line is no jitter */
    assert_in_range(rtp_source_jitter_us(&s), 4800, 5100);
}

/* ---- the learned source ------------------------------------------------------------------------ */

static struct sockaddr_storage address(uint32_t ip, uint16_t port)
{
    struct sockaddr_storage out = {0};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    a.sin_addr.s_addr = htonl(ip);
    memcpy(&out, &a, sizeof a);
    return out;
}

static rtp_latched_t packet(rtp_latch_t *latch, uint64_t now_ms,
                            const struct sockaddr_storage *from, uint32_t ssrc, uint16_t seq)
{
    return rtp_latch_packet(latch, now_ms * MS, (const struct sockaddr *)from, ssrc, seq);
}

static bool sends_to(const rtp_latch_t *latch, const struct sockaddr_storage *to)
{
    const struct sockaddr *a = rtp_latch_address(latch);
    return a && rtp_address_equal(a, (const struct sockaddr *)to, true);
}

static void the_told_address_is_believed_at_once_and_another_after_three(void **state)
{
    (void)state;
    struct sockaddr_storage told = address(0x0a000001, 4000);
    struct sockaddr_storage real = address(0xcb007101, 5000);
    rtp_latch_t latch = {0};
    assert_null(rtp_latch_address(&latch));
    rtp_latch_expect(&latch, (struct sockaddr *)&told);
    assert_true(sends_to(&latch, &told));
    assert_int_equal(packet(&latch, 1, &told, 1, 1), RTP_LATCH_NEW);
    assert_int_equal(packet(&latch, 2, &told, 1, 2), RTP_LATCH_OURS);

    latch = (rtp_latch_t){0};
    rtp_latch_expect(&latch, (struct sockaddr *)&told);
    assert_int_equal(packet(&latch, 1, &real, 9, 65534), RTP_LATCH_FOREIGN);
    assert_int_equal(packet(&latch, 2, &real, 9, 65535), RTP_LATCH_FOREIGN);
    assert_int_equal(packet(&latch, 3, &real, 9, 65535), RTP_LATCH_FOREIGN); /* again: anew */
    assert_int_equal(packet(&latch, 3, &real, 9, 0), RTP_LATCH_FOREIGN);
    assert_int_equal(packet(&latch, 3, &real, 9, 2), RTP_LATCH_NEW); /* one was lost */
    assert_true(sends_to(&latch, &real));
    /* The address of the SDP wins its place back, also while the other talks. */
    for (uint16_t i = 0; i < 2; i++) {
        assert_int_equal(packet(&latch, 4, &told, 5, i), RTP_LATCH_FOREIGN);
    }
    assert_int_equal(packet(&latch, 5, &told, 5, 2), RTP_LATCH_NEW);
    rtp_latch_expect(&latch, (struct sockaddr *)&told); /* told the same again: no change */
    assert_int_equal(packet(&latch, 6, &told, 5, 3), RTP_LATCH_OURS);
    rtp_latch_expect(&latch, (struct sockaddr *)&real);
    assert_true(sends_to(&latch, &real));
}

static void another_address_gets_in_only_after_a_silence(void **state)
{
    (void)state;
    struct sockaddr_storage ours = address(0x0a000001, 4000);
    struct sockaddr_storage other = address(0x0a000001, 4002);
    rtp_latch_t latch = {0};
    rtp_latch_expect(&latch, (struct sockaddr *)&ours);
    packet(&latch, 1, &ours, 1, 1);
    for (uint16_t i = 0; i < 200; i++) {
        assert_int_equal(packet(&latch, 20u * i, &ours, 1, i), RTP_LATCH_OURS);
        assert_int_equal(packet(&latch, 20u * i, &other, 2, i), RTP_LATCH_FOREIGN);
    }
    uint16_t seq = 0;
    while (packet(&latch, 4000 + 20u * seq, &other, 2, seq) == RTP_LATCH_FOREIGN) seq++;
    assert_in_range(seq, 45, 60); /* a second after the last of ours */
    assert_true(sends_to(&latch, &other));
}

static void a_new_ssrc_needs_two_in_a_row(void **state)
{
    (void)state;
    struct sockaddr_storage ours = address(0x0a000001, 4000);
    rtp_latch_t latch = {0};
    rtp_latch_expect(&latch, (struct sockaddr *)&ours);
    packet(&latch, 1, &ours, 1, 1);
    assert_int_equal(packet(&latch, 2, &ours, 2, 100), RTP_LATCH_FOREIGN);
    assert_int_equal(packet(&latch, 3, &ours, 1, 2), RTP_LATCH_OURS);
    assert_int_equal(packet(&latch, 4, &ours, 2, 101), RTP_LATCH_FOREIGN);
    assert_int_equal(packet(&latch, 5, &ours, 2, 102), RTP_LATCH_NEW);
}

static void addresses_of_hold_and_of_ipv6_are_understood(void **state)
{
    (void)state;
    struct sockaddr_storage hold = address(0, 4000);
    struct sockaddr_storage portless = address(0x7f000001, 0);
    assert_false(rtp_address_usable((struct sockaddr *)&hold));
    assert_false(rtp_address_usable((struct sockaddr *)&portless));
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(7000)};
    assert_false(rtp_address_usable((struct sockaddr *)&v6));
    v6.sin6_addr.s6_addr[15] = 1;
    assert_true(rtp_address_usable((struct sockaddr *)&v6));
    rtp_address_set_port((struct sockaddr *)&v6, 7001);
    assert_int_equal(rtp_address_port((struct sockaddr *)&v6), 7001);
    struct sockaddr_storage v4 = address(0x7f000001, 7001);
    assert_false(rtp_address_equal((struct sockaddr *)&v4, (struct sockaddr *)&v6, true));
    struct sockaddr_storage none = {0};
    assert_int_equal(rtp_address_bytes((struct sockaddr *)&none), 0);
    assert_false(rtp_address_usable((struct sockaddr *)&none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read_as_it_was_written),
        cmocka_unit_test(csrcs_extensions_and_padding_are_passed_over),
        cmocka_unit_test(lengths_that_lie_are_refused),
        cmocka_unit_test(random_bytes_never_lead_out_of_the_packet),
        cmocka_unit_test(a_key_is_told_once_with_its_duration),
        cmocka_unit_test(a_key_whose_end_is_lost_is_told_by_the_next_or_by_time),
        cmocka_unit_test(a_very_long_key_is_one_key),
        cmocka_unit_test(events_that_are_no_keys_and_short_payloads_are_ignored),
        cmocka_unit_test(sent_keys_have_marker_rising_duration_three_ends_and_a_pause),
        cmocka_unit_test(a_report_is_read_as_it_was_written),
        cmocka_unit_test(the_round_trip_is_what_the_peer_did_not_hold),
        cmocka_unit_test(loss_duplicates_and_wrap_are_counted),
        cmocka_unit_test(a_sequence_that_begins_anew_is_followed_after_two),
        cmocka_unit_test(jitter_is_measured_as_the_rfc_says),
        cmocka_unit_test(the_told_address_is_believed_at_once_and_another_after_three),
        cmocka_unit_test(another_address_gets_in_only_after_a_silence),
        cmocka_unit_test(a_new_ssrc_needs_two_in_a_row),
        cmocka_unit_test(addresses_of_hold_and_of_ipv6_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
