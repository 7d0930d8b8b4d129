/* by_hand.h - a conversation whose manager is played by the test. Include after cmocka.h. */
#ifndef TEST_BY_HAND_H
#define TEST_BY_HAND_H

#include "tests/unit/dialogue/conversation.h"

/* The caller speaks, and the thought is left open. */
static UNUSED uint32_t begin_thought(conversation_t *c, const char *text)
{
    Pl__Envelope env = PL__ENVELOPE__INIT;
    Pl__Utterance utterance = PL__UTTERANCE__INIT;
    utterance.text = (char *)text;
    env.epoch = 1;
    env.sender = (char *)"speech-0";
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &utterance;
    assert_int_equal(call_handle(c->call, c->now, &env, &c->fx), PL_OK);
    uint32_t thought = 0;
    effect_t *effect = NULL;
    while ((effect = fx_take(&c->fx))) {
        if (effect->kind == FX_THINK) {
            thought = effect->think;
        } else {
            conversation_effect(c, effect);
        }
        fx_free(&effect);
    }
    assert_int_not_equal(thought, 0);
    return thought;
}

/* Carries effects out without the script: what its tools say is caught. */
static UNUSED void run_by_hand(conversation_t *c, char *result, size_t bytes)
{
    effect_t *effect = NULL;
    result[0] = '\0';
    while ((effect = fx_take(&c->fx))) {
        if (effect->kind == FX_TOOL_RESULT) {
            snprintf(result, bytes, "%s=%s", effect->tool_id, effect->text);
        } else {
            conversation_effect(c, effect);
        }
        fx_free(&effect);
    }
}

#endif
