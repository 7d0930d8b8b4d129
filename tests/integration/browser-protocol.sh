#!/usr/bin/env bash
# callsim rings as the page /phone does: ticket, WebSocket, 16 kHz audio, transcript. A ticket is
# good for one call only, and a socket without one is closed.
source "$(dirname "$0")/lib.sh"
system_args+=(
  --set 'conversation.initiate.claim[0].name=building_location'
  --set 'conversation.initiate.claim[0].description=the building and the floor where you are'
)
start_system
callsim --browser "$api" --verify --wav "$work/call.wav" --json "$work/call.json" \
  tests/scenarios/building.yaml 2>"$work/callsim.log" ||
  fail "$(json calls.0.detail "$work/call.json")"
[[ $(json calls.0.transcript_lines "$work/call.json") -ge 5 ]] ||
  fail "only $(json calls.0.transcript_lines "$work/call.json") lines of transcript were shown"
[[ -n $(json calls.0.call_id "$work/call.json") ]] || fail "the call's id was not told"
say "voice to voice: $(json summary.latency "$work/call.json")"

# Interrupted in mid-sentence: the bot stops, and the record says so.
cat >"$work/interrupts.yaml" <<'Y'
caller: {number: "+15550144", recognise: false, patience_ms: 0}
end: caller
deadline_s: 60
steps:
  - {interrupt_after_ms: 1500, say: "building four, second floor, thank you very much"}
  - {cue: any, hang_up: true}
Y
callsim --browser "$api" --json "$work/interrupts.json" "$work/interrupts.yaml" \
  2>"$work/interrupts.log" || fail "$(json calls.0.detail "$work/interrupts.json")"
stopped=$(json calls.0.turns.1.bot_stopped_after_ms "$work/interrupts.json")
[[ -n $stopped && $stopped -lt 1500 ]] ||
  fail "the bot went on: $(json calls.0.turns "$work/interrupts.json")"
say "interrupted: the bot's voice stopped after $stopped ms"
wait_for 10 over +15550144 || fail "the interrupted call never ends"
grep -q '"interrupted":true' "$work/record.json" || fail "no message is marked as interrupted"
finish
