/* options.h - callsim's command line.
 *
 * Threads: read-only once read.
 */
#ifndef CALLSIM_OPTIONS_H
#define CALLSIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How callers and the system under test come together. */
typedef enum {
    REACH_REGISTER, /* register as a phone and wait to be rung */
    REACH_SIP,      /* ring a SIP address */
    REACH_BROWSER,  /* ring through the browser's WebSocket protocol */
    REACH_ANSWER,   /* be rung at an address, without registering */
    REACH_TEXT,     /* stand in the place of telephony and speech: text instead of sound */
} reach_t;

enum { OPTIONS_MAX_SETTINGS = 70 };

typedef struct {
    reach_t reach;
    const char *scenario;
    const char *target; /* registrar's HOST:PORT, SIP URI, gateway's URL, or own address */
    const char *api;    /* gateway's URL; NULL: none */
    const char *body;   /* file of POST /call; NULL: nobody is asked to ring */
    const char *number; /* over the scenario's; NULL */
    const char *voice;  /* over the scenario's; NULL */
    const char *codecs; /* over the scenario's; NULL */
    const char *listen; /* ADDRESS or ADDRESS:PORT of SIP and RTP; NULL: what reaches the target */
    const char *ready;  /* file made once all callers can be rung; NULL */
    const char *json;   /* report file; NULL: standard output */
    const char *wav;    /* recording of a single caller; NULL */
    const char *record; /* folder of recordings; NULL */
    uint32_t calls;
    double rate;         /* callers a second; 0: all at once */
    uint32_t concurrent; /* at once; 0: any */
    uint32_t deadline_s; /* over the scenario's; 0 */
    uint32_t wait_s;     /* to be rung; 0: for ever */
    double speed;        /* over the scenario's, by text; 0 */
    /* By text: what a service is given (--config F, --set P=V, --instance N), NULL-terminated. */
    const char *settings[OPTIONS_MAX_SETTINGS + 1];
    size_t setting_count;
    const char *manager; /* who talks, for the checks of one manager; NULL */
    uint16_t rtp_min, rtp_max;
    int recognise; /* 1, 0; -1: as the scenario says */
    bool verify;   /* read the calls back and compare with what the scenario expects */
    bool quiet;
} options_t;

/* Returns false when the process should end with *status (64: wrong option; 0: --help). */
bool options_read(options_t *out, int argc, char **argv, int *status);

#endif
