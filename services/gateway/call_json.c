#include "services/gateway/call_json.h"

#include <math.h>
#include <stdbool.h>

#include "common/clock.h"
#include "common/record.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static const char *name_of(const char *const *names, size_t count, int value)
{
    return value >= 0 && (size_t)value < count && names[value] ? names[value] : "unknown";
}

const char *action_name(Pl__Action action)
{
    static const char *const names[] = {"talk", "call", "hangup", "sms"};
    return name_of(names, COUNT(names), (int)action);
}

const char *persona_name(Pl__Persona persona)
{
    static const char *const names[] = {"human", "assistant", "tool"};
    return name_of(names, COUNT(names), (int)persona);
}

const char *style_name(Pl__Style style)
{
    static const char *const names[] = {"none", "cheerful", "sad"};
    return name_of(names, COUNT(names), (int)style);
}

const char *claim_type_name(Pl__ClaimType type)
{
    static const char *const names[] = {"text", "datetime", "phone_number", "email"};
    return name_of(names, COUNT(names), (int)type);
}

const char *next_action_name(Pl__NextAction action)
{
    static const char *const names[] = {
        "case_closed",   "commercial_offer",     "customer_will_send_info",
        "high_priority", "propose_new_contract", "requires_expertise"};
    return name_of(names, COUNT(names), (int)action);
}

const char *satisfaction_name(Pl__Satisfaction satisfaction)
{
    static const char *const names[] = {"terrible", "low", "partial", "high", "unknow"};
    return name_of(names, COUNT(names), (int)satisfaction);
}

const char *leg_end_name(Pl__LegEnd end)
{
    static const char *const names[] = {"not_ended",  "bye_local",   "bye_remote",  "busy",
                                        "no_answer",  "declined",    "unreachable", "cancelled",
                                        "media_lost", "transferred", "owner_lost",  "failed",
                                        "moved"};
    return name_of(names, COUNT(names), (int)end);
}

/* ---- members: each writes its own leading comma unless it is the first of its object ---- */

const char *reminder_state_name(Pl__ReminderState state)
{
    static const char *const names[] = {"upcoming", "open", "ended"};
    return name_of(names, sizeof names / sizeof *names, (int)state);
}

static void key(text_t *out, const char *name)
{
    char last = out->size ? out->data[out->size - 1] : '{';
    if (last != '{' && last != '[') text_add(out, ",");
    text_json(out, name);
    text_add(out, ":");
}

static void string(text_t *out, const char *name, const char *value)
{
    key(out, name);
    text_json(out, value);
}

/* null where the record has nothing. */
static void string_or_null(text_t *out, const char *name, const char *value)
{
    key(out, name);
    if (value && value[0]) {
        text_json(out, value);
    } else {
        text_add(out, "null");
    }
}

static void number(text_t *out, const char *name, uint64_t value)
{
    key(out, name);
    text_fmt(out, "%llu", (unsigned long long)value);
}

static void boolean(text_t *out, const char *name, bool value)
{
    key(out, name);
    text_add(out, value ? "true" : "false");
}

static void moment(text_t *out, const char *name, int64_t wall_ms)
{
    char iso[PL_CLOCK_ISO_BYTES];
    string(out, name, pl_clock_iso(wall_ms, iso));
}

static void open_element(text_t *out)
{
    if (out->data[out->size - 1] != '[') text_add(out, ",");
    text_add(out, "{");
}

/* ---- the parts ---- */

static void languages(text_t *out, const Pl__Initiate *in)
{
    key(out, "lang");
    text_add(out, "{");
    string(out, "default_short_code", in->lang_default);
    key(out, "availables");
    text_add(out, "[");
    for (size_t i = 0; i < in->n_lang_available; i++) {
        const Pl__Language *language = in->lang_available[i];
        open_element(out);
        string_or_null(out, "custom_voice_endpoint_id", NULL);
        key(out, "pronunciations_en");
        text_add(out, "[");
        for (size_t j = 0; j < language->n_pronunciations_en; j++) {
            if (j > 0) text_add(out, ",");
            text_json(out, language->pronunciations_en[j]);
        }
        text_add(out, "]");
        string(out, "short_code", language->short_code);
        string(out, "voice", language->voice);
        text_add(out, "}");
    }
    text_add(out, "]}");
}

