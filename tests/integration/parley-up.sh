#!/usr/bin/env bash
# parley up with stand-ins for the services: starts, restarts, failed starts, orderly ends.
source "$(dirname "$0")/lib.sh"
fakes=$work/bin
mkdir "$fakes"
fake() { # name, script
  printf '#!/bin/bash\n%s\n' "$2" >"$fakes/parley-$1"
  chmod +x "$fakes/parley-$1"
}
good='trap "exit 0" TERM; while :; do sleep 0.05; done'
up=("$bin/parley" up --bin-dir "$fakes" --only speech,rag)

fake speech "echo \"speech args: \$*\" >&2; $good"
fake rag "$good"
"${up[@]}" --log-dir "$work" --set bus.run_dir="$work/run" >"$work/up.out" 2>&1 &
pids+=($!)
parent=$!
wait_for 10 grep -q 'started in' "$work/up.out" || fail "not started"
grep -q -- "speech args: --instance 0 --set bus.run_dir=$work/run" "$work/speech.log" ||
  fail "the settings are not passed on"
rag=$(pgrep -P $parent -f parley-rag)
speech=$(pgrep -P $parent -f parley-speech)
kill -KILL "$speech"
again() { now=$(pgrep -P $parent -f parley-speech) && [[ $now != "$speech" ]]; }
wait_for 2 again || fail "speech was not started again"
[[ $(pgrep -P $parent -f parley-rag) == "$rag" ]] || fail "rag was touched"
wait_for 2 grep -q 'speech.*was killed by signal 9' "$work/up.out" || fail "the death was not told"
kill -TERM $parent
wait $parent || fail "an orderly stop ended with status $?"
pids=()
pgrep -f "$fakes/parley-" >/dev/null && fail "children were left behind"
say "starts again what dies, passes settings on, stops in order"

# The parent is killed: its children go too.
"${up[@]}" >"$work/up.out" 2>&1 &
parent=$!
pids+=($parent)
wait_for 10 grep -q 'started in' "$work/up.out" || fail "not started"
kill -KILL $parent
wait $parent 2>/dev/null
pids=()
gone() { ! pgrep -f "$fakes/parley-" >/dev/null; }
wait_for 5 gone || fail "children outlive their parent"
say "children die with their parent"

# A wrong configuration: the service's own line is shown, the status is 78, the others are stopped.
fake speech 'echo "config/x.yaml:3: speech.vioce: unknown key (did you mean speech.voice?)" >&2; exit 78'
"${up[@]}" >"$work/up.out" 2>&1
[[ $? -eq 78 ]] || fail "status is not 78"
grep -q 'config/x.yaml:3: speech.vioce' "$work/up.out" || fail "the line is not shown"
"${up[@]}" --log-dir "$work" >"$work/up.out" 2>&1
grep -q 'config/x.yaml:3: speech.vioce' "$work/up.out" || fail "the log's tail is not shown"
fake speech 'echo "speech.failed detail=\"port 5060 is taken\"" >&2; exit 1'
"${up[@]}" >"$work/up.out" 2>&1
[[ $? -eq 1 ]] || fail "status is not 1"
grep -q 'port 5060 is taken' "$work/up.out" && grep -q 'speech.*exited with status 1' "$work/up.out" ||
  fail "the reason is not shown"
gone || fail "children were left behind"
rm "$fakes/parley-rag"
"${up[@]}" >"$work/up.out" 2>&1 && fail "a missing program is no failure"
grep -q "$fakes/parley-rag cannot be started" "$work/up.out" || fail "the missing program is not named"
say "a failed start stops everything and says why"

"$bin/parley" up --set log.level=loud >"$work/up.out" 2>&1
[[ $? -eq 78 ]] && grep -q 'log.level: must be' "$work/up.out" || fail "a wrong shared setting"
"$bin/parley" up --only speech,tea >"$work/up.out" 2>&1
[[ $? -eq 64 ]] && grep -q 'tea' "$work/up.out" || fail "an unknown service"
finish
