#include "tools/callsim/scenario.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/callsim/pattern.h"
#include "tools/callsim/scenario_reader.h"

enum { MAX_FILE_BYTES = 1 << 20 };

#define KEY(path, type, fallback, min, max, help)                                                  \
    {                                                                                              \
        path, PL_CONFIG_##type, fallback, min, max, help                                           \
    }

const pl_config_key_t scenario_keys[] = {
    KEY("name", STRING, "", 0, 0, "what the scenario is called in reports"),
    KEY("lang", STRING, "en-US", 0, 0, "the language spoken in it, for reports"),
    KEY("caller.number", STRING, "+11234567890", 0, 0, "the caller's number, E.164"),
    KEY("caller.password", STRING, "", 0, 0, "of its registration; empty: none"),
    KEY("caller.voice", STRING, "rms", 0, 0, "Flite voice: rms, awb, kal16 or slt"),
    KEY("caller.codecs", STRING, "G722,L16,PCMU,PCMA", 0, 0, "offered or taken, the best first"),
    KEY("caller.rate", DOUBLE, "1.0", 0.5, 2, "speed of speech"),
    KEY("caller.answer", STRING, "yes", 0, 0, "when it rings: yes, busy, decline or never"),
    KEY("caller.answer_after_ms", INT, "600", 0, 600000, "rings for so long"),
    KEY("caller.cancel_after_ms", INT, "0", 0, 600000,
        "gives up a call it makes after so long ringing; 0: never"),
    KEY("caller.recognise", BOOL, "true", 0, 0, "hears words; otherwise takes cues in order"),
    KEY("caller.marked", BOOL, "false", 0, 0,
        "its voice carries mark number n (up to 66), which callsim marks finds in recordings"),
    KEY("caller.quiet_ms", INT, "700", 100, 10000, "quiet of the bot that ends its turn"),
    KEY("caller.delay_ms", INT, "250", 0, 60000, "reaction time, unless a step has its own"),
    KEY("caller.patience_ms", INT, "9000", 0, 600000,
        "silence after which the caller says caller.lost; 0: never"),
    KEY("caller.lost", STRING, "could you repeat that please", 0, 0, "said when patience ends"),
    KEY("deadline_s", INT, "120", 1, 86400, "the whole call must be over by then"),
    KEY("end", STRING, "any", 0, 0,
        "how it must end: bot (hangs up), caller (hangs up), none (never answered), any"),
    KEY("speed", DOUBLE, "20", 0.1, 1000,
        "of a caller by text: how many times faster than a person it and the bot's voice are"),
    KEY("rung", BOOL, "false", 0, 0, "a caller by text is rung (POST /call); otherwise it rings"),
    KEY("transfer", STRING, "accept", 0, 0, "what becomes of a transfer: accept or refuse"),
    KEY("sms", STRING, "delivered", 0, 0, "what becomes of an SMS: delivered or fails"),
    KEY("system.config", STRING, "", 0, 0,
        "configuration of the system under test (make scenarios), beside the scenario"),
    KEY("system.body", STRING, "", 0, 0,
        "JSON of POST /call, beside the scenario: the caller is rung with it"),
    KEY("system.set[]", STRING, NULL, 0, 0, "further settings of it: path=value"),
    KEY("system.managers[]", STRING, NULL, 0, 0, "who is to talk, in turn: script, llm (script)"),
    KEY("system.model", STRING, "", 0, 0, "rules of the language model's double, beside it"),
    KEY("system.hooks", STRING, "", 0, 0, "what an integrator's server answers, beside it"),
    KEY("system.knowledge", STRING, "", 0, 0, "folder of its knowledge base, beside it"),
    KEY("steps[].cue", STRING, "", 0, 0,
        "words of the bot's that call for this: \"laptop|hardware device\", /regular "
        "expression/, or any"),
    KEY("steps[].after_silence_ms", INT, "0", 0, 600000, "fires after so much silence instead"),
    KEY("steps[].interrupt_after_ms", INT, "0", 0, 600000,
        "fires when the bot has spoken for so long, without waiting for its end"),
    KEY("steps[].interrupt_after_words", INT, "0", 0, 1000, "the same, so many words"),
    KEY("steps[].delay_ms", INT, "-1", -1, 600000, "from the cue to the act"),
    KEY("steps[].say", STRING, "", 0, 0, "what to say; {n}, {n4}, {s4}: the caller's number"),
    KEY("steps[].dtmf", STRING, "", 0, 0, "keys to press"),
    KEY("steps[].stay_silent_ms", INT, "0", 0, 600000, "ignore the bot for so long"),
    KEY("steps[].mumble_ms", INT, "0", 0, 60000, "a voice without words, so long (text only)"),
    KEY("steps[].ring", BOOL, "false", 0, 0,
        "ring again once the call is over, after_silence_ms later (text only)"),
    KEY("steps[].hang_up", BOOL, "false", 0, 0, "hang up"),
    KEY("steps[].hang_up_after_ms", INT, "0", 0, 600000, "hang up so long into the line said"),
    KEY("steps[].times", INT, "0", 0, 1000, "how often it may fire (1; 3 when words are heard)"),
    KEY("steps[].optional", BOOL, "false", 0, 0, "need not happen"),
    KEY("expect[].field", STRING, "", 0, 0, "claim field that must be set in the end"),
    KEY("expect[].type", STRING, "text", 0, 0, "text, datetime, phone_number or email"),
    KEY("expect[].value", STRING, "", 0, 0, "words it must hold; \"yesterday 09:00\"; ..."),
    KEY("checks[].said", STRING, NULL, 0, 0, "the caller heard it: pattern, like a cue"),
    KEY("checks[].never_said", STRING, NULL, 0, 0, "nothing the bot wanted to say matches"),
    KEY("checks[].turns", STRING, NULL, 0, 0, "turns of the bot: N, N-M or N-"),
    KEY("checks[].listens", STRING, NULL, 0, 0, "language listened in at the end"),
    KEY("checks[].sms", STRING, NULL, 0, 0, "an SMS was sent: pattern"),
    KEY("checks[].transfer", STRING, NULL, 0, 0, "a transfer was asked for: number"),
    KEY("checks[].tool", STRING, NULL, 0, 0, "a tool was called: name"),
    KEY("checks[].message", STRING, NULL, 0, 0, "a message is in the history: pattern"),
    KEY("checks[].record", STRING, NULL, 0, 0, "a value of the call's JSON: claim.location"),
    KEY("checks[].reminder", STRING, NULL, 0, 0, "a reminder exists: pattern of its title"),
    KEY("checks[].calls", STRING, NULL, 0, 0, "records of the caller's number: N, N-M or N-"),
    KEY("checks[].times", STRING, "", 0, 0, "how often: N, N-M or N- (1-)"),
    KEY("checks[].call", INT, "0", 0, 1000, "whose record: 1 the oldest; 0 the newest"),
    KEY("checks[].manager", STRING, "", 0, 0, "only where this manager talks"),
    KEY("checks[].lang", STRING, "", 0, 0, "of said: the language it was spoken in"),
    KEY("checks[].arguments", STRING, "", 0, 0, "of tool: pattern"),
    KEY("checks[].result", STRING, "", 0, 0, "of tool: pattern"),
    KEY("checks[].persona", STRING, "", 0, 0, "of message: human or assistant"),
    KEY("checks[].action", STRING, "", 0, 0, "of message: talk, call, hangup or sms"),
    KEY("checks[].interrupted", BOOL, "false", 0, 0, "of message: only one cut by the caller"),
    KEY("checks[].is", STRING, "", 0, 0, "of record: pattern"),
    KEY("checks[].absent", BOOL, "false", 0, 0, "of record: it is not set"),
    KEY("checks[].due", STRING, "", 0, 0, "of reminder: pattern"),
    KEY("checks[].owner", STRING, "", 0, 0, "of reminder: pattern"),
    {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL},
};

