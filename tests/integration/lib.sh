# lib.sh - what integration tests share: a place and ports of their own, a running system, callers.
#
# A test sources it, does its work, and exits 0 or not:
#   source "$(dirname "$0")/lib.sh"
#   start_system                 # all six, ready; $api, $sip, $system_pid
#   ...
#   finish                       # stops it and checks that it stopped cleanly
# Everything a test starts ends with it: by the trap below, by process id.
# Settings a test adds: system_args+=(--set path=value) before start_system.
set -u
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$repo" || exit 1
B=${B:-build/debug}
bin=$(cd "$B/bin" && pwd) || exit 1
test_name=$(basename "$0" .sh)
# A short path: UNIX sockets hold only 107 characters.
work=$(mktemp -d "/tmp/pi-XXXXXX")
system_pid=
pids=()

# Ports: 50 for each test, from PARLEY_TEST_PORTS (28000) on; a run beside ours moves us on.
first_port=$((${PARLEY_TEST_PORTS:-28000} + ${PARLEY_TEST_SLOT:-0} * 50))
while (exec 3<>"/dev/tcp/127.0.0.1/$first_port") 2>/dev/null && [[ $first_port -lt 32000 ]]; do
  first_port=$((first_port + 850))
done
port_http=$first_port port_sip=$((first_port + 1)) port_web=$((first_port + 2))
rtp_ports="$((first_port + 10))-$((first_port + 29))"
caller_ports="$((first_port + 30))-$((first_port + 49))"
api=http://127.0.0.1:$port_http
sip=127.0.0.1:$port_sip
system_args=(
  --set gateway.http.listen=127.0.0.1:$port_http
  --set telephony.sip.listen=$sip
  --set telephony.browser.listen=127.0.0.1:$port_web
  --set telephony.rtp.listen=127.0.0.1
  --set "telephony.rtp.port_min=${rtp_ports%-*}" --set "telephony.rtp.port_max=${rtp_ports#*-}"
  --set "bus.run_dir=$work/run"
  --set "persistence.sqlite.file=$work/data/parley.db"
  --set "rag.index_file=$work/data/knowledge.db"
)

say() { printf '    %s\n' "$*"; }

# Shows where to look, and ends the test.
fail() {
  printf '    FAILED: %s\n' "$*"
  for log in "$work"/*.log; do
    [[ -s $log ]] || continue
    printf '    -- %s\n' "$log"
    tail -n "${PARLEY_TEST_TAIL:-8}" "$log" | sed 's/^/    | /'
  done
  keep=1
  exit 1
}

end_pid() { # ends a process of ours and waits for it
  kill "$1" 2>/dev/null || return 0
  for _ in {1..120}; do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null
  wait "$1" 2>/dev/null
}

cleanup() {
  local status=$?
  trap - EXIT INT TERM
  for pid in "${pids[@]}" $system_pid; do end_pid "$pid"; done
  if [[ -z ${keep:-} && -z ${PARLEY_TEST_KEEP:-} && $status -eq 0 ]]; then
    rm -rf "$work"
  else
    printf '    kept: %s\n' "$work"
  fi
  exit $status
}
trap cleanup EXIT
trap 'exit 130' INT TERM

wait_for() { # seconds, then a command that succeeds in the end
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    [[ $SECONDS -lt $until ]] || return 1
    sleep 0.05
  done
}

ready() { [[ $(curl -s -o /dev/null -w '%{http_code}' -m 2 "$api/health/readiness") == 200 ]]; }

# start_system [more options of parley up]
start_system() {
  "$bin/parley" up --log-dir "$work" "${system_args[@]}" "$@" >"$work/up.log" 2>&1 &
  system_pid=$!
  for _ in {1..600}; do
    grep -q 'ready in' "$work/up.log" 2>/dev/null && return 0
    kill -0 "$system_pid" 2>/dev/null || fail "the system did not start"
    sleep 0.05
  done
  fail "the system is not ready after 30 s"
}

# Stops the system; fails when it does not stop by itself with status 0.
stop_system() {
  [[ -n $system_pid ]] || return 0
  kill -TERM "$system_pid" 2>/dev/null || fail "the system was gone before it was stopped"
  local status=0
  wait "$system_pid" || status=$?
  system_pid=
  [[ $status -eq 0 ]] || fail "the system stopped with status $status"
}

finish() {
  stop_system
  exit 0
}

service_pid() { # the process of a service, as parley up started it
  pgrep -P "$system_pid" -f "/parley-$1( |\$)"
}

# json FILTER FILE: a value out of a JSON file, by a path such as calls.0.detail ("" when absent)
json() {
  python3 - "$1" "$2" <<'PY'
import json, sys
value = json.load(open(sys.argv[2]))
for part in filter(None, sys.argv[1].split('.')):
    try:
        value = value[int(part)] if isinstance(value, list) else value[part]
    except (KeyError, IndexError, TypeError):
        value = None
        break
print('' if value is None else value if isinstance(value, str) else json.dumps(value))
PY
}

get() { # path, file: GET, prints the status
  curl -s -m 10 -o "$2" -w '%{http_code}' "$api$1"
}

# Whether a call is over and its record says how; the record is in the file
over() { # id or number, file ($work/record.json)
  local file=${2:-$work/record.json}
  [[ $(get "/call/${1/+/%2B}" "$file") == 200 && $(json in_progress "$file") == false && -n $(json ended.reason "$file") ]]
}

# The call's record once it is over and worked up, in $work/record.json
settled() { # id or number
  [[ $(get "/call/${1/+/%2B}" "$work/record.json") == 200 ]] &&
    [[ $(json in_progress "$work/record.json") == false ]] &&
    [[ -n $(json synthesis "$work/record.json") && -n $(json next "$work/record.json") ]]
}

callsim() { "$bin/callsim" --rtp-ports "$caller_ports" "$@"; }
