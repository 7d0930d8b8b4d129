#include "services/telephony/config.h"

#define STRING(path, fallback, help)                                                               \
    {                                                                                              \
        path, PL_CONFIG_STRING, fallback, 0, 0, help                                               \
    }
#define INT(path, fallback, min, max, help)                                                        \
    {                                                                                              \
        path, PL_CONFIG_INT, fallback, min, max, help                                              \
    }

const pl_config_key_t telephony_config_keys[] = {
    /* legs */
    INT("telephony.max_legs", "500", 1, 4096, "legs at once; more are refused (SIP 503)"),
    INT("telephony.owner_silent_ms", "900", 0, 600000,
        "a leg whose owner is silent for so long is offered to another instance, and the caller "
        "asked to wait; 0: never"),
    INT("telephony.owner_timeout_ms", "15000", 1000, 600000,
        "a leg whose owner is silent for so long is ended with a spoken apology"),
    INT("telephony.speech_timeout_ms", "30000", 1000, 600000,
        "an answered leg that finds no speech instance for so long is ended"),
    INT("telephony.drain_timeout_ms", "2000", 0, 86400000,
        "after SIGTERM: how long live legs may go on before they are ended"),
    STRING("telephony.sms.provider", "record",
           "who sends text messages: record (nobody, they stay in the record of their call), "
           "twilio, acs"),
    STRING(
        "telephony.sms.acs.connection_string", "",
        "resource of Azure Communication Services: endpoint=...;accesskey=...; write ${NAME} here"),
    STRING("telephony.sms.acs.from", "", "who the messages are from: a number of that resource"),
    STRING("telephony.sms.twilio.account_sid", "", "account at Twilio, AC..."),
    STRING("telephony.sms.twilio.auth_token", "",
           "its token, or the secret of key_sid; write ${NAME} here"),
    STRING(
        "telephony.sms.twilio.from", "",
        "who the messages are from: a number (+15550100), a name, or a messaging service, MG..."),
    STRING("telephony.sms.twilio.key_sid", "", "a key of the account, SK...; empty: the account"),
    STRING("telephony.sms.twilio.url", "https://api.twilio.com", "where its REST interface is"),
    STRING("telephony.prompts.owner_lost", "",
           "WAV file (16 kHz mono 16 bit) of the apology; empty: the one in the program"),

    INT("telephony.limits.call_s", "7200", 0, 604800,
        "a call that is up for so long is ended, whoever speaks; 0: never"),
    INT("telephony.limits.speechless_s", "300", 0, 604800,
        "a call in which neither side speaks for so long is ended; 0: never"),

    /* SIP */
    STRING("telephony.sip.listen", "0.0.0.0:5060", "address and port of SIP, UDP and TCP"),
    STRING("telephony.sip.advertise", "",
           "our address in Contact and From; empty: the one that reaches the peer"),
    STRING("telephony.sip.codecs", "G722,opus,L16,PCMU,PCMA", "codecs offered, the best first"),
    STRING("telephony.sip.from_user", "parley", "user part of our address in calls out"),
    INT("telephony.sip.ring_timeout_ms", "45000", 1000, 600000,
        "how long a call out may ring when dialogue does not say"),
    STRING("telephony.sip.trunk.uri", "", "carrier of calls out: sip:carrier.example:5060"),
    STRING("telephony.sip.trunk.user", "", "user of the carrier's digest authentication"),
    STRING("telephony.sip.trunk.password", "", "its password; write ${NAME} here"),
    STRING("telephony.sip.registrar.realm", "parley", "realm of the registrar's challenge"),
    INT("telephony.sip.registrar.max_contacts", "1000", 1, 100000, "phones registered at once"),
    STRING("telephony.sip.registrar.users[].name", NULL,
           "a phone that may register; with no user listed, registrations are taken from "
           "loopback and private addresses only, without a password"),
    STRING("telephony.sip.registrar.users[].password", NULL, "its password; write ${NAME} here"),

    /* RTP and media threads */
    STRING("telephony.rtp.listen", "0.0.0.0", "address that RTP sockets are bound to"),
    STRING("telephony.rtp.advertise", "",
           "address told in SDP; empty: as in SIP, telephony.sip.advertise or the local one"),
    INT("telephony.rtp.port_min", "10000", 1024, 65534, "lowest RTP port"),
    INT("telephony.rtp.port_max", "19999", 1025, 65535, "highest RTCP port"),
    INT("telephony.rtp.media_timeout_ms", "30000", 0, 600000,
        "a leg without RTP for so long is ended; 0: never"),
    INT("telephony.rtp.jitter_min_ms", "20", 20, 500, "least delay of the jitter buffer"),
    INT("telephony.rtp.jitter_max_ms", "200", 40, 1000, "largest delay of the jitter buffer"),
    INT("telephony.media.threads", "1", 1, 64, "media threads"),
    INT("telephony.media.credit_ms", "400", 100, 5000,
        "audio that speech may send ahead of the playout"),

    STRING("telephony.audio.echo", "sip",
           "kinds of leg whose echo is cancelled: sip, browser, none; browsers do it themselves"),
    STRING("telephony.audio.noise", "sip", "kinds of leg whose noise is suppressed"),
    INT("telephony.audio.comfort_noise_db", "-65", -90, 0,
        "level of the faint noise sent while nothing is said, dB of full scale; 0: none"),
    STRING("telephony.audio.gain", "none", "kinds of leg that are brought to one loudness"),

    STRING("telephony.recording.folder", "data/recordings",
           "folder of the recordings, made when absent; see features.recording_enabled"),
    INT("telephony.recording.retention_days", "30", 0, 36500,
        "a recording is deleted after so many days; 0: never"),
    INT("telephony.recording.free_mb", "256", 0, 1048576,
        "recordings stop while less than this is free on their disk"),

    /* browser */
    STRING("telephony.browser.listen", "127.0.0.1:8081", "address and port of the WebSocket"),
    STRING("telephony.browser.public_url", "",
           "WebSocket URL told to pages; empty: same host as the page, the port above"),

    {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL},
};
