#include "common/config.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config_yaml.h"
#include "common/features.h"
#include "common/log.h"

enum {
    MAX_PATH = 256,
    MAX_ITEMS = 1000,
    MAX_FILE_BYTES = 4 << 20,
    EXIT_USAGE = 64,
    EXIT_CONFIG = 78
};

/* Sections and the service that checks each; what is not listed here is checked by everyone. */
static const struct {
    const char *section, *service;
} sections[] = {
    {"gateway", "gateway"},   {"telephony", "telephony"},   {"speech", "speech"},
    {"dialogue", "dialogue"}, {"conversation", "dialogue"}, {"rag", "rag"},
    {"up", "parley"},         {"prompts", "dialogue"},      {"persistence", "persistence"},
    {"llm", "dialogue"},
};

#define FEATURE_KEY(name, type, fallback, least, most, help)                                       \
    {"features." #name, PL_CONFIG_##type, fallback, least, most, help},

static const pl_config_key_t shared_keys[] = {
    {"bus.run_dir", PL_CONFIG_STRING, "run", 0, 0,
     "folder of the ipc:// sockets, made when absent"},
    {"bus.bind", PL_CONFIG_STRING, NULL, 0, 0,
     "what to bind instead of the own entry of bus.endpoints, e.g. tcp://0.0.0.0:7000"},
    {"bus.advertise", PL_CONFIG_STRING, NULL, 0, 0,
     "host name or address under which other hosts reach media lanes bound here"},
    {"bus.heartbeat_ms", PL_CONFIG_INT, "500", 50, 60000,
     "between heartbeats; three missed are down"},
    {"bus.curve_key_file", PL_CONFIG_STRING, NULL, 0, 0,
     "CURVE key pair (zcert) of the installation, for tcp:// endpoints"},
    {"bus.endpoints.gateway[]", PL_CONFIG_STRING, NULL, 0, 0, "where gateway instances listen"},
    {"bus.endpoints.telephony[]", PL_CONFIG_STRING, NULL, 0, 0, "telephony instances"},
    {"bus.endpoints.speech[]", PL_CONFIG_STRING, NULL, 0, 0, "speech instances"},
    {"bus.endpoints.dialogue[]", PL_CONFIG_STRING, NULL, 0, 0, "dialogue instances"},
    {"bus.endpoints.rag[]", PL_CONFIG_STRING, NULL, 0, 0, "rag instances"},
    {"bus.endpoints.persistence[]", PL_CONFIG_STRING, NULL, 0, 0, "persistence instances"},
    {"log.level", PL_CONFIG_STRING, "info", 0, 0, "debug, info, warn or error"},
    {"http.ca_file", PL_CONFIG_STRING, "", 0, 0,
     "certificates (PEM) that HTTPS servers are checked by; empty: the system's"},
    {"entra.method", PL_CONFIG_STRING, "auto", 0, 0,
     "how Entra ID tokens are had: auto, client_secret, workload or managed"},
    {"entra.tenant_id", PL_CONFIG_STRING, "", 0, 0, "empty: AZURE_TENANT_ID"},
    {"entra.client_id", PL_CONFIG_STRING, "", 0, 0, "empty: AZURE_CLIENT_ID"},
    {"entra.client_secret", PL_CONFIG_STRING, "", 0, 0, "empty: AZURE_CLIENT_SECRET"},
    {"entra.federated_token_file", PL_CONFIG_STRING, "", 0, 0,
     "of a workload identity; empty: AZURE_FEDERATED_TOKEN_FILE"},
    {"entra.authority", PL_CONFIG_STRING, "", 0, 0,
     "empty: AZURE_AUTHORITY_HOST, else https://login.microsoftonline.com"},
    {"entra.identity_endpoint", PL_CONFIG_STRING, "", 0, 0,
     "of App Service and Container Apps; empty: IDENTITY_ENDPOINT"},
    {"entra.identity_header", PL_CONFIG_STRING, "", 0, 0, "empty: IDENTITY_HEADER"},
    {"entra.metadata_endpoint", PL_CONFIG_STRING, "http://169.254.169.254", 0, 0,
     "of a virtual machine's metadata service"},
    {"features.file", PL_CONFIG_STRING, "config/features.yaml", 0, 0,
     "watched file of \"name: value\" lines that win over the flags here, without a restart"},
    PL_FEATURE_MAP(FEATURE_KEY){NULL, 0, NULL, 0, 0, NULL},
};

struct pl_config {
    char service[32];
    char instance[96];
    const pl_config_key_t *keys; /* the service's */
    config_entries_t entries;
};

/* ---- the tables ---- */

/* "a[3].b" -> "a[].b" */
static void schema_path(const char *path, char out[MAX_PATH])
{
    size_t used = 0;
    bool inside = false;
    for (; *path && used < MAX_PATH - 1; path++) {
        if (*path == ']') inside = false;
        if (!inside) out[used++] = *path;
        if (*path == '[') inside = true;
    }
    out[used] = '\0';
}

static const pl_config_key_t *find_in(const pl_config_key_t *keys, const char *path)
{
    for (; keys->path; keys++) {
        if (strcmp(keys->path, path) == 0) return keys;
    }
    return NULL;
}

static const pl_config_key_t *find_key(const pl_config_t *self, const char *path)
{
    char schema[MAX_PATH];
    schema_path(path, schema);
    const pl_config_key_t *key = find_in(self->keys, schema);
    return key ? key : find_in(shared_keys, schema);
}

/* Is path a map or list above some known key? */
static bool is_prefix(const pl_config_key_t *keys, const char *schema)
{
    size_t length = strlen(schema);
    for (; keys->path; keys++) {
        char next = strncmp(keys->path, schema, length) == 0 ? keys->path[length] : '\0';
        if (next == '.' || next == '[') return true;
    }
    return false;
}

static bool is_foreign(const pl_config_t *self, const char *path)
{
    size_t length = strcspn(path, ".[");
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (strlen(sections[i].section) == length &&
            strncmp(sections[i].section, path, length) == 0) {
            return strcmp(sections[i].service, self->service) != 0;
        }
    }
    return false;
}

