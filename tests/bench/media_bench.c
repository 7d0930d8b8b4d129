/* media_bench.c - how many calls one core carries: RTP both ways, codec, cleaning, voice activity, lane.
 *
 * usage: media_bench [SECONDS [CALLS [CLEANED_CALLS]]]
 * A media thread as telephony has it (media.h), kept to one core with all its helpers, on a real clock. The
 * other core plays the world: phones that send speech and hear the bot, and the speech end of the
 * lane, which answers each frame heard with a frame said, so that both sides speak all the time. For each
 * codec, with and without echo cancellation and noise suppression: the CPU of a call, what it takes of
 * memory, and how late frames reach the phones. One JSON object; progress on standard error.
 */
#include <arpa/inet.h>
#include <flite/flite.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/metrics.h"
#include "services/telephony/config.h"
#include "services/telephony/media.h"

cst_voice *register_cmu_us_rms(const char *);

enum { CALLS_MAX = 1000, SAID_FRAMES = 500, RTP_HEAD = 12, LATE_MS = 500, SETTLE_S = 2, PT = 96 };

static const uint8_t token[PL_LANE_TOKEN_BYTES] = "media-bench-lan";
static int16_t voice[SAID_FRAMES * CODEC_FRAME_SAMPLES];

static void die(const char *what)
{
    fprintf(stderr, "media_bench: %s\n", what);
    exit(EXIT_FAILURE);
}

static void keep_to_core(size_t core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) die("wants two cores");
}

static struct sockaddr_in loopback(uint16_t port)
{
    struct sockaddr_in out = {.sin_family = AF_INET, .sin_port = htons(port)};
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
}

static void read_aloud(void)
{
    (void)flite_init();
    cst_wave *wave = flite_text_to_wave("I had an accident on the motorway this morning near the "
                                        "second exit. Nobody was hurt, but my "
                                        "car does not start any more, and it is still standing "
                                        "there on the right side of the road.",
                                        register_cmu_us_rms(NULL));
    size_t samples = (size_t)cst_wave_num_samples(wave);
    for (size_t i = 0; i < sizeof voice / sizeof *voice; i++) {
        voice[i] = cst_wave_samples(wave)[i % samples];
    }
    delete_wave(wave);
}

/* ---- the world: phones and the speech end of the lane, a process of its own -------------------------- */

typedef struct {
    int socket;
    struct sockaddr_in leg;
    uint16_t seq, first_seq;
    bool heard;
    int64_t first_us; /* when its first frame came, by the earliest so far */
    uint32_t turn_seq;
} phone_t;

/* What the world tells in the end. */
typedef struct {
    uint64_t received;
    uint64_t late_ms[LATE_MS + 1]; /* frames so much later than the earliest of their phone */
} told_t;

typedef struct {
    size_t phones, ticks;
    pl_loop_t *loop;
    pl_lane_t *lane;
    bool lane_ready;
    int from_bench;
    uint16_t ports[CALLS_MAX]; /* of the legs, as they become known */
    size_t ports_bytes;
    phone_t phone[CALLS_MAX];
    uint8_t payload[SAID_FRAMES][RTP_HEAD + CODEC_MAX_PAYLOAD_BYTES];
    size_t payload_bytes[SAID_FRAMES];
    uint32_t stamp_step;
    bool measuring;
    told_t seen;
} world_t;

static void phones_say(world_t *w)
{
    for (size_t i = 0; i < w->phones; i++) {
        phone_t *p = &w->phone[i];
        size_t at = (w->ticks + i * 37) % SAID_FRAMES;
        uint8_t *packet = w->payload[at];
        uint16_t seq = htons(p->seq++);
        uint32_t stamp = htonl((uint32_t)w->ticks * w->stamp_step);
        uint32_t source = htonl((uint32_t)i + 1);
        packet[0] = 0x80;
        packet[1] = PT;
        memcpy(packet + 2, &seq, 2);
        memcpy(packet + 4, &stamp, 4);
        memcpy(packet + 8, &source, 4);
        (void)sendto(p->socket, packet, RTP_HEAD + w->payload_bytes[at], MSG_DONTWAIT,
                     (struct sockaddr *)&p->leg, sizeof p->leg);
    }
    w->ticks++;
}

