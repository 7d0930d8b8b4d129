#!/usr/bin/env bash
# Post-call work of a real call: three jobs, each done once, one SMS in the record; a call without words
# leaves none. parley jobs shows them.
source "$(dirname "$0")/lib.sh"
start_system
cat >"$work/talker.yaml" <<'Y'
caller: {number: "+15550170001", recognise: false, quiet_ms: 500}
end: caller
deadline_s: 60
steps:
  - {cue: any, say: "It is a Dell laptop with a broken screen"}
  - {cue: any, hang_up: true}
Y
cat >"$work/mute.yaml" <<'Y'
caller: {number: "+15550170002", recognise: false, quiet_ms: 500}
end: caller
deadline_s: 30
steps:
  - {cue: any, hang_up: true}
Y
jobs() { "$bin/parley" jobs --set "bus.run_dir=$work/run" "$@"; }
for name in talker mute; do
  callsim --call "sip:parley@$sip" --json "$work/$name.json" "$work/$name.yaml" 2>"$work/$name.log" ||
    fail "$name: $(json calls.0.detail "$work/$name.json")"
done
wait_for 20 settled "+15550170001" || fail "the call's post-call work is not done"
all_done() { [[ $(jobs --state done --json | wc -l) -eq 3 ]]; }
wait_for 20 all_done || fail "not three jobs done: $(jobs)"
[[ -z $(jobs --state waiting,leased,dead --json) ]] || fail "jobs are left: $(jobs)"
for kind in synthesis next sms_report; do
  [[ $(jobs --kind $kind --json | wc -l) -eq 1 ]] || fail "not one job of kind $kind: $(jobs)"
done
settled "+15550170001"
[[ $(grep -o '"action":"sms"' "$work/record.json" | wc -l) -eq 1 ]] || fail "not one SMS in the record"
jobs show "sms_report/$(json call_id "$work/record.json")" | grep -q '^state  *done' || fail "show"
get /metrics "$work/metrics" >/dev/null
grep -q 'parley_job_attempts_total{.*kind="synthesis",outcome="done"} 1' "$work/metrics" ||
  fail "the metrics do not count it"
say "$(jobs | head -4)"
finish