void scenario_complain(scenario_reader_t *reader, const char *path, const char *fmt, ...)
{
    if (reader->failed) return;
    reader->failed = true;
    const char *where = pl_config_where(reader->config, path);
    int used = snprintf(reader->error, reader->error_bytes,
                        "%s: %s: ", where[0] ? where : reader->file, path);
    if (used < 0 || (size_t)used >= reader->error_bytes) return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(reader->error + used, reader->error_bytes - (size_t)used, fmt, args);
    va_end(args);
}

static uint32_t number(const scenario_reader_t *reader, const char *path)
{
    return (uint32_t)pl_config_int(reader->config, path);
}

static int step_int(const scenario_reader_t *reader, size_t i, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "steps[%zu].%s", i, name);
    return (int)pl_config_int(reader->config, path);
}

static bool step_bool(const scenario_reader_t *reader, size_t i, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "steps[%zu].%s", i, name);
    return pl_config_bool(reader->config, path);
}

/* One of words; its index, or 0 after a complaint. */
static int choice(scenario_reader_t *reader, const char *path, const char *const *words, int count)
{
    const char *value = pl_config_str(reader->config, path);
    for (int i = 0; i < count; i++) {
        if (strcmp(value, words[i]) == 0) return i;
    }
    scenario_complain(reader, path, "must not be \"%s\"", value);
    return 0;
}