static void initiate(text_t *out, const Pl__Initiate *in)
{
    static const Pl__Initiate none = PL__INITIATE__INIT;
    if (!in) in = &none;
    key(out, "initiate");
    text_add(out, "{");
    string(out, "phone_number", in->phone_number);
    string(out, "agent_phone_number", in->agent_phone_number);
    string(out, "bot_company", in->bot_company);
    string(out, "bot_name", in->bot_name);
    key(out, "claim");
    text_add(out, "[");
    for (size_t i = 0; i < in->n_claim; i++) {
        open_element(out);
        string_or_null(out, "description", in->claim[i]->description);
        string(out, "name", in->claim[i]->name);
        string(out, "type", claim_type_name(in->claim[i]->type));
        text_add(out, "}");
    }
    text_add(out, "]");
    languages(out, in);
    key(out, "prosody_rate");
    bool usable = isfinite(in->prosody_rate) && in->prosody_rate > 0;
    text_fmt(out, "%.3g", usable ? in->prosody_rate : 1.0);
    if (usable && in->prosody_rate == floor(in->prosody_rate)) text_add(out, ".0");
    string(out, "task", in->task);
    text_add(out, "}");
}

static void message_or_null(text_t *out, uint32_t message)
{
    key(out, "message");
    if (message > 0) {
        text_fmt(out, "%u", message);
    } else {
        text_add(out, "null");
    }
}

/* former: the values alone, as clients know them; earlier: with where each came from. */
static void earlier(text_t *out, const Pl__ClaimValue *value)
{
    key(out, "former");
    text_add(out, "[");
    for (size_t i = 0; i < value->n_former + value->n_earlier; i++) {
        if (i > 0) text_add(out, ",");
        bool old = i < value->n_former;
        text_json(out, old ? value->former[i] : value->earlier[i - value->n_former]->value);
    }
    text_add(out, "]");
    key(out, "earlier");
    text_add(out, "[");
    for (size_t i = 0; i < value->n_earlier; i++) {
        const Pl__ClaimEarlier *facts = value->earlier[i];
        open_element(out);
        string(out, "value", facts->value);
        boolean(out, "confirmed", facts->confirmed);
        boolean(out, "corrected", facts->corrected);
        message_or_null(out, facts->message);
        if (facts->set_at_ms) moment(out, "set_at", facts->set_at_ms);
        text_add(out, "}");
    }
    text_add(out, "]");
}

static void claim(text_t *out, const Pl__CallRecord *call)
{
    key(out, "claim");
    text_add(out, "{");
    for (size_t i = 0; i < call->n_claim; i++) {
        const Pl__ClaimValue *value = call->claim[i];
        if (value->value[0]) string(out, value->name, value->value);
    }
    text_add(out, "}");
    key(out, "claim_details");
    text_add(out, "[");
    for (size_t i = 0; i < call->n_claim; i++) {
        const Pl__ClaimValue *value = call->claim[i];
        open_element(out);
        string(out, "name", value->name);
        string_or_null(out, "value", value->value);
        boolean(out, "confirmed", value->confirmed);
        boolean(out, "corrected", value->corrected);
        message_or_null(out, value->message);
        moment(out, "set_at", value->set_at_ms);
        earlier(out, value);
        text_add(out, "}");
    }
    text_add(out, "]");
}

static void tool_calls(text_t *out, const Pl__Message *message)
{
    key(out, "tool_calls");
    text_add(out, "[");
    for (size_t i = 0; i < message->n_tool_calls; i++) {
        const Pl__ToolCall *call = message->tool_calls[i];
        open_element(out);
        string(out, "content", call->content);
        string(out, "function_arguments", call->function_arguments);
        string(out, "function_name", call->function_name);
        string(out, "tool_id", call->tool_id);
        text_add(out, "}");
    }
    text_add(out, "]");
}

