#include "common/err.h"

static const struct {
    const char *name;
    const char *text;
    bool retry;
} errors[PL_ERR_COUNT] = {
#define PL_ERR_ROW(name, wire, retry, text) [PL_##name] = {#name, text, retry},
    PL_ERR_MAP(PL_ERR_ROW)
#undef PL_ERR_ROW
};

pl_err_t pl_err_from_wire(unsigned code)
{
    return code < PL_ERR_COUNT ? (pl_err_t)code : PL_INTERNAL;
}

const char *pl_err_name(pl_err_t err)
{
    return errors[pl_err_from_wire((unsigned)err)].name;
}

const char *pl_err_text(pl_err_t err)
{
    return errors[pl_err_from_wire((unsigned)err)].text;
}

bool pl_err_retry(pl_err_t err)
{
    return errors[pl_err_from_wire((unsigned)err)].retry;
}
