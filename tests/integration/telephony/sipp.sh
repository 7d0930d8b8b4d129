#!/usr/bin/env bash
# SIPp, which nobody here wrote, rings the whole system: plain calls, many at once, a caller who
# gives up, OPTIONS, and what no standard allows.
source "$(dirname "$0")/../lib.sh"
command -v sipp >/dev/null || { echo "sipp is not installed (sip-tester)"; exit 77; }
start_system

sipp_calls() { # name, calls, rate, then options of sipp
  local name=$1 calls=$2 rate=$3
  shift 3
  timeout 60 sipp "$sip" -i 127.0.0.1 -p "${caller_ports%-*}" -mi 127.0.0.1 \
    -m "$calls" -r "$rate" -s parley -nostdin -timeout 50 -trace_err -error_file "$work/$name.err.log" \
    "$@" >"$work/$name.log" 2>&1 || fail "sipp $name: status $?"
  say "$name: $calls"
}

in_progress() { # calls that the gateway says are going on
  [[ $(get /call "$work/calls.json") == 200 ]] || return 1
  python3 -c 'import json, sys; print(sum(c["in_progress"] for c in json.load(open(sys.argv[1]))))' "$work/calls.json"
}

sipp_calls plain 3 2 -sn uac -d 1500
sipp_calls many 10 10 -sn uac -d 2000

cat >"$work/cancel.xml" <<'XML'
<scenario name="gives up">
  <send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:+15551230000@[local_ip]>;tag=[call_number]
To: <sip:[service]@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180"/>
  <send><![CDATA[
CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-1]
From: <sip:+15551230000@[local_ip]>;tag=[call_number]
To: <sip:[service]@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 CANCEL
Max-Forwards: 70
Content-Length: 0
]]></send>
  <recv response="200" optional="true" next="crossed"><action>
    <ereg regexp="INVITE" search_in="hdr" header="CSeq:" check_it="false" assign_to="1"/>
  </action></recv>
  <recv response="487"/>
  <send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch-3]
From: <sip:+15551230000@[local_ip]>;tag=[call_number]
To: <sip:[service]@[remote_ip]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0
]]></send>
  <label id="crossed"/>
  <Reference variables="1"/>
</scenario>
XML
# Given up while it rings: the CANCEL may cross our 200, so only what remains is looked at.
timeout 30 sipp "$sip" -i 127.0.0.1 -p "${caller_ports%-*}" -sf "$work/cancel.xml" -m 5 -r 5 -s parley \
  -nostdin -timeout 20 >"$work/cancel.log" 2>&1 || true
say "given up: 5"

python3 - "$port_sip" <<'PY' || fail "OPTIONS is not answered among rubbish"
import random, socket, sys
port = int(sys.argv[1])
options = ("OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{0} 127.0.0.1:9;branch=z9hG4bK{1};rport\r\n"
           "From: <sip:a@b>;tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: {1}\r\nCSeq: 1 OPTIONS\r\n"
           "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
random.seed(1)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.settimeout(3)
udp.connect(("127.0.0.1", port))
good = options.format("UDP", "seed").encode()
for _ in range(2000):
    bad = bytearray(good)
    for _ in range(random.randint(1, 8)):
        bad[random.randrange(len(bad))] = random.randrange(256)
    udp.send(bytes(bad))
udp.setblocking(False)
import time
time.sleep(0.5)
try:
    while udp.recv(65536): pass
except BlockingIOError:
    pass
udp.settimeout(3)
udp.send(options.format("UDP", "after").encode())
while b"Call-ID: after" not in udp.recv(65536): pass
tcp = socket.create_connection(("127.0.0.1", port))
tcp.settimeout(3)
for byte in options.format("TCP", "slow").encode():
    tcp.send(bytes([byte]))
assert tcp.recv(65536).startswith(b"SIP/2.0 200")
PY
say "OPTIONS among rubbish: answered"

none_left() { [[ $(in_progress) == 0 ]]; }
wait_for 30 none_left || fail "calls are left: $(in_progress)"
curl -s -m 5 "$api/metrics" >"$work/metrics.log"
grep -q '^parley_legs{\?.* 0$' "$work/metrics.log" || grep -q '^parley_legs 0' "$work/metrics.log" ||
  fail "legs are left: $(grep '^parley_legs' "$work/metrics.log")"
sipp_calls again 2 2 -sn uac -d 1000
finish
