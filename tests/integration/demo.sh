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

# A customer who says something else: the demo must see it and fail.
sed 's/value: "Dell laptop with a broken screen"/value: "Toshiba laptop"/' \
  tests/scenarios/demo.yaml >"$work/other.yaml"
timeout 190 "$bin/parley" demo --scenario "$work/other.yaml" >"$work/demo.log" 2>&1 &&
  fail "a claim that differs was not noticed"
grep -q '✗ hardware_info' "$work/demo.log" && grep -q 'expected: Toshiba laptop' "$work/demo.log" ||
  fail "the difference is not shown"
rm -rf "$(sed -n 's/^logs, records and the recording are in //p' "$work/demo.log")"
finish
