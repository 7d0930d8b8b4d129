#include "services/telephony/sip_cause.h"

enum { RETRY_AFTER_S = 10 };

Pl__LegEnd sip_cause_end(unsigned status)
{
    switch (status) {
    case 486:
    case 600:
        return PL__LEG_END__LEG_BUSY;
    case 408:
    case 480:
        return PL__LEG_END__LEG_NO_ANSWER;
    case 603:
        return PL__LEG_END__LEG_DECLINED;
    case 487:
        return PL__LEG_END__LEG_CANCELLED;
    case 404:
    case 410:
    case 416:
    case 484:
    case 485:
    case 502:
    case 503:
    case 604:
        return PL__LEG_END__LEG_UNREACHABLE;
    default:
        return PL__LEG_END__LEG_FAILED;
    }
}

sip_refusal_t sip_cause_refusal(pl_err_t err)
{
    switch (err) {
    case PL_NOT_FOUND:
        return (sip_refusal_t){404, "Not Found", 0};
    case PL_INVALID:
        return (sip_refusal_t){403, "Forbidden", 0};
    case PL_BUSY:
    case PL_TIMEOUT:
    case PL_UNAVAILABLE:
        return (sip_refusal_t){503, "Service Unavailable", RETRY_AFTER_S};
    case PL_OK:
    case PL_STALE:
    case PL_UNSUPPORTED:
    case PL_INTERNAL:
    case PL_ERR_COUNT:
        break;
    }
    return (sip_refusal_t){500, "Server Internal Error", 0};
}
