#!/usr/bin/env bash
# baresip, which nobody here wrote, rings with each codec in turn, all at once: the call runs on that
# codec, baresip hears the bot, and the bot hears baresip; with wideband also its words.
# Alone: five calls at once are recognised.
source "$(dirname "$0")/../lib.sh"
source "$(dirname "$0")/../lib-baresip.sh"
system_args+=(
  --set 'conversation.initiate.claim[0].name=building_location'
  --set 'conversation.initiate.claim[0].description=the building and the floor where you are'
)
start_system

"$bin/callsim" say --voice rms --pause 14000 --text "building four, second floor" --pause 16000 \
  --out "$work/microphone.wav" || fail "no microphone"

# baresip's file source takes only the codec's own rate and channels.
python3 - "$work" <<'PY' || fail "no microphones"
import array, sys, wave
work = sys.argv[1]
with wave.open(f"{work}/microphone.wav") as wav:
    wide = array.array("h", wav.readframes(wav.getnframes()))
def write(name, rate, channels, samples):
    with wave.open(f"{work}/microphone-{name}.wav", "wb") as wav:
        wav.setnchannels(channels), wav.setsampwidth(2), wav.setframerate(rate)
        wav.writeframes(array.array("h", samples).tobytes())
write("l16", 16000, 1, wide)
write("g722", 16000, 1, wide)
write("g711", 8000, 1, [(a + b) // 2 for a, b in zip(wide[::2], wide[1::2])])
tripled = []
for a, b in zip(wide, wide[1:]):
    for k in range(3):
        s = a + (b - a) * k // 3
        tripled += (s, s)
write("opus", 48000, 2, tripled)
PY

ring() { # number, baresip's name of the codec, its module, ports from
  baresip_rings "$work/$1" "+$1" "$2" "$work/microphone-$3.wav" "$4" "$(($4 + 1))-$(($4 + 3))" 28 "$3"
}
ring 15550201 PCMU/8000/1 g711 $((first_port + 30))
ring 15550202 PCMA/8000/1 g711 $((first_port + 34))
ring 15550203 G722/16000/1 g722 $((first_port + 38))
ring 15550204 L16/16000/1 l16 $((first_port + 42))
ring 15550205 opus/48000/2 opus $((first_port + 46))

all_over() {
  for number in 1555020{1..5}; do
    over "+$number" "$work/$number.json" || return 1
  done
}
wait_for 80 all_over || fail "not every call came to its end"
for codec in PCMU/8000 PCMA/8000 G722/16000 L16/16000 opus/48000; do
  grep -q "event=leg.answered.* codec=$codec" "$work"/*telephony*.log || fail "no call with $codec"
done
python3 - "$work" <<'PY' || fail "see above"
import array, glob, json, sys, wave
work, bad = sys.argv[1], 0
for number, codec, wide in [("15550201", "PCMU", False), ("15550202", "PCMA", False),
                            ("15550203", "G722", True), ("15550204", "L16", True),
                            ("15550205", "opus", True)]:
    loud = 0
    for name in glob.glob(f"{work}/{number}/dump-*-dec.wav"):
        with wave.open(name) as wav:
            samples = array.array("h", wav.readframes(wav.getnframes()))
            loud += sum(abs(s) > 1000 for s in samples) / wav.getframerate() / wav.getnchannels()
    record = json.load(open(f"{work}/{number}.json"))
    said = " ".join(m["content"].lower() for m in record["messages"] if m["persona"] == "human")
    print(f"    {codec}: baresip heard {loud:.1f} s of voice; the bot heard \"{said}\"")
    if loud < 0.5: bad += 1; print(f"    {codec}: baresip heard no voice")
    if wide and "second floor" not in said: bad += 1; print(f"    {codec}: the words did not arrive")
sys.exit(bad > 0)
PY
finish