static void note_arrival(world_t *w, phone_t *p, const uint8_t *packet, const struct timespec *at)
{
    if ((packet[1] & 0x7f) != PT) return; /* the RTCP of a neighbour, whose port is one below */
    uint16_t seq;
    memcpy(&seq, packet + 2, 2);
    seq = ntohs(seq);
    int64_t us = (int64_t)at->tv_sec * 1000000 + at->tv_nsec / 1000;
    if (!p->heard) {
        p->heard = true;
        p->first_seq = seq;
        p->first_us = us;
    }
    int64_t due = p->first_us + (int64_t)(int16_t)(seq - p->first_seq) * 20000;
    if (us < due) p->first_us -= due - us;
    int64_t late = us > due ? (us - due) / 1000 : 0;
    if (!w->measuring) return;
    w->seen.received++;
    w->seen.late_ms[late < LATE_MS ? late : LATE_MS]++;
}

static void phones_hear(world_t *w)
{
    for (size_t i = 0; i < w->phones; i++) {
        uint8_t packet[RTP_HEAD + CODEC_MAX_PAYLOAD_BYTES];
        char control[CMSG_SPACE(sizeof(struct timespec))];
        struct iovec part = {packet, sizeof packet};
        for (;;) {
            struct msghdr head = {.msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = control,
                                  .msg_controllen = sizeof control};
            if (recvmsg(w->phone[i].socket, &head, MSG_DONTWAIT) < RTP_HEAD) break;
            struct timespec at;
            memcpy(&at, CMSG_DATA(CMSG_FIRSTHDR(&head)), sizeof at);
            note_arrival(w, &w->phone[i], packet, &at);
        }
    }
}

static void on_world_tick(void *arg)
{
    world_t *w = arg;
    if (!w->lane_ready || w->ports_bytes < w->phones * sizeof *w->ports) return;
    phones_hear(w);
    phones_say(w);
}

static void on_lane_frame(void *arg, const Pl__LaneFrame *frame)
{
    world_t *w = arg;
    if (frame->body_case != PL__LANE_FRAME__BODY_IN) return;
    phone_t *p = &w->phone[frame->slot];
    Pl__LaneSayOut out = PL__LANE_SAY_OUT__INIT;
    out.turn = 1;
    out.seq = p->turn_seq++;
    size_t at = (out.seq + (size_t)frame->slot * 53) % SAID_FRAMES;
    out.pcm = (ProtobufCBinaryData){PL_FRAME_BYTES, (uint8_t *)(voice + at * CODEC_FRAME_SAMPLES)};
    Pl__LaneFrame answer = PL__LANE_FRAME__INIT;
    answer.slot = frame->slot;
    answer.generation = frame->generation;
    answer.body_case = PL__LANE_FRAME__BODY_OUT;
    answer.out = &out;
    (void)pl_lane_send(w->lane, &answer);
}

static void on_lane_ready(void *arg)
{
    ((world_t *)arg)->lane_ready = true;
}

static void on_lane_broken(void *arg, const char *why)
{
    (void)arg;
    (void)why; /* the run is over */
}

static void on_measure(void *arg)
{
    world_t *w = arg;
    w->measuring = !w->measuring;
    /* While legs were added ticks may have been left out: lateness is counted from now on. */
    for (size_t i = 0; i < w->phones; i++) w->phone[i].heard = false;
}

static void on_stop(void *arg)
{
    pl_loop_stop(((world_t *)arg)->loop);
}

static void on_ports(void *arg)
{
    world_t *w = arg;
    size_t wanted = w->phones * sizeof *w->ports;
    ssize_t some =
        read(w->from_bench, (uint8_t *)w->ports + w->ports_bytes, wanted - w->ports_bytes);
    if (some <= 0) return;
    w->ports_bytes += (size_t)some;
    for (size_t i = 0; i < w->phones && w->ports_bytes == wanted; i++) {
        w->phone[i].leg = loopback(w->ports[i]);
    }
}

static void encode_all(world_t *w, codec_kind_t kind)
{
    codec_t *codec = codec_new(kind);
    for (size_t i = 0; i < SAID_FRAMES; i++) {
        uint8_t payload[CODEC_MAX_PAYLOAD_BYTES];
        w->payload_bytes[i] = codec_encode(codec, voice + i * CODEC_FRAME_SAMPLES, payload);
        memcpy(w->payload[i] + RTP_HEAD, payload, w->payload_bytes[i]);
    }
    codec_destroy(&codec);
}

