#include "services/speech/turn.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/lane.h"
#include "services/speech/heard.h"
#include "services/speech/speaking.h"

enum { SAMPLES_MS = PL_FRAME_HZ / 1000 };

typedef struct {
    size_t bytes, samples; /* of the sentence */
} word_end_t;

typedef struct {
    Pl__Say *say;
    size_t start, end; /* in the turn's samples; end grows while it is synthesised */
    bool complete;
    word_end_t *words; /* rising; NULL: nobody told */
    size_t word_count;
} sentence_t;

/* Audio that waits to be sent. */
typedef struct {
    clip_t *clip; /* NULL: silence, or sent */
    size_t samples;
} piece_t;

struct turn {
    uint32_t number;
    uint64_t asked_us, flushed_us;
    sentence_t *sentences;
    size_t count, synthesised; /* sentences; of them, those that are complete */
    bool under_way;            /* sentences[synthesised] is being synthesised */
    bool whole;                /* the last sentence came */
    piece_t *pieces;
    size_t piece_count, piece_room;
    size_t piece_at, piece_start; /* the first that is not all sent; its first sample */
    size_t samples, sent_samples;
    uint32_t sent_frames;
    bool last_sent, started;
    uint32_t heard_ms;
    int16_t frame[PL_FRAME_SAMPLES];
};

turn_t *turn_new(uint32_t number, uint64_t asked_us)
{
    turn_t *self = calloc(1, sizeof *self);
    assert(self);
    self->number = number;
    self->asked_us = asked_us;
    return self;
}

void turn_destroy(turn_t **self_p)
{
    turn_t *self = *self_p;
    if (!self) return;
    *self_p = NULL;
    for (size_t i = 0; i < self->count; i++) {
        pl__say__free_unpacked(self->sentences[i].say, NULL);
        free(self->sentences[i].words);
    }
    free(self->sentences);
    for (size_t i = self->piece_at; i < self->piece_count; i++) clip_drop(&self->pieces[i].clip);
    free(self->pieces);
    free(self);
}

uint32_t turn_number(const turn_t *self)
{
    return self->number;
}

uint64_t turn_asked_us(const turn_t *self)
{
    return self->asked_us;
}

/* ---- sentences ---- */

static Pl__Say *say_copy(const Pl__Say *say)
{
    size_t bytes = pl__say__get_packed_size(say);
    uint8_t *packed = malloc(bytes + 1);
    assert(packed);
    pl__say__pack(say, packed);
    Pl__Say *copy = pl__say__unpack(NULL, bytes, packed);
    assert(copy);
    free(packed);
    return copy;
}

static bool silent(const Pl__Say *say)
{
    return strspn(say->text, " \t\r\n") == strlen(say->text);
}

/* Passes over sentences without a word, such as the one that only says it is the last. */
static void skip_silent(turn_t *self)
{
    while (!self->under_way && self->synthesised < self->count) {
        sentence_t *s = &self->sentences[self->synthesised];
        if (!silent(s->say)) return;
        s->start = s->end = self->samples;
        s->complete = true;
        self->synthesised++;
    }
}

pl_err_t turn_add(turn_t *self, const Pl__Say *say)
{
    uint32_t next = self->count > 0 ? self->sentences[self->count - 1].say->index + 1 : 0;
    if (self->whole || say->index < next) return PL_STALE;
    if (self->count == SPEAKING_SENTENCES_MAX) return PL_INVALID;
    sentence_t *grown = realloc(self->sentences, (self->count + 1) * sizeof *grown);
    assert(grown);
    self->sentences = grown;
    self->sentences[self->count++] = (sentence_t){.say = say_copy(say)};
    self->whole = say->last;
    skip_silent(self);
    return PL_OK;
}

void turn_close(turn_t *self)
{
    self->whole = true;
}

const Pl__Say *turn_synthesise(turn_t *self)
{
    if (self->under_way || self->synthesised == self->count) return NULL;
    sentence_t *s = &self->sentences[self->synthesised];
    s->start = s->end = self->samples;
    self->under_way = true;
    return s->say;
}

