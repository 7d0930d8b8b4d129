#include "services/telephony/switchboard.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_TIMEOUT_MS = 3000, APOLOGY_MARGIN_MS = 300 };

static const char *const end_names[LEG_ENDS] = {
    [PL__LEG_END__LEG_NOT_ENDED] = "not_ended",     [PL__LEG_END__LEG_BYE_LOCAL] = "bye_local",
    [PL__LEG_END__LEG_BYE_REMOTE] = "bye_remote",   [PL__LEG_END__LEG_BUSY] = "busy",
    [PL__LEG_END__LEG_NO_ANSWER] = "no_answer",     [PL__LEG_END__LEG_DECLINED] = "declined",
    [PL__LEG_END__LEG_UNREACHABLE] = "unreachable", [PL__LEG_END__LEG_CANCELLED] = "cancelled",
    [PL__LEG_END__LEG_MEDIA_LOST] = "media_lost",   [PL__LEG_END__LEG_TRANSFERRED] = "transferred",
    [PL__LEG_END__LEG_OWNER_LOST] = "owner_lost",   [PL__LEG_END__LEG_FAILED] = "failed",
};

static uint32_t config_ms(const pl_config_t *cfg, const char *path)
{
    return (uint32_t)pl_config_int(cfg, path);
}

void switchboard_init(switchboard_t *self, pl_loop_t *loop, const pl_config_t *cfg)
{
    self->cfg = cfg;
    self->loop = loop;
    self->max_legs = (size_t)pl_config_int(cfg, "telephony.max_legs");
    self->limits = (leg_limits_t){
        .ring_timeout_ms = config_ms(cfg, "telephony.sip.ring_timeout_ms"),
        .open_timeout_ms = OPEN_TIMEOUT_MS,
        .call_ms = 1000 * (uint64_t)pl_config_int(cfg, "telephony.limits.call_s"),
        .speech_timeout_ms = config_ms(cfg, "telephony.speech_timeout_ms"),
        .owner_silent_ms = config_ms(cfg, "telephony.owner_silent_ms"),
        .owner_timeout_ms = config_ms(cfg, "telephony.owner_timeout_ms"),
        .apology_ms = prompt_ms(&self->apology) + APOLOGY_MARGIN_MS,
    };
    self->rtp.media_timeout_ms = config_ms(cfg, "telephony.rtp.media_timeout_ms");
    self->rtp.jitter_min_ms = config_ms(cfg, "telephony.rtp.jitter_min_ms");
    self->rtp.jitter_max_ms = config_ms(cfg, "telephony.rtp.jitter_max_ms");
    self->live = pl_metric_gauge("parley_legs", NULL, "legs now");
    for (int end = PL__LEG_END__LEG_BYE_LOCAL; end < LEG_ENDS; end++) {
        char label[32];
        snprintf(label, sizeof(label), "end=\"%s\"", end_names[end]);
        self->ended[end] = pl_metric_counter("parley_legs_total", label, "legs by how they ended");
    }
    self->rtp_lost =
        pl_metric_counter("parley_rtp_lost_total", NULL, "RTP packets that never came");
    self->rtp_late =
        pl_metric_counter("parley_rtp_late_total", NULL, "RTP packets that came too late");
}

void switchboard_free(switchboard_t *self)
{
    self->on_empty = NULL;
    while (self->all) switchboard_remove(self, self->all);
    prompt_free(&self->apology);
    for (size_t i = 0; i < SOUNDS_HOLDS; i++) prompt_free(&self->hold[i]);
}

bool switchboard_room(const switchboard_t *self)
{
    return !self->draining && self->legs < self->max_legs;
}

/* Tells everybody who lets new legs in. */
static void publish(switchboard_t *self)
{
    pl_metric_set(self->live, (double)self->legs);
    if (self->bus) pl_bus_load(self->bus, (uint32_t)self->legs, (uint32_t)self->max_legs);
    if (self->sip) sip_agent_accepting(self->sip, switchboard_room(self));
}

