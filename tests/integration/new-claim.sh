#!/usr/bin/env bash
# A caller who comes with another problem in the same call: the line goes on as a call of its own, in
# real audio, the former call is closed and worked up, and the new claim holds what was said after.
# Then the caller rings back and goes on with that newest call.
source "$(dirname "$0")/lib.sh"
cat >"$work/parley.yaml" <<'Y'
conversation:
  initiate:
    claim:
      - {name: building_location, type: text, description: Where the problem is}
Y
system_args+=(--set features.recording_enabled=true --set "telephony.recording.folder=$work/rec")
start_system --config "$work/parley.yaml"
cat >"$work/two.yaml" <<'Y'
caller: {number: "+15550143", voice: rms}
end: bot
deadline_s: 150
steps:
  - {cue: "where|problem|building", say: "building four, second floor"}
  - {cue: "else|anything|correct", say: "yes, i have another problem"}
  - {cue: "would|like|open|new", say: "yes please"}
  - {cue: "where|opened|please", say: "building seven, first floor"}
  - {cue: "else|anything|correct", say: "no thank you, goodbye"}
Y
callsim --call "sip:parley@$sip" --json "$work/two.json" "$work/two.yaml" 2>"$work/two.log" ||
  fail "the caller: $(json calls.0.detail "$work/two.json")"
wait_for 10 settled +15550143 || fail "the newest call is not worked up: $(cat "$work/record.json")"
cp "$work/record.json" "$work/second.json"
former=$(json continues "$work/second.json")
[[ -n $former ]] || fail "the newest call continues no other: $(cat "$work/second.json")"
wait_for 10 settled "$former" || fail "the former call is not worked up: $(cat "$work/record.json")"
cp "$work/record.json" "$work/first.json"
[[ $(json continued_as "$work/first.json") == "$(json call_id "$work/second.json")" ]] ||
  fail "the former call does not name the other"
[[ $(json ended.reason "$work/first.json") == moved ]] || fail "ended: $(json ended "$work/first.json")"
[[ $(json claim.building_location "$work/first.json") == *four* ]] ||
  fail "former claim: $(json claim "$work/first.json")"
[[ $(json claim.building_location "$work/second.json") == *seven* ]] ||
  fail "new claim: $(json claim "$work/second.json")"
grep -q 'event=leg.moved' "$work/telephony.log" || fail "telephony has moved no leg"
grep -q 'event=stream.moved' "$work/speech.log" || fail "speech has moved no stream"
[[ $(grep -c 'event=stream.opened' "$work/speech.log") == 1 ]] || fail "the stream was opened again"
plays() { # record: milliseconds of its one recording, which the gateway serves
  python3 - "$api" "$1" <<'PY'
import json, sys, urllib.request
record = json.load(open(sys.argv[2]))
assert len(record["recordings"]) == 1, record["recordings"]
file = urllib.request.urlopen(sys.argv[1] + record["recordings"][0]["url"]).read()
ms = (len(file) - 44) // 64
assert file[:4] == b"RIFF" and ms > 3000, ms
print(ms)
PY
}
for part in first second; do plays "$work/$part.json" >"$work/$part.ms" || fail "$part call: no recording of its own"; done
say "recorded: $(cat "$work/first.ms") ms of the first call, $(cat "$work/second.ms") ms of the second"
say "one line, two calls: $(json claim "$work/first.json") and $(json claim "$work/second.json")"

cat >"$work/back.yaml" <<'Y'
caller: {number: "+15550143", voice: rms}
end: bot
deadline_s: 90
steps:
  - {cue: "else|anything|correct", say: "no thank you, goodbye"}
Y
callsim --call "sip:parley@$sip" --json "$work/back.json" "$work/back.yaml" 2>"$work/back.log" ||
  fail "the caller who rings back: $(json calls.0.detail "$work/back.json")"
wait_for 10 settled +15550143 || fail "the call is not worked up again"
[[ $(json call_id "$work/record.json") == "$(json call_id "$work/second.json")" ]] ||
  fail "who rang back was given another call"
[[ $(grep -o '"action":"call"' "$work/record.json" | wc -l) == 2 ]] || fail "it was not taken up again"
grep -q 'Welcome back' "$work/record.json" || fail "no welcome: $(cat "$work/record.json")"
[[ $(json claim.building_location "$work/record.json") == *seven* ]] || fail "the claim is lost"
say "rang back, went on with $(json call_id "$work/record.json")"
finish
