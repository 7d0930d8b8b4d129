#!/usr/bin/env python3
"""sip_scenarios.py FOLDER TRUNK_PORT: writes SIPp's scenarios, one XML file each, and the sound they play.

A scenario is a list of steps: what is sent, what has to come, and what must stand in it. SIPp's exit
status tells whether it went so.
"""
import hashlib
import math
import re
import sys

folder = sys.argv[1]


def sdp(payload=0, direction="sendrecv", address="[media_ip]", events=True, name="PCMU"):
    lines = ["v=0", "o=- 1 1 IN IP4 [local_ip]", "s=-", f"c=IN IP4 {address}", "t=0 0",
             f"m=audio [media_port] RTP/AVP {payload}" + (" 101" if events else ""),
             f"a=rtpmap:{payload} {name}/8000"]
    if events:
        lines.append("a=rtpmap:101 telephone-event/8000")
    return "\n".join(lines + [f"a={direction}"])


def request(method, cseq, body="", extra="", branch="[branch]", to="[peer_tag_param]", kind="application/sdp",
            retrans=False, peer=False):
    """A request of the caller's, whose number is the scenario's key `from`. peer: to whom `remember` kept, where
    an answer from outside of the dialog came in between."""
    whom = "[$peer]" if peer else f" <sip:[service]@[remote_ip]>{to}"
    head = f"""{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}
From: <sip:[from]@[local_ip]>;tag=f[call_number]
To:{whom}
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
"""
    if extra:
        head += extra + "\n"
    if body:
        head += f"Content-Type: {kind}\n"
    timer = ' retrans="500"' if retrans else ""
    return f"<send{timer}><![CDATA[\n{head}Content-Length: [len]\n\n{body}\n]]></send>"


def answer(status, reason, extra="", body="", last=""):
    """An answer to a request of Parley's."""
    tag = "[last_To:]" if last == "tagged" else "[last_To:];tag=t[call_number]"
    head = f"""SIP/2.0 {status} {reason}
[last_Via:]
[last_From:]
{tag}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:phone@[local_ip]:[local_port]>
"""
    if extra:
        head += extra + "\n"
    if body:
        head += "Content-Type: application/sdp\n"
    return f"<send><![CDATA[\n{head}Content-Length: [len]\n\n{body}\n]]></send>"


counter = 0


def has(regexp, header=None, absent=False):
    """An action: that stands in the message, or in that header."""
    global counter
    counter += 1
    where = f'search_in="hdr" header="{header}:"' if header else 'search_in="msg"'
    check = 'check_it_inverse="true"' if absent else 'check_it="true"'
    return f'<ereg regexp="{regexp}" {where} {check} assign_to="v{counter}"/>'


remember = '<ereg regexp=".*" search_in="hdr" header="To:" check_it="true" assign_to="peer"/>'


def came(status, *actions, optional=False, then=None):
    inner = "<action>" + "".join(actions) + "</action>" if actions else ""
    more = ' optional="true"' if optional else ""
    more += f' next="{then}"' if then else ""
    return f'<recv response="{status}"{more}>{inner}</recv>'


def asked(method, *actions):
    inner = "<action>" + "".join(actions) + "</action>" if actions else ""
    return f'<recv request="{method}">{inner}</recv>'


def pause(ms):
    return f'<pause milliseconds="{ms}"/>'


def label(name):
    return f'<label id="{name}"/>'


def write(name, *steps):
    flat = []
    for step in steps:
        flat += step if isinstance(step, list) else [step]
    used = re.findall(r'assign_to="(v[0-9]+|all)', "".join(flat))  # SIPp refuses what nothing reads
    reference = f'<Reference variables="{",".join(used)}"/>' if used else ""
    with open(f"{folder}/{name}.xml", "w") as out:
        out.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n' + "\n".join(flat) + "\n"
                  + reference + "\n</scenario>\n")


def ring(body=None, extra=""):
    return [request("INVITE", 1, sdp() if body is None else body, extra, to="", retrans=True),
            came(100, optional=True), came(180, optional=True)]


def up(*actions, body=None, extra=""):
    return ring(body, extra) + [came(200, *actions), request("ACK", 1)]


