/* sip_sdp_test.c - offers and answers, hold, and malformed descriptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/telephony/libre.h"
#include "services/telephony/sip_sdp.h"

enum { OUR_PORT = 23500 };

static sip_sdp_t *side(const char *list)
{
    sip_codecs_t codecs;
    assert_int_equal(sip_codecs_parse(list, &codecs), PL_OK);
    struct sa local;
    sa_set_str(&local, "127.0.0.1", 0);
    return sip_sdp_new(&codecs, &local, OUR_PORT);
}

static struct mbuf *text(const char *sdp)
{
    struct mbuf *mb = mbuf_alloc(strlen(sdp) + 1);
    assert_non_null(mb);
    mbuf_write_str(mb, sdp);
    mb->pos = 0;
    return mb;
}

static pl_err_t answer(sip_sdp_t *sdp, const char *offer, char *out, size_t room)
{
    struct mbuf *in = text(offer);
    struct mbuf *mb = NULL;
    pl_err_t err = sip_sdp_answer(sdp, in, &mb);
    out[0] = '\0';
    if (!err) snprintf(out, room, "%.*s", (int)mbuf_get_left(mb), (const char *)mbuf_buf(mb));
    mem_deref(mb);
    mem_deref(in);
    return err;
}

#define HEAD "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
#define PHONE                                                                                      \
    HEAD "m=audio 4000 RTP/AVP 0 8 9 97 101\r\na=rtpmap:97 L16/16000\r\n"                          \
         "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"

static void the_codecs_of_the_configuration_are_checked(void **state)
{
    (void)state;
    sip_codecs_t codecs;
    assert_int_equal(sip_codecs_parse("pcma, G722", &codecs), PL_OK);
    assert_int_equal(codecs.count, 2);
    assert_int_equal(codecs.kinds[0], CODEC_PCMA);
    assert_int_equal(codecs.kinds[1], CODEC_G722);
    assert_int_equal(sip_codecs_parse("", &codecs), PL_INVALID);
    assert_int_equal(sip_codecs_parse(" ,", &codecs), PL_INVALID);
    assert_int_equal(sip_codecs_parse("G729", &codecs), PL_INVALID);
    assert_int_equal(sip_codecs_parse("G722,G722", &codecs), PL_INVALID);
    assert_int_equal(sip_codecs_parse("G722,L16,PCMU,PCMA,opus,G722", &codecs), PL_INVALID);
}

static void an_answer_takes_one_codec_by_our_order(void **state)
{
    (void)state;
    sip_sdp_t *sdp = side("G722,L16,PCMU,PCMA");
    char out[1024];
    rtp_params_t params;
    assert_false(sip_sdp_agreed(sdp, &params));
    assert_int_equal(answer(sdp, PHONE, out, sizeof(out)), PL_OK);
    assert_non_null(strstr(out, "m=audio 23500 RTP/AVP 9 101\r\n"));
    assert_non_null(strstr(out, "c=IN IP4 127.0.0.1\r\n"));
    assert_true(sip_sdp_agreed(sdp, &params));
    assert_int_equal(params.codec, CODEC_G722);
    assert_int_equal(params.pt, 9);
    assert_int_equal(params.dtmf_pt, 101);
    assert_int_equal(params.dtmf_hz, 8000);
    assert_true(params.send && params.receive);
    const struct sockaddr_in *remote = (const struct sockaddr_in *)&params.remote;
    assert_int_equal(ntohs(remote->sin_port), 4000);
    assert_int_equal(remote->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    remote = (const struct sockaddr_in *)&params.remote_rtcp;
    assert_int_equal(ntohs(remote->sin_port), 4001);
    sip_sdp_destroy(&sdp);
}

static void dynamic_types_are_the_peers(void **state)
{
    (void)state;
    sip_sdp_t *sdp = side("L16,PCMU");
    char out[1024];
    rtp_params_t params;
    assert_int_equal(answer(sdp,
                            HEAD "m=audio 4000 RTP/AVP 0 120 121 122\r\na=rtcp:4711\r\n"
                                 "a=rtpmap:120 telephone-event/8000\r\n"
                                 "a=rtpmap:121 telephone-event/16000\r\n"
                                 "a=rtpmap:122 L16/16000/1\r\n",
                            out, sizeof(out)),
                     PL_OK);
    assert_true(sip_sdp_agreed(sdp, &params));
    assert_int_equal(params.codec, CODEC_L16);
    assert_int_equal(params.pt, 122);
    assert_int_equal(params.dtmf_pt, 121);
    assert_int_equal(params.dtmf_hz, 16000);
    assert_int_equal(ntohs(((const struct sockaddr_in *)&params.remote_rtcp)->sin_port), 4711);
    assert_non_null(strstr(out, "a=rtpmap:122 L16/16000"));
    assert_null(strstr(out, "a=rtpmap:120"));
    sip_sdp_destroy(&sdp);
}

static void our_offer_and_its_answer_agree(void **state)
{
    (void)state;
    sip_sdp_t *caller = side("G722,L16,PCMU,PCMA"), *callee = side("L16,PCMA");
    struct mbuf *offer = NULL, *back = NULL;
    assert_int_equal(sip_sdp_offer(caller, &offer), PL_OK);
    assert_int_equal(sip_sdp_answer(callee, offer, &back), PL_OK);
    assert_int_equal(sip_sdp_answered(caller, back), PL_OK);
    rtp_params_t one, two;
    assert_true(sip_sdp_agreed(caller, &one) && sip_sdp_agreed(callee, &two));
    assert_int_equal(one.codec, CODEC_L16);
    assert_int_equal(two.codec, CODEC_L16);
    assert_int_equal(one.pt, two.pt);
    assert_int_equal(one.dtmf_pt, two.dtmf_pt);
    assert_int_equal(one.dtmf_hz, 16000);
    mem_deref(offer);
    mem_deref(back);
    sip_sdp_destroy(&caller);
    sip_sdp_destroy(&callee);
}

static void a_later_offer_of_ours_names_every_codec_again(void **state)
{
    (void)state;
    sip_sdp_t *sdp = side("G722,L16,PCMU,PCMA");
    char out[1024];
    assert_int_equal(answer(sdp, HEAD "m=audio 4000 RTP/AVP 0\r\n", out, sizeof(out)), PL_OK);
    struct mbuf *mb = NULL;
    assert_int_equal(sip_sdp_offer(sdp, &mb), PL_OK);
    snprintf(out, sizeof(out), "%.*s", (int)mbuf_get_left(mb), (const char *)mbuf_buf(mb));
    mem_deref(mb);
    assert_non_null(strstr(out, "G722/8000"));
    assert_non_null(strstr(out, "PCMA/8000"));
    assert_non_null(strstr(out, "L16/16000"));
    struct mbuf *in = text(HEAD "m=audio 4002 RTP/AVP 8\r\n");
    rtp_params_t params;
    assert_int_equal(sip_sdp_answered(sdp, in), PL_OK);
    mem_deref(in);
    assert_true(sip_sdp_agreed(sdp, &params));
    assert_int_equal(params.codec, CODEC_PCMA);
    sip_sdp_destroy(&sdp);
}

static void opus_is_agreed_on_with_its_clock_and_what_we_ask_for(void **state)
{
    (void)state;
    sip_sdp_t *sdp = side("opus,PCMU");
    struct mbuf *offer = NULL;
    assert_int_equal(sip_sdp_offer(sdp, &offer), PL_OK);
    char out[2048];
    snprintf(out, sizeof out, "%.*s", (int)mbuf_get_left(offer), (const char *)mbuf_buf(offer));
    mem_deref(offer);
    assert_non_null(strstr(out, "a=rtpmap:97 opus/48000/2\r\n"));
    assert_non_null(strstr(out, "a=fmtp:97 maxplaybackrate=16000;"));
    assert_non_null(strstr(out, "useinbandfec=1"));
    assert_non_null(strstr(out, "telephone-event/48000"));

    rtp_params_t params;
    assert_int_equal(answer(sdp,
                            HEAD "m=audio 4000 RTP/AVP 0 111 110\r\na=rtpmap:111 opus/48000/2\r\n"
                                 "a=fmtp:111 useinbandfec=1; stereo=1\r\n"
                                 "a=rtpmap:110 telephone-event/48000\r\n",
                            out, sizeof(out)),
                     PL_OK);
    assert_true(sip_sdp_agreed(sdp, &params));
    assert_int_equal(params.codec, CODEC_OPUS);
    assert_int_equal(params.pt, 111);
    assert_int_equal(params.dtmf_pt, 110);
    assert_int_equal(params.dtmf_hz, 48000);
    assert_non_null(strstr(out, "a=rtpmap:111 opus/48000/2"));
    sip_sdp_destroy(&sdp);
}

static void hold_and_resume_change_the_direction(void **state)
{
    (void)state;
    sip_sdp_t *sdp = side("G722,PCMU");
    char out[1024];
    rtp_params_t params;
    answer(sdp, PHONE, out, sizeof(out));
    char id[64];
    assert_int_equal(sscanf(strstr(out, "o=- "), "o=- %63s", id), 1);

    assert_int_equal(answer(sdp, PHONE "a=sendonly\r\n", out, sizeof(out)), PL_OK);
    sip_sdp_agreed(sdp, &params);
    assert_false(params.send);
    assert_true(params.receive);
    assert_non_null(strstr(out, "a=recvonly"));
    assert_non_null(strstr(out, id)); /* still the same session */

    assert_int_equal(answer(sdp, PHONE "a=inactive\r\n", out, sizeof(out)), PL_OK);
    sip_sdp_agreed(sdp, &params);
    assert_false(params.send || params.receive);

    /* RFC 2543's way */
    assert_int_equal(answer(sdp,
                            "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
                            "m=audio 4000 RTP/AVP 9\r\n",
                            out, sizeof(out)),
                     PL_OK);
    sip_sdp_agreed(sdp, &params);
    assert_false(params.send);

    assert_int_equal(answer(sdp, PHONE, out, sizeof(out)), PL_OK);
    sip_sdp_agreed(sdp, &params);
    assert_true(params.send && params.receive);
    sip_sdp_destroy(&sdp);
}

