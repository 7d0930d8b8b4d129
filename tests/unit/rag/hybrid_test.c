/* hybrid_test.c - searches by word and by meaning, in many languages, over several texts, and while
 * the index changes under the reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/rag/index.h"
#include "tests/support/folder.h"

static char base[64];
static char file[96];
static index_writer_t *writer;
static index_reader_t *reader;
static char detail[INDEX_DETAIL_BYTES];
static int64_t now_ms;

static void require(pl_err_t err)
{
    if (err) fail_msg("%s: %s", pl_err_name(err), detail);
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(base, sizeof base, "/tmp/parley-hybrid-XXXXXX");
    if (!mkdtemp(base)) return -1;
    (void)snprintf(file, sizeof file, "%s/knowledge.db", base);
    now_ms = 1000;
    require(index_writer_open(&writer, file, detail));
    require(index_reader_open(&reader, file, detail));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    index_reader_close(&reader);
    index_writer_close(&writer);
    return folder_remove(base);
}

static void begin(void)
{
    require(index_begin(writer, detail));
}

static void commit(void)
{
    require(index_commit(writer, true, ++now_ms, detail));
}

/* A document of one passage a line, "title|content". */
static void put(const char *path, const char *lines)
{
    index_entry_t entry = {.path = (char *)path, .size = 1, .mtime_ns = 1};
    require(index_put(writer, &entry, detail));
    char text[4096];
    (void)snprintf(text, sizeof text, "%s", lines);
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *bar = strchr(line, '|');
        if (bar) *bar = '\0';
        passage_t passage = {.title = bar ? line : "Untitled", .content = bar ? bar + 1 : line};
        index_add(writer, &passage);
    }
    require(index_put_end(writer, "", detail));
}

static Pl__SearchResult *search_in(index_reader_t *in, const index_query_t *like)
{
    index_query_t query = *like;
    if (!query.lang) query.lang = "en";
    if (query.top_n == 0) query.top_n = 5;
    query.low = 0.2;
    query.high = 0.8;
    Pl__SearchResult *result = NULL;
    require(index_search(in, &query, &result, detail));
    return result;
}

static Pl__SearchResult *search(const index_query_t *like)
{
    return search_in(reader, like);
}

static void finds(const index_query_t *query, const char *sources)
{
    char got[512] = "";
    Pl__SearchResult *result = search(query);
    for (size_t i = 0; i < result->n_passages; i++)
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "",
                       result->passages[i]->source);
    pl__search_result__free_unpacked(result, NULL);
    if (strcmp(got, sources) != 0) fail_msg("\"%s\" finds \"%s\"", query->texts[0], got);
}

static void says(const char *lang, const char *question, const char *source)
{
    finds(
        &(index_query_t){
            .texts = {question}, .count = 1, .lang = lang, .top_n = 1, .strictness = 2},
        source);
}

/* ---- languages ---- */

