#include "services/speech/providers/sphinx_models.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/log.h"
#include "services/speech/phrases.h"
#include "services/speech/trigram.h"

enum { SENTENCES = 8000, SEED = 20260303, WORD_BYTES = 64 };

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static sphinx_models_t models;
static bool made;

typedef struct {
    char **words; /* sorted, each once */
    size_t count, room;
} word_list_t;

/* A file without a name, kept open until exit; its path in *path. */
static FILE *memory_file(const char *name, char path[SPHINX_MODEL_PATH_BYTES])
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0) return NULL;
    (void)snprintf(path, SPHINX_MODEL_PATH_BYTES, "/proc/self/fd/%d", fd);
    int writer = dup(fd);
    FILE *out = writer < 0 ? NULL : fdopen(writer, "w");
    if (!out && writer >= 0) (void)close(writer);
    return out;
}

static trigram_t *train(Pl__Expect expect)
{
    phrases_t *phrases = phrases_new(SEED);
    trigram_t *model = trigram_new();
    for (int i = 0; i < SENTENCES; i++) {
        phrase_word_t words[PHRASES_WORDS_MAX];
        size_t count = phrases_draw(phrases, expect, words);
        for (size_t w = 0; w < count; w++) trigram_word(model, words[w].text, words[w].bytes);
        trigram_sentence_end(model);
    }
    phrases_destroy(&phrases);
    return model;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_words(word_list_t *list, const trigram_t *model)
{
    list->room = list->count + trigram_words(model);
    list->words = realloc(list->words, list->room * sizeof(char *));
    assert(list->words);
    for (size_t i = 0; i < trigram_words(model); i++) {
        list->words[list->count] = strdup(trigram_word_at(model, i));
        assert(list->words[list->count]);
        list->count++;
    }
}

static bool listed(const word_list_t *list, char *word)
{
    return bsearch(&word, list->words, list->count, sizeof(char *), by_text) != NULL;
}

/* Copies the lines of our words: "word PH ON EM", "word(2) ...". */
static bool write_dict(const word_list_t *list, const char *full_dict)
{
    FILE *in = fopen(full_dict, "r");
    FILE *out = in ? memory_file("dict", models.dict) : NULL;
    char line[512];
    while (out && fgets(line, sizeof line, in)) {
        char word[WORD_BYTES];
        size_t bytes = strcspn(line, " (");
        if (bytes == 0 || bytes >= sizeof word) continue;
        memcpy(word, line, bytes);
        word[bytes] = '\0';
        if (listed(list, word)) (void)fputs(line, out);
    }
    if (in) (void)fclose(in);
    return out && fclose(out) == 0;
}

static bool make(const char *full_dict)
{
    word_list_t list = {NULL, 0, 0};
    bool good = true;
    for (int i = 0; good && i < SPHINX_MODELS; i++) {
        trigram_t *model = train((Pl__Expect)i);
        FILE *out = memory_file("lm", models.lm[i]);
        if (out) trigram_write(model, out);
        good = out && fclose(out) == 0;
        list_words(&list, model);
        trigram_destroy(&model);
    }
    qsort(list.words, list.count, sizeof(char *), by_text);
    good = good && write_dict(&list, full_dict);
    for (size_t i = 0; i < list.count; i++) free(list.words[i]);
    free(list.words);
    return good;
}

const sphinx_models_t *sphinx_models(const char *full_dict)
{
    pthread_mutex_lock(&guard);
    if (!made) made = make(full_dict);
    bool good = made;
    pthread_mutex_unlock(&guard);
    if (!good) log_error("sphinx.no_models", "dict=%s", full_dict);
    return good ? &models : NULL;
}