def again(cseq, body, *actions, ack_body=""):
    return [request("INVITE", cseq, body, retrans=True), came(100, optional=True), came(200, *actions),
            request("ACK", cseq, ack_body)]


def bye(cseq, **more):
    return [request("BYE", cseq, retrans=True, **more), came(200)]


def press(cseq, key):
    return [request("INFO", cseq, f"Signal={key}\nDuration=160\n", kind="application/dtmf-relay", retrans=True),
            came(200)]


# ---- calls in ----

write("cancel-crosses-answer", ring(), came(200, remember),
      request("CANCEL", 1, branch="[branch-4]", to=""), came(200, has("CANCEL", "CSeq")),
      request("ACK", 1, peer=True), pause(200), bye(2, peer=True))
write("said-twice", up(), request("ACK", 1), pause(200),
      request("BYE", 2), came(200), request("BYE", 2, branch="[branch-2]"), pause(200))
write("lost-ack", ring(), came(200), asked("BYE"), answer(200, "OK", last="tagged"))
write("hold", up(), pause(300),
      again(2, sdp(direction="sendonly"), has("a=recvonly")), pause(300),
      again(3, sdp(address="0.0.0.0")), pause(200),
      again(4, sdp(direction="inactive"), has("a=inactive")), pause(200),
      again(5, sdp(), has("a=sendrecv")), pause(5500), bye(6))
write("delayed-offer", ring(body=""), came(200, has("m=audio [0-9]+ RTP/AVP 9 "), has("PCMA/8000")),
      request("ACK", 1, sdp()), pause(300),
      again(2, "", has("m=audio [0-9]+ RTP/AVP"), has("PCMA/8000"), has("G722/8000"), ack_body=sdp(8, name="PCMA")),
      pause(300), bye(3))
write("within", up(remember, body=sdp(), extra="Supported: timer, 100rel\nSession-Expires: 1800\nMin-SE: 90"), pause(200),
      again(2, sdp(8, name="PCMA"), has("RTP/AVP 8 101")), pause(200),
      request("UPDATE", 3, sdp()), came(405, has("INVITE", "Allow")),
      request("OPTIONS", 4), came(200, has("INVITE", "Allow")),
      request("REFER", 5, extra="Refer-To: <sip:x@y>"),
      came(405),
      request("MESSAGE", 6, "hello", kind="text/plain"), came(405),
      again(7, "", has("m=audio"), ack_body=sdp(8, name="PCMA")),
      request("INVITE", 8, sdp(18, name="G729")), came(100, optional=True), came(488), request("ACK", 8, branch="[branch-3]"),
      request("BYE", 9, to=";tag=another"), came(481),
      request("INFO", 10, "Signal=1", kind="application/dtmf-relay", to=";tag=another"), came(481),
      pause(200), bye(11, peer=True))
write("keys-by-info", up(), pause(600), press(2, 4), press(3, 7), press(4, 1), press(5, "#"), pause(400), bye(6))
write("keys-in-band", up(body=sdp(events=False)),
      '<nop><action><exec rtp_stream="' + folder + '/keys.ulaw,1,0,PCMU/8000"/></action></nop>',
      pause(3000), bye(2))
write("too-many", ring(), came(503, has("[0-9]+", "Retry-After"), optional=True, then="full"), came(200),
      request("ACK", 1), pause(1500), bye(2),
      '<nop next="end"/>', label("full"), request("ACK", 1, branch="[branch-10]"), label("end"))
for header in ("timer", "100rel", "nonsense"):
    write(f"require-{header}", request("INVITE", 1, sdp(), f"Require: {header}", to=""),
          came(420, has(header, "Unsupported")), request("ACK", 1, branch="[branch-2]"))

# ---- transfers: key 1 asks for a colleague ----

ask = up() + [pause(1200)] + press(2, 1) + press(3, "#") + [asked("REFER", has("33612345678", "Refer-To"))]
goes_on = [pause(2000)] + press(20, 2) + press(21, "#") + [pause(1500)] + bye(22)


def notify(cseq, fragment, state):
    return [request("NOTIFY", cseq, fragment, f"Event: refer\nSubscription-State: {state}", kind="message/sipfrag",
                    retrans=True), came(200)]