static void questions_are_answered_in_many_languages(void **state)
{
    (void)state;
    begin();
    put("fr",
        "Remboursements|Le remboursement est effectué sous quatorze jours après réception du "
        "formulaire d'annulation.\n"
        "Imprimantes|Si du papier est bloqué, ouvrez le capot arrière et retirez la feuille.\n"
        "Horaires|Nous sommes ouverts du lundi au vendredi de huit heures à dix-huit heures.");
    put("es",
        "Devoluciones|La devolución del dinero se hace en catorce días después de cancelar el "
        "contrato.\n"
        "Impresoras|Si el papel está atascado, abra la tapa trasera y retire la hoja.\n"
        "Horario|Abrimos de lunes a viernes de ocho a dieciocho horas.");
    put("de", "Rückzahlung|Die Rückzahlung erfolgt vierzehn Tage nach der Kündigung des Vertrags.\n"
              "Drucker|Bei einem Papierstau öffnen Sie die hintere Klappe und ziehen das Blatt "
              "heraus.\n"
              "Öffnungszeiten|Wir haben montags bis freitags von acht bis achtzehn Uhr geöffnet.");
    put("zh", "退款政策|取消合同后十四天内退款到您的账户。\n"
              "打印机故障|如果打印机卡纸，请打开后盖取出纸张。\n"
              "营业时间|我们周一至周五上午八点到下午六点营业。");
    put("ja", "返金について|契約を解約してから十四日以内に返金します。\n"
              "プリンター|用紙が詰まった場合は、後ろのカバーを開けて紙を取り出してください。\n"
              "営業時間|月曜日から金曜日の八時から十八時まで営業しています。");
    put("ru", "Возврат денег|Деньги возвращаются в течение четырнадцати дней после расторжения "
              "договора.\n"
              "Принтер|Если застряла бумага, откройте заднюю крышку и вытащите лист.");
    put("it",
        "Rimborsi|Il rimborso avviene entro quattordici giorni dalla disdetta del contratto.");
    put("pt", "Reembolsos|O reembolso é feito em catorze dias após o cancelamento do contrato.");
    commit();
    says("fr-FR", "quand est-ce que je serai remboursé", "fr");
    says("fr-FR", "l'imprimante a une feuille bloquée", "fr");
    says("fr-FR", "quels sont vos horaires d'ouverture", "fr");
    says("es-ES", "cómo pido la devolución del dinero", "es");
    says("es-ES", "la impresora tiene un papel atascado", "es");
    says("de-DE", "wann bekomme ich die Rückzahlung", "de");
    says("de-DE", "der Drucker hat einen Papierstau", "de");
    says("de-DE", "wie sind Ihre Öffnungszeiten", "de");
    says("zh-CN", "怎么申请退款", "zh");
    says("zh-CN", "我的打印机卡纸了怎么办", "zh");
    says("zh-CN", "请问你们的营业时间是什么", "zh");
    says("ja-JP", "返金はいつですか", "ja");
    says("ja-JP", "プリンターの用紙が詰まりました", "ja");
    says("ja-JP", "営業時間を教えてください", "ja");
    says("ru-RU", "когда я получу возврат денег", "ru");
    says("it-IT", "voglio un rimborso per il contratto", "it");
    says("pt-BR", "como pedir o reembolso", "pt");
    says("en-US", "what is the capital of France", "");
    says("zh-CN", "今天天气怎么样", "");
}

/* ---- by meaning ---- */

static int64_t ids[64];

/* A vector for each passage: its own direction of DIMENSIONS. */
enum { DIMENSIONS = 8 };
static const float axis[DIMENSIONS][DIMENSIONS] = {
    {1, 0}, {0, 1}, {0, 0, 1}, {0, 0, 0, 1}, {0, 0, 0, 0, 1}};
static const float between[DIMENSIONS] = {0.8F, 0.6F};

static size_t wanting(void)
{
    index_wanting_t list[64];
    size_t count = 0;
    require(index_wanting(writer, 0, 64, list, &count, detail));
    for (size_t i = 0; i < count; i++) {
        ids[i] = list[i].id;
        free(list[i].title);
        free(list[i].content);
    }
    return count;
}

static void give_vectors(size_t count)
{
    begin();
    for (size_t i = 0; i < count; i++)
        require(index_vector(writer, ids[i], axis[i], DIMENSIONS, detail));
    commit();
}

static void a_passage_is_found_by_meaning_alone(void **state)
{
    (void)state;
    require(index_space(writer, "model", 0, ++now_ms, detail));
    begin();
    put("a", "Alpha|first words");
    put("b", "Beta|second words");
    commit();
    assert_int_equal(wanting(), 2);
    give_vectors(2);
    assert_int_equal(wanting(), 0);
    assert_int_equal(index_dimensions(writer), DIMENSIONS);
    index_query_t query = {
        .texts = {"nothing of these"}, .count = 1, .vectors = {axis[1]}, .dimensions = DIMENSIONS};
    finds(&query, "b");
    Pl__SearchResult *result = search(&query);
    assert_true(result->passages[0]->score > 4.9);
    pl__search_result__free_unpacked(result, NULL);
    query.vectors[0] = between;
    finds(&query, "a b");
    query.strictness = 4;
    finds(&query, "a"); /* a cosine of 0.8 scores 5, one of 0.6 3.3 */
    query.vectors[0] = axis[4];
    query.strictness = 0;
    finds(&query, "");
    query.vectors[0] = NULL;
    finds(&query, "");
}