static void append(turn_t *self, piece_t piece)
{
    if (self->piece_count == self->piece_room) {
        self->piece_room = 2 * self->piece_room + 8;
        self->pieces = realloc(self->pieces, self->piece_room * sizeof piece);
        assert(self->pieces);
    }
    self->pieces[self->piece_count++] = piece;
    self->samples += piece.samples;
}

void turn_audio(turn_t *self, clip_t *clip)
{
    if (!self->under_way || clip->samples == 0) return;
    sentence_t *s = &self->sentences[self->synthesised];
    bool first = s->end == s->start;
    /* A pause between sentences, unless one was there already because we were late. */
    bool late = self->sent_samples == self->samples && turn_outstanding_ms(self) == 0;
    if (first && self->samples > 0 && !late) {
        append(self, (piece_t){NULL, (size_t)SPEAKING_PAUSE_MS * SAMPLES_MS});
        s->start = self->samples;
    }
    append(self, (piece_t){clip_hold(clip), clip->samples});
    s->end = self->samples;
}

void turn_said(turn_t *self, size_t bytes, size_t samples)
{
    if (!self->under_way) return;
    sentence_t *s = &self->sentences[self->synthesised];
    if (s->word_count > 0 && samples < s->words[s->word_count - 1].samples) return;
    s->words = realloc(s->words, (s->word_count + 1) * sizeof *s->words);
    assert(s->words);
    s->words[s->word_count++] = (word_end_t){bytes, samples};
}

void turn_synthesised(turn_t *self)
{
    if (!self->under_way) return;
    self->under_way = false;
    self->sentences[self->synthesised++].complete = true;
    skip_silent(self);
}

/* ---- frames ---- */

static bool complete(const turn_t *self)
{
    return self->whole && self->synthesised == self->count && !self->under_way;
}

bool turn_empty(const turn_t *self)
{
    return complete(self) && self->samples == 0;
}

bool turn_sent(const turn_t *self)
{
    return self->last_sent;
}

/* May the sentence of that sample not be interrupted? A pause belongs to the sentence after it. */
static bool is_firm(const turn_t *self, size_t sample)
{
    for (size_t i = 0; i < self->count; i++) {
        if (sample < self->sentences[i].end) return self->sentences[i].say->not_interruptible;
    }
    return false;
}

/* The samples that are sent next, silence after the last. */
static void fill_frame(turn_t *self)
{
    size_t filled = 0, skip = self->sent_samples - self->piece_start;
    for (size_t i = self->piece_at; i < self->piece_count && filled < PL_FRAME_SAMPLES; i++) {
        const piece_t *p = &self->pieces[i];
        size_t n = p->samples - skip;
        if (n > PL_FRAME_SAMPLES - filled) n = PL_FRAME_SAMPLES - filled;
        if (p->clip)
            memcpy(self->frame + filled, p->clip->pcm + skip, n * sizeof *self->frame);
        else
            memset(self->frame + filled, 0, n * sizeof *self->frame);
        filled += n;
        skip = 0;
    }
    memset(self->frame + filled, 0, (PL_FRAME_SAMPLES - filled) * sizeof *self->frame);
}

static void drop_sent(turn_t *self)
{
    while (self->piece_at < self->piece_count) {
        piece_t *p = &self->pieces[self->piece_at];
        if (self->piece_start + p->samples > self->sent_samples) return;
        self->piece_start += p->samples;
        clip_drop(&p->clip);
        self->piece_at++;
    }
}

bool turn_frame(turn_t *self, Pl__LaneSayOut *frame)
{
    if (self->last_sent) return false;
    size_t left = self->samples - self->sent_samples;
    bool whole = complete(self);
    if (left < PL_FRAME_SAMPLES && !whole) return false;
    frame->turn = self->number;
    frame->seq = self->sent_frames;
    frame->last = whole && left <= PL_FRAME_SAMPLES;
    frame->not_interruptible = is_firm(self, self->sent_samples);
    if (left == 0) return true; /* the end became known after the last audio was sent */
    fill_frame(self);
    frame->pcm.data = (uint8_t *)self->frame;
    frame->pcm.len = PL_FRAME_BYTES;
    return true;
}