/* Tells the ports of its phones, reads those of the legs, and tells in the end what it has seen. */
static void be_the_world(size_t calls, codec_kind_t kind, const char *endpoint, int in, int out,
                         unsigned seconds)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    keep_to_core(1);
    world_t *w = calloc(1, sizeof *w);
    if (!w) abort();
    w->phones = calls;
    w->loop = pl_loop_new();
    w->stamp_step = codec_info(kind)->ticks_per_frame;
    encode_all(w, kind);
    uint16_t ports[CALLS_MAX];
    for (size_t i = 0; i < calls; i++) {
        struct sockaddr_in any = loopback(0);
        socklen_t bytes = sizeof any;
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        int on = 1;
        if (fd < 0 || bind(fd, (struct sockaddr *)&any, bytes) != 0 ||
            setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0 ||
            getsockname(fd, (struct sockaddr *)&any, &bytes) != 0)
            die("no socket for a phone");
        w->phone[i].socket = fd;
        ports[i] = ntohs(any.sin_port);
    }
    pl_lane_sink_t sink = {on_lane_ready, on_lane_frame, on_lane_broken, w};
    if (pl_lane_listen(&w->lane, w->loop, endpoint, NULL, token, &sink) != PL_OK) die("no lane");
    if (write(out, ports, calls * sizeof *ports) < 0) die("pipe");
    w->from_bench = in;
    pl_watch_t *watch = pl_watch_fd(w->loop, in, on_ports, w);
    pl_timer_t *tick = pl_timer_start(w->loop, 20, 20, on_world_tick, w);
    pl_timer_t *begin =
        pl_timer_start(w->loop, SETTLE_S * 1000ULL, seconds * 1000ULL, on_measure, w);
    pl_timer_t *end = pl_timer_start(w->loop, (SETTLE_S + seconds) * 1000ULL + 200, 0, on_stop, w);
    pl_loop_run(w->loop);
    pl_watch_stop(&watch);
    pl_timer_stop(&tick);
    pl_timer_stop(&begin);
    pl_timer_stop(&end);
    for (size_t sent = 0; sent < sizeof w->seen;) {
        ssize_t some = write(out, (uint8_t *)&w->seen + sent, sizeof w->seen - sent);
        if (some <= 0) break;
        sent += (size_t)some;
    }
    _exit(EXIT_SUCCESS);
}

/* ---- telephony's side: a media thread under test ------------------------------------------------------ */

typedef struct {
    pl_loop_t *loop;
    double cpu_s, skipped, begun_cpu_s, begun_skipped; /* of the time that is measured */
    int from_world;
    told_t told;
    size_t told_bytes;
} bench_t;

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double skipped_now(void)
{
    return pl_metric_value(
        pl_metric_counter("parley_media_ticks_skipped_total", NULL, "the same one"));
}

static void no_dtmf(void *arg, media_leg_t leg, char digit, uint32_t ms)
{
    (void)arg, (void)leg, (void)digit, (void)ms;
}

static void no_lost(void *arg, media_leg_t leg)
{
    (void)arg, (void)leg;
}

static void lane_is_ready(void *arg, uint64_t lane)
{
    (void)lane;
    pl_loop_stop(((bench_t *)arg)->loop);
}

static void lane_is_broken(void *arg, uint64_t lane, const char *why)
{
    (void)arg, (void)lane;
    fprintf(stderr, "media_bench: the lane broke: %s\n", why);
}

static void no_audio(void *arg, media_leg_t leg, const uint8_t pcm[PL_FRAME_BYTES])
{
    (void)arg, (void)leg, (void)pcm;
}

static void no_flush(void *arg, media_leg_t leg)
{
    (void)arg, (void)leg;
}

static void is_closed(void *arg, media_leg_t leg, const media_stats_t *stats)
{
    (void)arg, (void)leg, (void)stats;
}

static void on_begin(void *arg)
{
    bench_t *b = arg;
    b->begun_cpu_s = cpu_now();
    b->begun_skipped = skipped_now();
}

static void on_end(void *arg)
{
    bench_t *b = arg;
    b->cpu_s = cpu_now() - b->begun_cpu_s;
    b->skipped = skipped_now() - b->begun_skipped;
}

