/* webrtc_apm.h - for echo_bench: WebRTC's audio processing module (Debian's 0.3) behind a C face. */
#ifndef TESTS_WEBRTC_APM_H
#define TESTS_WEBRTC_APM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct webrtc_apm webrtc_apm_t;

/* mobile: its echo control for weak processors instead of the full one. */
webrtc_apm_t *webrtc_apm_new(unsigned hz, bool mobile, bool noise, bool gain, int delay_ms);
void webrtc_apm_destroy(webrtc_apm_t *self);
/* 20 ms of what was played and of what was heard, which is replaced by what is left of it. */
void webrtc_apm_frame(webrtc_apm_t *self, const int16_t *played, int16_t *mic);

#ifdef __cplusplus
}
#endif
#endif
