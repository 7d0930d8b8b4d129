/* telephony_fuzz.c - every outside byte of telephony's control side: SDP, the page's texts, caller
 * identities, WAV files. The first byte of an input chooses.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/telephony/browser_message.h"
#include "services/telephony/identity.h"
#include "services/telephony/libre.h"
#include "services/telephony/prompt.h"
#include "services/telephony/sip_sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input as an offer, and then as the answer to an offer of ours. */
static void fuzz_sdp(const uint8_t *data, size_t size)
{
    sip_codecs_t codecs;
    struct sa local;
    if (sip_codecs_parse("G722,opus,L16,PCMU,PCMA", &codecs)) abort();
    sa_set_str(&local, "127.0.0.1", 0);
    for (int answering = 0; answering < 2; answering++) {
        sip_sdp_t *sdp = sip_sdp_new(&codecs, &local, 4000);
        struct mbuf *in = mbuf_alloc(size + 1), *out = NULL;
        if (mbuf_write_mem(in, data, size)) abort();
        in->pos = 0;
        pl_err_t err = PL_OK;
        if (answering) {
            err = sip_sdp_answer(sdp, in, &out);
        } else {
            if (sip_sdp_offer(sdp, &out)) abort();
            err = sip_sdp_answered(sdp, in);
        }
        rtp_params_t params;
        if (sip_sdp_agreed(sdp, &params) != (err == PL_OK)) abort();
        if (!err && (params.pt > 127 || params.dtmf_pt > 127 || params.codec >= CODEC_KINDS))
            abort();
        mem_deref(in);
        mem_deref(out);
        sip_sdp_destroy(&sdp);
    }
}

static void fuzz_identity(const char *text, size_t size)
{
    char number[IDENTITY_BYTES];
    if (identity_from_header(text, size, number) != identity_is_number(number)) abort();
    if (identity_from_user(text, size, number) != identity_is_number(number)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    const char *text = (const char *)data + 1;
    prompt_t prompt = {NULL, 0};
    switch (data[0] % 4) {
    case 0:
        fuzz_sdp(data + 1, size - 1);
        break;
    case 1:
        (void)browser_message_parse(text, size - 1);
        break;
    case 2:
        fuzz_identity(text, size - 1);
        break;
    default:
        if (prompt_parse(&prompt, data + 1, size - 1) == PL_OK) prompt_free(&prompt);
        break;
    }
    return 0;
}
