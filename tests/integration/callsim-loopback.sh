#!/usr/bin/env bash
# Two simulated callers ring each other: SIP, G.722 over RTP, voices, recognition, latency and the
# recording are true before they judge anything else.
source "$(dirname "$0")/lib.sh"
help=$("$bin/callsim" --help) || fail "callsim --help ends with $?"
grep -q 'checks\[\].manager' <<<"$help" || fail "callsim --help does not name every key"
cat >"$work/bot.yaml" <<'Y'
caller: {number: parley, voice: slt, quiet_ms: 500, patience_ms: 0, answer_after_ms: 100, recognise: false}
steps:
  - {after_silence_ms: 300, say: "Hello. What kind of computer do you have?"}
  - {cue: any, delay_ms: 400, say: "When did you first see the problem?"}
  - {cue: any, delay_ms: 400, say: "Thank you very much, good bye."}
  - {after_silence_ms: 300, hang_up: true}
Y
cat >"$work/customer.yaml" <<'Y'
caller: {number: "+11234567890", voice: rms}
end: bot
steps:
  - {cue: computer, say: "It is a Dell laptop with a broken screen."}
  - {cue: "when|first", say: "yesterday at nine in the morning"}
Y
callsim --answer "$sip" --json "$work/bot.json" "$work/bot.yaml" 2>"$work/bot.log" &
pids+=($!)
bot=$!
wait_for 10 grep -q waits "$work/bot.log" || fail "the answering side is not there"
callsim --call "sip:parley@$sip" --rtp-ports "$rtp_ports" --json "$work/customer.json" \
  --wav "$work/call.wav" "$work/customer.yaml" 2>"$work/customer.log" || fail "the caller failed"
wait $bot || fail "the answering side failed"
pids=()
[[ $(json calls.0.codec "$work/customer.json") == G722/8000 ]] || fail "not G.722"
[[ $(json calls.0.rtp.lost "$work/customer.json") == 0 ]] || fail "packets were lost"
text=$(json calls.0.turns.2.text "$work/customer.json")
[[ $text == *"first"*"problem"* ]] || fail "the bot's words were heard as \"$text\""
# 500 ms of quiet and 400 ms of reaction on the other side, then what the network and frames add
for turn in 2 4; do
  latency=$(json "calls.0.turns.$turn.latency_ms" "$work/customer.json")
  [[ $latency -ge 900 && $latency -le 1500 ]] || fail "turn $turn has a latency of $latency ms"
done
# The recording is as long as the call, in stereo.
python3 - "$work/call.wav" "$(json calls.0.duration_ms "$work/customer.json")" <<'PY' || fail "the recording is wrong"
import sys, wave
with wave.open(sys.argv[1]) as wav:
    assert (wav.getnchannels(), wav.getframerate(), wav.getsampwidth()) == (2, 16000, 2)
    ms = wav.getnframes() / 16
    assert abs(ms - int(sys.argv[2])) < 200, ms
    frames = wav.readframes(wav.getnframes())
for side in (0, 2):
    samples = [int.from_bytes(frames[i + side:i + side + 2], 'little', signed=True)
               for i in range(0, len(frames), 4)]
    assert max(map(abs, samples)) > 3000, 'a side is silent'
PY
say "voice to voice: $(json summary.latency "$work/customer.json")"
finish
