#!/usr/bin/env bash
# Each process but telephony is killed with SIGKILL in turn: it is back and the system ready within
# two seconds, the others go on (same processes), and a new call works.
# Alone: it counts seconds.
source "$(dirname "$0")/lib.sh"
start_system
cat >"$work/caller.yaml" <<'Y'
caller: {number: "+1555010{n4}", recognise: false, quiet_ms: 500}
end: caller
deadline_s: 30
steps:
  - {cue: any, hang_up: true}
Y
services=(persistence rag speech dialogue telephony gateway)
declare -A before
note_pids() { for s in "${services[@]}"; do before[$s]=$(service_pid "$s"); done; }
new_pid() { local now; now=$(service_pid "$1") && [[ -n $now && $now != "${before[$1]}" ]]; }

number=0
for victim in gateway speech dialogue rag persistence; do
  note_pids
  started=$(date +%s%3N)
  kill -KILL "${before[$victim]}"
  wait_for 5 new_pid "$victim" || fail "$victim was not started again"
  # Not before its peers have noticed: readiness must be seen false or the new process first.
  wait_for 10 ready || fail "not ready again after $victim was killed"
  took=$(($(date +%s%3N) - started))
  [[ $took -lt 2000 ]] || fail "$victim: ready only $took ms after SIGKILL"
  for s in "${services[@]}"; do
    [[ $s == "$victim" || $(service_pid "$s") == "${before[$s]}" ]] || fail "$s did not survive $victim"
  done
  number=$((number + 1))
  callsim --call "sip:parley@$sip" --number "+155501$(printf %04d $number)" \
    --json "$work/call-$victim.json" "$work/caller.yaml" 2>"$work/call-$victim.log" ||
    fail "no call after $victim was killed: $(json calls.0.detail "$work/call-$victim.json")"
  wait_for 10 over "+155501$(printf %04d $number)" || fail "the call after $victim left no finished record"
  say "$victim: ready again after $took ms"
done
finish
