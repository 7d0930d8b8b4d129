/* main.c - turns_bench: interruptions, coughs, backchannels and answers under many conditions of the
 * line, on a simulated clock with the real recogniser. See docs/turn-taking.md.
 *
 *   turns_bench [--rounds N] [--only NAME] [--jobs N] [--seed N] [--log]
 *
 * A table goes to standard error, an array of JSON objects to standard output. Every round of a
 * condition has two interruptions, a cough, a backchannel, a turn nobody speaks over, and two answers.
 */
#include <assert.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "services/speech/providers/flite_voice.h"
#include "tests/bench/turns/bench_call.h"
#include "tests/bench/turns/score.h"

enum {
    HZ = 16000,
    TICK_MS = 20,
    UTTERANCES = 8,
    ANSWER_MAX_S = 30,
};

typedef struct {
    const char *name;
    bench_call_opts_t call;
} condition_t;

#define ECHO(db) .echo_db = (db), .echo_delay_ms = 120, .reverb_ms = 60
#define NOISE(kind, db) .noise = (kind), .snr_db = (db)

static const condition_t conditions[] = {
    {"clean", {.codec = CODEC_G722}},
    {"noise 15 dB", {.codec = CODEC_G722, .room = {NOISE(NOISE_STREET, 15)}}},
    {"echo -20 dB", {.codec = CODEC_G722, .room = {ECHO(-20)}}},
    {"noise 15, echo -20", {.codec = CODEC_G722, .room = {NOISE(NOISE_STREET, 15), ECHO(-20)}}},
    {"white 15, echo -20", {.codec = CODEC_G722, .room = {NOISE(NOISE_WHITE, 15), ECHO(-20)}}},
    {"babble 15 dB", {.codec = CODEC_G722, .room = {NOISE(NOISE_BABBLE, 15)}}},
    {"music 15 dB", {.codec = CODEC_G722, .room = {NOISE(NOISE_MUSIC, 15)}}},
    {"music 15, echo -20", {.codec = CODEC_G722, .room = {NOISE(NOISE_MUSIC, 15), ECHO(-20)}}},
    {"echo -10 dB", {.codec = CODEC_G722, .room = {ECHO(-10)}}},
    {"loss 3 %", {.codec = CODEC_G722, .path = {.loss = 0.03, .burst = 0.3}}},
    {"jitter 40 ms, reorder", {.codec = CODEC_G722, .path = {.jitter_us = 40000, .reorder = 0.02}}},
    {"8 kHz", {.codec = CODEC_PCMU}},
    {"8 kHz, noise 15, echo", {.codec = CODEC_PCMU, .room = {NOISE(NOISE_STREET, 15), ECHO(-20)}}},
};
enum { CONDITIONS = sizeof conditions / sizeof *conditions };

typedef enum { SAID_WORDS, SAID_COUGH, SAID_BACKCHANNEL, SAID_NOTHING } said_t;

typedef struct {
    uint64_t decided_us;
    char text[256];
} utterance_t;

typedef struct {
    bench_call_t *call;
    score_t *score;
    uint32_t state; /* of the drawing */
    uint32_t turn;
    bool log;
    /* of the trial */
    uint64_t barge_us, spoken_us, silent_us;
    bool spoken;
    utterance_t utterances[UTTERANCES];
    size_t count;
} bench_t;

/* ---- what happens ---- */

static void on_event(void *arg, uint64_t now_us, const Pl__Envelope *env)
{
    bench_t *b = arg;
    switch (env->body_case) {
    case PL__ENVELOPE__BODY_BARGE_IN:
        if (env->barge_in->turn == b->turn && !b->barge_us) b->barge_us = now_us;
        break;
    case PL__ENVELOPE__BODY_TURN_SPOKEN:
        if (env->turn_spoken->turn != b->turn) break;
        b->spoken = true;
        b->spoken_us = now_us;
        break;
    case PL__ENVELOPE__BODY_UTTERANCE:
        if (b->count == UTTERANCES) break;
        b->utterances[b->count].decided_us = now_us - env->utterance->recognition_ms * 1000ULL;
        (void)snprintf(b->utterances[b->count++].text, sizeof b->utterances[0].text, "%s",
                       env->utterance->text);
        break;
    default:
        break;
    }
    if (!b->log) return;
    if (env->body_case == PL__ENVELOPE__BODY_PARTIAL)
        fprintf(stderr, "    %.2f partial %s\n", (double)now_us / 1e6, env->partial->text);
    if (env->body_case == PL__ENVELOPE__BODY_UTTERANCE)
        fprintf(stderr, "    %.2f utterance \"%s\" sure %.3f speech %u ms, end %u ms, text %u ms\n",
                (double)now_us / 1e6, env->utterance->text, env->utterance->confidence,
                env->utterance->speech_ms, env->utterance->endpointing_ms,
                env->utterance->recognition_ms);
    if (env->body_case == PL__ENVELOPE__BODY_BARGE_IN)
        fprintf(stderr, "    %.2f barge-in\n", (double)now_us / 1e6);
}

