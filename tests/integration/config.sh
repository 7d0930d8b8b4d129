#!/usr/bin/env bash
# A wrong configuration is refused with file, line and key; a taken port is named.
source "$(dirname "$0")/lib.sh"

refused() { # text of the file, expected in the output
  printf '%s' "$1" >"$work/parley.yaml"
  timeout 20 "$bin/parley" up --config "$work/parley.yaml" "${system_args[@]}" >"$work/out" 2>&1
  local status=$?
  [[ $status -eq 78 ]] || fail "status $status, not 78, for: $1$(printf '\n'; cat "$work/out")"
  grep -qF -- "$2" "$work/out" || fail "\"$2\" is not in: $(cat "$work/out")"
}
refused $'log:\n  level: info\ntelephony:\n  sip:\n    prot: 1\n' "$work/parley.yaml:5: telephony.sip.prot: unknown key"
refused $'gateway:\n  http:\n    body_max_bytes: lots\n' "$work/parley.yaml:3: gateway.http.body_max_bytes: must be a whole number"
refused $'features:\n  vad_threshold: 7\n' "$work/parley.yaml:2: features.vad_threshold: must be from 0.1 to 1"
refused $'conversation:\n  initiate:\n    clam: []\n' "$work/parley.yaml:3: conversation.initiate.clam: unknown key"
refused $'bus: [\n' "$work/parley.yaml:"
refused $'telephony:\n  sip:\n    trunk:\n      password: ${NOT_SET_ANYWHERE}\n' "NOT_SET_ANYWHERE"
timeout 20 "$bin/parley" check --config "$work/parley.yaml" >"$work/out" 2>&1
[[ $? -eq 78 ]] || fail "parley check does not see it"
timeout 20 "$bin/parley" check --set log.level=info >"$work/out" 2>&1 || fail "parley check: $(cat "$work/out")"
say "wrong settings are named with file, line and key"

start_system
# A second one on the same ports, in another run folder.
second=("${system_args[@]/$work/$work/2}")
for port in "$port_http gateway.http.listen" "$port_sip telephony.sip.listen" "$port_web telephony.browser.listen"; do
  setting=${port#* } number=${port% *}
  others=()
  for other in gateway.http.listen telephony.sip.listen telephony.browser.listen; do
    [[ $other == "$setting" ]] || others+=(--set "$other=127.0.0.1:$((first_port + 5 + ${#others[@]}))")
  done
  timeout 20 "$bin/parley" up "${second[@]}" "${others[@]}" >"$work/out" 2>&1
  status=$?
  [[ $status -eq 1 ]] || fail "the second run on $setting ended with status $status"
  grep "$number" "$work/out" | grep -q "$setting\|$number.*\(taken\|in use\)" ||
    fail "port $number of $setting is not named: $(grep -v level=info "$work/out")"
done
# The same run folder too: somebody else's sockets are not stolen.
timeout 20 "$bin/parley" up "${system_args[@]}" >"$work/out" 2>&1 && fail "a second run in the same folder"
ready || fail "the first system suffered"
say "taken ports are named, and the first system goes on"
finish
