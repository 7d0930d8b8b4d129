#!/usr/bin/env bash
# Every way a call can end short is told in its record: busy, declined, not answered, cancelled
# while ringing, and hung up by the caller in mid-sentence.
source "$(dirname "$0")/lib.sh"
system_args+=(--set dialogue.ring_timeout_ms=3000)
start_system

phone() { # name, answer, more keys of the scenario
  number=$((number + 1))
  cat >"$work/$1.yaml" <<Y
caller: {number: "+15550100$number", recognise: false, answer: $2, answer_after_ms: 300}
deadline_s: 30
$3
Y
}
number=100
rung() { # name: the phone registers, is rung through the API; its report in $work/name.json
  callsim --register "$sip" --api "$api" --body examples/call.json --json "$work/$1.json" \
    "$work/$1.yaml" 2>"$work/$1.log" || fail "$1: $(json calls.0.detail "$work/$1.json")"
}
ends_as() { # name, expected reason
  local id
  id=$(json calls.0.call_id "$work/$1.json")
  [[ -n $id ]] || fail "$1: no call id"
  wait_for 10 over "$id" || fail "$1: the record never says that the call is over"
  [[ $(json ended.reason "$work/record.json") == "$2" ]] ||
    fail "$1 ended as $(json ended "$work/record.json"), not $2"
  say "$1: $(json ended "$work/record.json")"
}

phone busy busy 'end: none'
rung busy
ends_as busy busy
phone decline decline 'end: none'
rung decline
ends_as decline declined
phone no-answer never 'end: none'
rung no-answer
ends_as no-answer no_answer

# Nobody has that number.
printf '{"phone_number": "+15550199999"}' >"$work/nobody.body"
status=$(curl -s -m 10 -o "$work/nobody.answer" -w '%{http_code}' -H 'Content-Type: application/json' \
  -d "$(sed 's/+11234567890/+15550199999/' examples/call.json)" "$api/call")
say "a number nobody registered: HTTP $status $(head -c 200 "$work/nobody.answer")"
[[ $status == 5?? || $status == 201 ]] || fail "an unknown number: HTTP $status"
[[ $status != 201 ]] || wait_for 10 over "$(json call_id "$work/nobody.answer")" ||
  fail "the call to nobody never ends"

# Talks, and hangs up in the middle of its first sentence.
phone rude yes 'end: caller
steps:
  - {cue: any, say: "It is a Dell laptop with a broken screen and I will tell you more", hang_up_after_ms: 900}'
rung rude
ends_as rude bye_remote
grep -q '"action":"hangup"' "$work/record.json" || fail "no hangup message"

# Rings the bot and gives up before it answers, and after it answers.
cat >"$work/cancel.yaml" <<'Y'
caller: {number: "+15550177001", recognise: false, cancel_after_ms: 1}
end: none
deadline_s: 15
Y
callsim --call "sip:parley@$sip" --json "$work/cancel.json" "$work/cancel.yaml" 2>"$work/cancel.log"
say "cancelled at once: $(json calls.0.sip "$work/cancel.json")"
found() { [[ $(get "/call/%2B15550177001" "$work/record.json") == 200 ]]; }
if found; then
  over "%2B15550177001" || wait_for 10 over "%2B15550177001" || fail "the cancelled call never ends"
  say "cancelled: $(json ended "$work/record.json")"
fi

# After all that a whole call still works.
cat >"$work/last.yaml" <<'Y'
caller: {number: "+15550177002", recognise: false}
end: caller
steps:
  - {cue: any, hang_up: true}
Y
callsim --call "sip:parley@$sip" --json "$work/last.json" "$work/last.yaml" 2>"$work/last.log" ||
  fail "no call after all that: $(json calls.0.detail "$work/last.json")"
finish
