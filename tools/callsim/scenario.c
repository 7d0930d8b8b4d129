#include "tools/callsim/scenario.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 1 << 20 };

#define KEY(path, type, fallback, min, max, help)                                                  \
    {                                                                                              \
        path, PL_CONFIG_##type, fallback, min, max, help                                           \
    }

const pl_config_key_t scenario_keys[] = {
    KEY("name", STRING, "", 0, 0, "what the scenario is called in reports"),
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
    KEY("caller.quiet_ms", INT, "700", 100, 10000, "quiet of the bot that ends its turn"),
    KEY("caller.delay_ms", INT, "250", 0, 60000, "reaction time, unless a step has its own"),
    KEY("caller.patience_ms", INT, "9000", 0, 600000,
        "silence after which the caller says caller.lost; 0: never"),
    KEY("caller.lost", STRING, "could you repeat that please", 0, 0, "said when patience ends"),
    KEY("deadline_s", INT, "120", 1, 86400, "the whole call must be over by then"),
    KEY("end", STRING, "any", 0, 0,
        "how it must end: bot (hangs up), caller (hangs up), none (never answered), any"),
    KEY("steps[].cue", STRING, "", 0, 0,
        "words of the bot's that call for this: \"laptop|hardware device\", or any"),
    KEY("steps[].after_silence_ms", INT, "0", 0, 600000, "fires after so much silence instead"),
    KEY("steps[].interrupt_after_ms", INT, "0", 0, 600000,
        "fires when the bot has spoken for so long, without waiting for its end"),
    KEY("steps[].delay_ms", INT, "-1", -1, 600000, "from the cue to the act"),
    KEY("steps[].say", STRING, "", 0, 0, "what to say; {n}, {n4}, {s4}: the caller's number"),
    KEY("steps[].dtmf", STRING, "", 0, 0, "keys to press"),
    KEY("steps[].stay_silent_ms", INT, "0", 0, 600000, "ignore the bot for so long"),
    KEY("steps[].hang_up", BOOL, "false", 0, 0, "hang up"),
    KEY("steps[].hang_up_after_ms", INT, "0", 0, 600000, "hang up so long into the line said"),
    KEY("steps[].times", INT, "0", 0, 1000, "how often it may fire (1; 3 when words are heard)"),
    KEY("steps[].optional", BOOL, "false", 0, 0, "need not happen"),
    KEY("expect[].field", STRING, "", 0, 0, "claim field that must be set in the end"),
    KEY("expect[].type", STRING, "text", 0, 0, "text, datetime, phone_number or email"),
    KEY("expect[].value", STRING, "", 0, 0, "words it must hold; \"yesterday 09:00\"; ..."),
    {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL},
};

typedef struct {
    const pl_config_t *config;
    const char *file;
    char *error; /* the first one */
    size_t error_bytes;
    bool failed;
} reader_t;

static void complain(reader_t *reader, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "s.yaml:7: steps[1].say: what"; a setting that is not there has the file's name alone. */
static void complain(reader_t *reader, const char *path, const char *fmt, ...)
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

static uint32_t number(const reader_t *reader, const char *path)
{
    return (uint32_t)pl_config_int(reader->config, path);
}

static int step_int(const reader_t *reader, size_t i, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "steps[%zu].%s", i, name);
    return (int)pl_config_int(reader->config, path);
}

static bool step_bool(const reader_t *reader, size_t i, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "steps[%zu].%s", i, name);
    return pl_config_bool(reader->config, path);
}

/* One of words; its index, or 0 after a complaint. */
static int choice(reader_t *reader, const char *path, const char *const *words, int count)
{
    const char *value = pl_config_str(reader->config, path);
    for (int i = 0; i < count; i++) {
        if (strcmp(value, words[i]) == 0) return i;
    }
    complain(reader, path, "must not be \"%s\"", value);
    return 0;
}

static void check_placeholders(reader_t *reader, const char *path, const char *text)
{
    char line[SCENARIO_TEXT_BYTES];
    if (scenario_expand(text, 1, line, sizeof line)) {
        complain(reader, path,
                 "\"%s\" is too long or holds a placeholder that is none of {n}, {n4}, {s4}", text);
    }
}

/* "steps[3]" or "steps[3].say". Returns out. */
static char *item_path(char out[64], const char *list, size_t i, const char *name)
{
    snprintf(out, 64, name ? "%s[%zu].%s" : "%s[%zu]%s", list, i, name ? name : "");
    return out;
}