static size_t distance(const char *a, const char *b)
{
    size_t row[MAX_PATH];
    size_t width = strnlen(b, MAX_PATH - 1);
    for (size_t j = 0; j <= width; j++) row[j] = j;
    for (size_t i = 1; *a; a++, i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            size_t swap = corner + (*a != b[j - 1]);
            corner = row[j];
            size_t gap = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = swap < gap ? swap : gap;
        }
    }
    return row[width];
}

static void nearest(const pl_config_key_t *keys, const char *schema, const char **best,
                    size_t *least)
{
    for (; keys->path; keys++) {
        size_t far = distance(schema, keys->path);
        if (far < *least) {
            *least = far;
            *best = keys->path;
        }
    }
}

static void unknown_key(const pl_config_t *self, const config_entry_t *entry,
                        config_errors_t *errors)
{
    char schema[MAX_PATH];
    schema_path(entry->path, schema);
    const char *best = NULL;
    size_t least = strlen(schema) / 3 + 2;
    nearest(self->keys, schema, &best, &least);
    nearest(shared_keys, schema, &best, &least);
    if (best) {
        config_error(errors, entry->where, entry->path, "unknown key (did you mean %s?)", best);
    } else {
        config_error(errors, entry->where, entry->path, "unknown key");
    }
}

/* ---- values ---- */

static bool parse_bool(const char *text, bool *out)
{
    static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};
    for (size_t i = 0; i < 6; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            *out = i >= 3;
            return true;
        }
    }
    return false;
}

static bool parse_int(const char *text, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end || errno) return false;
    *out = value;
    return true;
}

static bool parse_double(const char *text, double *out)
{
    char *end = NULL;
    double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value)) return false;
    *out = value;
    return true;
}