/* Silence is what the comfort noise is louder than. */
static void on_out(void *arg, uint64_t now_us, const int16_t pcm[CODEC_FRAME_SAMPLES])
{
    bench_t *b = arg;
    size_t sounding = CODEC_FRAME_SAMPLES;
    while (sounding > 0 && abs(pcm[sounding - 1]) < 120) sounding--;
    if (b->barge_us && !b->silent_us && now_us > b->barge_us && sounding < CODEC_FRAME_SAMPLES / 2)
        b->silent_us = now_us + sounding * 1000000ULL / HZ;
}

/* ---- drawing and voices ---- */

static uint32_t draw(bench_t *b, uint32_t least, uint32_t most)
{
    double part = (noise_random(&b->state) + 1) / 2;
    return least + (uint32_t)(part * (most - least + 1)) % (most - least + 1);
}

typedef struct {
    int16_t *pcm;
    size_t samples;
} sound_t;

static void append(sound_t *s, const int16_t *pcm, size_t samples)
{
    s->pcm = realloc(s->pcm, (s->samples + samples + 1) * sizeof *pcm);
    assert(s->pcm);
    if (pcm)
        memcpy(s->pcm + s->samples, pcm, samples * sizeof *pcm);
    else
        memset(s->pcm + s->samples, 0, samples * sizeof *pcm);
    s->samples += samples;
}

static bool quiet(int16_t s)
{
    return s < 160 && s > -160;
}

/* Said by one of the callers' voices at the level the conditions count from, without silence at
 * its ends. */
static sound_t voice(bench_t *b, const char *text)
{
    static const char *const voices[] = {"rms", "awb", "kal16"};
    sound_t s = {0};
    int16_t *pcm = NULL;
    size_t samples = 0;
    if (flite_voice_say(voices[draw(b, 0, 2)], 1.0, text, &pcm, &samples) != PL_OK) abort();
    double gain = pow(10, (ROOM_VOICE_DB - noise_level_db(pcm, samples)) / 20);
    for (size_t i = 0; i < samples; i++) {
        double x = pcm[i] * gain;
        pcm[i] = (int16_t)(x > 32767 ? 32767 : x < -32768 ? -32768 : x);
    }
    size_t from = 0;
    while (from < samples && quiet(pcm[from])) from++;
    while (samples > from && quiet(pcm[samples - 1])) samples--;
    append(&s, pcm + from, samples - from);
    free(pcm);
    return s;
}

/* ---- the course of a trial ---- */

static void run_ms(bench_t *b, uint32_t ms)
{
    for (uint32_t i = 0; i < ms / TICK_MS; i++) bench_call_tick(b->call);
}

static void begin_turn(bench_t *b, const char *text, Pl__Expect expect)
{
    b->turn++;
    b->barge_us = b->silent_us = 0;
    b->spoken = false;
    b->count = 0;
    bench_call_listen(b->call, expect);
    bench_call_say(b->call, b->turn, text);
    for (int i = 0; i < 100 && !bench_call_bot_speaks(b->call); i++) bench_call_tick(b->call);
}

static void wait_spoken(bench_t *b)
{
    for (int i = 0; i < ANSWER_MAX_S * 1000 / TICK_MS && !b->spoken; i++) bench_call_tick(b->call);
}

static void join(const bench_t *b, char *out, size_t bytes)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < b->count && n < bytes; i++)
        n += (size_t)snprintf(out + n, bytes - n, " %s", b->utterances[i].text);
}

static void lose_words(bench_t *b, const char *reference)
{
    char heard[2048];
    join(b, heard, sizeof heard);
    unsigned words = 0;
    b->score->lost += score_lost(reference, heard, &words);
    b->score->words += words;
}

static const char *const monologues[] = {
    "I can help you with your digital workplace today. We will go through a few questions about "
    "the "
    "computer, the time when it happened, and the place where you are, and then a colleague "
    "will take care of it as soon as possible.",
    "Thank you for your patience. The support desk is open from eight in the morning until six in "
    "the evening, and outside of these hours we write down everything that you tell us, so that "
    "nobody has to ask you again tomorrow.",
    "Before we begin, please note that the battery should be charged, that the cable should be "
    "connected, and that the lamp at the front should be green. If it is not, hold the button for "
    "ten seconds and wait until it starts.",
};

