#!/usr/bin/env bash
# Fifty calls at once, and nothing of one in another. Each caller says a number of its own in a voice with
# a mark of its own (tools/callsim/mark.h); the bot names a company of that call's in a voice with that
# mark. Both recordings of each call, ours and the caller's, are listened to on both sides, and every
# word of every record is read. PARLEY_TEST_CALLS: how many, up to 66. The recogniser may miss a digit of
# some; a number that is somebody else's differs in three, so that it is never taken for one.
# Alone: fifty callers and what hears them fill two cores.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/lib-load.sh"
calls=${PARLEY_TEST_CALLS:-50}
first=$((26000 + (first_port - 28000) % 850)) # more ports than a test usually has
caller_ports=$((first + 300))-$((first + 499))
cat >"$work/caller.yaml" <<'Y'
caller: {number: "+1555{n2}{n2}{n2}7", voice: rms, marked: true, recognise: false, answer_after_ms: 300, quiet_ms: 1000, patience_ms: 0}
end: any
deadline_s: 80
steps:
  - {cue: any, say: "plus one five five five {s2} {s2} {s2} seven"}
  - {cue: any, say: "yes, that is right"}
  - {cue: any, say: "that is all, thank you, goodbye", times: 3}
expect:
  - {field: callback_number, type: phone_number, value: "+1555{n2}{n2}{n2}7"}
Y
callback_body 'Contoso {s2}' >"$work/body.json"
"$bin/speech-double" --marked 'Contoso ' --port-file "$work/speech.port" >"$work/double.log" 2>&1 &
pids+=($!)
wait_for 10 test -s "$work/speech.port" || fail "the double does not start"
cat >"$work/voice.yaml" <<Y
speech: {tts: {openai: {url: "http://127.0.0.1:$(cat "$work/speech.port")/v1"}, voices: [{lang: "*", provider: openai}]}}
features: {recording_enabled: true}
Y
system_args+=(--config "$work/voice.yaml" --set "telephony.recording.folder=$work/rec"
  --set "telephony.rtp.port_min=$first" --set "telephony.rtp.port_max=$((first + 199))")
start_system
mkdir "$work/heard"
begun=$SECONDS
callsim --register "$sip" --api "$api" --body "$work/body.json" --verify --calls "$calls" --rate "${PARLEY_TEST_RATE:-2}" \
  --record "$work/heard" --json "$work/calls.json" "$work/caller.yaml" 2>"$work/callsim.log"
[[ $(json summary.completed "$work/calls.json") -ge $((calls * 8 / 10)) ]] ||
  fail "only $(json summary.completed "$work/calls.json") of $calls calls have the right claim: $(json calls.0.detail "$work/calls.json")"
say "$calls calls in $((SECONDS - begun)) s"
get '/call?limit=1000' "$work/all.json" >/dev/null
begun=$SECONDS
find "$work/heard" "$work/rec" -name '*.wav' -print0 | xargs -0 -n 10 -P 2 "$bin/callsim" marks >"$work/marks.jsonl" || fail "a recording cannot be read"
say "listened to in $((SECONDS - begun)) s"

cat >"$work/check.py" <<'PY'
"""Exit 1 with what is in the wrong place. usage: check.py RECORDS MARKS CALLS"""
import json, re, sys
records, marks = json.load(open(sys.argv[1])), [json.loads(line) for line in open(sys.argv[2])]
count, wrong = int(sys.argv[3]), []
words = 'zero one two three four five six seven eight nine'.split()
owner = {}  # call id -> caller
for record in records:
    caller = int(record['initiate']['phone_number'][-3:-1])
    owner[record['call_id']] = caller
    text = json.dumps(record)
    numbers = {int(a) for a, b, c in re.findall(r'1555(\d\d)(\d\d)(\d\d)7', re.sub(r'(?<=\d) (?=\d)', '', text)) if a == b == c}
    companies = {10 * words.index(a) + words.index(b) for a, b in re.findall(r'Contoso ([a-z]+) ([a-z]+)', text)}
    if numbers != {caller}: wrong.append(f'the record of caller {caller} has the numbers {sorted(numbers)}')
    if companies != {caller}: wrong.append(f'the record of caller {caller} has the companies {sorted(companies)}')
if sorted(owner.values()) != list(range(1, count + 1)): wrong.append(f'records of the callers {sorted(owner.values())}')
seen = []
for found in marks:
    name = found['file'].rsplit('/', 1)[1]
    heard = re.fullmatch(r'caller-(\d+)\.wav', name)
    caller = int(heard[1]) if heard else owner[next(id for id in owner if id in found['file'])]
    seen.append((caller, bool(heard)))
    for side, voice in ('left', 'caller'), ('right', 'bot'):
        if set(found[side][voice]) != {str(caller)}:
            wrong.append(f'{name} of caller {caller}: {voice}s {found[side][voice]} on the {side}')
    for side, voice in ('left', 'bot'), ('right', 'caller'):
        if found[side][voice]: wrong.append(f'{name} of caller {caller}: {voice}s {found[side][voice]} on the {side}')
if len(set(seen)) != 2 * count: wrong.append(f'{len(set(seen))} recordings of {2 * count}')
for line in wrong[:20]: print('   ', line)
if not wrong:
    of = [found[side][voice] for found in marks for side, voice in (('left', 'caller'), ('right', 'bot'))]
    print(f'    {len(marks)} recordings, each with its own two voices; the faintest trace {min(min(m.values()) for m in of)} ms')
sys.exit(bool(wrong))
PY
python3 "$work/check.py" "$work/all.json" "$work/marks.jsonl" "$calls" || fail "calls are mixed up"
say "at once: $(at_once "$work/calls.json")"

# The checker itself: 200 ms of another caller's in one recording, one word in one record.
python3 - "$work" <<'PY' || fail "the self-test could not be made"
import array, json, sys, wave
work = sys.argv[1]
def load(file):
    with wave.open(file) as wav: return wav.getparams(), array.array('h', wav.readframes(wav.getnframes()))
params, one = load(f'{work}/heard/caller-1.wav')
_, other = load(f'{work}/heard/caller-2.wav')
loud = max(range(0, len(other) - 6400, 3200), key=lambda at: sum(map(abs, other[at:at + 6400:2])))
length = 2 * 16000 * 200 // 1000
one[len(one) // 2 // 2 * 2:len(one) // 2 // 2 * 2 + length] = other[loud:loud + length]
with wave.open(f'{work}/caller-1.wav', 'wb') as wav:
    wav.setparams(params)
    wav.writeframes(one.tobytes())
records = json.load(open(f'{work}/all.json'))
said = next(m for m in records[0]['messages'] if m['persona'] == 'human')
said['content'] += ' plus 1 555 66 66 66 7'
json.dump(records, open(f'{work}/mixed.json', 'w'))
PY
grep -v '/caller-1.wav' "$work/marks.jsonl" >"$work/mixed.jsonl"
"$bin/callsim" marks "$work/caller-1.wav" >>"$work/mixed.jsonl"
python3 "$work/check.py" "$work/all.json" "$work/mixed.jsonl" "$calls" >"$work/self.log" && fail "a mixed recording goes unnoticed"
python3 "$work/check.py" "$work/mixed.json" "$work/marks.jsonl" "$calls" >"$work/self2.log" && fail "a mixed record goes unnoticed"
finish