static void on_told(void *arg)
{
    bench_t *b = arg;
    ssize_t some =
        read(b->from_world, (uint8_t *)&b->told + b->told_bytes, sizeof b->told - b->told_bytes);
    if (some > 0) b->told_bytes += (size_t)some;
    if (some <= 0 || b->told_bytes == sizeof b->told) pl_loop_stop(b->loop);
}

static uint64_t share(const told_t *told, double part)
{
    uint64_t seen = 0;
    for (size_t ms = 0; ms <= LATE_MS; ms++) {
        seen += told->late_ms[ms];
        if ((double)seen >= part * (double)told->received) return ms;
    }
    return LATE_MS;
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1) die("/proc/self/statm");
    (void)fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static pl_config_t *settings(bool clean)
{
    const char *legs = clean ? "sip" : "none";
    char yaml[512];
    char why[512] = "";
    (void)snprintf(yaml, sizeof yaml,
                   "telephony:\n"
                   "  rtp: {listen: 127.0.0.1, port_min: 20000, port_max: 29999}\n"
                   "  media: {threads: 1}\n"
                   "  audio: {echo: %s, noise: %s}\n",
                   legs, legs);
    pl_config_t *cfg =
        pl_config_parse("telephony", telephony_config_keys, "bench", yaml, why, sizeof why);
    if (!cfg) die(why);
    return cfg;
}

/* Reads so many bytes of what the other side wrote. */
static void take(int fd, void *into, size_t bytes)
{
    for (size_t got = 0; got < bytes;) {
        ssize_t some = read(fd, (uint8_t *)into + got, bytes - got);
        if (some <= 0) die("the world has ended early");
        got += (size_t)some;
    }
}

static void add_legs(media_t *media, codec_kind_t kind, size_t calls, const uint16_t *phones,
                     int to, uint64_t lane)
{
    uint16_t ports[CALLS_MAX];
    for (size_t i = 0; i < calls; i++) {
        media_leg_t leg = 0;
        if (media_leg_rtp(media, &leg, &ports[i]) != PL_OK) die("no RTP port is free");
        rtp_params_t params = {.codec = kind, .pt = PT, .send = true, .receive = true};
        struct sockaddr_in remote = loopback(phones[i]);
        memcpy(&params.remote, &remote, sizeof remote);
        media_leg_params(media, leg, &params);
        media_leg_stream(media, leg, lane, (uint32_t)i, 1);
    }
    if (write(to, ports, calls * sizeof *ports) < 0) die("pipe");
}

typedef struct {
    double us, kb; /* CPU of a frame that was sent, memory of a call */
    double skipped;
    told_t told;
} outcome_t;

static outcome_t measure(codec_kind_t kind, bool clean, size_t calls, unsigned seconds)
{
    char endpoint[64];
    (void)snprintf(endpoint, sizeof endpoint, "ipc:///tmp/media-bench-%d.ipc", (int)getpid());
    int to[2];
    int from[2];
    if (pipe(to) != 0 || pipe(from) != 0) die("pipe");
    pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
        close(to[1]);
        close(from[0]);
        be_the_world(calls, kind, endpoint, to[0], from[1], seconds);
    }
    close(to[0]);
    close(from[1]);
    keep_to_core(0);
    bench_t b = {.loop = pl_loop_new(), .from_world = from[0]};
    pl_config_t *cfg = settings(clean);
    media_sink_t sink = {.dtmf = no_dtmf,
                         .lost = no_lost,
                         .lane_ready = lane_is_ready,
                         .lane_broken = lane_is_broken,
                         .browser_audio = no_audio,
                         .browser_flush = no_flush,
                         .closed = is_closed,
                         .arg = &b};
    media_t *media = NULL;
    if (media_new(&media, b.loop, cfg, &sink) != PL_OK) die("no media thread");
    uint16_t phones[CALLS_MAX];
    take(from[0], phones, calls * sizeof *phones);
    media_lane_connect(media, 0, endpoint, 1, token);
    pl_loop_run(b.loop); /* until the lane is ready */
    long before_kb = resident_kb();
    add_legs(media, kind, calls, phones, to[1], 1);
    pl_timer_t *begin = pl_timer_start(b.loop, SETTLE_S * 1000ULL, 0, on_begin, &b);
    pl_timer_t *end = pl_timer_start(b.loop, (SETTLE_S + seconds) * 1000ULL, 0, on_end, &b);
    pl_watch_t *watch = pl_watch_fd(b.loop, from[0], on_told, &b);
    pl_loop_run(b.loop); /* until the world has told */
    if (b.told_bytes < sizeof b.told) die("the world has ended early");
    outcome_t out = {.us = b.cpu_s * 1e6 / ((double)b.told.received + 1),
                     .kb = (double)(resident_kb() - before_kb) / (double)calls,
                     .skipped = b.skipped,
                     .told = b.told};
    pl_watch_stop(&watch);
    pl_timer_stop(&begin);
    pl_timer_stop(&end);
    media_destroy(&media);
    pl_config_destroy(&cfg);
    pl_loop_destroy(&b.loop);
    close(from[0]);
    close(to[1]);
    int status = 0;
    (void)waitpid(child, &status, 0);
    return out;
}

