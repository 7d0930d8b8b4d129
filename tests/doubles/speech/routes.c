/* routes.c - what the double answers: the routes of llm-double's server (tests/doubles/llm/routes.h),
 * for audio. */
#include "tests/doubles/speech/routes.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/doubles/speech/behaviour.h"
#include "tests/doubles/speech/form.h"
#include "tests/doubles/speech/sound.h"

enum { MODEL_BYTES = 64, INPUT_MAX = 4096, PIECE_MS = 50, MS_SAMPLES = SOUND_OUT_HZ / 1000 };

struct routes {
    journal_t *journal;
    char *api_key;
    const char *marked; /* borrowed */
    behaviour_t behaviour[CALLS];
    uint64_t exchanges;
};

typedef struct {
    char model[MODEL_BYTES];
    char note[512]; /* in place of a body with audio */
} note_t;

routes_t *speech_routes_new(journal_t *journal, const char *api_key, const char *marked)
{
    routes_t *self = calloc(1, sizeof *self);
    assert(self);
    self->journal = journal;
    self->api_key = strdup(api_key ? api_key : "");
    assert(self->api_key);
    self->marked = marked ? marked : "";
    return self;
}

void routes_destroy(routes_t **self_p)
{
    if (!*self_p) return;
    free((*self_p)->api_key);
    free(*self_p);
    *self_p = NULL;
}

static void refuse(plan_t *out, int status, const char *code, const char *message)
{
    text_t body = {0};
    text_add(&body, "{\"error\":{\"message\":");
    text_json(&body, message);
    text_add(&body, ",\"type\":\"invalid_request_error\",\"param\":null,\"code\":");
    text_json(&body, code);
    text_add(&body, "}}");
    plan_whole(out, status, "application/json", NULL, body.data, 0);
    text_free(&body);
}

/* True when the request goes wrong on purpose. */
static bool misbehaves(const behaviour_t *how, plan_t *out)
{
    if (!how->status) return false;
    refuse(out, how->status, "server_error", "The server had an error, as it was told to.");
    return true;
}

/* ---- transcriptions -------------------------------------------------------------------------------- */

static void value_of(const form_t *form, const char *name, const char *otherwise, char *out,
                     size_t bytes)
{
    const form_part_t *part = form_find(form, name);
    (void)snprintf(out, bytes, "%.*s", part ? (int)part->size : (int)strlen(otherwise),
                   part ? part->bytes : otherwise);
}

static void say_text(plan_t *out, const char *format, const char *text, const sound_t *sound,
                     uint64_t at_us)
{
    text_t body = {0};
    double seconds = (double)sound->samples / SOUND_HZ;
    bool verbose = strcmp(format, "verbose_json") == 0;
    if (strcmp(format, "text") == 0) {
        text_fmt(&body, "%s\n", text);
        plan_whole(out, 200, "text/plain; charset=utf-8", NULL, body.data, at_us);
    } else {
        text_add(&body, "{");
        if (verbose)
            text_fmt(&body, "\"task\":\"transcribe\",\"language\":\"english\",\"duration\":%.2f,",
                     seconds);
        text_add(&body, "\"text\":");
        text_json(&body, text);
        if (verbose) text_add(&body, ",\"segments\":[]");
        text_fmt(&body, ",\"usage\":{\"type\":\"duration\",\"seconds\":%.0f}}", seconds + 0.5);
        plan_whole(out, 200, "application/json", NULL, body.data, at_us);
    }
    text_free(&body);
}

static const char *wrong_form(const form_t *form, const char *format)
{
    const form_part_t *file = form_find(form, "file");
    if (!file || !file->is_file) return "you must provide a file parameter";
    if (!form_find(form, "model")) return "you must provide a model parameter";
    static const char *const formats[] = {"json", "text", "verbose_json"};
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(formats[i], format) == 0) return NULL;
    }
    return "response_format is not one of json, text, verbose_json";
}

