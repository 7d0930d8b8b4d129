#!/usr/bin/env bash
# Post-call work by a language model, in real processes: a synthesis whose first answer is wrong is asked
# for again; dialogue dies while the model writes, and each piece of work is still done exactly once; a
# call without words asks the model nothing.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/lib-jobs.sh"
cat >"$work/model.yaml" <<'Y'
rules:
  - {when: {user: "=Say: yes."}, say: "yes"}
  # Wrong first: no satisfaction. Told what is missing, the model mends it.
  - name: synthesis-wrong
    when: {schema: synthesis}
    count: 1
    say: '{"short":"a broken laptop"}'
  - name: synthesis-slow
    when: {schema: synthesis, anywhere: "/satisfaction/"}
    count: 1
    say: '{"short":"never told"}'
    fault: {kind: slow_first, ms: 30000}
  - name: synthesis-wrong-again
    when: {schema: synthesis}
    count: 1
    say: '{"short":"a broken laptop"}'
  - name: synthesis
    when: {schema: synthesis}
    say: '{"short":"a cracked laptop, says the model","long":"Your laptop is cracked.","satisfaction":"high","improvement_suggestions":"Ask for the colour."}'
  - name: next
    when: {schema: next}
    say: '{"action":"case_closed","justification":"The model is sure."}'
  - name: sms
    when: {user: "=Write it now."}
    say: "The model has noted your laptop."
  - name: talk
    say: "I note it."
Y
"$bin/llm-double" --script "$work/model.yaml" --log "$work/model.jsonl" --port-file "$work/model.port" >"$work/model.log" 2>&1 &
pids+=($!)
wait_for 10 test -s "$work/model.port" || fail "the double does not start"
system_args+=(--set "llm.fast.endpoint=http://127.0.0.1:$(cat "$work/model.port")/v1" --set llm.fast.model=fast
  --set llm.fast.first_timeout_ms=60000 --set dialogue.jobs.lease_sec=3 --set dialogue.jobs.poll_ms=500)
start_system
asked() { grep -c "\"rule\":\"$1\"" "$work/model.jsonl" || true; }
ring_mute_and_talker +1555017100
in_the_middle() { [[ $(asked synthesis-slow) -eq 1 ]]; }
wait_for 10 in_the_middle || fail "the model is not asked again after a wrong answer"
kill -KILL "$(service_pid dialogue)" || fail "dialogue is not there"
worked_up +15550171001 40
[[ $(json synthesis.short "$work/record.json") == "a cracked laptop, says the model" ]] || fail "the synthesis is not the model's"
[[ $(json synthesis.satisfaction "$work/record.json") == high ]] || fail "nor is the satisfaction"
[[ $(json synthesis.improvement_suggestions "$work/record.json") == "Ask for the colour." ]] || fail "nor are the suggestions"
[[ $(json next.justification "$work/record.json") == "The model is sure." ]] || fail "the next action is not the model's"
grep -q "The model has noted your laptop" "$work/record.json" || fail "the SMS is not the model's"
for rule in synthesis synthesis-wrong-again next sms; do
  [[ $(asked $rule) -eq 1 ]] || fail "the model was asked $(asked $rule) times for $rule"
done
get "/report/$(json call_id "$work/record.json")" "$work/report.html" >/dev/null
grep -q "a cracked laptop, says the model" "$work/report.html" || fail "the report does not show the synthesis"
wait_for 5 ready || fail "not ready after all"
finish
