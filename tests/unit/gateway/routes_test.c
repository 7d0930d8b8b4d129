/* routes_test.c - the route table, and that openapi.json describes it, no more and no less. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "services/gateway/assets.h"
#include "services/gateway/routes.h"

static cJSON *document(void)
{
    const asset_t *asset = asset_find("openapi.json");
    assert_non_null(asset);
    cJSON *root = cJSON_ParseWithLength((const char *)asset->bytes, asset->size);
    assert_non_null(root);
    return root;
}

static void every_documented_route_is_in_openapi(void **state)
{
    (void)state;
    cJSON *root = document();
    const cJSON *paths = cJSON_GetObjectItemCaseSensitive(root, "paths");
    size_t count;
    const route_t *table = routes_table(&count);
    for (size_t i = 0; i < count; i++) {
        char method[8] = "";
        for (size_t c = 0; table[i].method[c]; c++) method[c] = (char)(table[i].method[c] | 0x20);
        const cJSON *path = cJSON_GetObjectItemCaseSensitive(paths, table[i].pattern);
        bool there = cJSON_GetObjectItemCaseSensitive(path, method) != NULL;
        if (there != table[i].documented) fail_msg("%s %s", method, table[i].pattern);
    }
    cJSON_Delete(root);
}

static void everything_in_openapi_is_a_route(void **state)
{
    (void)state;
    cJSON *root = document();
    const cJSON *path = NULL, *method = NULL;
    size_t count;
    const route_t *table = routes_table(&count);
    cJSON_ArrayForEach(path, cJSON_GetObjectItemCaseSensitive(root, "paths"))
    {
        cJSON_ArrayForEach(method, path)
        {
            bool found = false;
            for (size_t i = 0; i < count; i++) {
                found = found || (strcmp(table[i].pattern, path->string) == 0 &&
                                  strcasecmp(table[i].method, method->string) == 0);
            }
            if (!found) fail_msg("%s %s is no route", method->string, path->string);
            assert_non_null(cJSON_GetObjectItemCaseSensitive(method, "responses"));
            assert_non_null(cJSON_GetObjectItemCaseSensitive(method, "operationId"));
        }
    }
    cJSON_Delete(root);
}

/* Every "$ref" in the document leads somewhere in it. */
static void check_refs(const cJSON *root, const cJSON *node)
{
    const cJSON *each = NULL;
    cJSON_ArrayForEach(each, node)
    {
        if (each->string && strcmp(each->string, "$ref") == 0) {
            char path[256];
            assert_true(cJSON_IsString(each) && strncmp(each->valuestring, "#/", 2) == 0);
            strncpy(path, each->valuestring + 2, sizeof path - 1);
            path[sizeof path - 1] = '\0';
            const cJSON *target = root;
            char *rest = NULL;
            for (char *part = strtok_r(path, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
                target = cJSON_GetObjectItemCaseSensitive(target, part);
            }
            if (!target) fail_msg("%s leads nowhere", each->valuestring);
        }
        check_refs(root, each);
    }
}

static void references_in_openapi_lead_somewhere(void **state)
{
    (void)state;
    cJSON *root = document();
    check_refs(root, root);
    cJSON_Delete(root);
}

static void a_pattern_matches_one_segment(void **state)
{
    (void)state;
    const char *param;
    assert_true(route_match("/call/{id}", "/call/abc", &param));
    assert_string_equal(param, "abc");
    assert_true(route_match("/call/{id}", "/call/+33 6", &param));
    assert_false(route_match("/call/{id}", "/call/", &param));
    assert_false(route_match("/call/{id}", "/call", &param));
    assert_false(route_match("/call/{id}", "/call/a/b", &param));
    assert_false(route_match("/call", "/call/", &param));
    assert_false(route_match("/call", "/cal", &param));
    assert_true(route_match("/", "/", &param));
    assert_string_equal(param, "");
}

static void assets_know_their_types_and_have_etags(void **state)
{
    (void)state;
    assert_string_equal(asset_find("phone.js")->content_type, "text/javascript; charset=utf-8");
    assert_null(asset_find("nope"));
    assert_null(asset_find("../main.c"));
    for (size_t i = 0; i < assets_count; i++) {
        assert_int_equal(strlen(assets[i].etag), 18);
        assert_true(assets[i].size > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_documented_route_is_in_openapi),
        cmocka_unit_test(everything_in_openapi_is_a_route),
        cmocka_unit_test(references_in_openapi_lead_somewhere),
        cmocka_unit_test(a_pattern_matches_one_segment),
        cmocka_unit_test(assets_know_their_types_and_have_etags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