static void transcribe(routes_t *self, const http_request_t *request, plan_t *out, note_t *note)
{
    behaviour_t how = behaviour_next(&self->behaviour[CALL_TRANSCRIPTIONS]);
    form_t form;
    char format[32];
    char lang[16];
    if (!form_read(&form, http_header(request, "content-type"), request->body,
                   request->body_bytes)) {
        refuse(out, 400, "", "Could not parse multipart form");
        return;
    }
    value_of(&form, "response_format", "json", format, sizeof format);
    value_of(&form, "language", "", lang, sizeof lang);
    value_of(&form, "model", "", note->model, sizeof note->model);
    const char *reason = wrong_form(&form, format);
    sound_t sound = {0};
    const form_part_t *file = form_find(&form, "file");
    if (!reason) (void)sound_read_wav(&sound, file->bytes, file->size, &reason);
    if (!sound.pcm) {
        refuse(out, 400, "", reason);
        return;
    }
    if (!misbehaves(&how, out)) {
        const char *text = sound_words(&sound);
        say_text(out, format, text, &sound, how.delay_ms * 1000ULL);
        (void)snprintf(note->note, sizeof note->note,
                       "{\"language\":\"%s\",\"audio_ms\":%zu,\"text\":\"%.300s\"}", lang,
                       sound.samples / (SOUND_HZ / 1000), text);
    }
    sound_free(&sound);
}

/* ---- speech ----------------------------------------------------------------------------------------- */

typedef struct {
    const char *model, *input, *voice, *format;
    double speed;
} wish_t;

static const char *text_in(const cJSON *root, const char *name, const char *otherwise)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, name));
    return text ? text : otherwise;
}

static const char *read_wish(wish_t *out, const cJSON *root)
{
    const cJSON *speed = cJSON_GetObjectItemCaseSensitive(root, "speed");
    *out = (wish_t){text_in(root, "model", ""), text_in(root, "input", ""),
                    text_in(root, "voice", ""), text_in(root, "response_format", "mp3"),
                    cJSON_IsNumber(speed) ? speed->valuedouble : 1.0};
    if (!cJSON_IsObject(root)) return "We could not parse the JSON body of your request.";
    if (!*out->model) return "you must provide a model parameter";
    if (!*out->input) return "you must provide an input parameter";
    if (!*out->voice) return "you must provide a voice parameter";
    if (strlen(out->input) > INPUT_MAX) return "String should have at most 4096 characters";
    if (out->speed < 0.25 || out->speed > 4.0) return "speed must be between 0.25 and 4";
    if (strcmp(out->format, "pcm") != 0 && strcmp(out->format, "wav") != 0)
        return "this double speaks response_format pcm and wav only";
    return NULL;
}

static void say_sound(plan_t *out, const sound_t *sound, const char *format, const behaviour_t *how)
{
    bool wav = strcmp(format, "wav") == 0;
    uint64_t at_us = how->delay_ms * 1000ULL;
    plan_head(out, wav ? "audio/wav" : "audio/pcm", at_us);
    if (wav) {
        text_t head = {0};
        sound_wav_head(&head, sound->samples, SOUND_OUT_HZ);
        plan_chunk(out, head.data, head.size, at_us);
        text_free(&head);
    }
    size_t until = sound->samples;
    size_t cut = (size_t)how->cut_after_ms * MS_SAMPLES;
    if (cut > 0 && cut < until) until = cut;
    size_t piece = PIECE_MS * MS_SAMPLES;
    for (size_t at = 0; at < until; at += piece) {
        size_t count = until - at < piece ? until - at : piece;
        if (how->pace > 0 && at > 0) at_us += (uint64_t)(PIECE_MS * 1000 / how->pace);
        plan_chunk(out, (const char *)(sound->pcm + at), count * sizeof(int16_t), at_us);
    }
    if (cut > 0) {
        out->end = PLAN_RESET;
        return;
    }
    plan_last_chunk(out, at_us);
}

/* The number after that word, in digits said one by one ("zero seven"); 0: there is none. */
static uint32_t mark_of(const char *text, const char *word)
{
    static const char *const digits[] = {"zero", "one", "two",   "three", "four",
                                         "five", "six", "seven", "eight", "nine"};
    uint32_t mark = 0;
    const char *at = *word ? strstr(text, word) : NULL;
    if (at) at += strlen(word);
    for (size_t digit = 0; at && digit < sizeof digits / sizeof *digits;) {
        at += strspn(at, " ");
        size_t length = strlen(digits[digit]);
        bool said = strncmp(at, digits[digit], length) == 0;
        if (said) {
            mark = mark * 10 + (uint32_t)digit;
            at += length;
        }
        digit = said ? 0 : digit + 1;
    }
    return mark;
}