static const char *const wishes[] = {"stop please",
                                     "wait a minute",
                                     "no that is wrong",
                                     "can you repeat that please",
                                     "my laptop is broken",
                                     "I want to talk to a human",
                                     "excuse me I have a question",
                                     "hold on please",
                                     "it was yesterday",
                                     "I have done that already",
                                     "the screen is black",
                                     "that is not my problem"};

static const char *const listening_along[] = {"okay", "yes", "right", "yeah", "uh huh", "I see"};

static void one_over(bench_t *b, said_t kind, uint32_t n)
{
    score_t *s = b->score;
    begin_turn(b, monologues[n % 3], PL__EXPECT__ANYTHING);
    run_ms(b, draw(b, 1500, 4000));
    const char *text = "";
    sound_t sound = {0};
    if (kind == SAID_WORDS) text = wishes[n % (sizeof wishes / sizeof *wishes)];
    if (kind == SAID_BACKCHANNEL)
        text = listening_along[n % (sizeof listening_along / sizeof *listening_along)];
    if (*text) sound = voice(b, text);
    if (kind == SAID_COUGH) {
        int16_t *pcm = noise_cough(n + 1, 200, -17, &sound.samples);
        sound.pcm = pcm;
    }
    bool too_soon = b->barge_us != 0;
    uint64_t onset_us = bench_call_now_us(b->call);
    if (b->log)
        fprintf(stderr, "  %.2f over: \"%s\"%s\n", (double)onset_us / 1e6, text,
                kind == SAID_COUGH ? "(cough)" : "");
    bench_call_mouth(b->call, sound.pcm, sound.samples);
    uint32_t length_ms = (uint32_t)(sound.samples / (HZ / 1000));
    run_ms(b, length_ms + 2500);
    bool cut = b->barge_us && (double)(b->barge_us - onset_us) / 1000 < length_ms + 2000.0;
    if (kind == SAID_WORDS) {
        s->interruptions++;
        s->missed += !cut || too_soon;
        if (too_soon) s->disturbed++, s->quiet_turns++;
        if (cut && !too_soon) {
            series_add(&s->take_ms, (double)(b->barge_us - onset_us) / 1000);
            if (b->silent_us) series_add(&s->stop_ms, (double)(b->silent_us - b->barge_us) / 1000);
        }
        lose_words(b, text);
    }
    wait_spoken(b);
    bool disturbed = b->barge_us != 0;
    if (kind == SAID_COUGH) s->coughs++, s->coughed += disturbed;
    if (kind == SAID_BACKCHANNEL) s->backchannels++, s->yielded += disturbed;
    if (kind == SAID_NOTHING) s->quiet_turns++, s->disturbed += disturbed;
    free(sound.pcm);
    run_ms(b, 1500);
}

/* An answer after the bot's question: parts with pauses between them. */
static void one_answer(bench_t *b, const char *question, Pl__Expect expect,
                       const char *const *parts, size_t count)
{
    score_t *s = b->score;
    sound_t sound = {0};
    char reference[512] = "";
    begin_turn(b, question, expect);
    wait_spoken(b);
    run_ms(b, draw(b, 300, 900));
    b->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) append(&sound, NULL, (size_t)draw(b, 250, 800) * (HZ / 1000));
        sound_t part = voice(b, parts[i]);
        append(&sound, part.pcm, part.samples);
        free(part.pcm);
        size_t n = strlen(reference);
        (void)snprintf(reference + n, sizeof reference - n, " %s", parts[i]);
    }
    uint64_t end_us = bench_call_now_us(b->call) + sound.samples * 1000000ULL / HZ;
    if (b->log)
        fprintf(stderr, "  %.2f to %.2f answer:%s\n", (double)bench_call_now_us(b->call) / 1e6,
                (double)end_us / 1e6, reference);
    bench_call_mouth(b->call, sound.pcm, sound.samples);
    run_ms(b, (uint32_t)(sound.samples / (HZ / 1000)) + 3500);
    bool cut = false;
    uint64_t last_us = 0;
    for (size_t i = 0; i < b->count; i++) {
        if (!*b->utterances[i].text) continue;
        cut |= b->utterances[i].decided_us < end_us;
        last_us = b->utterances[i].decided_us;
    }
    if (last_us > end_us) series_add(&s->end_ms, (double)(last_us - end_us) / 1000);
    if (expect == PL__EXPECT__DIGITS)
        s->numbers++, s->cut_numbers += cut;
    else
        s->sentences++, s->cut_sentences += cut;
    lose_words(b, reference);
    free(sound.pcm);
    run_ms(b, 1500);
}