static void check_value(const pl_config_key_t *key, const config_entry_t *entry,
                        config_errors_t *errors)
{
    static const char *const kinds[] = {"text", "a whole number", "a number", "true or false"};
    int64_t whole = 0;
    double number = 0;
    bool flag = false;
    bool ok = true;
    if (key->type == PL_CONFIG_INT) {
        ok = parse_int(entry->value, &whole);
        number = (double)whole;
    }
    if (key->type == PL_CONFIG_DOUBLE) ok = parse_double(entry->value, &number);
    if (key->type == PL_CONFIG_BOOL) ok = parse_bool(entry->value, &flag);
    bool ranged = key->type == PL_CONFIG_INT || key->type == PL_CONFIG_DOUBLE;
    if (!ok) {
        config_error(errors, entry->where, entry->path, "must be %s, not \"%s\"", kinds[key->type],
                     entry->value);
    } else if (ranged && (key->min != 0 || key->max != 0) &&
               (number < key->min || number > key->max)) {
        config_error(errors, entry->where, entry->path, "must be from %g to %g, not %s", key->min,
                     key->max, entry->value);
    }
}

static void check_entry(const pl_config_t *self, const config_entry_t *entry,
                        config_errors_t *errors)
{
    if (is_foreign(self, entry->path)) return;
    const pl_config_key_t *key = find_key(self, entry->path);
    char schema[MAX_PATH];
    schema_path(entry->path, schema);
    bool above = is_prefix(self->keys, schema) || is_prefix(shared_keys, schema);
    if (entry->value && key) {
        check_value(key, entry, errors);
    } else if (entry->value && above) {
        config_error(errors, entry->where, entry->path, "must be a list or hold further keys");
    } else if (!entry->value && key) {
        config_error(errors, entry->where, entry->path, "must be a single value");
    } else if (!above) {
        unknown_key(self, entry, errors);
    }
}

static void check_level(const pl_config_t *self, config_errors_t *errors)
{
    pl_log_level_t level;
    const config_entry_t *entry = config_entries_find(&self->entries, "log.level");
    if (entry && entry->value && !pl_log_level_parse(entry->value, &level)) {
        config_error(errors, entry->where, "log.level", "must be debug, info, warn or error");
    }
}

static void check(const pl_config_t *self, config_errors_t *errors)
{
    char skip[MAX_PATH] = ""; /* below an unknown map, one error is enough */
    for (size_t i = 0; i < self->entries.count; i++) {
        const config_entry_t *entry = &self->entries.entries[i];
        size_t skipped = strlen(skip);
        bool below = skipped && strncmp(entry->path, skip, skipped) == 0 &&
                     (entry->path[skipped] == '.' || entry->path[skipped] == '[');
        if (below) continue;
        size_t before = errors->bytes;
        check_entry(self, entry, errors);
        if (errors->bytes != before) snprintf(skip, sizeof skip, "%s", entry->path);
    }
    check_level(self, errors);
}

/* ---- making one ---- */

static pl_config_t *config_new(const char *service, const pl_config_key_t *keys)
{
    pl_config_t *self = calloc(1, sizeof *self);
    assert(self);
    snprintf(self->service, sizeof self->service, "%s", service);
    snprintf(self->instance, sizeof self->instance, "%s-0", service);
    self->keys = keys;
    return self;
}

void pl_config_destroy(pl_config_t **self_p)
{
    pl_config_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    config_entries_free(&self->entries);
    free(self);
}

pl_config_t *pl_config_parse(const char *service, const pl_config_key_t *keys, const char *name,
                             const char *yaml, char *error_out, size_t error_bytes)
{
    pl_config_t *self = config_new(service, keys);
    config_errors_t errors = {0};
    config_yaml_read(&self->entries, name, yaml, strlen(yaml), &errors);
    check(self, &errors);
    snprintf(error_out, error_bytes, "%s", errors.text ? errors.text : "");
    if (errors.text) pl_config_destroy(&self);
    free(errors.text);
    return self;
}

