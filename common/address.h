/* address.h - is an IP address one of the public internet?
 *
 * For requests whose target an operator writes down but whose name anybody may point elsewhere:
 * what leads into the own network, to this host or to nowhere is not public. Addresses that carry
 * an IPv4 address inside (mapped, NAT64, 6to4) are judged by that one.
 *
 * Threads: any; pure. Source: the IANA special-purpose address registries (RFC 6890 and later).
 */
#ifndef PL_COMMON_ADDRESS_H
#define PL_COMMON_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* False for families other than AF_INET and AF_INET6. */
bool pl_address_public(const struct sockaddr *address);

#endif