static void speak(routes_t *self, const http_request_t *request, plan_t *out, note_t *note)
{
    behaviour_t how = behaviour_next(&self->behaviour[CALL_SPEECH]);
    cJSON *root = cJSON_ParseWithLength(request->body ? request->body : "", request->body_bytes);
    wish_t wish;
    const char *reason = read_wish(&wish, root);
    (void)snprintf(note->model, sizeof note->model, "%s", wish.model);
    sound_t sound = {0};
    if (reason) {
        refuse(out, 400, "", reason);
    } else if (!misbehaves(&how, out)) {
        (void)sound_say(&sound, wish.input, wish.speed,
                        mark_of(wish.input, self->marked)); /* marks alone: silence */
        say_sound(out, &sound, wish.format, &how);
    }
    sound_free(&sound);
    cJSON_Delete(root);
}

/* ---- all of it -------------------------------------------------------------------------------------- */

static void behave(routes_t *self, const http_request_t *request, plan_t *out)
{
    const char *reason = "";
    if (behaviour_read(self->behaviour, request->body ? request->body : "", request->body_bytes,
                       &reason))
        plan_whole(out, 200, "application/json", NULL, "{}", 0);
    else
        refuse(out, 400, "behaviour", reason);
}

static bool is_allowed(const routes_t *self, const http_request_t *request)
{
    const char *header = http_header(request, "authorization");
    bool bearer = header && strncmp(header, "Bearer ", 7) == 0;
    return !*self->api_key || (bearer && strcmp(header + 7, self->api_key) == 0);
}

static void dispatch(routes_t *self, const http_request_t *request, plan_t *out, note_t *note)
{
    const char *path = request->path;
    bool posts = strcmp(request->method, "POST") == 0;
    bool api = strncmp(path, "/v1/", 4) == 0;
    if (strcmp(path, "/double/behave") == 0 && strcmp(request->method, "PUT") == 0) {
        behave(self, request, out);
    } else if (strcmp(path, "/health") == 0 || strcmp(path, "/") == 0) {
        plan_whole(out, 200, "application/json", NULL, "{\"status\":\"ok\"}", 0);
    } else if (api && !is_allowed(self, request)) {
        refuse(out, 401, "invalid_api_key", "Incorrect API key provided.");
    } else if (posts && strcmp(path, "/v1/audio/transcriptions") == 0) {
        transcribe(self, request, out, note);
    } else if (posts && strcmp(path, "/v1/audio/speech") == 0) {
        speak(self, request, out, note);
    } else if (strcmp(path, "/v1/models") == 0) {
        plan_whole(out, 200, "application/json", NULL,
                   "{\"object\":\"list\",\"data\":[{\"id\":\"whisper-1\",\"object\":\"model\","
                   "\"created\":1700000000,\"owned_by\":\"double\"}]}",
                   0);
    } else {
        refuse(out, 404, "", "Unknown request URL.");
    }
}

uint64_t routes_answer(routes_t *self, const http_request_t *request, plan_t *out)
{
    note_t note = {0};
    self->exchanges++;
    dispatch(self, request, out, &note);
    if (strcmp(request->method, "HEAD") == 0 && out->n_steps) { /* the head alone */
        out->bytes.size = (size_t)(strstr(out->bytes.data, "\r\n\r\n") + 4 - out->bytes.data);
        out->steps[0].upto = out->bytes.size;
        out->n_steps = 1;
    }
    bool audio = strcmp(request->path, "/v1/audio/transcriptions") == 0;
    const char *body = audio ? note.note : request->body;
    journal_request(
        self->journal,
        &(journal_request_t){.number = self->exchanges,
                             .method = request->method,
                             .path = request->path,
                             .query = request->query,
                             .status = out->status,
                             .auth = http_header(request, "authorization") ? "bearer" : "none",
                             .rule = "",
                             .model = note.model,
                             .body = body,
                             .body_bytes = audio ? strlen(note.note) : request->body_bytes});
    return self->exchanges;
}
