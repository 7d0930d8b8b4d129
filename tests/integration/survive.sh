#!/usr/bin/env bash
# Calls outlive their processes: two callers talk while the owner of one is killed, then the owner of
# both is stopped for a while, the next one is told to end, and persistence, rag and gateway are killed. Both come to the end of what
# they wanted; what they said is noted, once; who owned a call before lets go when it wakes.
# Alone: it counts seconds.
source "$(dirname "$0")/lib.sh"
system_args+=(--config tests/scenarios/systems/building.yaml --set up.instances.dialogue=2)
start_system
sed 's/^  number: .*/  number: "+1555014{n4}"/' tests/scenarios/building.yaml >"$work/caller.yaml"
callsim --call "sip:parley@$sip" --calls 2 --rate 2 --json "$work/calls.json" "$work/caller.yaml" \
  2>"$work/callsim.log" &
callers=$!

events() { grep -h "event=$1 " "$work"/telephony.log 2>/dev/null; }
answered() { [[ $(events leg.answered | wc -l) -ge 2 ]]; }
instance_pid() { pgrep -P "$system_pid" -f "/parley-dialogue .*--instance $1( |\$)"; }
calls_of() { # how many legs that instance owns: the last owner told of each
  python3 - "$work/telephony.log" "$work" "dialogue-$1" <<'PY'
import glob, re, sys
owner = {}
for path in glob.glob(sys.argv[2] + '/dialogue*.log'):
    for line in open(path, errors='replace'):
        if 'event=call.new' in line:
            owner[re.search(r'call=(\S+)', line)[1]] = re.search(r'svc=(\S+)', line)[1]
for line in open(sys.argv[1], errors='replace'):
    if 'event=leg.adopted' in line:
        owner[re.search(r'call=(\S+)', line)[1]] = re.search(r' owner=(\S+)', line)[1]
print(sum(o == sys.argv[3] for o in owner.values()))
PY
}
# Every call of that instance is owned by the other one soon: prints how long it took.
taken_over() { # instance, what was done to it, most ms
  local started=$1 from=$2 what=$3 most=$4
  gone() { [[ $(calls_of "$from") == 0 ]]; }
  wait_for 5 gone || fail "$what: its calls were not taken over"
  local took=$(($(date +%s%3N) - started))
  [[ $took -le $most ]] || fail "$what: taken over only $took ms later"
  say "$what: taken over within $took ms"
}

wait_for 10 answered || fail "the callers were not answered"
sleep 3 # in the middle of the first question
[[ $(calls_of 0) == 1 && $(calls_of 1) == 1 ]] || fail "the calls are not one on each instance"
first=$(instance_pid 0)
began=$(date +%s%3N)
kill -KILL "$first"
taken_over "$began" 0 "dialogue-0 killed" 2000
back() { local now; now=$(instance_pid 0) && [[ -n $now && $now != "$first" ]]; }
wait_for 5 back || fail "dialogue-0 was not started again"
sleep 6 # a turn later
second=$(instance_pid 1)
began=$(date +%s%3N)
kill -STOP "$second"
taken_over "$began" 1 "dialogue-1 stopped" 2000
sleep 2
kill -CONT "$second"
let_go() { [[ $(grep -h 'event=call.lost' "$work"/dialogue*.log | wc -l) -ge 2 ]]; }
wait_for 5 let_go || fail "dialogue-1 woke and did not let go of both calls"
# One that is stopped in order hands its calls over and ends by itself.
third=$(instance_pid 0)
began=$(date +%s%3N)
kill -TERM "$third"
taken_over "$began" 0 "dialogue-0 stopping" 6000
ended() { ! kill -0 "$third" 2>/dev/null; }
wait_for 10 ended || fail "dialogue-0 handed its calls over and did not end"
for victim in persistence rag gateway; do
  kill -KILL "$(service_pid "$victim")"
  sleep 0.5
done
wait "$callers" || fail "a caller did not come to the end: $(json calls.0.detail "$work/calls.json") \
$(json calls.1.detail "$work/calls.json")"

for n in 0 1; do
  number=$(json "calls.$n.number" "$work/calls.json")
  wait_for 15 settled "$number" || fail "$number left no finished record"
  python3 - "$n" "$work/calls.json" "$work/record.json" <<'PY' || fail "$number: see above"
import json, sys
caller = json.load(open(sys.argv[2]))['calls'][int(sys.argv[1])]
record = json.load(open(sys.argv[3]))
said = sum(turn['who'] == 'caller' for turn in caller['turns'])
noted = [m['content'] for m in record['messages'] if (m['action'], m['persona']) == ('talk', 'human')]
ends = sum(m['action'] == 'hangup' for m in record['messages'])
value = record['claim'].get('building_location')
# Which words the recogniser heard is not what this is about; it may take a noise for one, too.
lost, doubled = len(noted) < said, len(noted) != len(set(noted))
if lost or doubled or ends != 1 or 'second floor' not in (value or ''):
    sys.exit(f'    said {said} times, noted {noted}, hung up {ends} times, claim {value!r}')
PY
  say "$number: claim filled, nothing lost, nothing doubled"
done
finish