accepted = answer(202, "Accepted", last="tagged")
write("refer-accepted", ask, accepted, notify(10, "SIP/2.0 100 Trying", "active;expires=60"),
      notify(11, "SIP/2.0 180 Ringing", "active;expires=60"),
      notify(12, "SIP/2.0 200 OK", "terminated;reason=noresource"),
      asked("BYE"), answer(200, "OK", last="tagged"))
write("refer-603", ask, answer(603, "Decline", last="tagged"), goes_on)
write("refer-405", ask, answer(405, "Method Not Allowed", last="tagged"), goes_on)
write("refer-busy", ask, accepted, notify(10, "SIP/2.0 100 Trying", "active;expires=60"),
      notify(11, "SIP/2.0 486 Busy Here", "terminated;reason=noresource"), goes_on)

# ---- calls out: the number's last three digits are the answer ----

hang_up = """<send retrans="500"><![CDATA[
BYE sip:parley@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:phone@[local_ip]>;tag=t[call_number]
To:[$peer]
Call-ID: [call_id]
CSeq: 2 BYE
Max-Forwards: 70
Content-Length: 0

]]></send>"""


def equals(variable, value, into):
    return (f'<strcmp assign_to="differs" variable="{variable}" value="{value}"/>'
            f'<test assign_to="{into}" variable="differs" compare="equal" value="0"/>')


end = '<nop next="end"/>'
trunk = sys.argv[2]  # its port


def digest(nonce, uri):  # RFC 2617 without qop; SIPp itself verifies Authorization alone
    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()
    return f'response=.{md5(md5("parley:trunk:secret") + ":" + nonce + ":" + md5("INVITE:" + uri))}'


codes = ("486", "600", "603", "480", "404", "503", "500")
write("answers",
      asked("INVITE", '<ereg regexp="sip:.*([0-9]{3})@" search_in="msg" check_it="true" assign_to="all,code"/>',
            remember.replace('"To:"', '"From:"'), *[equals("code", code, "is" + code) for code in codes + ("401", "407", "302")]),
      *[f'<nop next="{code}" test="is{code}"/>' for code in codes + ("401", "407", "302")],
      *[[label(code), answer(code, "As Dialled"), asked("ACK"), end] for code in codes],
      label("302"),
      answer(302, "Moved").replace("sip:phone@", "sip:elsewhere@"), asked("ACK"),
      asked("INVITE", has("INVITE sip:elsewhere@")), answer(486, "Busy There"), asked("ACK"), end,
      label("401"), answer(401, "Who Are You", 'WWW-Authenticate: Digest realm="trunk", nonce="4711", algorithm=MD5'),
      asked("ACK"),
      asked("INVITE", '<verifyauth assign_to="good" username="parley" password="secret"/>'),
      '<nop next="right" test="good"/>',
      answer(403, "Wrong Password"), asked("ACK"), end,
      label("407"), answer(407, "Who Are You", 'Proxy-Authenticate: Digest realm="trunk", nonce="4712", algorithm=MD5'),
      asked("ACK"), asked("INVITE", has(digest("4712", f"sip:+15553000407@127.0.0.1:{trunk}"), "Proxy-Authorization")),
      label("right"), answer(180, "Ringing"), answer(200, "OK", body=sdp()), asked("ACK"), pause(500),
      hang_up, came(200),
      label("end"))

# ---- the keys 1 5 9 # as tones, mu-law, behind a second of silence ----


def ulaw(sample):
    sign, sample = (0x80, -sample) if sample < 0 else (0, sample)
    sample = min(sample, 32635) + 132
    exponent = max(sample.bit_length() - 8, 0)
    return ~(sign | exponent << 4 | sample >> exponent + 3 & 15) & 255


with open(f"{folder}/keys.ulaw", "wb") as out:
    def tones(seconds, *hz):
        out.write(bytes(ulaw(int(sum(6000 * math.sin(2 * math.pi * f * n / 8000) for f in hz)))
                        for n in range(int(seconds * 8000))))
    tones(1)
    for hz in ((697, 1209), (770, 1336), (852, 1477), (941, 1477)):
        tones(0.1, *hz)
        tones(0.1)
    tones(2)
