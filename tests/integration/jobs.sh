#!/usr/bin/env bash
# Post-call work of a real call: three jobs, each done once, one SMS in the record; a call without words
# leaves none. parley jobs shows them.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/lib-jobs.sh"
start_system
ring_mute_and_talker +1555017000
worked_up +15550170001 20
[[ -z $(jobs --state waiting,leased,dead --json) ]] || fail "jobs are left: $(jobs)"
for kind in synthesis next sms_report; do
  [[ $(jobs --kind $kind --json | wc -l) -eq 1 ]] || fail "not one job of kind $kind: $(jobs)"
done
jobs show "sms_report/$(json call_id "$work/record.json")" | grep -q '^state  *done' || fail "show"
get /metrics "$work/metrics" >/dev/null
grep -q 'parley_job_attempts_total{.*kind="synthesis",outcome="done"} 1' "$work/metrics" ||
  fail "the metrics do not count it"
say "$(jobs | head -4)"
finish