static void passages(text_t *out, const Pl__Message *message)
{
    key(out, "passages");
    text_add(out, "[");
    for (size_t i = 0; i < message->n_passages; i++) {
        const Pl__PassageUsed *passage = message->passages[i];
        open_element(out);
        string(out, "id", passage->id);
        string(out, "title", passage->title);
        string(out, "source", passage->source);
        key(out, "score");
        if (isfinite(passage->score)) {
            text_fmt(out, "%.3f", passage->score);
        } else {
            text_add(out, "null");
        }
        text_add(out, "}");
    }
    text_add(out, "]");
}

static void latency(text_t *out, const Pl__Message *message)
{
    key(out, "latency");
    if (message->answer_latency_ms == 0) {
        text_add(out, "null");
        return;
    }
    text_add(out, "{");
    number(out, "total_ms", message->answer_latency_ms);
    number(out, "endpointing_ms", message->endpointing_ms);
    number(out, "recognition_ms", message->recognition_ms);
    number(out, "thinking_ms", message->thinking_ms);
    number(out, "synthesis_ms", message->synthesis_ms);
    text_add(out, "}");
}

static void messages(text_t *out, const Pl__CallRecord *call)
{
    key(out, "messages");
    text_add(out, "[");
    for (size_t i = 0; i < call->n_messages; i++) {
        const Pl__Message *message = call->messages[i];
        open_element(out);
        moment(out, "created_at", message->created_at_ms);
        string(out, "action", action_name(message->action));
        string(out, "content", message->content);
        string_or_null(out, "lang_short_code", message->lang_short_code);
        string(out, "persona", persona_name(message->persona));
        string(out, "style", style_name(message->style));
        tool_calls(out, message);
        passages(out, message);
        number(out, "number", message->number);
        number(out, "turn", message->turn);
        boolean(out, "interrupted", message->interrupted);
        boolean(out, "heard_estimated", message->heard_estimated);
        latency(out, message);
        text_add(out, "}");
    }
    text_add(out, "]");
}

static void moment_or_null(text_t *out, const char *name, int64_t wall_ms)
{
    if (wall_ms) {
        moment(out, name, wall_ms);
    } else {
        key(out, name);
        text_add(out, "null");
    }
}

void reminder_json(text_t *out, const Pl__Reminder *reminder)
{
    moment(out, "created_at", reminder->created_at_ms);
    string(out, "description", reminder->description);
    string(out, "due_date_time", reminder->due_date_time);
    string_or_null(out, "owner", reminder->owner);
    string(out, "title", reminder->title);
    moment_or_null(out, "due_at", reminder->due_at_ms);
    string(out, "state", reminder_state_name(pl_record_reminder_state(reminder)));
    string_or_null(out, "outcome", reminder->outcome);
    moment_or_null(out, "fired_at", reminder->fired_at_ms);
    moment_or_null(out, "ended_at", reminder->ended_at_ms);
}

static void reminders(text_t *out, const Pl__CallRecord *call)
{
    key(out, "reminders");
    text_add(out, "[");
    for (size_t i = 0; i < call->n_reminders; i++) {
        open_element(out);
        reminder_json(out, call->reminders[i]);
        text_add(out, "}");
    }
    text_add(out, "]");
}

static void next(text_t *out, const Pl__Next *in)
{
    key(out, "next");
    if (!in) {
        text_add(out, "null");
        return;
    }
    text_add(out, "{");
    string(out, "action", next_action_name(in->action));
    string(out, "justification", in->justification);
    text_add(out, "}");
}

