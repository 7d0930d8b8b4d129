#!/usr/bin/env bash
# A transfer with phones nobody here wrote: baresip asks for a human, is told that it is transferred and gets
# the REFER, rings the colleague (SIPp) by itself, and tells us that the colleague answered.
source "$(dirname "$0")/../lib.sh"
source "$(dirname "$0")/../lib-baresip.sh"
command -v sipp >/dev/null || { echo "sipp is not installed (sip-tester)"; exit 77; }
colleague=$((first_port + 6))
system_args+=(--set 'conversation.initiate.agent_phone_number=+33612345678'
  --set "telephony.sip.trunk.uri=sip:127.0.0.1:$colleague")
start_system
"$bin/callsim" say --voice rms --pause 11000 --text "I want to talk to a human agent" --pause 7000 --text "yes" \
  --pause 60000 --out "$work/microphone.wav" || fail "no microphone"
# The colleague's phone speaks G.722, as the microphone's file has 16 kHz.
cat >"$work/colleague.xml" <<'X'
<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="colleague">
<recv request="INVITE"/>
<send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=colleague
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 9
a=rtpmap:9 G722/8000
]]></send>
<recv request="ACK"/>
<recv request="BYE" timeout="60000"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
X
timeout 100 sipp -sf "$work/colleague.xml" -i 127.0.0.1 -p "$colleague" -mi 127.0.0.1 -mp $((first_port + 8)) -m 1 -nostdin -trace_msg \
  -message_file "$work/colleague.msg" >"$work/colleague.log" 2>&1 &
pids+=($!)
baresip_rings "$work/baresip" +15550143 G722/16000/1,PCMU/8000/1 "$work/microphone.wav" $((first_port + 5)) \
  $((first_port + 30))-$((first_port + 48)) 60 g722 g711
wait_for 20 grep -q 'Call established' "$work/baresip/out.log" || fail "not answered: $(tail -5 "$work/baresip/out.log")"
wait_for 60 over +15550143 || fail "the call never came to its end: $(cat "$work/record.json")"
[[ $(json ended.reason "$work/record.json") == transferred ]] ||
  fail "it ended as $(json ended "$work/record.json"): $(grep -i refer "$work/baresip/out.log" | head -3)"
grep -q '"content":"[^"]*transferring you' "$work/record.json" || fail "the transfer was not announced"
grep -q '^INVITE sip:+33612345678@' "$work/colleague.msg" || fail "the colleague was not rung: $(head -5 "$work/colleague.msg")"
grep -qi '^From:.*+15550143@' "$work/colleague.msg" || fail "not by baresip"
say "transferred: baresip rang the colleague, who answered"
finish