static void check_placeholders(scenario_reader_t *reader, const char *path, const char *text)
{
    char line[SCENARIO_TEXT_BYTES];
    if (scenario_expand(text, 1, line, sizeof line)) {
        scenario_complain(
            reader, path,
            "\"%s\" is too long or holds a placeholder that is none of {n}, {n4}, {s4}", text);
    }
}

char *scenario_path(char out[64], const char *list, size_t i, const char *name)
{
    snprintf(out, 64, name ? "%s[%zu].%s" : "%s[%zu]%s", list, i, name ? name : "");
    return out;
}

void scenario_check_pattern(scenario_reader_t *reader, const char *path, const char *pattern)
{
    char why[128];
    if (!pattern_valid(pattern, why, sizeof why)) {
        scenario_complain(reader, path, "%s: %s", pattern, why);
    }
}

/* What calls for the step. */
static void check_cue(scenario_reader_t *reader, const step_t *step, size_t i)
{
    char path[64];
    scenario_path(path, "steps", i, NULL);
    bool cue = step->cue[0] != '\0';
    bool silence = step->after_silence_ms > 0;
    if (step->ring) {
        if (cue || step->interrupts) scenario_complain(reader, path, "ring has no cue");
    } else if (step->interrupts) {
        bool both = step->interrupt_after_ms && step->interrupt_after_words;
        if (both || silence) scenario_complain(reader, path, "interrupts in more than one way");
    } else if (cue == silence) {
        scenario_complain(reader, path,
                          "needs one of cue, after_silence_ms, interrupt_after_ms, "
                          "interrupt_after_words");
    }
    scenario_check_pattern(reader, scenario_path(path, "steps", i, "cue"), step->cue);
}

static void check_step(scenario_reader_t *reader, const step_t *step, size_t i)
{
    char path[64];
    int acts = (step->say[0] != '\0') + (step->dtmf[0] != '\0') + (step->stay_silent_ms > 0) +
               (step->mumble_ms > 0) + step->ring + step->hang_up;
    check_cue(reader, step, i);
    scenario_path(path, "steps", i, NULL);
    if (acts != 1) {
        scenario_complain(reader, path,
                          "needs one of say, dtmf, stay_silent_ms, mumble_ms, ring, hang_up");
    }
    scenario_path(path, "steps", i, "hang_up_after_ms");
    if (step->hang_up_after_ms && !step->say[0]) scenario_complain(reader, path, "only with say");
    scenario_path(path, "steps", i, "dtmf");
    if (step->dtmf[strspn(step->dtmf, "0123456789*#ABCD")]) {
        scenario_complain(reader, path, "\"%s\" holds no key of a phone", step->dtmf);
    }
    check_placeholders(reader, scenario_path(path, "steps", i, "say"), step->say);
}

static void read_steps(scenario_reader_t *reader, scenario_t *self)
{
    uint32_t delay_ms = number(reader, "caller.delay_ms");
    self->step_count = pl_config_count(reader->config, "steps");
    if (self->step_count > SCENARIO_MAX_STEPS) {
        scenario_complain(reader, "steps", "at most %d", SCENARIO_MAX_STEPS);
        self->step_count = 0;
    }
    for (size_t i = 0; i < self->step_count; i++) {
        step_t *step = &self->steps[i];
        int own_delay = step_int(reader, i, "delay_ms");
        int times = step_int(reader, i, "times");
        step->cue = pl_config_item(reader->config, "steps[%zu].cue", i);
        step->after_silence_ms = (uint32_t)step_int(reader, i, "after_silence_ms");
        step->interrupt_after_ms = (uint32_t)step_int(reader, i, "interrupt_after_ms");
        step->interrupt_after_words = (uint32_t)step_int(reader, i, "interrupt_after_words");
        step->interrupts = step->interrupt_after_ms || step->interrupt_after_words;
        step->delay_ms = own_delay < 0 ? delay_ms : (uint32_t)own_delay;
        step->say = pl_config_item(reader->config, "steps[%zu].say", i);
        step->dtmf = pl_config_item(reader->config, "steps[%zu].dtmf", i);
        step->stay_silent_ms = (uint32_t)step_int(reader, i, "stay_silent_ms");
        step->mumble_ms = (uint32_t)step_int(reader, i, "mumble_ms");
        step->ring = step_bool(reader, i, "ring");
        step->hang_up = step_bool(reader, i, "hang_up");
        step->hang_up_after_ms = (uint32_t)step_int(reader, i, "hang_up_after_ms");
        /* A person who hears words says it again when asked again. */
        bool again = self->recognise && step->say[0] && strcmp(step->cue, "any") != 0;
        step->times = times ? (uint32_t)times : again ? 3 : 1;
        step->optional = step_bool(reader, i, "optional");
        check_step(reader, step, i);
    }
}

