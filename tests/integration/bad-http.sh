#!/usr/bin/env bash
# Bad requests are refused, each with the status and the error shape of the API; nothing is stored,
# nobody is rung, and the system goes on.
source "$(dirname "$0")/lib.sh"
start_system

post() { # body
  curl -s -m 10 -o "$work/answer" -w '%{http_code}' -H 'Content-Type: application/json' \
    --data-binary "$1" "$api/call"
}
body() { # python expression that changes the dict "b": the sample with it applied
  python3 -c "import json; b = json.load(open('examples/call.json')); $1; print(json.dumps(b))"
}
refused() { # expected status, expected word in a detail, body
  local status
  status=$(post "$3")
  [[ $status == "$1" ]] || fail "HTTP $status, not $1, for ${3:0:200}: $(head -c 300 "$work/answer")"
  [[ -n $(json error.message "$work/answer") ]] || fail "not the error shape: $(cat "$work/answer")"
  [[ $(json error.details "$work/answer") == *"$2"* ]] ||
    fail "\"$2\" is not named: $(cat "$work/answer")"
}
refused 422 '' 'not json'
refused 422 '' '{"phone_number": "+1123'
refused 422 '' '[]'
refused 422 '' '"text"'
refused 422 'phone_number' "$(body 'del b["phone_number"]')"
refused 422 'phone_number' "$(body 'b["phone_number"] = "0612345678"')"
refused 422 'phone_number' "$(body 'b["phone_number"] = "+1x1234567"')"
refused 422 'phone_number' "$(body 'b["phone_number"] = 11234567890')"
refused 422 'phone_number' "$(body 'b["phone_number"] = "+" + "1" * 40')"
refused 422 'agent_phone_number' "$(body 'b["agent_phone_number"] = "police"')"
refused 422 'bot_name' "$(body 'b["bot_name"] = 5')"
refused 422 'claim' "$(body 'b["claim"] = "all of it"')"
refused 422 'type' "$(body 'b["claim"][0]["type"] = "colour"')"
refused 422 'name' "$(body 'del b["claim"][1]["name"]')"
refused 422 'hardware_info' "$(body 'b["claim"].append(dict(b["claim"][0]))')"
refused 422 'prosody_rate' "$(body 'b["prosody_rate"] = 9')"
head -c 3000000 /dev/zero | tr '\0' ' ' >"$work/large"
status=$(curl -s -m 10 -o "$work/answer" -w '%{http_code}' -H 'Content-Type: application/json' \
  -H 'Expect:' --data-binary @"$work/large" "$api/call")
[[ $status == 413 ]] || fail "an oversized body: HTTP $status"
for path in /call/00000000-0000-4000-8000-000000000000 /call/%2B15550009999 /nothing \
  /report/00000000-0000-4000-8000-000000000000 /call/..%2f..%2fetc%2fpasswd; do
  status=$(get "$path" "$work/answer")
  [[ $status == 404 || $status == 422 ]] || fail "GET $path: HTTP $status"
done
for raw in 'GARBAGE\r\n\r\n' 'GET / HTTP/9.9\r\n\r\n' 'POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n' \
  'POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n' '\0\1\2\3\377\n\n'; do
  exec 3<>"/dev/tcp/127.0.0.1/$port_http" || fail "the gateway is gone"
  printf "$raw" >&3
  timeout 2 head -c 200 <&3 >/dev/null
  exec 3>&-
done
# Malformed SIP and RTP.
for raw in 'GARBAGE\r\n\r\n' 'INVITE sip:parley@x SIP/2.0\r\n\r\n' \
  'INVITE sip:parley@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContent-Length: 99999\r\n\r\nv=0' \
  'REGISTER sip:x SIP/2.0\r\nContact: <<<>>>\r\nCSeq: x\r\n\r\n' '\0\0\0\0' '\377\377\377\377\377'; do
  printf "$raw" >"/dev/udp/127.0.0.1/$port_sip"
done
sleep 0.5
[[ $(get /call "$work/answer") == 404 || $(cat "$work/answer") == '[]' ]] ||
  fail "something was stored: $(head -c 300 "$work/answer")"
ready || fail "not ready any more"
grep -q 'was killed\|started again' "$work/up.log" && fail "a process died: $(cat "$work/up.log")"
finish
