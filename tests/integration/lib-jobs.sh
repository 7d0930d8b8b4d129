# lib-jobs.sh - what the tests of post-call work share: a call with words and one without, and the jobs.
# After lib.sh.

# ring_mute_and_talker NUMBERS: first a caller who says nothing (...2), then one who tells what is broken (...1)
ring_mute_and_talker() {
  local name
  cat >"$work/talker.yaml" <<Y
caller: {number: "${1}1", recognise: false, quiet_ms: 500}
end: caller
deadline_s: 60
steps:
  - {cue: any, say: "It is a Dell laptop with a broken screen"}
  - {cue: any, hang_up: true}
Y
  cat >"$work/mute.yaml" <<Y
caller: {number: "${1}2", recognise: false, quiet_ms: 500}
end: caller
deadline_s: 30
steps:
  - {cue: any, hang_up: true}
Y
  for name in mute talker; do
    callsim --call "sip:parley@$sip" --json "$work/$name.json" "$work/$name.yaml" 2>"$work/$name.log" ||
      fail "$name: $(json calls.0.detail "$work/$name.json")"
  done
}

jobs() { "$bin/parley" jobs --set "bus.run_dir=$work/run" "$@"; }
all_done() { [[ $(jobs --state done --json | wc -l) -eq 3 ]]; }

# The three jobs of that call, each once, and its record in $work/record.json
worked_up() { # number, seconds to wait for the record
  wait_for "$2" settled "$1" || fail "the call's post-call work is not done: $(jobs)"
  wait_for 20 all_done || fail "not three jobs done: $(jobs)"
  settled "$1"
  [[ $(grep -o '"action":"sms"' "$work/record.json" | wc -l) -eq 1 ]] || fail "not one SMS in the record"
}
