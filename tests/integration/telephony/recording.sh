#!/usr/bin/env bash
# A recorded call over the whole system: its record says so, the gateway serves the WAV whole and in
# ranges, the report page has a player, and a telephony killed in mid-call leaves a file that plays.
source "$(dirname "$0")/../lib.sh"
command -v sipp >/dev/null || { echo "sipp is not installed (sip-tester)"; exit 77; }
system_args+=(--set features.recording_enabled=true --set "telephony.recording.folder=$work/rec")
start_system

ring() { # number, milliseconds
  timeout 40 sipp "$sip" -i 127.0.0.1 -p "${caller_ports%-*}" -mi 127.0.0.1 -m 1 -s parley -sn uac -d "$2" \
    -nostdin -timeout 30 >"$work/$1.log" 2>&1
}
ring plain 4000 || fail "the call failed"
over() { [[ $(get /call "$work/calls.json") == 200 && $(json 0.in_progress "$work/calls.json") == false ]]; }
wait_for 10 over || fail "the call is not over"
url=$(json 0.recordings.0.url "$work/calls.json")
[[ -n $url ]] || fail "no recording in the record: $(cat "$work/calls.json")"
[[ $(json 0.recordings.0.failure "$work/calls.json") == "" ]] || fail "it failed"

whole() { # the writer is half a second behind the call's end
  curl -s -m 10 -o "$work/whole.wav" "$api$url" && python3 - "$work/whole.wav" <<'PY'
import array, sys, wave
with wave.open(sys.argv[1]) as wav:
    assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (2, 2, 16000)
    frames = wav.getnframes()
    samples = array.array("h", wav.readframes(frames))
left, right = samples[::2], samples[1::2]
assert 3.5 < frames / 16000 < 6, frames / 16000
assert len(left) == frames  # the header counts what is there
voice = sum(abs(s) > 1000 for s in right)
assert voice > 4000, f"the bot is not on the right: {voice}"
assert max(map(abs, left)) < 1000, "somebody is on the left, though nobody spoke"
PY
}
wait_for 10 whole || fail "the recording is not right"
say "recording: $(stat -c %s "$work/whole.wav") bytes, the bot on the right"

python3 - "$api" "$url" "$work/whole.wav" <<'PY' || fail "ranges are not right"
import sys, urllib.error, urllib.request
api, url, file = sys.argv[1:]
whole = open(file, "rb").read()
def ask(path, want, method="GET", **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(api + path, headers=headers, method=method)) as r:
            status, body, head = r.status, r.read(), r.headers
    except urllib.error.HTTPError as e:
        status, body, head = e.code, e.read(), e.headers
    assert status == want, (path, headers, status)
    return body, head
total = len(whole)
for spec, first, last in [("0-", 0, total - 1), ("0-43", 0, 43), ("1000-1999", 1000, 1999),
                          (f"{total - 10}-", total - 10, total - 1), ("-4", total - 4, total - 1)]:
    body, head = ask(url, 206, Range="bytes=" + spec)
    assert head["Content-Range"] == f"bytes {first}-{last}/{total}", head["Content-Range"]
    assert body == whole[first:last + 1]
    assert head["Content-Type"] == "audio/wav" and head["Accept-Ranges"] == "bytes"
assert ask(url, 416, Range=f"bytes={total}-")[1]["Content-Range"] == f"bytes */{total}"
body, head = ask(url, 200, method="HEAD")
assert body == b"" and head["Content-Length"] == str(total)
ask(url.replace("part=1", "part=2"), 404)
ask(url.replace("part=1", "part=x"), 422)
ask("/recording/11111111-2222-4333-8444-555555555555", 404)
ask("/recording/..%2F..%2Fetc%2Fpasswd", 404)
ask("/recording/passwd", 404)
page = ask("/report/" + url.split("/")[2].split("?")[0], 200)[0].decode()
assert '<audio class="recording"' in page and "/assets/replay.js" in page and "data-at=" in page
assert "media-src 'self'" in ask("/report/" + url.split("/")[2].split("?")[0], 200)[1]["Content-Security-Policy"]
PY
say "ranges, HEAD and what is no recording: right"

# A second call, of which telephony is killed after two seconds.
before=$(ls "$work/rec" | wc -l)
ring killed 8000 &
ringing=$!
pids+=($ringing)
second() { [[ $(ls "$work/rec" | wc -l) -gt $before ]]; }
wait_for 10 second || fail "no second recording was begun"
new=$(ls -t "$work/rec" | head -1)
some() { [[ $(stat -c %s "$work/rec/$new") -gt 128000 ]]; }
wait_for 10 some || fail "nothing is written"
kill -KILL "$(service_pid telephony)" || fail "no telephony to kill"
wait $ringing
python3 - "$work/rec/$new" <<'PY' || fail "the file of a killed process does not play"
import os, sys, wave
with wave.open(sys.argv[1]) as wav:
    frames = wav.getnframes()
    assert len(wav.readframes(frames)) == frames * 4
assert frames >= 32000, frames
assert os.path.getsize(sys.argv[1]) - 44 - frames * 4 < 40000
PY
say "after a kill: $(stat -c %s "$work/rec/$new") bytes that play"
wait_for 20 ready || fail "telephony does not come back"
finish
