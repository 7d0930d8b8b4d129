#!/usr/bin/env bash
# What a newcomer sees: parley demo rings a simulated customer, shows the call, and exits 0 only if
# the claim holds what the customer said.
source "$(dirname "$0")/lib.sh"
timeout 190 "$bin/parley" demo --keep >"$work/demo.log" 2>&1
status=$?
folder=$(sed -n 's/^logs, records and the recording are in //p' "$work/demo.log")
[[ $status -eq 0 ]] || PARLEY_TEST_TAIL=60 fail "exit status $status (its folder: $folder)"
for line in 'six processes are ready' 'POST /call: 201' 'Amélie ' 'customer ' 'answered in [0-9]* ms' \
  '✓ hardware_info' '✓ first_seen' '✓ building_location' 'Synthesis' 'Next action' \
  'http://127.0.0.1:[0-9]*/report/'; do
  grep -q "$line" "$work/demo.log" || fail "the terminal does not show: $line"
done
grep -q $'\033' "$work/demo.log" && fail "colours without a terminal"
[[ -s $folder/call.wav ]] || fail "no recording"
grep -h 'voice to voice' -A2 "$work/demo.log"
rm -rf "$folder"

# A claim that is not what the customer should have said: the demo must see it and fail. A shorter
# call, with one field.
python3 - >"$work/body.json" <<'PY'
import json
body = json.load(open('examples/call.json'))
body['claim'] = body['claim'][:1]
print(json.dumps(body))
PY
cat >"$work/other.yaml" <<'Y'
caller: {number: "+11234567890", voice: rms}
end: bot
steps:
  - {cue: "hardware|wrong", say: "a laptop computer with a broken screen"}
  - {cue: "else|anything|help", say: "that is all, thank you, goodbye"}
expect:
  - {field: hardware_info, value: Toshiba laptop}
Y
timeout 190 "$bin/parley" demo --body "$work/body.json" --scenario "$work/other.yaml" \
  >"$work/demo.log" 2>&1 && fail "a claim that differs was not noticed"
grep -q '✗ hardware_info' "$work/demo.log" && grep -q 'expected: Toshiba laptop' "$work/demo.log" ||
  fail "the difference is not shown"
rm -rf "$(sed -n 's/^logs, records and the recording are in //p' "$work/demo.log")"
finish
