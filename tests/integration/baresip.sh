#!/usr/bin/env bash
# A phone nobody here wrote rings the system: baresip with a WAV file as its microphone. The call's
# record holds the words of that file and a claim value taken from it, and baresip heard a voice.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/lib-baresip.sh"
system_args+=(
  --set 'conversation.initiate.claim[0].name=building_location'
  --set 'conversation.initiate.claim[0].description=the building and the floor where you are'
)
start_system

# What the microphone hears: answers at the pace of the questions. It cannot listen, so the pauses
# are generous; an answer that comes early interrupts the bot, as people do.
"$bin/callsim" say --voice rms --pause 14000 --text "building four, second floor" \
  --pause 16000 --text "yes, that is right" --pause 14000 --text "that is all, thank you, goodbye" \
  --pause 60000 --out "$work/microphone.wav" || fail "no microphone"

baresip_rings "$work/baresip" +15550142 G722/16000/1 "$work/microphone.wav" $((first_port + 5)) \
  $((first_port + 30))-$((first_port + 48)) 110 g722
wait_for 20 grep -q 'Call established' "$work/baresip/out.log" || fail "not answered: $(tail -5 "$work/baresip/out.log")"
wait_for 110 settled "+15550142" || fail "the call never came to its end: $(cat "$work/record.json")"
say "claim: $(json claim "$work/record.json")"
python3 - "$work/record.json" <<'PY' || fail "the record is not right: $(cat "$work/record.json")"
import json, sys
record = json.load(open(sys.argv[1]))
said = ' '.join(m['content'].lower() for m in record['messages'] if m['persona'] == 'human')
assert 'second floor' in said and 'building' in said, said
value = record['claim']['building_location'].lower().replace(',', '')
assert 'building four second floor' in value or 'building 4 second floor' in value, value
assert record['direction'] == 'inbound', record['direction']
PY
# baresip wrote down what it heard.
python3 - "$work"/baresip/dump-*-dec.wav <<'PY' || fail "baresip heard no voice"
import sys, wave
with wave.open(sys.argv[1]) as wav:
    frames = wav.readframes(wav.getnframes())
samples = [int.from_bytes(frames[i:i + 2], 'little', signed=True) for i in range(0, len(frames), 2)]
loud = sum(abs(s) > 1000 for s in samples)
assert loud > 16000, loud
PY
finish
