#!/usr/bin/env bash
# SIP as it is in the wild, told by SIPp, which nobody here wrote: crossing, lost and repeated messages,
# hold, offers late or anew, transfers taken and refused, keys in three ways, every kind of answer to our
# calls, more calls than there is room for, and INVITEs that are none. What became of each call is read in
# its record. The lost ACK takes 32 s (RFC 3261's timer H); all else happens meanwhile.
source "$(dirname "$0")/../lib.sh"
command -v sipp >/dev/null || { echo "sipp is not installed (sip-tester)"; exit 77; }
port=${caller_ports%-*}
python3 "$(dirname "$0")/sip_scenarios.py" "$work" $((port + 4)) || fail "no scenarios"

cat >"$work/model.yaml" <<'Y'
rules:
  - when: {role: user, user: "/1/"}
    say: "I am transferring you to a colleague now."
    call: [{name: talk_to_human, arguments: '{}'}]
  - when: {role: user, user: "/2/"}
    say: "We go on then."
  - when: {schema: synthesis}
    say: "{{sample}}"
  - when: {schema: next}
    say: "{{sample}}"
  - say: "Go ahead."
Y
"$bin/llm-double" --script "$work/model.yaml" --port-file "$work/model.port" >"$work/model.log" 2>&1 &
pids+=($!)
wait_for 10 test -s "$work/model.port" || fail "the double does not start"
system_args+=(
  --set "llm.fast.endpoint=http://127.0.0.1:$(cat "$work/model.port")/v1" --set llm.fast.model=fast
  --set 'conversation.initiate.agent_phone_number=+33612345678'
  --set "telephony.sip.trunk.uri=sip:127.0.0.1:$((port + 4))"
  --set telephony.sip.trunk.user=parley --set telephony.sip.trunk.password=secret
  --set telephony.max_legs=6 --set "telephony.rtp.port_max=$((first_port + 25))" --set telephony.drain_timeout_ms=500
)
start_system