static void number_answer(bench_t *b)
{
    static const char *const digits[] = {"zero", "one", "two",   "three", "four",
                                         "five", "six", "seven", "eight", "nine"};
    static const char *const pairs = "0612345678";
    char text[5][32];
    const char *parts[5];
    for (size_t i = 0; i < 5; i++) {
        uint32_t x = i == 0 ? 0 : draw(b, 0, 9);
        uint32_t y = i == 0 ? (uint32_t)(pairs[1] - '0') : draw(b, 0, 9);
        (void)snprintf(text[i], sizeof text[i], "%s %s", digits[x], digits[y]);
        parts[i] = text[i];
    }
    one_answer(b, "On which number can we call you back?", PL__EXPECT__DIGITS, parts, 5);
}

static void sentence_answer(bench_t *b, uint32_t n)
{
    static const char *const answers[] = {
        "my laptop is broken since yesterday", "the screen stays black when I start it",
        "it is a computer with a broken keyboard", "I cannot print from my computer any more",
        "the internet connection is very slow today"};
    const char *parts[] = {answers[n % 5]};
    one_answer(b, "What can I do for you?", PL__EXPECT__ANYTHING, parts, 1);
}

static void run_condition(const condition_t *condition, uint32_t rounds, uint32_t seed, bool log,
                          score_t *score)
{
    bench_t b = {.score = score, .state = seed ? seed : 1, .log = log};
    bench_call_opts_t opts = condition->call;
    opts.room.seed = seed + 100;
    opts.path.seed = seed + 200;
    if (opts.path.delay_us == 0) opts.path.delay_us = 20000;
    b.call = bench_call_new(&opts, on_event, on_out, &b);
    uint64_t began_us = bench_call_now_us(b.call);
    run_ms(&b, 2000);
    for (uint32_t i = 0; i < rounds; i++) {
        one_over(&b, SAID_WORDS, 2 * i);
        one_over(&b, SAID_COUGH, i);
        number_answer(&b);
        one_over(&b, SAID_BACKCHANNEL, i);
        one_over(&b, SAID_WORDS, 2 * i + 1);
        one_over(&b, SAID_NOTHING, i);
        sentence_answer(&b, i);
    }
    struct timespec cpu;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    score->cpu_s = (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9;
    score->audio_s = (double)(bench_call_now_us(b.call) - began_us) / 1e6;
    bench_call_destroy(&b.call);
}

/* ---- all conditions, some at a time, each in a process of its own ---- */

typedef struct {
    pid_t pid;
    int fd;
} child_t;

static child_t start(const condition_t *condition, uint32_t rounds, uint32_t seed, bool log)
{
    int fds[2];
    if (pipe(fds) != 0) abort();
    pid_t pid = fork();
    if (pid < 0) abort();
    if (pid == 0) {
        static score_t score;
        score.name = condition->name;
        run_condition(condition, rounds, seed, log, &score);
        score_row(&score, stderr);
        FILE *out = fdopen(fds[1], "w");
        if (!out) _exit(EXIT_FAILURE);
        score_json(&score, out);
        (void)fclose(out);
        _exit(EXIT_SUCCESS);
    }
    (void)close(fds[1]);
    return (child_t){pid, fds[0]};
}

static bool finish(const child_t *child, bool first)
{
    char text[4096];
    size_t n = 0;
    ssize_t got = 0;
    while (n < sizeof text - 1 && (got = read(child->fd, text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    int status = 0;
    (void)close(child->fd);
    (void)waitpid(child->pid, &status, 0);
    printf("%s%s", first ? "" : ",\n ", text);
    return n > 0 && status == 0;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"rounds", required_argument, NULL, 'r'}, {"only", required_argument, NULL, 'o'},
        {"jobs", required_argument, NULL, 'j'},   {"seed", required_argument, NULL, 's'},
        {"log", no_argument, NULL, 'l'},          {0}};
    uint32_t rounds = 10;
    uint32_t seed = 1;
    size_t jobs = 2;
    const char *only = NULL;
    bool log = false;
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (o == 'r') rounds = (uint32_t)strtoul(optarg, NULL, 10);
        if (o == 's') seed = (uint32_t)strtoul(optarg, NULL, 10);
        if (o == 'j') jobs = strtoul(optarg, NULL, 10);
        if (o == 'o') only = optarg;
        if (o == 'l') log = true;
        if (o == '?') return 64;
    }
    child_t children[CONDITIONS];
    size_t started = 0;
    size_t done = 0;
    bool good = true;
    score_head(stderr);
    printf("[");
    (void)fflush(stdout);
    for (size_t i = 0; i < CONDITIONS; i++) {
        if (only && !strstr(conditions[i].name, only)) continue;
        if (started - done >= (jobs ? jobs : 1)) {
            good = finish(&children[done], done == 0) && good;
            done++;
        }
        (void)fflush(stdout);
        children[started++] = start(&conditions[i], rounds, seed, log);
    }
    for (; done < started; done++) good = finish(&children[done], done == 0) && good;
    printf("]\n");
    return good && started > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