static void words_and_meaning_together_decide(void **state)
{
    (void)state;
    require(index_space(writer, "model", DIMENSIONS, ++now_ms, detail));
    begin();
    put("a", "Alpha|refund of the price");
    put("b", "Beta|refund of the deposit");
    put("c", "Gamma|opening hours");
    commit();
    assert_int_equal(wanting(), 3);
    give_vectors(3);
    index_query_t query = {.texts = {"refund"}, .count = 1, .dimensions = DIMENSIONS};
    finds(&query, "a b");
    query.vectors[0] = axis[1];
    finds(&query, "b a");
    query.vectors[0] = axis[2];
    finds(&query, "c a b"); /* each the best of a list, c scores more */
}

static void vectors_of_another_size_or_space_are_never_compared(void **state)
{
    (void)state;
    require(index_space(writer, "model", 0, ++now_ms, detail));
    begin();
    put("a", "Alpha|first");
    put("b", "Beta|second");
    commit();
    assert_int_equal(wanting(), 2);
    give_vectors(1);
    begin();
    assert_int_equal(index_vector(writer, ids[1], axis[1], DIMENSIONS - 1, detail), PL_INVALID);
    assert_non_null(strstr(detail, "dimensions"));
    index_rollback(writer);
    index_query_t query = {.texts = {"x"}, .count = 1, .vectors = {axis[0]}};
    query.dimensions = DIMENSIONS;
    finds(&query, "a");
    query.dimensions = DIMENSIONS - 1;
    finds(&query, "");
    query.dimensions = DIMENSIONS;
    require(index_space(writer, "model", 0, ++now_ms, detail)); /* the same: they stay */
    assert_int_equal(wanting(), 1);
    finds(&query, "a");
    require(index_space(writer, "other", 0, ++now_ms, detail));
    assert_int_equal(wanting(), 2);
    assert_int_equal(index_dimensions(writer), 0);
    finds(&query, "");
    give_vectors(2);
    finds(&query, "a");
    require(index_space(writer, "other", DIMENSIONS * 2, ++now_ms, detail));
    assert_int_equal(wanting(), 2);
}

static void a_passage_may_be_refused_a_vector(void **state)
{
    (void)state;
    require(index_space(writer, "model", DIMENSIONS, ++now_ms, detail));
    begin();
    put("a", "Alpha|first");
    put("b", "Beta|second");
    commit();
    assert_int_equal(wanting(), 2);
    static const float nowhere[DIMENSIONS];
    begin();
    require(index_vector(writer, ids[0], NULL, 0, detail));
    require(index_vector(writer, ids[1], nowhere, DIMENSIONS, detail));
    require(index_vector(writer, 12345, axis[0], DIMENSIONS, detail)); /* gone meanwhile */
    commit();
    assert_int_equal(wanting(), 0);
    finds(
        &(index_query_t){
            .texts = {"first"}, .count = 1, .vectors = {axis[0]}, .dimensions = DIMENSIONS},
        "a");
    index_stats_t stats;
    require(index_stats(writer, &stats, detail));
    assert_int_equal(stats.vectors, 2);
}

static void vectors_that_documents_bring_are_taken_when_trusted(void **state)
{
    (void)state;
    require(index_space(writer, "model", DIMENSIONS, ++now_ms, detail));
    index_entry_t entry = {.path = "a", .size = 1};
    passage_t passage = {
        .title = "T", .content = "c", .vector = axis[3], .dimensions = DIMENSIONS, .id = "mine"};
    begin();
    require(index_put(writer, &entry, detail));
    index_add(writer, &passage);
    require(index_put_end(writer, "", detail));
    commit();
    assert_int_equal(wanting(), 1);
    index_trust(writer, DIMENSIONS);
    begin();
    require(index_put(writer, &entry, detail));
    index_add(writer, &passage);
    passage.dimensions = DIMENSIONS - 1;
    index_add(writer, &passage);
    require(index_put_end(writer, "", detail));
    commit();
    assert_int_equal(wanting(), 1); /* that of another size */
    Pl__SearchResult *result = search(&(index_query_t){
        .texts = {"x"}, .count = 1, .vectors = {axis[3]}, .dimensions = DIMENSIONS});
    assert_int_equal(result->n_passages, 1);
    assert_string_equal(result->passages[0]->id, "mine");
    pl__search_result__free_unpacked(result, NULL);
}

