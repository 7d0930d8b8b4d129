#include "services/dialogue/reminder.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/zone.h"
#include "services/dialogue/nlu/civil.h"

enum {
    DAY_HOUR = 9,    /* of a reminder that names a day only */
    HASH_BYTES = 12, /* of a title in a key: enough for the few of one call */
};

reminder_owner_t reminder_owner(const char *owner)
{
    if (strcasecmp(owner, "customer") == 0) return REMINDER_OF_CUSTOMER;
    if (strcasecmp(owner, "assistant") == 0) return REMINDER_OF_ASSISTANT;
    return REMINDER_OF_OTHERS;
}

/* Seconds east of UTC of the "Z" or "+02:00" at the end of a moment; false: it has none. */
static bool own_zone(const char *text, long *seconds)
{
    const char *time = strpbrk(text, "Tt ");
    const char *mark = time ? strpbrk(time, "Zz+-") : NULL;
    long hours = 0;
    long minutes = 0;
    *seconds = 0;
    if (!mark) return false;
    if (*mark == 'Z' || *mark == 'z') return true;
    /* civil_parse has looked at its form. NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(mark + 1, "%2ld:%2ld", &hours, &minutes) < 1) return false;
    *seconds = hours * 3600 + minutes * 60;
    if (*mark == '-') *seconds = -*seconds;
    return true;
}

void reminder_due(const char *text, const char *zone, char due[VALUE_BYTES], int64_t *due_at_ms)
{
    civil_t at;
    bool timed = false;
    long east = 0;
    *due_at_ms = 0;
    if (!civil_parse(text, &at, &timed)) return;
    civil_t clock = at;
    if (!timed) clock.hour = DAY_HOUR;
    if (timed && own_zone(text, &east)) {
        *due_at_ms = (civil_seconds(&clock) - east) * 1000;
        at = civil_in(zone, *due_at_ms);
    } else {
        *due_at_ms = pl_zone_moment(zone, civil_seconds(&clock));
    }
    (void)civil_iso(&at, timed, due);
}

void reminder_job(reminder_job_t *out, const char *call_id, const Pl__Reminder *reminder)
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    *out = (reminder_job_t){.spec = PL__JOB_SPEC__INIT};
    (void)SHA256((const uint8_t *)reminder->title, strlen(reminder->title), hash);
    int n = snprintf(out->key, sizeof out->key, "reminder/%.64s/", call_id);
    for (size_t i = 0; i < HASH_BYTES; i++, n += 2)
        (void)snprintf(out->key + n, sizeof out->key - (size_t)n, "%02x", hash[i]);
    cJSON *payload = cJSON_CreateObject();
    cJSON_AddStringToObject(payload, "title", reminder->title);
    cJSON_AddStringToObject(payload, "due", reminder->due_date_time);
    out->payload = cJSON_PrintUnformatted(payload);
    assert(out->payload);
    cJSON_Delete(payload);
    out->spec.key = out->key;
    out->spec.kind = "reminder";
    out->spec.payload.data = (uint8_t *)out->payload;
    out->spec.payload.len = strlen(out->payload);
    out->spec.run_at_ms = reminder->due_at_ms > 0 ? reminder->due_at_ms : 0;
    out->spec.max_attempts = REMINDER_ATTEMPTS;
    out->spec.mode = reminder->ended_at_ms ? PL__JOB_MODE__JOB_DROP : PL__JOB_MODE__JOB_REPLACE;
}

void reminder_job_free(reminder_job_t *self)
{
    cJSON_free(self->payload);
    self->payload = NULL;
}
