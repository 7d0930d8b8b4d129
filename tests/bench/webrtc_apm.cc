#include "tests/bench/webrtc_apm.h"

#include <cstdlib>
#include <cstring>

#include <webrtc/common.h>
#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>

struct webrtc_apm {
    webrtc::AudioProcessing *apm;
    unsigned hz;
    int delay_ms;
};

webrtc_apm_t *webrtc_apm_new(unsigned hz, bool mobile, bool noise, bool gain, int delay_ms)
{
    webrtc_apm_t *self = new webrtc_apm;
    webrtc::Config config;
    config.Set<webrtc::ExtendedFilter>(new webrtc::ExtendedFilter(true));
    config.Set<webrtc::DelayAgnostic>(new webrtc::DelayAgnostic(delay_ms < 0));
    self->apm = webrtc::AudioProcessing::Create(config);
    self->hz = hz;
    self->delay_ms = delay_ms < 0 ? 0 : delay_ms;
    const webrtc::AudioProcessing::ChannelLayout mono = webrtc::AudioProcessing::kMono;
    if (self->apm->Initialize((int)hz, (int)hz, (int)hz, mono, mono, mono) != 0) abort();
    self->apm->high_pass_filter()->Enable(true);
    if (mobile) {
        self->apm->echo_control_mobile()->set_routing_mode(
            webrtc::EchoControlMobile::kSpeakerphone);
        self->apm->echo_control_mobile()->Enable(true);
    } else {
        self->apm->echo_cancellation()->enable_drift_compensation(false);
        self->apm->echo_cancellation()->set_suppression_level(
            webrtc::EchoCancellation::kModerateSuppression);
        self->apm->echo_cancellation()->Enable(true);
    }
    if (noise) {
        self->apm->noise_suppression()->set_level(webrtc::NoiseSuppression::kModerate);
        self->apm->noise_suppression()->Enable(true);
    }
    if (gain) {
        self->apm->gain_control()->set_mode(webrtc::GainControl::kAdaptiveDigital);
        self->apm->gain_control()->Enable(true);
    }
    return self;
}

void webrtc_apm_destroy(webrtc_apm_t *self)
{
    delete self->apm;
    delete self;
}

void webrtc_apm_frame(webrtc_apm_t *self, const int16_t *played, int16_t *mic)
{
    size_t samples = self->hz / 100;
    webrtc::AudioFrame frame;
    for (int half = 0; half < 2; half++) {
        frame.UpdateFrame(-1, 0, played + half * samples, samples, (int)self->hz,
                          webrtc::AudioFrame::kNormalSpeech, webrtc::AudioFrame::kVadUnknown, 1);
        if (self->apm->AnalyzeReverseStream(&frame) != 0) abort();
        frame.UpdateFrame(-1, 0, mic + half * samples, samples, (int)self->hz,
                          webrtc::AudioFrame::kNormalSpeech, webrtc::AudioFrame::kVadUnknown, 1);
        self->apm->set_stream_delay_ms(self->delay_ms);
        if (self->apm->ProcessStream(&frame) != 0) abort();
        memcpy(mic + half * samples, frame.data_, samples * sizeof *mic);
    }
}
