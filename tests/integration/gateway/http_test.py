"""The gateway's real process over HTTP: what it answers, and what cannot hurt it.

Usage: http_test.py BUILD_FOLDER PORT
Only what can be seen from outside is tested, so the HTTP server may be replaced beneath it.
"""
import concurrent.futures
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest

BUILD, PORT = sys.argv[1], int(sys.argv[2])
HOST = "127.0.0.1"
SAMPLE = {
    "bot_company": "Contoso", "bot_name": "Amélie", "phone_number": "+11234567890",
    "agent_phone_number": "+33612345678", "task": "Help the customer.",
    "claim": [{"name": "hardware_info", "type": "text"}, {"name": "first_seen", "type": "datetime"},
              {"name": "building_location", "type": "text"}],
}
processes = {}


def ask(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(HOST, PORT, timeout=15)
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer, data


def ask_json(method, path, body=None, headers=None):
    answer, data = ask(method, path, body, headers)
    return answer, json.loads(data)


def raw(data, wait=3.0, until=None):
    """Sends bytes as they are; returns what comes until the server closes, or `until` is in it."""
    with socket.create_connection((HOST, PORT), timeout=wait) as s:
        got = b""
        end = time.monotonic() + wait
        try:
            s.sendall(data)
            while time.monotonic() < end and not (until and until(got)):
                s.settimeout(max(0.05, end - time.monotonic()))
                part = s.recv(65536)
                if not part:
                    break
                got += part
        except (TimeoutError, ConnectionError):
            pass
        return got


def alive():
    return ask("GET", "/health/liveness")[0].status == 200


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_gateway(run_dir, log, *settings):
    options = ["bus.run_dir=" + run_dir, f"gateway.http.listen={HOST}:{PORT}", "bus.heartbeat_ms=100",
               *settings]
    return subprocess.Popen([f"{BUILD}/bin/parley-gateway", *[x for o in options for x in ("--set", o)]],
                            stderr=log)


def wait_for(test, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if test():
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    raise AssertionError("did not come")


def setUpModule():
    folder = tempfile.mkdtemp(prefix="parley-gw-")
    run_dir = folder + "/run"
    os.mkdir(run_dir)
    log = open(folder + "/log", "wb")
    processes.update(run_dir=run_dir, folder=folder, log=log)
    processes["peers"] = subprocess.Popen([f"{BUILD}/tests/integration/gateway/peers", run_dir], stderr=log)
    processes["gateway"] = start_gateway(
        run_dir, log, "gateway.http.head_timeout_ms=1000", "gateway.http.body_timeout_ms=1500",
        "gateway.call_start_timeout_ms=1000")
    wait_for(lambda: ask("GET", "/health/readiness")[0].status == 200)


def tearDownModule():
    gateway = processes["gateway"]
    gateway.terminate()
    status = gateway.wait(15)
    processes["peers"].terminate()
    processes["peers"].wait(15)
    with open(processes["folder"] + "/log", errors="replace") as f:
        text = f.read()
    if status != 0 or "ERROR: " in text or "runtime error" in text or "WARNING: Thread" in text:
        sys.stderr.write(text[-8000:])
        raise AssertionError(f"the gateway ended with {status}")


class Calls(unittest.TestCase):
    def test_a_call_is_started_and_can_be_read(self):
        answer, call = ask_json("POST", "/call", SAMPLE, {"Content-Type": "application/json"})
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.getheader("Location"), "/call/" + call["call_id"])
        self.assertEqual(call["initiate"]["bot_name"], "Amélie")
        for name in ("call_id", "created_at", "in_progress", "initiate", "claim", "messages", "next",
                     "reminders", "synthesis"):
            self.assertIn(name, call)
        for path in ("/call/" + call["call_id"], "/call/" + call["call_id"].upper(), "/call/+11234567890",
                     "/call/%2B11234567890"):
            answer, again = ask_json("GET", path)
            self.assertEqual((answer.status, again["initiate"]["phone_number"]), (200, "+11234567890"))
        answer, page = ask("GET", "/report/" + call["call_id"])
        self.assertEqual(answer.status, 200)
        self.assertIn("default-src 'none'", answer.getheader("Content-Security-Policy"))
        self.assertIn("Building location", page.decode())

    def test_a_raw_plus_in_a_query_is_a_plus(self):
        ask("POST", "/call", SAMPLE | {"phone_number": "+33700000001"})
        for query in ("+33700000001", "%2B33700000001", "33700000001"):
            answer, calls = ask_json("GET", "/call?phone_number=" + query)
            self.assertEqual(answer.status, 200, query)
            self.assertEqual({c["initiate"]["phone_number"] for c in calls}, {"+33700000001"})

    def test_lists_are_paged(self):
        for _ in range(3):
            ask("POST", "/call", SAMPLE | {"phone_number": "+33700000002"})
        answer, calls = ask_json("GET", "/call?phone_number=+33700000002&limit=2")
        self.assertEqual(len(calls), 2)
        self.assertEqual(answer.getheader("X-Total-Count"), "3")
        self.assertIn("offset=2>; rel=\"next\"", answer.getheader("Link"))
        answer, calls = ask_json("GET", "/call?phone_number=+33700000002&limit=2&offset=2")
        self.assertEqual(len(calls), 1)
        self.assertIn("rel=\"prev\"", answer.getheader("Link"))

    def test_unknown_ones_are_404(self):
        for path in ("/call/00000000-0000-4000-8000-999999999999", "/call/nonsense",
                     "/call?phone_number=+33799999999", "/call/+33799999999", "/nope", "/call/a/b"):
            answer, body = ask_json("GET", path)
            self.assertEqual(answer.status, 404, path)
            self.assertIsInstance(body["error"]["details"], list)
        answer, page = ask("GET", "/report/nonsense")
        self.assertEqual(answer.status, 404)
        self.assertIn("text/html", answer.getheader("Content-Type"))

    def test_refusals_have_their_status(self):
        for task, status, word in (("busy", 429, "dialogue.max_calls"), ("refuse", 502, "no phone is registered"),
                                   ("invalid", 422, "bot_name: is not configured"), ("late", 504, "dialogue")):
            answer, body = ask_json("POST", "/call", SAMPLE | {"task": task})
            self.assertEqual(answer.status, status, task)
            self.assertIn(word, body["error"]["details"][0])
            if status == 429:
                self.assertEqual(answer.getheader("Retry-After"), "3")

    def test_bad_bodies_are_422_and_nothing_is_stored(self):
        before = ask("GET", "/call")[0].getheader("X-Total-Count")
        for body in ("", "{", "[]", "null", "\xff", "{\"phone_number\": 5}", "{}", "[" * 5000,
                     {"phone_number": "12345"}, SAMPLE | {"claim": [{"name": "a", "type": "number"}]},
                     SAMPLE | {"claim": [{"name": "a", "type": "text"}] * 2}):
            answer, got = ask_json("POST", "/call", body)
            self.assertEqual(answer.status, 422, body)
            self.assertEqual(got["error"]["message"], "Validation error")
            self.assertTrue(got["error"]["details"])
        self.assertEqual(ask("GET", "/call")[0].getheader("X-Total-Count"), before)

    def test_other_sites_pages_may_not_start_calls(self):
        answer, _ = ask("POST", "/call", SAMPLE, {"Origin": "https://evil.example"})
        self.assertEqual(answer.status, 403)
        answer, _ = ask("POST", "/call", SAMPLE, {"Origin": f"http://{HOST}:{PORT}"})
        self.assertEqual(answer.status, 201)

    def test_reminders_are_listed_and_ticked_off(self):
        number = "+33700000042"
        _, call = ask_json("POST", "/call", SAMPLE | {"phone_number": number})
        self.assertEqual(call["reminders"][0]["state"], "open")
        title = call["reminders"][0]["title"]

        def mine(query):
            answer, reminders = ask_json("GET", "/reminders" + query)
            self.assertEqual(answer.status, 200)
            self.assertGreaterEqual(int(answer.getheader("X-Total-Count")), len(reminders))
            return [r for r in reminders if r["call_id"] == call["call_id"]]

        found = mine("?limit=1000")
        self.assertEqual([(r["phone_number"], r["title"], r["due_at"], r["outcome"]) for r in found],
                         [(number, title, "2026-11-21T08:00:00.000Z", "entry")])
        self.assertEqual(len(mine("?limit=1000&due=2026-11-21T08:00:01Z")), 1)
        self.assertEqual(len(mine("?limit=1000&due=2026-11-21T09:00:00%2B01:00")), 0)
        self.assertEqual(len(mine("?limit=1000&due=2026-11-21T09:00:01+01:00")), 1)
        self.assertEqual(mine("?limit=1000&state=upcoming"), [])
        for query in ("state=soon", "due=tomorrow", "due=2026-11-21", "due=2026-11-21T09:00:00", "limit=0"):
            self.assertEqual(ask("GET", "/reminders?" + query)[0].status, 422, query)
        for body, status in (({"call_id": call["call_id"]}, 422), ({"call_id": "x", "title": title}, 422), ("{", 422),
                             ({"call_id": call["call_id"], "title": "another"}, 404),
                             ({"call_id": "00000000-0000-4000-8000-999999999999", "title": title}, 404),
                             ({"call_id": call["call_id"].upper(), "title": title}, 202),
                             ({"call_id": call["call_id"], "title": title}, 404)):
            self.assertEqual(ask("POST", "/reminders/end", body)[0].status, status, body)
        self.assertEqual(mine("?limit=1000"), [])
        self.assertEqual(len(mine("?limit=1000&state=ended")), 1)
        _, page = ask("GET", "/report/" + call["call_id"])
        self.assertIn("done", page.decode())
        self.assertNotIn("<plumber>", page.decode())

    def test_a_ticket_for_the_phone(self):
        answer, ticket = ask_json("POST", "/phone/ticket")
        self.assertEqual((answer.status, ticket["token"], ticket["port"]), (201, "a-token", 8081))
        self.assertEqual(ask("POST", "/phone/ticket", {"phone_number": "12"})[0].status, 422)


class Operation(unittest.TestCase):
    def test_health_metrics_and_documents(self):
        answer, body = ask("GET", "/health/liveness")
        self.assertEqual((answer.status, body), (200, b"null"))
        _, ready = ask_json("GET", "/health/readiness")
        self.assertEqual([c["id"] for c in ready["checks"]],
                         ["cache", "store", "startup", "search", "sms", "telephony", "speech", "dialogue"])
        self.assertEqual({c["id"]: c["detail"] for c in ready["checks"] if "detail" in c},
                         {"search": 'by "words" alone'})
        metrics = ask("GET", "/metrics")[1].decode()
        for instance in ("gateway-0", "dialogue-0", "persistence-0", "telephony-0", "speech-0", "rag-0"):
            self.assertIn(f'parley_up{{instance="{instance}"', metrics)
        _, openapi = ask_json("GET", "/openapi.json")
        self.assertTrue(openapi["openapi"].startswith("3.1"))
        for path in ("/", "/phone", "/assets/parley.css", "/assets/phone.js", "/assets/icon.svg"):
            answer, body = ask("GET", path)
            self.assertEqual(answer.status, 200, path)
            again, _ = ask("GET", path, headers={"If-None-Match": answer.getheader("ETag")})
            self.assertEqual(again.status, 304, path)

    def test_methods(self):
        answer, body = ask("HEAD", "/health/liveness")
        self.assertEqual((answer.status, body, answer.getheader("Content-Length")), (200, b"", "4"))
        answer, _ = ask("OPTIONS", "/call")
        self.assertEqual(answer.status, 204)
        self.assertIn("POST", answer.getheader("Allow"))
        for method in ("PUT", "DELETE", "PATCH"):
            answer, _ = ask(method, "/call")
            self.assertEqual(answer.status, 405)
            self.assertEqual(answer.getheader("Allow"), "POST, GET, HEAD, OPTIONS")


class Hostile(unittest.TestCase):
    def tearDown(self):
        self.assertTrue(alive())

    def test_long_bodies_are_413(self):
        self.assertIn(b" 413 ", raw(b"POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n"))
        body = b"x" * (1 << 20)
        chunk = b"%x\r\n%s\r\n" % (len(body), body)
        head = b"POST /call HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        self.assertIn(b" 413 ", raw(head + chunk * 2 + b"0\r\n\r\n", 8))
        answer, _ = ask("POST", "/call", b" " * ((1 << 20) + 1))
        self.assertEqual(answer.status, 413)

    def test_a_body_of_the_limit_is_read(self):
        self.assertEqual(ask("POST", "/call", b" " * (1 << 20))[0].status, 422)

    def test_chunked_bodies_are_read(self):
        body = json.dumps(SAMPLE).encode()
        pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7]) for i in range(0, len(body), 7))
        got = raw(b"POST /call HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" +
                  pieces + b"0\r\n\r\n")
        self.assertIn(b" 201 ", got[:20])

    def test_a_lying_length_ends_in_408_or_a_close(self):
        got = raw(b"POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{}", 6)
        self.assertNotIn(b" 201 ", got)

    def test_odd_lengths_start_no_call(self):
        body = json.dumps(SAMPLE | {"phone_number": "+33711111111"}).encode()
        for lengths in (b"Content-Length: -1", b"Content-Length: +5", b"Content-Length: 5, 5",
                        b"Content-Length: 5\r\nContent-Length: 9", b"Content-Length: 0x10",
                        b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked"):
            got = raw(b"POST /call HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + lengths + b"\r\n\r\n" + body, 4)
            self.assertNotIn(b" 201 ", got, lengths)
        self.assertEqual(ask("GET", "/call?phone_number=+33711111111")[0].status, 404)

    def test_noise_is_answered_or_cut(self):
        for noise in (b"\x00" * 1000, os.urandom(3000), b"\r\n" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
                      b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
                      b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                      b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 100000 + b"\r\n\r\n",
                      b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                      b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
                      b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
            got = raw(noise, 2.5)
            self.assertNotIn(b" 200 OK", got[:20], noise[:40])
            self.assertTrue(alive(), noise[:40])

    def test_pipelined_requests_are_answered_in_order(self):
        get = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
        body = json.dumps(SAMPLE).encode()
        post = b"POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        got = raw(get % b"/health/liveness" + post + get % b"/nope" + post + get % b"/health/liveness", 5,
                  lambda g: g.count(b"HTTP/1.1 ") == 5 and g.endswith(b"null"))
        self.assertEqual(re.findall(rb"HTTP/1\.1 (\d+)", got), [b"200", b"201", b"404", b"201", b"200"])

    def test_waiting_with_pipelined_bytes_takes_no_time(self):
        """A request whose answer is late, with more behind it, must not spin."""
        before = cpu_seconds(processes["gateway"].pid)
        body = json.dumps(SAMPLE | {"task": "late"}).encode()
        post = b"POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        got = raw(post * 2, 3.5, lambda g: g.count(b" 504 ") == 2)
        self.assertEqual(got.count(b" 504 "), 2)
        self.assertLess(cpu_seconds(processes["gateway"].pid) - before, 0.5)

    def test_slow_ones_are_cut_and_do_not_keep_others_out(self):
        slow = []
        for _ in range(200):
            s = socket.create_connection((HOST, PORT))
            s.sendall(b"GET / HT")
            slow.append(s)
        started = time.monotonic()
        self.assertTrue(alive())
        self.assertLess(time.monotonic() - started, 1.5)
        for _ in range(12):  # a byte now and then keeps nobody in
            for s in slow:
                try:
                    s.sendall(b"T")
                except OSError:
                    pass
            time.sleep(0.25)
        closed = 0
        for s in slow:
            s.settimeout(4)
            try:
                while s.recv(4096):
                    pass
                closed += 1
            except ConnectionError:
                closed += 1
            except TimeoutError:
                pass
            s.close()
        self.assertEqual(closed, 200)

    def test_500_requests_at_once_are_all_answered(self):
        def one(i):
            try:
                return ask("POST", "/call", SAMPLE | {"phone_number": "+337%08d" % i})[0].status
            except OSError as error:
                return repr(error)
        with concurrent.futures.ThreadPoolExecutor(500) as pool:
            got = list(pool.map(one, range(500)))
        self.assertEqual(set(got), {201})

    def test_clients_that_leave_before_the_answer(self):
        body = json.dumps(SAMPLE | {"task": "late"}).encode()
        for _ in range(50):
            s = socket.create_connection((HOST, PORT))
            s.sendall(b"POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            s.close()
        time.sleep(1.5)


class WithoutOthers(unittest.TestCase):
    """Last by its name: takes the peers away."""

    def test_z_without_the_others_it_says_so(self):
        processes["peers"].terminate()
        processes["peers"].wait(10)
        wait_for(lambda: ask("GET", "/health/readiness")[0].status == 503)
        answer, body = ask_json("POST", "/call", SAMPLE)
        self.assertEqual(answer.status, 503)
        self.assertTrue(answer.getheader("Retry-After"))
        self.assertIn("dialogue", body["error"]["details"][0])
        self.assertEqual(ask("GET", "/call")[0].status, 503)
        self.assertEqual(ask("GET", "/report")[0].status, 503)
        self.assertTrue(alive())

    def test_zz_a_taken_port_is_named(self):
        other = subprocess.run(
            [f"{BUILD}/bin/parley-gateway", "--instance", "9", "--set", "bus.run_dir=" + processes["run_dir"],
             "--set", f"gateway.http.listen={HOST}:{PORT}"], capture_output=True, timeout=10, text=True)
        self.assertEqual(other.returncode, 1)
        self.assertIn("gateway.http.listen", other.stderr)
        self.assertIn("in use", other.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
