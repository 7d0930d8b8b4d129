"""A browser for tests: Chromium through chromedriver, by the W3C WebDriver protocol over HTTP."""
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
         "--autoplay-policy=no-user-gesture-required"]


class Browser:
    def __init__(self, port, wav=None, flags=()):
        self.profile = tempfile.mkdtemp(prefix="parley-browser-")
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{port}"
        args = [*FLAGS, *flags, "--user-data-dir=" + self.profile]
        if wav:
            args.append(f"--use-file-for-fake-audio-capture={wav}%noloop")
        try:
            wait(lambda: self.call("GET", "/status")["ready"], 15, "chromedriver is not ready")
            session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
                "goog:chromeOptions": {"args": args}}}})
        except BaseException:
            self.driver.kill()
            self.driver.wait()
            raise
        self.base += "/session/" + session["sessionId"]

    def call(self, method, path, body=None):
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from None

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *args):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(args)})

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def click(self, selector):
        self.run("document.querySelector(arguments[0]).click()", selector)

    def console(self):
        """Errors and warnings that scripts and the security policy gave since the last look."""
        return [e for e in self.call("POST", "/se/log", {"type": "browser"}) if e["level"] == "SEVERE"]

    def close(self):
        try:
            self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(10)
            shutil.rmtree(self.profile, ignore_errors=True)


def wait(test, seconds, what):
    """what: the complaint, or a function that makes it when it is due."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            got = test()
            if got:
                return got
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(what() if callable(what) else what)
