#!/usr/bin/env bash
# The language menu on a phone: three languages are offered by voice over SIP and RTP. One caller presses a key in the middle
# of the menu (RFC 4733), one says the language's name, one does neither and is served in the default one.
source "$(dirname "$0")/lib.sh"
cat >"$work/languages.yaml" <<'Y'
conversation:
  initiate:
    bot_company: Contoso
    lang:
      default_short_code: en-US
      availables:
        - {short_code: en-US, pronunciations_en: [English]}
        - {short_code: fr-FR, pronunciations_en: [French]}
        - {short_code: es-ES, pronunciations_en: [Spanish]}
Y
start_system --config "$work/languages.yaml" --set features.recognition_retry_max=1

caller() { # name, number, first step
  cat >"$work/$1.yaml" <<Y
caller: {number: "$2", voice: rms, patience_ms: 0, recognise: false}
end: caller
steps:
  - $3
  - {after_silence_ms: 1500, hang_up: true}
Y
  callsim --call "sip:parley@$sip" --json "$work/$1.json" "$work/$1.yaml" >"$work/$1.log" 2>&1 ||
    fail "$1: callsim ended with $?"
}
served_in() { # name, number, language, how many menus were said
  wait_for 20 over "$2" "$work/$1.record" || fail "$1: no record says that the call is over"
  [[ $(json lang_short_code "$work/$1.record") == "$3" ]] ||
    fail "$1: served in $(json lang_short_code "$work/$1.record"), not $3"
  grep -h "event=call.language.*call=$(json call_id "$work/$1.record")" "$work/dialogue.log" >"$work/$1.chosen" ||
    fail "$1: dialogue has not noted a choice"
  say "$1: served in $3 ($(grep -o 'tries=.*' "$work/$1.chosen"))"
}
caller by-key +15554000001 '{interrupt_after_ms: 2500, dtmf: "2"}' &
one=$!
caller by-voice +15554000002 '{cue: any, delay_ms: 500, say: "spanish"}' &
two=$!
caller by-silence +15554000003 '{cue: any, stay_silent_ms: 26000}' &
three=$!
pids+=($one $two $three)
wait "$one" && wait "$two" && wait "$three" || fail "see above"
pids=()
served_in by-key +15554000001 fr-FR
served_in by-voice +15554000002 es-ES
served_in by-silence +15554000003 en-US
finish
