"""The page /phone in a real browser, against a stand-in for telephony's WebSocket.

Usage: page_test.py BUILD_FOLDER FIRST_PORT     (three ports: HTTP, WebSocket, chromedriver)
"""
import array
import math
import os
import subprocess
import sys
import tempfile
import time
import unittest
import wave

from line import Line
from webdriver import Browser, wait

BUILD, PORT = sys.argv[1], int(sys.argv[2])
URL = f"http://127.0.0.1:{PORT}"
TONE_HZ = 1000


def tone(seconds, hz, rate):
    return array.array("h", (int(12000 * math.sin(2 * math.pi * hz * i / rate)) for i in range(int(seconds * rate))))


def pitch(samples, rate):
    """Frequency by counting upward crossings of zero."""
    ups = sum(1 for a, b in zip(samples, samples[1:]) if a < 0 <= b)
    return ups * rate / len(samples)


class Phone(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="parley-page-")
        os.mkdir(self.folder + "/run")
        wav = self.folder + "/tone.wav"
        with wave.open(wav, "wb") as w:
            w.setparams((1, 2, 48000, 0, "NONE", ""))
            w.writeframes(tone(20, TONE_HZ, 48000).tobytes())
        log = open(self.folder + "/log", "wb")
        self.addCleanup(log.close)
        self.line = Line(PORT + 1)
        self.started = [
            subprocess.Popen([f"{BUILD}/tests/integration/gateway/peers", self.folder + "/run"], stderr=log,
                             env=os.environ | {"PEERS_PHONE_PORT": str(PORT + 1)}),
            subprocess.Popen([f"{BUILD}/bin/parley-gateway", "--set", f"bus.run_dir={self.folder}/run", "--set",
                              f"gateway.http.listen=127.0.0.1:{PORT}", "--set", "bus.heartbeat_ms=100"], stderr=log)]
        self.browser = Browser(PORT + 2, wav)
        self.ready()

    def ready(self):
        import urllib.request
        wait(lambda: urllib.request.urlopen(URL + "/health/readiness").status == 200, 10, "not ready")

    def tearDown(self):
        self.browser.close()
        self.line.close()
        for process in self.started:
            process.terminate()
            self.assertEqual(process.wait(15), 0)

    def state(self):
        return self.browser.text("#state").split("\n")[0]

    def connect(self):
        self.browser.open(URL + "/phone?phone_number=+33612345678")
        self.assertEqual(self.browser.run("return document.getElementById('number').value"), "+33612345678")
        self.browser.click("#call")
        wait(lambda: self.line.texts, 15, "no token came: " + self.browser.text("#error"))
        self.assertEqual(self.line.texts.pop(0), {"token": "a-token"})
        self.assertEqual((self.line.path, self.line.subprotocol), ("/phone", "parley-phone-1"))
        for event in ({"event": "accepted", "call_id": "c-1"}, {"event": "ringing"}, {"event": "answered"}):
            self.line.send(event)
        wait(lambda: self.state() == "Connected", 5, "not connected")

    def test_a_call_from_dialling_to_hanging_up(self):
        self.connect()
        wait(lambda: len(self.line.frames) > 100, 15, "no sound came")
        self.assertEqual({len(f) for f in self.line.frames}, {640})
        heard = array.array("h", b"".join(self.line.frames[50:100]))
        self.assertAlmostEqual(pitch(heard, 16000), TONE_HZ, delta=30)
        self.assertGreater(float(self.browser.run("return document.getElementById('level-mic').value")), 0.2)

        started, count = time.monotonic(), len(self.line.frames)
        time.sleep(2)
        rate = (len(self.line.frames) - count) / (time.monotonic() - started)
        self.assertAlmostEqual(rate, 50, delta=5)

        # the bot's sound is played, and a flush ends it
        sound = tone(3, 440, 16000).tobytes()
        for at in range(0, len(sound), 640):
            self.line.send(sound[at:at + 640])
        level = lambda: float(self.browser.run("return document.getElementById('level-bot').value"))
        wait(lambda: level() > 0.3, 3, "the bot is not heard")
        self.line.send({"event": "flush"})
        wait(lambda: level() < 0.05, 1.5, "the flush did not end the sound")

        # partial texts are replaced by the final one; markup is text
        self.line.send({"event": "transcript", "persona": "human", "text": "hello", "partial": True, "number": 0})
        wait(lambda: self.browser.text(".partial .bubble") == "hello", 3, "no partial text")
        self.line.send({"event": "transcript", "persona": "human", "text": "hello <b>there</b>", "partial": False,
                        "number": 2})
        wait(lambda: self.browser.text("#message-2 .bubble") == "hello <b>there</b>", 3, "no final text")
        self.assertEqual(self.browser.run("return document.querySelectorAll('#talk li').length"), 1)
        self.line.send({"event": "transcript", "persona": "assistant", "text": "A long answer", "number": 3})
        self.line.send({"event": "transcript", "persona": "assistant", "text": "A long", "number": 3})
        wait(lambda: self.browser.text("#message-3 .bubble") == "A long", 3, "the cut text is not shown")

        # what a later version of the protocol sends is ignored
        self.line.send({"event": "weather", "text": "fine"})

        self.browser.click("#keys")
        self.browser.click("[data-digit='5']")
        wait(lambda: {"event": "dtmf", "digit": "5"} in self.line.texts, 3, "no digit came")
        self.browser.click("#mute")
        time.sleep(0.6)
        self.assertEqual(set(b"".join(self.line.frames[-10:])), {0})

        self.browser.click("#call")
        wait(lambda: {"event": "hangup"} in self.line.texts, 3, "no hangup came")
        wait(lambda: self.state() == "You hung up", 3, "not hung up")
        self.assertEqual(self.browser.run("return document.querySelector('#report a').getAttribute('href')"),
                         "/report/c-1")
        self.assertEqual(self.browser.console(), [])

    def test_the_bot_hangs_up_and_the_next_call_is_a_new_one(self):
        for _ in range(2):
            self.connect()
            self.line.send({"event": "ended", "reason": "bye_local"})
            wait(lambda: self.state() == "The bot hung up", 5, "not ended")
            self.assertEqual(self.browser.text("#call"), "Call")

    def test_a_recording_plays_in_step_with_its_transcript(self):
        import json
        import urllib.request
        body = json.dumps({"bot_company": "c", "bot_name": "b", "phone_number": "+33612345678", "task": "recorded",
                           "agent_phone_number": "+33612345679", "claim": []}).encode()
        with urllib.request.urlopen(urllib.request.Request(URL + "/call", body,
                                                           {"Content-Type": "application/json"})) as answer:
            call = json.load(answer)
        self.assertEqual(call["recordings"][0]["duration_ms"], 60000)
        self.browser.open(URL + "/report/" + call["call_id"])
        player = lambda what: self.browser.run("return document.querySelector('audio.recording')." + what)
        playing = lambda: self.browser.run("return document.querySelector('.talk > .playing')?.id ?? ''")
        wait(lambda: player("readyState") >= 1, 10, "its length is not known")
        self.assertAlmostEqual(player("duration"), 60, delta=0.1)

        self.browser.click("#message-3")
        wait(lambda: not player("paused") and player("currentTime") >= 30, 10, "it does not play from the line")
        self.assertLess(player("currentTime"), 35)
        wait(lambda: playing() == "message-3", 5, "the line is not marked")
        self.browser.click("#message-2")  # a caller's words began before they were known
        wait(lambda: 17 < player("currentTime") < 20, 5, "it does not go back")
        wait(lambda: playing() == "message-2", 5, "the other line is not marked")
        self.browser.run("document.querySelector('audio.recording').currentTime = 45")
        wait(lambda: playing() == "message-4", 5, "the mark does not follow")
        self.assertEqual(self.browser.console(), [])

    def test_troubles_are_told_in_words(self):
        self.browser.open(URL + "/phone?phone_number=12")
        self.browser.click("#call")
        wait(lambda: "E.164" in self.browser.text("#error"), 10, "a wrong number is not told")
        self.line.close()
        self.browser.open(URL + "/phone")
        self.browser.click("#call")
        wait(lambda: "line could not be opened" in self.browser.text("#error"), 10, "a closed port is not told")
        self.started[0].terminate()
        self.started[0].wait(10)
        self.browser.click("#call")
        wait(lambda: "not ready" in self.browser.text("#error"), 10, "a missing telephony is not told")
        self.assertEqual(self.state(), "Ready to call")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
