#!/usr/bin/env bash
# Ten simultaneous calls, each with another number said, end in ten claims with the right number:
# nothing leaks from one call to another.
# Alone: ten callers and what hears them fill two cores.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/lib-load.sh"
calls=${PARLEY_TEST_CALLS:-10}
callback_body >"$work/body.json"
start_system
callsim --register "$sip" --api "$api" --body "$work/body.json" --verify --calls "$calls" \
  --record "$work" --json "$work/calls.json" tests/scenarios/callback-number.yaml \
  2>"$work/callsim.log"
status=$?
python3 - "$work/calls.json" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
for call in report['calls']:
    if call['outcome'] != 'completed':
        print('    caller', call['caller'], call['detail'])
print('    voice to voice:', report['summary']['latency'])
PY
say "at once: $(at_once "$work/calls.json")"
[[ $status -eq 0 ]] || fail "$(json summary.failed "$work/calls.json") of $calls calls failed"
# The store holds each number once, in its own call.
get '/call' "$work/all.json" >/dev/null
python3 - "$work/all.json" "$calls" <<'PY' || fail "the records are not right"
import json, sys
records = json.load(open(sys.argv[1]))
assert len(records) == int(sys.argv[2]), len(records)
for record in records:
    said = record['initiate']['phone_number']
    assert record['claim']['callback_number'] == said, (said, record['claim'])
PY
finish
