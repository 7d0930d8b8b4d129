/* call_menu.c - a fresh call's language, asked for by voice and keys; and keys at any other time.
 *
 * Who names no language after recognition_retry_max repetitions is served in the default one: a
 * caller who rang for help is not hung up on for want of a key. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "services/dialogue/call_internal.h"
#include "services/dialogue/menu.h"
#include "services/dialogue/nlu/tongue.h"

enum { ANSWER_MS = 8000, KEY_MS = 2000, NUMBER_MS = 3000 };

/* ---- the menu ---- */

static void say_menu(call_t *self, call_now_t now, effects_t *fx)
{
    char text[PROMPT_BYTES];
    const Pl__Initiate *initiate = self->record->initiate;
    call_turn_begin(self, 0);
    for (size_t i = 0; i < initiate->n_lang_available; i++) {
        const char *lang = menu_sentence(self->prompts, initiate, i, text, sizeof text);
        (void)call_turn_add_in(self, text, lang, fx);
    }
    call_send_listen(self, fx);
    call_turn_close(self, fx);
    call_enter(self, CALL_SPEAKING, call_speech_deadline(self, now));
}

bool call_menu_open(call_t *self, call_now_t now, effects_t *fx)
{
    if (!self->settings->language_menu || !menu_wanted(self->record)) return false;
    self->menu = true;
    self->menu_tries = 0;
    say_menu(self, now, fx);
    return true;
}

static void choose(call_t *self, call_now_t now, size_t index, effects_t *fx)
{
    const char *lang = self->record->initiate->lang_available[index]->short_code;
    self->menu = false;
    call_keys_clear(self);
    log_info("call.language", "call=%s lang=%s tries=%u", call_id(self), lang, self->menu_tries);
    call_stop_turn(self, fx);
    call_set_lang(self, lang, fx);
    call_send_listen(self, fx);
    call_open(self, now, fx);
}

static size_t default_index(const Pl__Initiate *initiate)
{
    for (size_t i = 0; i < initiate->n_lang_available; i++) {
        if (strcmp(initiate->lang_available[i]->short_code, initiate->lang_default) == 0) return i;
    }
    return 0;
}

static void not_chosen(call_t *self, call_now_t now, effects_t *fx)
{
    call_keys_clear(self);
    if (self->menu_tries++ >= self->settings->retry_max) {
        choose(self, now, default_index(self->record->initiate), fx);
        return;
    }
    call_stop_turn(self, fx);
    say_menu(self, now, fx);
}

void call_menu_heard(call_t *self, call_now_t now, const char *text, effects_t *fx)
{
    int index = tongue_named(self->record->initiate, text);
    if (index != TONGUE_NONE) {
        choose(self, now, (size_t)index, fx);
    } else if (self->state == CALL_LISTENING) {
        not_chosen(self, now, fx); /* while it is still being said, the rest may tell them */
    }
}

uint32_t call_menu_wait_ms(const call_t *self)
{
    return self->menu ? ANSWER_MS : self->settings->silence_ms;
}

void call_menu_silent(call_t *self, call_now_t now, effects_t *fx)
{
    not_chosen(self, now, fx);
}

static void menu_key_pressed(call_t *self, call_now_t now, effects_t *fx)
{
    int index = menu_key(self->record->initiate, self->keys);
    if (index == MENU_OPEN) {
        self->keys_due_ms = now.mono_ms + KEY_MS;
    } else if (index == MENU_WRONG) {
        not_chosen(self, now, fx);
    } else {
        choose(self, now, (size_t)index, fx);
    }
}

/* ---- keys ---- */

void call_keys_clear(call_t *self)
{
    self->keys[0] = '\0';
    self->keys_due_ms = NO_DEADLINE;
}

/* What was keyed is an utterance of digits: no recogniser could have heard it better. */
static void keyed(call_t *self, call_now_t now, effects_t *fx)
{
    char digits[KEYS_BYTES];
    memcpy(digits, self->keys, sizeof digits);
    call_keys_clear(self);
    if (!digits[0]) return;
    Pl__Utterance said = PL__UTTERANCE__INIT;
    Pl__Envelope env = PL__ENVELOPE__INIT;
    said.text = digits;
    env.body_case = PL__ENVELOPE__BODY_UTTERANCE;
    env.utterance = &said;
    (void)call_on_utterance(self, now, &env, fx);
}

void call_keys_due(call_t *self, call_now_t now, effects_t *fx)
{
    if (!self->menu) {
        keyed(self, now, fx);
        return;
    }
    int index = menu_key_alone(self->record->initiate, self->keys);
    if (index == MENU_WRONG) {
        not_chosen(self, now, fx);
    } else {
        choose(self, now, (size_t)index, fx);
    }
}

pl_err_t call_on_dtmf(call_t *self, call_now_t now, const Pl__Envelope *env, effects_t *fx)
{
    bool talking = self->state == CALL_LISTENING || self->state == CALL_THINKING ||
                   self->state == CALL_SPEAKING;
    char key = env->leg_dtmf->digit[0];
    if (!talking || self->after != AFTER_LISTEN) return PL_STALE;
    if (!key || !strchr("0123456789*#", key)) return PL_INVALID;
    self->sound_ms = now.mono_ms;
    if (self->state == CALL_SPEAKING && !call_floor_held(self)) { /* a key takes the floor */
        call_cancel_thought(self, fx);
        call_stop_turn(self, fx);
        call_listen(self, now);
    }
    size_t n = strlen(self->keys);
    if (key == '*') {
        call_keys_clear(self);
    } else if (key == '#') {
        if (n) call_keys_due(self, now, fx);
    } else if (n + 1 < sizeof self->keys) {
        self->keys[n] = key;
        self->keys[n + 1] = '\0';
        self->keys_due_ms = now.mono_ms + NUMBER_MS;
        if (self->menu) menu_key_pressed(self, now, fx);
    }
    return PL_OK;
}