static void read_expects(scenario_reader_t *reader, scenario_t *self)
{
    self->expect_count = pl_config_count(reader->config, "expect");
    if (self->expect_count > SCENARIO_MAX_EXPECTS) {
        scenario_complain(reader, "expect", "at most %d", SCENARIO_MAX_EXPECTS);
        self->expect_count = 0;
    }
    for (size_t i = 0; i < self->expect_count; i++) {
        expectation_t *expect = &self->expects[i];
        expect->field = pl_config_item(reader->config, "expect[%zu].field", i);
        expect->value = pl_config_item(reader->config, "expect[%zu].value", i);
        const char *type = pl_config_item(reader->config, "expect[%zu].type", i);
        char path[64];
        scenario_path(path, "expect", i, "field");
        if (!expect->field[0]) scenario_complain(reader, path, "missing");
        scenario_path(path, "expect", i, "type");
        bool known = expect_kind_parse(type, &expect->kind);
        if (!known) scenario_complain(reader, path, "must not be \"%s\"", type);
        scenario_path(path, "expect", i, "value");
        if (known && !expect_valid(expect->kind, expect->value)) {
            scenario_complain(reader, path, "\"%s\" is no %s to expect", expect->value, type);
        }
        check_placeholders(reader, path, expect->value);
    }
}

static void read_caller(scenario_reader_t *reader, scenario_t *self)
{
    static const char *const answers[] = {"yes", "busy", "decline", "never"};
    static const char *const ends[] = {"any", "bot", "caller", "none"};
    static const char *const transfers[] = {"accept", "refuse"};
    static const char *const messages[] = {"delivered", "fails"};
    const pl_config_t *config = reader->config;
    self->name = pl_config_str(config, "name");
    self->number = pl_config_str(config, "caller.number");
    self->password = pl_config_str(config, "caller.password");
    self->voice = pl_config_str(config, "caller.voice");
    self->codecs = pl_config_str(config, "caller.codecs");
    self->rate = pl_config_double(config, "caller.rate");
    self->answer = (answer_t)choice(reader, "caller.answer", answers, 4);
    self->answer_after_ms = number(reader, "caller.answer_after_ms");
    self->cancel_after_ms = number(reader, "caller.cancel_after_ms");
    self->recognise = pl_config_bool(config, "caller.recognise");
    self->marked = pl_config_bool(config, "caller.marked");
    self->quiet_ms = number(reader, "caller.quiet_ms");
    self->patience_ms = number(reader, "caller.patience_ms");
    self->lost = pl_config_str(config, "caller.lost");
    self->deadline_ms = number(reader, "deadline_s") * 1000;
    self->end = (end_t)choice(reader, "end", ends, 4);
    self->speed = pl_config_double(config, "speed");
    self->rung = pl_config_bool(config, "rung");
    self->transfer = (transfer_t)choice(reader, "transfer", transfers, 2);
    self->sms = (sms_t)choice(reader, "sms", messages, 2);
    check_placeholders(reader, "caller.number", self->number);
    check_placeholders(reader, "caller.lost", self->lost);
}

pl_err_t scenario_parse(scenario_t **out, const char *name, const char *yaml, char *error_out,
                        size_t error_bytes)
{
    pl_config_t *config =
        pl_config_parse("callsim", scenario_keys, name, yaml, error_out, error_bytes);
    if (!config) return PL_INVALID;
    scenario_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = config;
    scenario_reader_t reader = {
        .config = config, .file = name, .error = error_out, .error_bytes = error_bytes};
    read_caller(&reader, self);
    read_steps(&reader, self);
    read_expects(&reader, self);
    scenario_read_checks(&reader, self);
    if (reader.failed) {
        scenario_destroy(&self);
        return PL_INVALID;
    }
    *out = self;
    return PL_OK;
}

