/* scenario_checks.c - the part of a scenario that says what must be true in the end. */
#include <stdio.h>
#include <string.h>

#include "tools/callsim/scenario_reader.h"

static const char *text_of(const scenario_reader_t *reader, size_t i, const char *name)
{
    return pl_config_item(reader->config, "checks[%zu].%s", i, name);
}

/* The one kind that item i names. */
static bool read_kind(scenario_reader_t *reader, check_t *check, size_t i)
{
    char path[64];
    int found = 0;
    for (int kind = 0; kind < CHECK_KINDS; kind++) {
        scenario_path(path, "checks", i, check_names[kind]);
        if (!pl_config_where(reader->config, path)[0]) continue;
        found++;
        check->kind = (check_kind_t)kind;
        check->what = text_of(reader, i, check_names[kind]);
    }
    scenario_path(path, "checks", i, NULL);
    if (found != 1) {
        scenario_complain(reader, path,
                          "needs one of said, never_said, turns, listens, sms, "
                          "transfer, tool, message, record, reminder, calls");
        check->what = "";
        return false;
    }
    scenario_path(path, "checks", i, check_names[check->kind]);
    if (!check->what[0]) scenario_complain(reader, path, "must not be empty");
    return true;
}

static bool what_is_pattern(check_kind_t kind)
{
    return kind == CHECK_SAID || kind == CHECK_NEVER_SAID || kind == CHECK_SMS ||
           kind == CHECK_MESSAGE || kind == CHECK_REMINDER;
}

static void check_patterns(scenario_reader_t *reader, const check_t *check, size_t i)
{
    const struct {
        const char *name, *pattern;
    } patterns[] = {{"arguments", check->arguments},
                    {"result", check->result},
                    {"is", check->is},
                    {"due", check->due},
                    {"owner", check->owner},
                    {check_names[check->kind], what_is_pattern(check->kind) ? check->what : ""}};
    for (size_t k = 0; k < sizeof patterns / sizeof *patterns; k++) {
        char path[64];
        scenario_check_pattern(reader, scenario_path(path, "checks", i, patterns[k].name),
                               patterns[k].pattern);
    }
}

static void read_check(scenario_reader_t *reader, check_t *check, size_t i)
{
    char path[64];
    check->is = "";
    if (!read_kind(reader, check, i)) return;
    check->manager = text_of(reader, i, "manager");
    check->lang = text_of(reader, i, "lang");
    check->arguments = text_of(reader, i, "arguments");
    check->result = text_of(reader, i, "result");
    check->persona = text_of(reader, i, "persona");
    check->action = text_of(reader, i, "action");
    check->is = text_of(reader, i, "is");
    check->due = text_of(reader, i, "due");
    check->owner = text_of(reader, i, "owner");
    scenario_path(path, "checks", i, "interrupted");
    check->interrupted = pl_config_bool(reader->config, path);
    scenario_path(path, "checks", i, "absent");
    check->absent = pl_config_bool(reader->config, path);
    scenario_path(path, "checks", i, "call");
    check->call = (uint32_t)pl_config_int(reader->config, path);
    bool counted = check->kind == CHECK_TURNS || check->kind == CHECK_CALLS;
    const char *times = counted ? check->what : text_of(reader, i, "times");
    scenario_path(path, "checks", i, counted ? check_names[check->kind] : "times");
    if (!check_range_parse(times, &check->times)) {
        scenario_complain(reader, path, "\"%s\" is none of N, N-M, N-", times);
    }
    check_patterns(reader, check, i);
}

void scenario_read_checks(scenario_reader_t *reader, scenario_t *self)
{
    self->check_count = pl_config_count(reader->config, "checks");
    if (self->check_count > SCENARIO_MAX_CHECKS) {
        scenario_complain(reader, "checks", "at most %d", SCENARIO_MAX_CHECKS);
        self->check_count = 0;
    }
    for (size_t i = 0; i < self->check_count; i++) read_check(reader, &self->checks[i], i);
}