sipp_of() { # name, local port, media port, then options of sipp
  local name=$1 local_port=$2 media=$3
  shift 3
  set -- timeout 60 sipp "$sip" -sf "$work/$name.xml" -i 127.0.0.1 -p "$local_port" -mi 127.0.0.1 -mp "$media" \
    -s parley -nostdin -timeout 50 -timeout_error -trace_err -error_file "$work/$name.err.log" "$@"
  if [[ -n ${background:-} ]]; then exec "$@" >"$work/$name.log" 2>&1; fi # it ends with its pid
  "$@" >"$work/$name.log" 2>&1
}
number=0 local_port=$port media=$((port + 8)) # of a group of calls, which goes on beside the others
call() { # name, expected end of the record; the record is in $work/$name.json
  number=$((number + 1))
  sipp_of "$1" "$local_port" "$media" -m 1 -key from "+$number" || fail "sipp $1: status $?"
  ended "$1" "+$number" "$2"
}
ended() { # name, number, expected end
  wait_for 10 over "$2" "$work/$1.json" || fail "$1: no record says that it is over"
  [[ $(json ended.reason "$work/$1.json") == "$3" ]] || fail "$1: $(json ended "$work/$1.json"), not $3"
  say "$1: $(json ended.reason "$work/$1.json") $(json ended.detail "$work/$1.json")"
}
said() { # name, persona, text
  python3 - "$work/$1.json" "$2" "$3" <<'PY' || fail "$1: \"$3\" is not in the record"
import json, sys
sys.exit(not any(m["persona"] == sys.argv[2] and sys.argv[3] in m["content"]
                 for m in json.load(open(sys.argv[1]))["messages"]))
PY
}
in_log() { grep -hE "$1" "$work"/*telephony*.log >/dev/null || fail "telephony's log has no $1"; }

background=1 sipp_of lost-ack $((port + 2)) $((first_port + 4)) -m 1 -key from +15552999 &
lost_ack=$!
pids+=($lost_ack)
background=1 sipp_of answers $((port + 4)) $((port + 16)) -m 1000 &
pids+=($!)

signalling() {
  number=15552000
  call cancel-crosses-answer bye_remote
  call said-twice bye_remote
  call hold bye_remote
  in_log 'leg.media.* send=0 receive=0'
  said hold assistant "How can I help you?" # begun before it was held, and finished afterwards
  call delayed-offer bye_remote
  call within bye_remote
  in_log 'leg.media.* codec=PCMA/8000 send=1'
  for header in timer 100rel nonsense; do
    sipp_of "require-$header" "$port" "$media" -m 1 -key from +15552998 || fail "sipp require-$header: status $?"
  done
  call keys-by-info bye_remote
  said keys-by-info human 471
  call keys-in-band bye_remote
  said keys-in-band human 159
}
transfer_refused() { # how
  call "refer-$1" bye_remote
  said "refer-$1" assistant "sorry, none of my"
  said "refer-$1" assistant "We go on then."
}
transfers() {
  number=15552100 local_port=$((port + 6)) media=$((port + 12))
  call refer-accepted transferred
  transfer_refused busy
}
transfers_refused() {
  number=15552200 local_port=$((port + 7)) media=$((first_port + 26))
  transfer_refused 603
  transfer_refused 405
}
calls_out() {
  for pair in 486:busy 600:busy 603:declined 480:no_answer 404:unreachable 503:unreachable 500:failed \
    302:busy 401:bye_remote 407:bye_remote; do
    code=${pair%:*}
    curl -s -o "$work/dial-$code.out" -m 10 "$api/call" -H 'Content-Type: application/json' \
      -d "{\"phone_number\": \"+15553000$code\"}"
    ended "answered-$code" "+15553000$code" "${pair#*:}"
  done
}
groups=()
for group in signalling transfers transfers_refused calls_out; do
  (trap - EXIT; "$group") &
  groups+=($!)
  pids+=($!)
done
for group in "${groups[@]}"; do wait "$group" || fail "see above"; done

incoming() { cat "$work"/*telephony*.log | grep -c "event=leg.incoming"; }
before=$(incoming)
sipp_of too-many "$port" $((port + 8)) -m 30 -r 300 -key from +15552997 || fail "sipp too-many: status $?"
taken=$(($(incoming) - before))
[[ $taken -ge 1 && $taken -le 6 ]] || fail "of 30 at once $taken were taken"
say "30 at once: $taken taken, the others refused with Retry-After"

telephony=$(service_pid telephony)
python3 - "$port_sip" <<'PY' || fail "rubbish was not refused"
import collections, random, re, socket, sys, time
random.seed(7)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
udp.connect(("127.0.0.1", int(sys.argv[1])))
udp.settimeout(0.002)
own = udp.getsockname()[1]
sdp = ("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
       "m=audio 9 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n")
def invite(n):
    return ["INVITE sip:parley@127.0.0.1 SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK{n}x;rport",
            f"From: <sip:+1555400{n:04}@127.0.0.1>;tag=r{n}", "To: <sip:parley@127.0.0.1>", f"Call-ID: rubbish-{n}",
            "CSeq: 1 INVITE", f"Contact: <sip:x@127.0.0.1:{own}>", "Max-Forwards: 70",
            "Content-Type: application/sdp", f"Content-Length: {len(sdp)}"]
values = ["", " ", "\x00", "<", ">;tag=", "sip:", "<sip:@>", "-1", "99999999999999999999", "a" * 3000, "%", '"', ";;;",
          "[::1", "\xff\xfe", "0", "application/x", "INVITE", "1 BYE"]
def damaged(n):
    lines, body = invite(n), sdp
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(lines))
        name, colon, value = lines[at].partition(": ")
        lines[at] = random.choice([name + colon + random.choice(values), lines[at][:random.randrange(len(lines[at]) + 1)],
                                   lines[at] + random.choice(values), "", random.choice(lines)])
    if random.random() < 0.5:
        parts = body.split("\r\n")
        at = random.randrange(len(parts))
        parts[at] = random.choice([parts[at][:2] + random.choice(values), "m=audio 0 RTP/AVP 0", "m=audio 70000 RTP/AVP 300",
                                   "c=IN IP6 ::", "a=rtpmap:0", random.choice(values)])
        body = "\r\n".join(parts)
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1", "replace")
seen = collections.Counter()
def read():
    while True:
        try:
            text = udp.recv(65536).decode("latin-1")
        except (socket.timeout, BlockingIOError):
            return
        seen[text[8:11] if text.startswith("SIP/2.0 ") else text.split(" ")[0]] += 1
        if text.startswith("BYE "):
            head = re.findall(r"(?m)^(?:Via|From|To|Call-ID|CSeq): .*\r\n", text)
            udp.send(("SIP/2.0 200 OK\r\n" + "".join(head) + "Content-Length: 0\r\n\r\n").encode("latin-1"))
        cseq = re.search(r"(?m)^CSeq: (\d+) INVITE", text)
        if text.startswith("SIP/2.0 200") and cseq:
            head = "".join(re.findall(r"(?m)^(?:From|To|Call-ID): .*\r\n", text))
            number = int(cseq.group(1))
            for cseq, method in (number, "ACK"), (number + 1, "BYE"):
                udp.send((f"{method} sip:parley@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};"
                          f"branch=z9hG4bK{random.getrandbits(60)};rport\r\n{head}CSeq: {cseq} {method}\r\n"
                          "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode("latin-1"))
for n in range(1000):
    udp.send(damaged(n))
    read()
udp.settimeout(0.5)
read()
udp.settimeout(3)
udp.send(f"OPTIONS sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bKend;rport\r\nFrom: <sip:a@b>;"
         "tag=1\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: end\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode())
while b"Call-ID: end" not in udp.recv(65536): pass
refused = sum(count for what, count in seen.items() if what[0] in "45")
print(f"    1000 damaged INVITEs: {refused} refused, {seen['200']} answered, the others dropped: {dict(seen)}")
sys.exit(refused < 100)
PY
[[ $(service_pid telephony) == "$telephony" ]] || fail "telephony was started anew"

wait "$lost_ack" || fail "sipp lost-ack: status $?"
ended lost-ack +15552999 failed
finish
