#include "common/features.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_yaml.h"
#include "common/log.h"
#include "common/metrics.h"

enum { LOOK_MS = 500, MAX_BYTES = 65536, LABEL_BYTES = 96 };

typedef struct {
    const char *name;
    const char *path; /* in the configuration */
    pl_config_type_t type;
    double least, most;
} flag_t;

#define FLAG(name, type, fallback, least, most, help)                                              \
    {#name, "features." #name, PL_CONFIG_##type, least, most},
static const flag_t flags[] = {PL_FEATURE_MAP(FLAG)};

struct pl_features {
    const char *file; /* borrowed from the configuration */
    double values[PL_FEATURE_COUNT];
    double configured[PL_FEATURE_COUNT];
    pl_metric_t *shown[PL_FEATURE_COUNT];
    char *text; /* of the file when it was last read; NULL: there was none */
    char *complaint;
    pl_timer_t *timer;
    void (*changed)(void *arg);
    void *arg;
};

const char *pl_feature_name(pl_feature_t feature)
{
    return flags[feature].name;
}

bool pl_feature_find(const char *name, pl_feature_t *out)
{
    for (size_t i = 0; i < PL_FEATURE_COUNT; i++) {
        if (strcmp(flags[i].name, name) != 0) continue;
        *out = (pl_feature_t)i;
        return true;
    }
    return false;
}

/* ---- values ---- */

static bool parse_bool(const char *text, double *out)
{
    bool yes = strcmp(text, "true") == 0;
    if (!yes && strcmp(text, "false") != 0) return false;
    *out = yes ? 1 : 0;
    return true;
}

/* NULL, or what is wrong. */
static const char *parse(const flag_t *flag, const char *text, double *out)
{
    static const char *const wants[] = {
        [PL_CONFIG_INT] = "must be a whole number",
        [PL_CONFIG_DOUBLE] = "must be a number",
        [PL_CONFIG_BOOL] = "must be true or false",
    };
    char *end = NULL;
    double value = 0;
    if (flag->type == PL_CONFIG_BOOL) return parse_bool(text, out) ? NULL : wants[flag->type];
    value = strtod(text, &end);
    bool number = text[0] && !*end && isfinite(value);
    bool whole = flag->type != PL_CONFIG_INT || (number && floor(value) == value);
    if (!number || !whole) return wants[flag->type];
    if (value < flag->least || value > flag->most) return "is out of range";
    *out = value;
    return NULL;
}

static double from_config(const pl_config_t *cfg, const flag_t *flag)
{
    if (flag->type == PL_CONFIG_BOOL) return pl_config_bool(cfg, flag->path) ? 1 : 0;
    if (flag->type == PL_CONFIG_INT) return (double)pl_config_int(cfg, flag->path);
    return pl_config_double(cfg, flag->path);
}

static size_t put(pl_features_t *self, const double values[PL_FEATURE_COUNT])
{
    size_t differ = 0;
    for (size_t i = 0; i < PL_FEATURE_COUNT; i++) {
        if (self->values[i] == values[i]) continue;
        log_info("feature.changed", "name=%s from=%g to=%g", flags[i].name, self->values[i],
                 values[i]);
        self->values[i] = values[i];
        pl_metric_set(self->shown[i], values[i]);
        differ++;
    }
    return differ;
}

/* ---- the file ---- */

/* The same complaint is made once, not twice a second. */
static void complain(pl_features_t *self, const char *text)
{
    if (self->complaint && strcmp(self->complaint, text) == 0) return;
    free(self->complaint);
    self->complaint = strdup(text);
    assert(self->complaint);
    for (const char *line = text; *line;) {
        size_t bytes = strcspn(line, "\n");
        log_warn("feature.wrong", "detail=\"%.*s\"", (int)bytes, line);
        line += bytes + (line[bytes] == '\n');
    }
}

/* A value that is wrong leaves what is in force, not what is configured. */
static void take(const pl_features_t *self, const config_entry_t *entry,
                 double values[PL_FEATURE_COUNT], config_errors_t *errors)
{
    pl_feature_t feature;
    if (!pl_feature_find(entry->path, &feature)) {
        config_error(errors, entry->where, entry->path, "is no feature");
        return;
    }
    const char *wrong = parse(&flags[feature], entry->value ? entry->value : "", &values[feature]);
    if (!wrong) return;
    values[feature] = self->values[feature];
    config_error(errors, entry->where, entry->path, "%s; %g stays", wrong, values[feature]);
}

size_t pl_features_read(pl_features_t *self, const char *name, const char *text)
{
    double values[PL_FEATURE_COUNT];
    config_entries_t entries = {0};
    config_errors_t errors = {0};
    memcpy(values, self->configured, sizeof values);
    if (text) config_yaml_read(&entries, name, text, strlen(text), &errors);
    bool whole = !errors.text; /* half a file says nothing */
    if (!whole) memcpy(values, self->values, sizeof values);
    for (size_t i = 0; whole && i < entries.count; i++) {
        take(self, &entries.entries[i], values, &errors);
    }
    complain(self, errors.text ? errors.text : "");
    free(errors.text);
    config_entries_free(&entries);
    return put(self, values);
}

/* The file's text, malloc'd; NULL with errno. */
static char *file_text(const char *name)
{
    FILE *file = fopen(name, "re");
    if (!file) return NULL;
    char *text = malloc(MAX_BYTES + 1);
    assert(text);
    size_t bytes = fread(text, 1, MAX_BYTES + 1, file);
    int wrong = ferror(file) ? EIO : bytes > MAX_BYTES ? EFBIG : 0;
    (void)fclose(file);
    if (wrong) {
        free(text);
        errno = wrong;
        return NULL;
    }
    text[bytes] = '\0';
    return text;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static size_t look(pl_features_t *self)
{
    char *text = file_text(self->file);
    if (!text && errno != ENOENT) {
        char line[512];
        (void)snprintf(line, sizeof line, "%.400s: %s", self->file, strerror(errno));
        complain(self, line);
        return 0;
    }
    if (same(text, self->text)) {
        free(text);
        return 0;
    }
    free(self->text);
    self->text = text;
    return pl_features_read(self, self->file, text);
}

static void on_time(void *arg)
{
    pl_features_t *self = arg;
    if (look(self) && self->changed) self->changed(self->arg);
}

pl_features_t *pl_features_new(pl_loop_t *loop, const pl_config_t *cfg, void (*changed)(void *arg),
                               void *arg)
{
    pl_features_t *self = calloc(1, sizeof *self);
    assert(self);
    self->file = pl_config_str(cfg, "features.file");
    self->changed = changed;
    self->arg = arg;
    for (size_t i = 0; i < PL_FEATURE_COUNT; i++) {
        char label[LABEL_BYTES];
        (void)snprintf(label, sizeof label, "name=\"%s\"", flags[i].name);
        self->shown[i] = pl_metric_gauge("parley_feature", label, "Feature flags in force");
        self->configured[i] = from_config(cfg, &flags[i]);
        self->values[i] = self->configured[i];
        pl_metric_set(self->shown[i], self->values[i]);
    }
    if (!self->file[0]) return self;
    (void)look(self);
    if (loop) self->timer = pl_timer_start(loop, LOOK_MS, LOOK_MS, on_time, self);
    return self;
}

void pl_features_destroy(pl_features_t **self_p)
{
    pl_features_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    pl_timer_stop(&self->timer);
    free(self->text);
    free(self->complaint);
    free(self);
}

int64_t pl_features_int(const pl_features_t *self, pl_feature_t feature)
{
    assert(flags[feature].type == PL_CONFIG_INT);
    return (int64_t)self->values[feature];
}

double pl_features_double(const pl_features_t *self, pl_feature_t feature)
{
    assert(flags[feature].type == PL_CONFIG_DOUBLE);
    return self->values[feature];
}

bool pl_features_bool(const pl_features_t *self, pl_feature_t feature)
{
    assert(flags[feature].type == PL_CONFIG_BOOL);
    return self->values[feature] != 0;
}