static void synthesis(text_t *out, const Pl__Synthesis *in)
{
    key(out, "synthesis");
    if (!in) {
        text_add(out, "null");
        return;
    }
    text_add(out, "{");
    string(out, "improvement_suggestions", in->improvement_suggestions);
    string(out, "long", in->detail);
    string(out, "satisfaction", satisfaction_name(in->satisfaction));
    string(out, "short", in->brief);
    text_add(out, "}");
}

static void ended(text_t *out, const Pl__CallRecord *call)
{
    key(out, "ended");
    if (call->ended == PL__LEG_END__LEG_NOT_ENDED) {
        text_add(out, "null");
        return;
    }
    text_add(out, "{");
    string(out, "reason", leg_end_name(call->ended));
    string_or_null(out, "detail", call->ended_detail);
    text_add(out, "}");
}

static double decibel(int32_t centibel)
{
    return (double)centibel / 10;
}

static void mos(text_t *out, const char *name, uint32_t hundredths)
{
    key(out, name);
    if (hundredths > 0)
        text_fmt(out, "%.2f", (double)hundredths / 100);
    else
        text_add(out, "null");
}

static void voice(text_t *out, const Pl__LegStats *in)
{
    key(out, "voice");
    if (!in) {
        text_add(out, "null");
        return;
    }
    text_add(out, "{");
    number(out, "duration_ms", in->duration_ms);
    number(out, "packets_received", in->rtp_received);
    number(out, "packets_lost", in->rtp_lost);
    number(out, "packets_late", in->rtp_late);
    number(out, "packets_sent", in->rtp_sent);
    number(out, "packets_lost_remote", in->remote_lost);
    number(out, "jitter_us", in->jitter_us);
    number(out, "round_trip_us", in->round_trip_us);
    number(out, "buffer_ms", in->buffer_ms);
    number(out, "concealed_frames", in->concealed_frames);
    number(out, "underrun_frames", in->underruns);
    number(out, "skipped_frames", in->skipped_ticks);
    number(out, "clipped_frames", in->clipped_frames);
    key(out, "echo");
    if (in->echo_heard) {
        text_fmt(out, "{\"delay_ms\":%u,\"return_loss_db\":%.1f,\"enhancement_db\":%.1f}",
                 in->echo_delay_ms, decibel(in->echo_return_loss_cb),
                 decibel(in->echo_enhancement_cb));
    } else {
        text_add(out, "null");
    }
    mos(out, "mos_heard", in->mos_heard);
    mos(out, "mos_said", in->mos_said);
    text_add(out, "}");
}

static void recordings(text_t *out, const Pl__CallRecord *call)
{
    key(out, "recordings");
    text_add(out, "[");
    for (size_t i = 0; i < call->n_recordings; i++) {
        const Pl__Recording *recording = call->recordings[i];
        open_element(out);
        key(out, "url");
        if (recording->number > 0)
            text_fmt(out, "\"/recording/%s?part=%zu\"", call->call_id, i + 1);
        else
            text_add(out, "null");
        moment(out, "started_at", recording->started_at_ms);
        number(out, "duration_ms", recording->duration_ms);
        number(out, "lost_ms", recording->lost_ms);
        string_or_null(out, "failure", recording->failure);
        text_add(out, "}");
    }
    text_add(out, "]");
}

void call_json(text_t *out, const Pl__CallRecord *call)
{
    text_add(out, "{");
    string(out, "call_id", call->call_id);
    moment(out, "created_at", call->created_at_ms);
    claim(out, call);
    boolean(out, "in_progress", call->in_progress);
    initiate(out, call->initiate);
    messages(out, call);
    next(out, call->next);
    reminders(out, call);
    synthesis(out, call->synthesis);
    string(out, "direction", call->outbound ? "outbound" : "inbound");
    string_or_null(out, "lang_short_code", call->lang_short_code);
    ended(out, call);
    voice(out, call->voice);
    recordings(out, call);
    string_or_null(out, "continues", call->continues);
    string_or_null(out, "continued_as", call->continued_as);
    text_add(out, "}");
}
