#!/usr/bin/env bash
# The page /phone in Chromium, against a stand-in for telephony's WebSocket.
set -u
cd "$(dirname "$0")/../../.."
command -v chromedriver chromium >/dev/null || { echo "chromium and chromium-driver are not installed"; exit 77; }
make --no-print-directory -s B="$B" "$B/bin/parley-gateway" "$B/tests/integration/gateway/peers" || exit 1
exec python3 tests/integration/browser/page_test.py "$B" $((27200 + ${PARLEY_TEST_SLOT:-0} * 5))
