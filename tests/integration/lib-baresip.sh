# lib-baresip.sh - a phone nobody here wrote, with a WAV file as its microphone. After lib.sh.
command -v baresip >/dev/null || fail "baresip is not installed (Debian's baresip-core)"

# baresip_rings FOLDER NUMBER CODECS MICROPHONE SIP_PORT RTP_PORTS SECONDS MODULE...
# Rings the bot as that number. CODECS as baresip names them, MODULEs are theirs; the file has the codec's own
# rate and channels. FOLDER gets out.log and what it heard: dump-*-dec.wav.
baresip_rings() {
  local home=$1 number=$2 codecs=$3 microphone=$4 port=$5 rtp=$6 seconds=$7
  shift 7
  mkdir "$home"
  {
    echo "module_path $(dirname "$(dpkg -L baresip-core | grep '/aufile.so$')")"
    printf 'module %s.so\n' "$@" aufile aubridge sndfile
    printf 'module_app %s.so\n' account menu
    cat <<C
snd_path $home
sip_listen 127.0.0.1:$port
rtp_ports $rtp
audio_source aufile,$microphone
audio_player aubridge,nobody
audio_alert aubridge,nowhere
opus_bitrate 28000
opus_inbandfec yes
C
  } >"$home/config"
  echo "<sip:$number@$sip>;regint=0;audio_codecs=$codecs" >"$home/accounts"
  baresip -4 -n 127.0.0.1 -f "$home" -v -t "$seconds" -e "/dial sip:parley@$sip" </dev/null >"$home/out.log" 2>&1 &
  pids+=($!)
}
