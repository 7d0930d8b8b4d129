#include "services/dialogue/effects.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/record.h"

static char *copy(const char *text)
{
    char *out = strdup(text ? text : "");
    assert(out);
    return out;
}

void fx_append(effects_t *fx, effect_t **effect_p)
{
    effect_t *effect = *effect_p;
    *effect_p = NULL;
    effect->next = NULL;
    if (fx->last) {
        fx->last->next = effect;
    } else {
        fx->first = effect;
    }
    fx->last = effect;
    fx->count++;
}

effect_t *fx_add(effects_t *fx, fx_kind_t kind)
{
    effect_t *effect = calloc(1, sizeof *effect);
    assert(effect);
    effect->kind = kind;
    effect_t *appended = effect;
    fx_append(fx, &appended);
    return effect;
}

effect_t *fx_event(effects_t *fx, const char *to, const Pl__Envelope *env)
{
    effect_t *effect = fx_add(fx, FX_EVENT);
    effect->to = copy(to);
    effect->env = (Pl__Envelope *)pl_message_copy(&env->base);
    return effect;
}

effect_t *fx_request(effects_t *fx, const char *to, const Pl__Envelope *env, uint32_t timeout_ms,
                     asked_t asked, const char *tool_id)
{
    effect_t *effect = fx_event(fx, to, env);
    effect->kind = FX_REQUEST;
    effect->timeout_ms = timeout_ms;
    effect->asked = asked;
    effect->tool_id = copy(tool_id);
    return effect;
}

effect_t *fx_store(effects_t *fx, const Pl__CallChange *change)
{
    effect_t *effect = fx_add(fx, FX_STORE);
    effect->change = (Pl__CallChange *)pl_message_copy(&change->base);
    return effect;
}

effect_t *fx_job(effects_t *fx, const Pl__JobSpec *job)
{
    effect_t *effect = fx_add(fx, FX_JOB);
    effect->job = (Pl__JobSpec *)pl_message_copy(&job->base);
    return effect;
}

void fx_join(effects_t *fx, size_t first)
{
    size_t i = 0;
    fx->groups++;
    for (effect_t *effect = fx->first; effect; effect = effect->next) {
        bool stored = effect->kind == FX_STORE || effect->kind == FX_JOB;
        if (i++ >= first && stored) effect->group = fx->groups;
    }
}

effect_t *fx_take(effects_t *fx)
{
    effect_t *effect = fx->first;
    if (!effect) return NULL;
    fx->first = effect->next;
    if (!fx->first) fx->last = NULL;
    fx->count--;
    effect->next = NULL;
    return effect;
}

void fx_free(effect_t **effect_p)
{
    effect_t *effect = *effect_p;
    if (!effect) return;
    free(effect->to);
    free(effect->tool_id);
    free(effect->text);
    free(effect->post.url);
    free(effect->post.secret);
    free(effect->post.event_id);
    if (effect->env) pl__envelope__free_unpacked(effect->env, NULL);
    if (effect->found) pl__search_result__free_unpacked(effect->found, NULL);
    if (effect->job) pl__job_spec__free_unpacked(effect->job, NULL);
    if (effect->change) pl__call_change__free_unpacked(effect->change, NULL);
    free(effect);
    *effect_p = NULL;
}

void fx_clear(effects_t *fx)
{
    effect_t *effect = NULL;
    while ((effect = fx_take(fx))) fx_free(&effect);
}
