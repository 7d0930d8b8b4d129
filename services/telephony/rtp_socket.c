#include "services/telephony/rtp_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "services/telephony/rtp.h"
#include "services/telephony/rtp_latch.h"

enum {
    BATCH = 8,
    BATCHES = 8,
    EXPEDITED = 46 << 2, /* DSCP EF, RFC 3246 */
    LONGEST_WAIT_US = 1000000,
};

static int open_one(const struct sockaddr *address, uint16_t port)
{
    int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    struct sockaddr_storage local = {0};
    memcpy(&local, address, rtp_address_bytes(address));
    rtp_address_set_port((struct sockaddr *)&local, port);
    if (bind(fd, (struct sockaddr *)&local, rtp_address_bytes(address)) != 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    /* Both only improve matters: without them arrival is when we read, and routers see best
     * effort. */
    int on = 1;
    int tos = EXPEDITED;
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (address->sa_family == AF_INET) {
        (void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    } else {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    }
    return fd;
}

static pl_err_t open_pair(rtp_sockets_t *out, const struct sockaddr *address, uint16_t port)
{
    int rtp = open_one(address, port);
    if (rtp < 0) return errno == EADDRINUSE || errno == EACCES ? PL_BUSY : PL_UNAVAILABLE;
    int rtcp = open_one(address, (uint16_t)(port + 1));
    if (rtcp < 0) {
        pl_err_t err = errno == EADDRINUSE || errno == EACCES ? PL_BUSY : PL_UNAVAILABLE;
        close(rtp);
        return err;
    }
    *out = (rtp_sockets_t){rtp, rtcp, port};
    return PL_OK;
}

pl_err_t rtp_sockets_open(rtp_sockets_t *out, const struct sockaddr *address, uint16_t port_min,
                          uint16_t port_max)
{
    if (rtp_address_bytes(address) == 0) return PL_INVALID;
    uint32_t first = (port_min + 1u) & ~1u;
    if (first + 1 > port_max) return PL_INVALID;
    uint32_t pairs = (port_max - first + 1u) / 2;
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) random = first;
    for (uint32_t i = 0; i < pairs; i++) {
        uint16_t port = (uint16_t)(first + 2 * ((random + i) % pairs));
        pl_err_t err = open_pair(out, address, port);
        if (err != PL_BUSY) return err;
    }
    return PL_BUSY;
}

void rtp_sockets_close(rtp_sockets_t *self)
{
    if (self->rtp_fd >= 0) close(self->rtp_fd);
    if (self->rtcp_fd >= 0) close(self->rtcp_fd);
    self->rtp_fd = -1;
    self->rtcp_fd = -1;
}

static int64_t us_of(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000 + t->tv_nsec / 1000;
}

/* How long the datagram waited for us, by the wall clock that stamped it. */
static uint64_t waited_us(struct msghdr *msg, int64_t wall_us)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
        struct timespec stamp;
        memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
        int64_t waited = wall_us - us_of(&stamp);
        if (waited < 0) return 0; /* the wall clock was set */
        return waited > LONGEST_WAIT_US ? LONGEST_WAIT_US : (uint64_t)waited;
    }
    return 0;
}

typedef struct {
    uint8_t bytes[BATCH][RTP_MAX_BYTES];
    struct sockaddr_storage from[BATCH];
    struct iovec iov[BATCH];
    struct mmsghdr msgs[BATCH];
    _Alignas(struct cmsghdr) uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
} batch_t;

static int read_batch(int fd, batch_t *b)
{
    for (size_t i = 0; i < BATCH; i++) {
        b->iov[i] = (struct iovec){b->bytes[i], RTP_MAX_BYTES};
        b->msgs[i].msg_hdr = (struct msghdr){
            .msg_name = &b->from[i],
            .msg_namelen = sizeof b->from[i],
            .msg_iov = &b->iov[i],
            .msg_iovlen = 1,
            .msg_control = b->control[i],
            .msg_controllen = sizeof b->control[i],
        };
    }
    return recvmmsg(fd, b->msgs, BATCH, MSG_DONTWAIT, NULL);
}

void rtp_socket_read(int fd, uint64_t now_us, rtp_datagram_fn *fn, void *arg)
{
    batch_t b;
    for (unsigned round = 0; round < BATCHES; round++) {
        int n = read_batch(fd, &b);
        if (n <= 0) return; /* empty; an ICMP error of an earlier send is spent by this, too */
        struct timespec wall;
        clock_gettime(CLOCK_REALTIME, &wall);
        for (int i = 0; i < n; i++) {
            struct msghdr *msg = &b.msgs[i].msg_hdr;
            uint64_t waited = waited_us(msg, us_of(&wall));
            size_t size = msg->msg_flags & MSG_TRUNC ? 0 : b.msgs[i].msg_len;
            fn(arg, now_us > waited ? now_us - waited : 0, (struct sockaddr *)&b.from[i],
               b.bytes[i], size);
        }
        if (n < BATCH) return;
    }
}

bool rtp_socket_send(int fd, const struct sockaddr *to, const uint8_t *bytes, size_t size)
{
    return sendto(fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL, to, rtp_address_bytes(to)) ==
           (ssize_t)size;
}