static void read_file(pl_config_t *self, const char *name, config_errors_t *errors)
{
    FILE *file = fopen(name, "re");
    if (!file) {
        config_error(errors, name, "", "%s", strerror(errno));
        return;
    }
    char *text = malloc(MAX_FILE_BYTES);
    assert(text);
    size_t bytes = fread(text, 1, MAX_FILE_BYTES, file);
    if (ferror(file) || bytes == MAX_FILE_BYTES) {
        config_error(errors, name, "", "cannot be read, or is larger than 4 MiB");
    } else {
        config_yaml_read(&self->entries, name, text, bytes, errors);
    }
    free(text);
    (void)fclose(file);
}

/* The maps and lists above a path given by --set, so that counts and checks see them. */
static void put_above(pl_config_t *self, const char *path)
{
    for (size_t i = 1; path[i]; i++) {
        if (path[i] != '.' && path[i] != '[') continue;
        char above[MAX_PATH];
        snprintf(above, sizeof above, "%.*s", (int)i, path);
        if (!config_entries_find(&self->entries, above)) {
            config_entries_put(&self->entries, above, NULL, "--set");
        }
    }
}

static void put_setting(pl_config_t *self, const char *setting, config_errors_t *errors)
{
    const char *equals = strchr(setting, '=');
    char path[MAX_PATH];
    if (!equals || equals == setting || equals - setting >= MAX_PATH) {
        config_error(errors, "--set", setting, "must be PATH=VALUE");
        return;
    }
    snprintf(path, sizeof path, "%.*s", (int)(equals - setting), setting);
    put_above(self, path);
    config_entries_put(&self->entries, path, equals + 1, "--set");
}

static void set_instance(pl_config_t *self, const char *name)
{
    bool number = name[0] && name[strspn(name, "0123456789")] == '\0';
    snprintf(self->instance, sizeof self->instance, "%s%s%s", number ? self->service : "",
             number ? "-" : "", name);
}

static void print_keys(const pl_config_key_t *keys)
{
    for (; keys->path; keys++) {
        printf("  %-46s %s%s%s%s\n", keys->path, keys->help, keys->fallback ? " [" : "",
               keys->fallback ? keys->fallback : "", keys->fallback ? "]" : "");
    }
}

static void print_help(const pl_config_t *self)
{
    printf("usage: parley-%s [options]\n\n"
           "  --config FILE      YAML configuration (config/parley.yaml when it exists)\n"
           "  --instance N       number or name of this instance (0)\n"
           "  --set PATH=VALUE   one setting, over the file's; repeatable\n"
           "  --check            read the configuration, say whether it is right, and end\n"
           "  --help, --version\n\n"
           "Settings [default]:\n",
           self->service);
    print_keys(self->keys);
    print_keys(shared_keys);
}

/* Returns true when the process should go on. */
static bool read_options(pl_config_t *self, int argc, char **argv, const char **file_out,
                         bool *check_only, config_errors_t *errors, int *status)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"instance", required_argument, NULL, 'i'},
        {"set", required_argument, NULL, 's'},
        {"check", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'c') *file_out = optarg;
        if (c == 'i') set_instance(self, optarg);
        if (c == 's') put_setting(self, optarg, errors);
        if (c == 'k') *check_only = true;
        if (c == 'h') print_help(self);
        if (c == 'v') printf("parley-%s %s\n", self->service, PARLEY_VERSION);
        if (c == 'h' || c == 'v' || c == '?') {
            *status = c == '?' ? EXIT_USAGE : EXIT_SUCCESS;
            return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "parley-%s: unexpected argument \"%s\" (see --help)\n", self->service,
                argv[optind]);
        *status = EXIT_USAGE;
        return false;
    }
    return true;
}

