"""A real browser rings the running system: its microphone is a WAV file.

Usage: phone_test.py URL CHROMEDRIVER_PORT WAV WORD...   every WORD must appear in what was heard
"""
import json
import sys
import urllib.request

from webdriver import Browser, wait

url, port, wav, words = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]


def get(path):
    with urllib.request.urlopen(url + path, timeout=10) as answer:
        return answer.read().decode()


def heard(text):
    return all(word in text.lower() for word in words)


browser = Browser(port, wav)
try:
    browser.open(url + "/phone?phone_number=%2B33612345678")
    browser.click("#call")
    call = wait(lambda: browser.run("return document.body.dataset.callId"), 60,
                lambda: "not accepted: " + browser.text("#error"))
    wait(lambda: browser.text(".said.bot .bubble"), 20, "the bot says nothing")
    wait(lambda: heard(browser.run("return [...document.querySelectorAll('.said.human:not(.partial) .bubble')]"
                                   ".map((b) => b.innerText).join(' ')")), 60,
         lambda: "the words are not in the transcript: " + browser.text("#talk"))
    browser.click("#call")
    record = wait(lambda: (lambda r: None if r["in_progress"] else r)(json.loads(get("/call/" + call))), 20,
                  "the call does not end")
    said = " ".join(m["content"] for m in record["messages"] if m["persona"] == "human" and m["action"] == "talk")
    assert heard(said), "not in the record: " + said
    browser.open(f"{url}/report/{call}")
    assert heard(browser.text("#conversation")), "not in the report: " + browser.text("#conversation")
    assert browser.console() == [], "the page complains"
    print(f"    call {call}: heard \"{said}\"")
finally:
    browser.close()