pl_err_t scenario_load(scenario_t **out, const char *file, char *error_out, size_t error_bytes)
{
    FILE *in = fopen(file, "re");
    if (!in) {
        char why[128];
        snprintf(error_out, error_bytes, "%s: %s", file, strerror_r(errno, why, sizeof why));
        return PL_NOT_FOUND;
    }
    char *text = calloc(1, MAX_FILE_BYTES + 1);
    assert(text);
    size_t bytes = fread(text, 1, MAX_FILE_BYTES, in);
    bool whole = !ferror(in) && bytes < MAX_FILE_BYTES;
    (void)fclose(in);
    pl_err_t err = PL_INVALID;
    if (whole) {
        err = scenario_parse(out, file, text, error_out, error_bytes);
    } else {
        snprintf(error_out, error_bytes, "%s: cannot be read, or is larger than 1 MiB", file);
    }
    free(text);
    return err;
}

void scenario_destroy(scenario_t **self_p)
{
    scenario_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_config_destroy(&self->config);
    free(self);
}

const char *scenario_text_only(const scenario_t *self)
{
    for (size_t i = 0; i < self->step_count; i++) {
        if (self->steps[i].mumble_ms) return "mumble_ms";
        if (self->steps[i].ring) return "ring";
    }
    return NULL;
}

static void print_line(FILE *out, const char *name, const char *value)
{
    if (value[0]) fprintf(out, "%s %s\n", name, value);
}

void scenario_print_system(const scenario_t *self, FILE *out)
{
    const pl_config_t *config = self->config;
    print_line(out, "lang", pl_config_str(config, "lang"));
    print_line(out, "config", pl_config_str(config, "system.config"));
    print_line(out, "body", pl_config_str(config, "system.body"));
    print_line(out, "model", pl_config_str(config, "system.model"));
    print_line(out, "hooks", pl_config_str(config, "system.hooks"));
    print_line(out, "knowledge", pl_config_str(config, "system.knowledge"));
    for (size_t i = 0; i < pl_config_count(config, "system.set"); i++) {
        print_line(out, "set", pl_config_item(config, "system.set[%zu]", i));
    }
    size_t managers = pl_config_count(config, "system.managers");
    if (managers == 0) print_line(out, "manager", "script");
    for (size_t i = 0; i < managers; i++) {
        print_line(out, "manager", pl_config_item(config, "system.managers[%zu]", i));
    }
}

/* What stands for the placeholder "n", "n4" or "s4"; false: there is no such one. */
static bool placeholder(const char *name, size_t length, uint32_t n, char *out, size_t out_bytes)
{
    static const char *const digits[] = {"zero", "one", "two",   "three", "four",
                                         "five", "six", "seven", "eight", "nine"};
    bool known = length >= 1 && length <= 2 && (name[0] == 'n' || name[0] == 's');
    if (!known || (length == 2 && !isdigit((unsigned char)name[1]))) return false;
    char plain[16];
    snprintf(plain, sizeof plain, "%0*u", length == 2 ? name[1] - '0' : 1, n);
    if (name[0] == 'n') {
        snprintf(out, out_bytes, "%s", plain);
        return true;
    }
    size_t used = 0;
    for (const char *digit = plain; *digit; digit++) {
        used += (size_t)snprintf(out + used, out_bytes - used, "%s%s", used ? " " : "",
                                 digits[*digit - '0']);
    }
    return true;
}

pl_err_t scenario_expand(const char *text, uint32_t n, char *out, size_t out_bytes)
{
    size_t used = 0;
    while (*text) {
        char piece[128] = {*text, '\0'};
        size_t taken = 1;
        if (*text == '{') {
            size_t length = strcspn(text + 1, "}");
            if (!text[1 + length] || !placeholder(text + 1, length, n, piece, sizeof piece)) break;
            taken = length + 2;
        }
        size_t bytes = strlen(piece);
        if (used + bytes >= out_bytes) break;
        memcpy(out + used, piece, bytes);
        used += bytes;
        text += taken;
    }
    out[*text ? 0 : used] = '\0';
    return *text ? PL_INVALID : PL_OK;
}