/* Settings win over the file: the file's entries are read first, then the settings are put again. */
static void merge(pl_config_t *self, const char *file, config_errors_t *errors)
{
    config_entries_t settings = self->entries;
    self->entries = (config_entries_t){0};
    if (!file && access("config/parley.yaml", R_OK) == 0) file = "config/parley.yaml";
    if (file) read_file(self, file, errors);
    for (size_t i = 0; i < settings.count; i++) {
        const config_entry_t *entry = &settings.entries[i];
        if (!entry->value && config_entries_find(&self->entries, entry->path)) continue;
        config_entries_put(&self->entries, entry->path, entry->value, entry->where);
    }
    config_entries_free(&settings);
}

pl_config_t *pl_config_load(const char *service, const pl_config_key_t *keys, int argc, char **argv,
                            int *status)
{
    pl_config_t *self = config_new(service, keys);
    config_errors_t errors = {0};
    const char *file = NULL;
    bool check_only = false;
    bool go_on = read_options(self, argc, argv, &file, &check_only, &errors, status);
    if (go_on) {
        merge(self, file, &errors);
        check(self, &errors);
        *status = errors.text ? EXIT_CONFIG : EXIT_SUCCESS;
        if (errors.text) fputs(errors.text, stderr);
        if (!errors.text && check_only) printf("parley-%s: the configuration is right\n", service);
        go_on = !errors.text && !check_only;
    }
    free(errors.text);
    if (!go_on) {
        pl_config_destroy(&self);
        return NULL;
    }
    pl_log_level_t level = PL_LOG_INFO;
    pl_log_level_parse(pl_config_str(self, "log.level"), &level);
    pl_log_init(self->instance, level);
    return self;
}

/* ---- reading it ---- */

const char *pl_version(void)
{
    return PARLEY_VERSION;
}

const char *pl_config_service(const pl_config_t *self)
{
    return self->service;
}

const char *pl_config_instance(const pl_config_t *self)
{
    return self->instance;
}

static const char *value_of(const pl_config_t *self, const char *path, const char *none)
{
    const pl_config_key_t *key = find_key(self, path);
    assert(key && "a setting must be in the tables of keys");
    const config_entry_t *entry = config_entries_find(&self->entries, path);
    if (entry && entry->value) return entry->value;
    return key->fallback ? key->fallback : none;
}

const char *pl_config_str(const pl_config_t *self, const char *path)
{
    return value_of(self, path, "");
}

int64_t pl_config_int(const pl_config_t *self, const char *path)
{
    int64_t value = 0;
    bool ok = parse_int(value_of(self, path, "0"), &value);
    assert(ok && "the table's default must be a whole number");
    return value;
}

double pl_config_double(const pl_config_t *self, const char *path)
{
    double value = 0;
    bool ok = parse_double(value_of(self, path, "0"), &value);
    assert(ok && "the table's default must be a number");
    return value;
}

bool pl_config_bool(const pl_config_t *self, const char *path)
{
    bool value = false;
    bool ok = parse_bool(value_of(self, path, "false"), &value);
    assert(ok && "the table's default must be true or false");
    return value;
}

const char *pl_config_where(const pl_config_t *self, const char *path)
{
    const config_entry_t *entry = config_entries_find(&self->entries, path);
    return entry ? entry->where : "";
}

size_t pl_config_count(const pl_config_t *self, const char *path)
{
    size_t length = strlen(path);
    size_t count = 0;
    for (size_t i = 0; i < self->entries.count; i++) {
        const char *found = self->entries.entries[i].path;
        if (strncmp(found, path, length) != 0 || found[length] != '[') continue;
        size_t number = strtoul(found + length + 1, NULL, 10);
        if (number >= count && number < MAX_ITEMS) count = number + 1;
    }
    return count;
}

const char *pl_config_item(const pl_config_t *self, const char *fmt, ...)
{
    char path[MAX_PATH];
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(path, sizeof path, fmt, args);
    va_end(args);
    assert(length > 0 && length < MAX_PATH);
    return pl_config_str(self, path);
}
