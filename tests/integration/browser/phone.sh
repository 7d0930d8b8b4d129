#!/usr/bin/env bash
# Chromium rings the whole running system; its microphone is a WAV file; the words of the file are
# on the page, in the record and in the report.
cd "$(dirname "$0")/.." && source ./lib.sh
command -v chromedriver chromium flite >/dev/null || { echo "chromium-driver, chromium or flite is not installed"; exit 77; }
# Silence first, so that the bot's greeting is over; then the words; then silence to the end.
flite -voice rms -t "There is a problem with my computer." -o "$work/words.wav" || fail "flite"
python3 - "$work/words.wav" "$work/mic.wav" <<'PY' || fail "the microphone's file"
import sys, wave
with wave.open(sys.argv[1]) as w:
    parameters, words = w.getparams(), w.readframes(w.getnframes())
silence = b"\0\0" * parameters.framerate
with wave.open(sys.argv[2], "wb") as out:
    out.setparams(parameters)
    for _ in range(4):
        out.writeframes(silence * 12 + words)
    out.writeframes(silence * 30)
PY
start_system
cd "$repo" || exit 1
python3 tests/integration/browser/phone_test.py "$api" $((first_port + 3)) "$work/mic.wav" problem computer ||
  fail "the browser's call"
finish
