#!/usr/bin/env bash
# memory.sh - what a call takes of memory in each process: SIPp holds calls, the Pss of all six before and
# meanwhile. What a process takes once (models, caches, pools that grow to their bound) is taken before, by a
# first round of calls. JSON on standard output.
#   tests/bench/memory.sh [CALLS]     200
source "$(dirname "$0")/../integration/lib.sh"
command -v sipp >/dev/null || { echo "sipp is not installed (sip-tester)" >&2; exit 77; }
count=${1:-200}
names=(gateway telephony speech dialogue rag persistence)
system_args+=(--set telephony.rtp.port_min=20000 --set telephony.rtp.port_max=25999 --set dialogue.language_menu=false)
start_system
pss() { for name in "${names[@]}"; do awk '/^Pss:/ {print $2}' "/proc/$(service_pid "$name")/smaps_rollup"; done | tr '\n' ' '; }
hold() { # calls, port, milliseconds
  timeout 120 sipp "$sip" -i 127.0.0.1 -p "$2" -mi 127.0.0.1 -m "$1" -r 50 -l "$1" -s parley -sn uac -d "$3" -nostdin >"$work/sipp-$2.log" 2>&1
}
hold 20 "${caller_ports%-*}" 4000 || fail "the first calls failed"
sleep 3
before=$(pss)
hold "$count" $((${caller_ports%-*} + 1)) 20000 &
holder=$!
sleep $((count / 50 + 12))
during=$(pss)
wait "$holder" || fail "not all of $count calls went well: $(tail -3 "$work"/sipp-*.log)"
python3 - "$count" "$before" "$during" "${names[*]}" <<'PY'
import json, sys
count, before, during, names = int(sys.argv[1]), *[part.split() for part in sys.argv[2:]]
each = {n: round((int(d) - int(b)) / count, 1) for n, b, d in zip(names, before, during)}
print(json.dumps({'bench': 'memory', 'calls': count, 'kb_per_call': each, 'kb_per_call_in_all': round(sum(each.values()), 1)}))
PY
finish