void switchboard_drain(switchboard_t *self)
{
    self->draining = true;
    publish(self);
}

/* ---- finding ---- */

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 14695981039346656037ULL; /* FNV-1a */
    for (; *text != '\0'; text++) hash = (hash ^ (unsigned char)*text) * 1099511628211ULL;
    return hash ? hash : 1;
}

static leg_entry_t **bucket(switchboard_t *self, leg_key_t key, uint64_t handle)
{
    return &self->buckets[key][handle % LEG_BUCKETS];
}

leg_entry_t *switchboard_find(const switchboard_t *self, leg_key_t key, uint64_t handle)
{
    if (handle == 0) return NULL;
    leg_entry_t *entry = self->buckets[key][handle % LEG_BUCKETS];
    while (entry && entry->handles[key] != handle) entry = entry->next[key];
    return entry;
}

leg_entry_t *switchboard_call(const switchboard_t *self, const char *call_id)
{
    uint64_t handle = hash_of(call_id);
    leg_entry_t *entry = self->buckets[BY_CALL][handle % LEG_BUCKETS];
    while (entry && strcmp(entry->call_id, call_id) != 0) entry = entry->next[BY_CALL];
    return entry;
}

leg_entry_t *switchboard_former(const switchboard_t *self, const char *call_id)
{
    leg_entry_t *entry = call_id[0] ? self->all : NULL;
    while (entry && strcmp(entry->former, call_id) != 0) entry = entry->all_next;
    return entry;
}

static void set_key(switchboard_t *self, leg_entry_t *entry, leg_key_t key, uint64_t handle)
{
    if (entry->handles[key]) {
        leg_entry_t **at = bucket(self, key, entry->handles[key]);
        while (*at != entry) at = &(*at)->next[key];
        *at = entry->next[key];
    }
    entry->handles[key] = handle;
    entry->next[key] = NULL;
    if (!handle) return;
    leg_entry_t **first = bucket(self, key, handle);
    entry->next[key] = *first;
    *first = entry;
}

void switchboard_key(switchboard_t *self, leg_entry_t *entry, leg_key_t key, uint64_t handle)
{
    assert(key != BY_CALL);
    set_key(self, entry, key, handle);
}

void switchboard_rename(switchboard_t *self, leg_entry_t *entry, const char *call_id)
{
    memcpy(entry->former, entry->call_id, sizeof(entry->former));
    snprintf(entry->call_id, sizeof(entry->call_id), "%s", call_id);
    set_key(self, entry, BY_CALL, hash_of(call_id));
}

/* ---- entries ---- */

leg_entry_t *switchboard_add(switchboard_t *self, const char *call_id, Pl__LegKind kind)
{
    leg_entry_t *entry = calloc(1, sizeof(*entry));
    if (!entry) abort();
    snprintf(entry->call_id, sizeof(entry->call_id), "%s", call_id);
    entry->kind = kind;
    entry->epoch = 1;
    entry->all_next = self->all;
    entry->all_at = &self->all;
    if (self->all) self->all->all_at = &entry->all_next;
    self->all = entry;
    set_key(self, entry, BY_CALL, hash_of(call_id));
    self->legs++;
    publish(self);
    return entry;
}

void switchboard_remove(switchboard_t *self, leg_entry_t *entry)
{
    for (int key = 0; key < LEG_KEYS; key++) set_key(self, entry, (leg_key_t)key, 0);
    *entry->all_at = entry->all_next;
    if (entry->all_next) entry->all_next->all_at = entry->all_at;
    if (entry->dial) {
        pl_request_refuse(&entry->dial, PL_UNAVAILABLE, 0, "telephony is shutting down");
    }
    if (entry->move) pl_request_refuse(&entry->move, PL_NOT_FOUND, 0, "the leg has ended");
    free(entry);
    self->legs--;
    publish(self);
    if (self->legs == 0 && self->on_empty) self->on_empty(self->on_empty_arg);
}