/* Each run in a process of its own: memory is counted from the same start. */
static void run(codec_kind_t kind, bool clean, size_t calls, unsigned seconds, bool first)
{
    (void)fflush(stdout);
    pid_t child = fork();
    if (child < 0) die("fork");
    if (child == 0) {
        outcome_t o = measure(kind, clean, calls, seconds);
        double expected = (double)calls * seconds * 50;
        uint64_t late = 0;
        for (size_t ms = 21; ms <= LATE_MS; ms++) late += o.told.late_ms[ms];
        printf(
            "%s\n  {\"codec\": \"%s\", \"cleaned\": %s, \"calls\": %zu, \"us_per_frame\": %.1f, "
            "\"core_percent\": %.0f, \"calls_per_core\": %.0f, \"kb_per_call\": %.1f, "
            "\"ticks_left_out\": %.0f, \"frames_arrived_percent\": %.2f, "
            "\"frames_late_over_20_ms_percent\": %.3f, \"late_ms\": {\"p50\": %llu, \"p99\": %llu, "
            "\"p999\": %llu}}",
            first ? "" : ",", codec_info(kind)->name, clean ? "true" : "false", calls, o.us,
            o.us * (double)o.told.received / seconds / 1e4, 20000 / o.us, o.kb, o.skipped,
            100 * (double)o.told.received / expected,
            100 * (double)late / (double)(o.told.received + 1),
            (unsigned long long)share(&o.told, 0.5), (unsigned long long)share(&o.told, 0.99),
            (unsigned long long)share(&o.told, 0.999));
        (void)fflush(stdout);
        fprintf(
            stderr, "%-5s %s %4zu calls: %.1f us a frame, %.1f KB a call, %.0f ticks left out\n",
            codec_info(kind)->name, clean ? "cleaned" : "plain  ", calls, o.us, o.kb, o.skipped);
        _exit(EXIT_SUCCESS);
    }
    int status = 0;
    if (waitpid(child, &status, 0) < 0 || status != 0) die("a run has failed");
}

int main(int argc, char **argv)
{
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10;
    size_t plain = argc > 2 ? strtoul(argv[2], NULL, 10) : 400;
    size_t cleaned = argc > 3 ? strtoul(argv[3], NULL, 10) : 250;
    bool wrong =
        seconds < 1 || plain < 1 || plain > CALLS_MAX || cleaned < 1 || cleaned > CALLS_MAX;
    if (wrong || argc > 4) {
        fprintf(stderr, "usage: media_bench [SECONDS [CALLS [CLEANED_CALLS]]]   (1 to %d calls)\n",
                CALLS_MAX);
        return 64;
    }
    struct rlimit files = {8192, 8192};
    (void)setrlimit(RLIMIT_NOFILE, &files);
    pl_log_init("media-bench", PL_LOG_ERROR); /* ticks left out are counted */
    read_aloud();
    /* Those that cost more are asked for fewer calls: a core that has too much measures nothing. */
    static const struct {
        codec_kind_t codec;
        unsigned plain, cleaned; /* percent */
    } codecs[] = {
        {CODEC_PCMU, 100, 100}, {CODEC_G722, 70, 65}, {CODEC_L16, 100, 75}, {CODEC_OPUS, 25, 35}};
    printf("{\"bench\": \"media\", \"seconds\": %u, \"runs\": [", seconds);
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        run(codecs[i].codec, false, plain * codecs[i].plain / 100, seconds, i == 0);
        run(codecs[i].codec, true, cleaned * codecs[i].cleaned / 100, seconds, false);
    }
    printf("\n]}\n");
    return EXIT_SUCCESS;
}
