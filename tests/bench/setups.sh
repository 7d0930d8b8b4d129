#!/usr/bin/env bash
# setups.sh - call set-ups a second of the whole system: SIPp rings at a rate, each call is answered by the
# bot, stored, and hung up half a second later. JSON on standard output.
#   tests/bench/setups.sh [RATE [CALLS]]     200 a second, 4000 of them
source "$(dirname "$0")/../integration/lib.sh"
command -v sipp >/dev/null || { echo "sipp is not installed (sip-tester)" >&2; exit 77; }
rate=${1:-200} count=${2:-4000}
system_args+=(--set telephony.max_legs=2000 --set dialogue.max_calls=2000 --set telephony.rtp.port_min=20000
  --set telephony.rtp.port_max=25999 --set dialogue.language_menu=false)
start_system
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
before=0 after=0
for name in gateway telephony speech dialogue rag persistence; do before=$((before + $(ticks "$(service_pid $name)"))); done
begun=$(date +%s%N)
timeout 120 sipp "$sip" -i 127.0.0.1 -p "${caller_ports%-*}" -mi 127.0.0.1 -m "$count" -r "$rate" -l 2000 -s parley -sn uac \
  -d 500 -nostdin -timeout 100 -trace_stat -stf "$work/sipp.csv" -fd 1 >"$work/sipp.log" 2>&1
ended=$(date +%s%N)
for name in gateway telephony speech dialogue rag persistence; do after=$((after + $(ticks "$(service_pid $name)"))); done
python3 - "$work/sipp.csv" "$rate" "$count" "$(((ended - begun) / 1000000))" "$(((after - before) * 10))" <<'PY'
import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1]), delimiter=';'))
rate, count, wall_ms, cpu_ms = map(int, sys.argv[2:])
done = int(rows[-1]['SuccessfulCall(C)'])
failed = int(rows[-1]['FailedCall(C)'])
print(json.dumps({'bench': 'setups', 'asked_per_second': rate, 'calls': count, 'answered': done, 'failed': failed,
                  'retransmissions': int(rows[-1]['Retransmissions(C)']), 'seconds': wall_ms / 1000,
                  'per_second': round(done / (wall_ms / 1000), 1), 'cpu_ms_per_call': round(cpu_ms / max(done, 1), 2)}))
PY
finish
