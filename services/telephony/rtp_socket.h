/* rtp_socket.h - the UDP sockets of a leg: a port pair, batched reading with arrival times.
 *
 * Threads: none of its own. Nothing blocks.
 */
#ifndef PL_TELEPHONY_RTP_SOCKET_H
#define PL_TELEPHONY_RTP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/err.h"

typedef struct {
    int rtp_fd, rtcp_fd;
    uint16_t port; /* of RTP: even; RTCP is one above */
} rtp_sockets_t;

/* Looks from a random even port on. PL_BUSY: none free in the range. PL_INVALID: no such range or
 * address family. PL_UNAVAILABLE: the address is not ours. */
pl_err_t rtp_sockets_open(rtp_sockets_t *out, const struct sockaddr *address, uint16_t port_min,
                          uint16_t port_max);
void rtp_sockets_close(rtp_sockets_t *self);

typedef void rtp_datagram_fn(void *arg, uint64_t arrived_us, const struct sockaddr *from,
                             const uint8_t *bytes, size_t size);
/* Hands over what has arrived, at most 64 datagrams (the rest waits for the next call). now_us is
 * the caller's monotonic time; the kernel's time stamps tell how long before it each one came.
 * Datagrams larger than RTP_MAX_BYTES come with size 0. */
void rtp_socket_read(int fd, uint64_t now_us, rtp_datagram_fn *fn, void *arg);

bool rtp_socket_send(int fd, const struct sockaddr *to, const uint8_t *bytes, size_t size);

#endif