static void a_re_invite_may_move_the_peer_and_change_the_codec(void **state)
{
    (void)state;
    sip_sdp_t *sdp = side("G722,PCMU");
    char out[1024];
    rtp_params_t params;
    answer(sdp, PHONE, out, sizeof(out));
    assert_int_equal(answer(sdp,
                            "v=0\r\no=- 1 2 IN IP4 127.0.0.9\r\ns=-\r\nc=IN IP4 127.0.0.9\r\n"
                            "t=0 0\r\nm=audio 5000 RTP/AVP 0\r\n",
                            out, sizeof(out)),
                     PL_OK);
    sip_sdp_agreed(sdp, &params);
    assert_int_equal(params.codec, CODEC_PCMU);
    assert_int_equal(params.dtmf_pt, 0);
    char address[32];
    inet_ntop(AF_INET, &((struct sockaddr_in *)&params.remote)->sin_addr, address, sizeof(address));
    assert_string_equal(address, "127.0.0.9");
    sip_sdp_destroy(&sdp);
}

static void what_cannot_work_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *offer;
        pl_err_t err;
    } cases[] = {
        {HEAD "m=audio 4000 RTP/AVP 18\r\na=rtpmap:18 G729/8000\r\n", PL_UNSUPPORTED},
        {HEAD "m=audio 0 RTP/AVP 0\r\n", PL_UNSUPPORTED},
        {HEAD "m=video 4000 RTP/AVP 34\r\n", PL_UNSUPPORTED},
        {HEAD, PL_UNSUPPORTED},
        {HEAD "m=audio 4000 RTP/SAVP 0\r\n", PL_UNSUPPORTED},
        {HEAD "m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n", PL_UNSUPPORTED},
        {"v=1\r\n", PL_INVALID},
        {"rubbish", PL_INVALID},
        {"m=audio\r\n", PL_INVALID},
        {"v=0\r\nc=IN IP4 nowhere.example\r\nm=audio 4000 RTP/AVP 0\r\n", PL_INVALID},
    };
    char out[1024];
    rtp_params_t params;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sip_sdp_t *sdp = side("G722,PCMU,PCMA");
        assert_int_equal(answer(sdp, cases[i].offer, out, sizeof(out)), cases[i].err);
        assert_false(sip_sdp_agreed(sdp, &params));
        sip_sdp_destroy(&sdp);
    }

    sip_sdp_t *sdp = side("G722,PCMU,PCMA");
    answer(sdp, PHONE, out, sizeof(out));
    assert_int_equal(answer(sdp, cases[0].offer, out, sizeof(out)), PL_UNSUPPORTED);
    assert_true(sip_sdp_agreed(sdp, &params));
    assert_int_equal(params.codec, CODEC_G722);
    sip_sdp_destroy(&sdp);
}

