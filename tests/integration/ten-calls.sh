#!/usr/bin/env bash
# Ten simultaneous calls, each with another number said, end in ten claims with the right number:
# nothing leaks from one call to another.
# Alone: ten callers and what hears them fill two cores.
source "$(dirname "$0")/lib.sh"
calls=${PARLEY_TEST_CALLS:-10}
python3 - >"$work/body.json" <<'PY'
import json
body = json.load(open('examples/call.json'))
body['task'] = 'Note the number that the customer can be called back on.'
body['claim'] = [{'name': 'callback_number', 'type': 'phone_number',
                  'description': 'the phone number we can call you back on'}]
print(json.dumps(body))
PY
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
starts = [(c['answered_after_ms'], c['answered_after_ms'] + c['duration_ms']) for c in report['calls']
          if c['duration_ms'] is not None]
print('    at once:', max(sum(a <= s < b for a, b in starts) for s, _ in starts) if starts else 0)
print('    voice to voice:', report['summary']['latency'])
PY
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