/* ---- several texts ---- */

static void earlier_messages_add_what_they_find(void **state)
{
    (void)state;
    begin();
    put("a", "Alpha|the contract of the house\nAlpha too|a contract for cars");
    put("b", "Beta|paper in the printer");
    put("c", "Gamma|opening hours");
    commit();
    finds(&(index_query_t){.texts = {"printer"}, .count = 1}, "b");
    finds(&(index_query_t){.texts = {"printer", "hours", "printer"}, .count = 3}, "b c");
    finds(&(index_query_t){.texts = {"hours", "printer"}, .count = 2}, "c b");
    finds(&(index_query_t){.texts = {"contract", "contract", "hours"}, .count = 3, .top_n = 1},
          "a c"); /* one for each text, each passage once */
    finds(&(index_query_t){.texts = {"and so on", "printer"}, .count = 2}, "b");
}

/* ---- while it changes ---- */

static uint32_t seed = 23;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static void change_something(void)
{
    static const char *const words[] = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta"};
    for (uint32_t n = draw(4) + 1; n > 0; n--) {
        char path[16];
        char lines[256] = "";
        (void)snprintf(path, sizeof path, "d%u", draw(40));
        if (draw(3) == 0) {
            require(index_remove(writer, path, detail));
            continue;
        }
        for (uint32_t i = draw(4); i > 0; i--)
            (void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s|%s %s %u\n",
                           words[draw(6)], words[draw(6)], words[draw(6)], draw(1000));
        put(path, lines);
    }
}

static void fill_in_vectors(void)
{
    size_t count = wanting();
    for (size_t i = 0; i < count && draw(3); i++) {
        float vector[DIMENSIONS];
        for (size_t k = 0; k < DIMENSIONS; k++) vector[k] = (float)draw(200) - 100;
        vector[draw(DIMENSIONS)] = 150;
        require(index_vector(writer, ids[i], vector, DIMENSIONS, detail));
    }
}

/* What a reader that was there all the time finds is what one that has just come finds. */
static void a_reader_keeps_up_with_every_change(void **state)
{
    (void)state;
    static const char *const questions[] = {"alpha", "beta gamma", "delta epsilon zeta", "eps"};
    require(index_space(writer, "model", DIMENSIONS, ++now_ms, detail));
    for (int round = 0; round < 300; round++) {
        begin();
        if (draw(2)) change_something();
        if (draw(2)) fill_in_vectors();
        commit();
        if (round == 150) require(index_space(writer, "next", DIMENSIONS, ++now_ms, detail));
        if (draw(3) == 0) continue; /* several changes between two searches */
        index_reader_t *fresh = NULL;
        require(index_reader_open(&fresh, file, detail));
        index_query_t query = {.texts = {questions[draw(4)]}, .count = 1, .top_n = 50};
        if (draw(2)) {
            query.vectors[0] = axis[draw(5)];
            query.dimensions = DIMENSIONS;
        }
        Pl__SearchResult *old = search(&query);
        Pl__SearchResult *new = search_in(fresh, &query);
        assert_int_equal(old->index_version, new->index_version);
        assert_int_equal(old->n_passages, new->n_passages);
        for (size_t i = 0; i < old->n_passages; i++)
            assert_string_equal(old->passages[i]->content, new->passages[i]->content);
        pl__search_result__free_unpacked(old, NULL);
        pl__search_result__free_unpacked(new, NULL);
        index_reader_close(&fresh);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(questions_are_answered_in_many_languages),
        TEST(a_passage_is_found_by_meaning_alone),
        TEST(words_and_meaning_together_decide),
        TEST(vectors_of_another_size_or_space_are_never_compared),
        TEST(a_passage_may_be_refused_a_vector),
        TEST(vectors_that_documents_bring_are_taken_when_trusted),
        TEST(earlier_messages_add_what_they_find),
        TEST(a_reader_keeps_up_with_every_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
