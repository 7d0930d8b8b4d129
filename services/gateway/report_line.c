#include "services/gateway/report_line.h"

static const char *mos_words(uint32_t hundredths)
{
    if (hundredths >= 400) return "good";
    if (hundredths >= 360) return "fair";
    if (hundredths >= 310) return "poor";
    return "bad";
}

static void row(text_t *out, const char *name, const char *title)
{
    text_fmt(out, "<div class=\"field\"><dt title=\"%s\">%s</dt><dd>", title, name);
}

static void row_end(text_t *out)
{
    text_add(out, "</dd></div>\n");
}

static void score(text_t *out, const char *name, const char *title, uint32_t hundredths)
{
    if (hundredths == 0) return;
    row(out, name, title);
    text_fmt(out, "%.1f of 5, %s", (double)hundredths / 100, mos_words(hundredths));
    row_end(out);
}

static void frames(text_t *out, const char *name, const char *title, uint32_t count)
{
    if (count == 0) return;
    row(out, name, title);
    text_fmt(out, "%u ms", count * 20);
    row_end(out);
}

static void losses(text_t *out, const Pl__LegStats *v)
{
    row(out, "Packets", "received and sent; lost, or too late to be heard");
    text_fmt(out, "%u received, %u lost, %u late; %u sent, %u lost", v->rtp_received, v->rtp_lost,
             v->rtp_late, v->rtp_sent, v->remote_lost);
    row_end(out);
    row(out, "Delay", "jitter of the network, delay of the jitter buffer, round trip");
    text_fmt(out, "jitter %.1f ms, buffer %u ms", (double)v->jitter_us / 1000, v->buffer_ms);
    if (v->round_trip_us > 0) {
        text_fmt(out, ", round trip %.1f ms", (double)v->round_trip_us / 1000);
    }
    row_end(out);
}

static void echo(text_t *out, const Pl__LegStats *v)
{
    if (!v->echo_heard) return;
    row(out, "Echo", "of the bot's own voice, from the customer's end");
    text_fmt(out, "%.0f dB softer after %u ms, %.0f dB more taken away",
             (double)v->echo_return_loss_cb / 10, v->echo_delay_ms,
             (double)v->echo_enhancement_cb / 10);
    row_end(out);
}

void report_line(text_t *out, const Pl__CallRecord *call)
{
    const Pl__LegStats *v = call->voice;
    if (!v) return;
    text_add(out, "<section class=\"card\" id=\"line\"><h2>Line</h2>\n<dl>");
    score(out, "Customer heard", "estimated opinion score of the bot's voice as they heard it",
          v->mos_said);
    score(out, "Customer sounded", "estimated opinion score of their voice as it was heard",
          v->mos_heard);
    losses(out, v);
    frames(out, "Made up", "of the customer's voice, in place of what was lost",
           v->concealed_frames);
    frames(out, "Gaps", "in the bot's voice, which came too late", v->underruns);
    frames(out, "Stalled", "time that the media thread was late", v->skipped_ticks);
    frames(out, "Clipped", "of the customer's voice, too loud for the line", v->clipped_frames);
    echo(out, v);
    text_add(out, "</dl></section>\n");
}
