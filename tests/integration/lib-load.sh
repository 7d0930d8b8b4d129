# lib-load.sh - what the tests of many calls at once share. After lib.sh.

# The body of POST /call that asks for one thing: the number to call back
callback_body() { # the bot's company; left out: the example's
  python3 - "$@" <<'PY'
import json, sys
body = json.load(open('examples/call.json'))
body['task'] = 'Note the number that the customer can be called back on.'
body['claim'] = [{'name': 'callback_number', 'type': 'phone_number',
                  'description': 'the phone number we can call you back on'}]
if sys.argv[1:]: body['bot_company'] = sys.argv[1]
print(json.dumps(body))
PY
}

at_once() { # callsim's report: the most calls that were up at the same time
  python3 - "$1" <<'PY'
import json, sys
spans = [(c['answered_after_ms'], c['answered_after_ms'] + c['duration_ms'])
         for c in json.load(open(sys.argv[1]))['calls'] if c['duration_ms'] is not None]
print(max((sum(a <= s < b for a, b in spans) for s, _ in spans), default=0))
PY
}