void turn_frame_sent(turn_t *self)
{
    size_t left = self->samples - self->sent_samples;
    if (complete(self) && left <= PL_FRAME_SAMPLES) self->last_sent = true;
    if (left == 0) return;
    self->sent_samples += left < PL_FRAME_SAMPLES ? left : PL_FRAME_SAMPLES;
    self->sent_frames++;
    drop_sent(self);
}

uint32_t turn_audio_ms(const turn_t *self)
{
    return (uint32_t)(self->samples / SAMPLES_MS);
}

uint32_t turn_unsent_ms(const turn_t *self)
{
    return (uint32_t)((self->samples - self->sent_samples) / SAMPLES_MS);
}

uint32_t turn_outstanding_ms(const turn_t *self)
{
    uint32_t sent_ms = self->sent_frames * PL_FRAME_MS;
    return sent_ms > self->heard_ms ? sent_ms - self->heard_ms : 0;
}

/* ---- heard ---- */

void turn_played(turn_t *self, uint32_t heard_ms, bool started)
{
    if (started) self->started = true;
    uint32_t sent_ms = self->sent_frames * PL_FRAME_MS;
    if (heard_ms > sent_ms) heard_ms = sent_ms;
    if (heard_ms > self->heard_ms) self->heard_ms = heard_ms;
}

bool turn_started(const turn_t *self)
{
    return self->started;
}

uint32_t turn_heard_ms(const turn_t *self)
{
    uint32_t audio_ms = turn_audio_ms(self);
    return self->heard_ms < audio_ms ? self->heard_ms : audio_ms;
}

static uint32_t sentence_ms(const sentence_t *s)
{
    uint32_t ms = (uint32_t)((s->end - s->start) / SAMPLES_MS);
    if (s->complete) return ms;
    uint32_t guess_ms = heard_guess_ms(s->say->text);
    return ms > guess_ms ? ms : guess_ms;
}

/* The same up to the last word that ends there, by the synthesiser's own account. */
static size_t words_heard(const sentence_t *s, size_t samples)
{
    size_t bytes = 0;
    for (size_t i = 0; i < s->word_count && s->words[i].samples <= samples; i++)
        bytes = s->words[i].bytes;
    return heard_whole_words(s->say->text, bytes);
}

/* Bytes of the sentence's text that were heard. */
static size_t sentence_heard(const turn_t *self, size_t i, bool *estimated)
{
    const sentence_t *s = &self->sentences[i];
    uint32_t start_ms = (uint32_t)(s->start / SAMPLES_MS);
    bool reached = i < self->synthesised + (self->under_way ? 1 : 0);
    if (!reached || s->end == s->start || self->heard_ms <= start_ms) return 0;
    uint32_t heard_ms = self->heard_ms - start_ms;
    if (s->complete && heard_ms >= sentence_ms(s)) return strlen(s->say->text);
    if (s->word_count > 0) return words_heard(s, (size_t)heard_ms * SAMPLES_MS);
    *estimated = true;
    return heard_bytes(s->say->text, heard_ms, sentence_ms(s));
}

char *turn_heard_text(const turn_t *self, bool *estimated)
{
    *estimated = false;
    size_t room = 1, at = 0;
    for (size_t i = 0; i < self->count; i++) room += strlen(self->sentences[i].say->text) + 1;
    char *text = malloc(room);
    assert(text);
    for (size_t i = 0; i < self->count; i++) {
        size_t bytes = sentence_heard(self, i, estimated);
        if (bytes == 0) continue;
        if (at > 0) text[at++] = ' ';
        memcpy(text + at, self->sentences[i].say->text, bytes);
        at += bytes;
    }
    text[at] = '\0';
    return text;
}

bool turn_interruptible(const turn_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        const sentence_t *s = &self->sentences[i];
        if (i > self->synthesised) break;
        if (s->end > s->start && self->heard_ms < (uint32_t)(s->end / SAMPLES_MS))
            return !s->say->not_interruptible;
    }
    /* Between the last sentence's end and the news of it. */
    return self->count == 0 || !self->sentences[self->count - 1].say->not_interruptible;
}

void turn_flush(turn_t *self, uint64_t now_us)
{
    self->flushed_us = now_us ? now_us : 1;
}

uint64_t turn_flushed_us(const turn_t *self)
{
    return self->flushed_us;
}