static void check_step(reader_t *reader, const step_t *step, size_t i)
{
    char path[64];
    int cues =
        (step->cue[0] != '\0') + (step->after_silence_ms > 0) + (step->interrupt_after_ms > 0);
    int acts = (step->say[0] != '\0') + (step->dtmf[0] != '\0') + (step->stay_silent_ms > 0) +
               step->hang_up;
    item_path(path, "steps", i, NULL);
    if (cues != 1) complain(reader, path, "needs one of cue, after_silence_ms, interrupt_after_ms");
    if (acts != 1) complain(reader, path, "needs one of say, dtmf, stay_silent_ms, hang_up");
    item_path(path, "steps", i, "hang_up_after_ms");
    if (step->hang_up_after_ms && !step->say[0]) complain(reader, path, "only with say");
    item_path(path, "steps", i, "dtmf");
    if (step->dtmf[strspn(step->dtmf, "0123456789*#ABCD")]) {
        complain(reader, path, "\"%s\" holds no key of a phone", step->dtmf);
    }
    check_placeholders(reader, item_path(path, "steps", i, "say"), step->say);
}

static void read_steps(reader_t *reader, scenario_t *self)
{
    uint32_t delay_ms = number(reader, "caller.delay_ms");
    self->step_count = pl_config_count(reader->config, "steps");
    if (self->step_count > SCENARIO_MAX_STEPS) {
        complain(reader, "steps", "at most %d", SCENARIO_MAX_STEPS);
        self->step_count = 0;
    }
    for (size_t i = 0; i < self->step_count; i++) {
        step_t *step = &self->steps[i];
        int own_delay = step_int(reader, i, "delay_ms");
        int times = step_int(reader, i, "times");
        step->cue = pl_config_item(reader->config, "steps[%zu].cue", i);
        step->after_silence_ms = (uint32_t)step_int(reader, i, "after_silence_ms");
        step->interrupt_after_ms = (uint32_t)step_int(reader, i, "interrupt_after_ms");
        step->delay_ms = own_delay < 0 ? delay_ms : (uint32_t)own_delay;
        step->say = pl_config_item(reader->config, "steps[%zu].say", i);
        step->dtmf = pl_config_item(reader->config, "steps[%zu].dtmf", i);
        step->stay_silent_ms = (uint32_t)step_int(reader, i, "stay_silent_ms");
        step->hang_up = step_bool(reader, i, "hang_up");
        step->hang_up_after_ms = (uint32_t)step_int(reader, i, "hang_up_after_ms");
        /* A person who hears words says it again when asked again. */
        bool again = self->recognise && step->say[0] && strcmp(step->cue, "any") != 0;
        step->times = times ? (uint32_t)times : again ? 3 : 1;
        step->optional = step_bool(reader, i, "optional");
        check_step(reader, step, i);
    }
}

static void read_expects(reader_t *reader, scenario_t *self)
{
    self->expect_count = pl_config_count(reader->config, "expect");
    if (self->expect_count > SCENARIO_MAX_EXPECTS) {
        complain(reader, "expect", "at most %d", SCENARIO_MAX_EXPECTS);
        self->expect_count = 0;
    }
    for (size_t i = 0; i < self->expect_count; i++) {
        expectation_t *expect = &self->expects[i];
        expect->field = pl_config_item(reader->config, "expect[%zu].field", i);
        expect->value = pl_config_item(reader->config, "expect[%zu].value", i);
        const char *type = pl_config_item(reader->config, "expect[%zu].type", i);
        char path[64];
        item_path(path, "expect", i, "field");
        if (!expect->field[0]) complain(reader, path, "missing");
        item_path(path, "expect", i, "type");
        bool known = expect_kind_parse(type, &expect->kind);
        if (!known) complain(reader, path, "must not be \"%s\"", type);
        item_path(path, "expect", i, "value");
        if (known && !expect_valid(expect->kind, expect->value)) {
            complain(reader, path, "\"%s\" is no %s to expect", expect->value, type);
        }
        check_placeholders(reader, path, expect->value);
    }
}

static void read_caller(reader_t *reader, scenario_t *self)
{
    static const char *const answers[] = {"yes", "busy", "decline", "never"};
    static const char *const ends[] = {"any", "bot", "caller", "none"};
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
    self->quiet_ms = number(reader, "caller.quiet_ms");
    self->patience_ms = number(reader, "caller.patience_ms");
    self->lost = pl_config_str(config, "caller.lost");
    self->deadline_ms = number(reader, "deadline_s") * 1000;
    self->end = (end_t)choice(reader, "end", ends, 4);
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
    reader_t reader = {
        .config = config, .file = name, .error = error_out, .error_bytes = error_bytes};
    read_caller(&reader, self);
    read_steps(&reader, self);
    read_expects(&reader, self);
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