/* Damages a good offer in many ways: nothing may crash, and what is agreed must be usable. */
static void no_damaged_offer_breaks_anything(void **state)
{
    (void)state;
    uint32_t seed = 7;
    size_t agreed = 0;
    for (unsigned round = 0; round < 20000; round++) {
        char offer[sizeof(PHONE)];
        memcpy(offer, PHONE, sizeof(PHONE));
        for (unsigned hit = 0; hit < 1 + round % 5; hit++) {
            seed = seed * 1664525U + 1013904223U;
            offer[(seed >> 8) % (sizeof(PHONE) - 1)] = (char)(1 + (seed >> 24) % 127);
        }
        sip_sdp_t *sdp = side("G722,L16,PCMU,PCMA");
        char out[1024];
        rtp_params_t params;
        if (answer(sdp, offer, out, sizeof(out)) == PL_OK) {
            agreed++;
            assert_true(sip_sdp_agreed(sdp, &params));
            assert_true(params.pt <= 127 && params.dtmf_pt <= 127);
            assert_true(params.codec < CODEC_KINDS);
            assert_int_not_equal(((struct sockaddr_in *)&params.remote)->sin_port, 0);
        }
        sip_sdp_destroy(&sdp);
    }
    assert_true(agreed > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_codecs_of_the_configuration_are_checked),
        cmocka_unit_test(an_answer_takes_one_codec_by_our_order),
        cmocka_unit_test(dynamic_types_are_the_peers),
        cmocka_unit_test(our_offer_and_its_answer_agree),
        cmocka_unit_test(a_later_offer_of_ours_names_every_codec_again),
        cmocka_unit_test(opus_is_agreed_on_with_its_clock_and_what_we_ask_for),
        cmocka_unit_test(hold_and_resume_change_the_direction),
        cmocka_unit_test(a_re_invite_may_move_the_peer_and_change_the_codec),
        cmocka_unit_test(what_cannot_work_is_refused_and_changes_nothing),
        cmocka_unit_test(no_damaged_offer_breaks_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
