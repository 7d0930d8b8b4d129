/* initiate_fuzz.c - any body of POST /call: accepted or refused with a reason, never a crash; what
 * json_check takes, the tree parser takes too. */
#include <assert.h>
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "services/gateway/initiate_json.h"
#include "services/gateway/json_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    json_fault_t fault;
    if (size > 0 && json_check(text, size, &fault) == PL_OK) {
        cJSON *root = cJSON_ParseWithLength(text, size);
        assert(root);
        cJSON_Delete(root);
    }
    problems_t problems = {0};
    Pl__Initiate *initiate = NULL;
    pl_err_t err = initiate_from_json(text, size, &initiate, &problems);
    assert((err == PL_OK) == (problems.count == 0));
    if (initiate) {
        assert(initiate->phone_number[0] == '+');
        size_t packed = pl__initiate__get_packed_size(initiate);
        uint8_t *bytes = malloc(packed + 1);
        assert(bytes);
        assert(pl__initiate__pack(initiate, bytes) == packed);
        free(bytes);
        pl__initiate__free_unpacked(initiate, NULL);
    }
    problems_free(&problems);
    return 0;
}
