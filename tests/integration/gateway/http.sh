#!/usr/bin/env bash
# The gateway's real process over HTTP, with doubles of the other processes on its bus.
set -u
cd "$(dirname "$0")/../../.."
make --no-print-directory -s B="$B" "$B/bin/parley-gateway" "$B/tests/integration/gateway/peers" || exit 1
exec python3 tests/integration/gateway/http_test.py "$B" $((27100 + ${PARLEY_TEST_SLOT:-0}))
