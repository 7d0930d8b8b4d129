#include "common/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What is not public of IPv4: network and length of its prefix. */
static const struct {
    uint8_t net[4];
    unsigned bits;
} private_v4[] = {
    {{0, 0, 0, 0}, 8},       /* this network */
    {{10, 0, 0, 0}, 8},      /* private */
    {{100, 64, 0, 0}, 10},   /* carriers' NAT */
    {{127, 0, 0, 0}, 8},     /* loopback */
    {{169, 254, 0, 0}, 16},  /* link-local, clouds' metadata */
    {{172, 16, 0, 0}, 12},   /* private */
    {{192, 0, 0, 0}, 24},    /* protocol assignments */
    {{192, 0, 2, 0}, 24},    /* documentation */
    {{192, 88, 99, 0}, 24},  /* former 6to4 relays */
    {{192, 168, 0, 0}, 16},  /* private */
    {{198, 18, 0, 0}, 15},   /* benchmarks */
    {{198, 51, 100, 0}, 24}, /* documentation */
    {{203, 0, 113, 0}, 24},  /* documentation */
    {{224, 0, 0, 0}, 3},     /* multicast, reserved, broadcast */
};

/* Of the global unicast addresses 2000::/3, the only public ones of IPv6. */
static const struct {
    uint8_t net[4];
    unsigned bits;
} private_v6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* protocol assignments, Teredo, ORCHID */
    {{0x20, 0x01, 0x0D, 0xB8}, 32}, /* documentation */
    {{0x3F, 0xFF, 0x00, 0x00}, 20}, /* documentation */
};

static bool within(const uint8_t *address, const uint8_t net[4], unsigned bits)
{
    for (unsigned i = 0; i < 4 && bits; i++) {
        unsigned here = bits < 8 ? bits : 8;
        uint8_t mask = (uint8_t)(0xFF << (8 - here));
        if ((address[i] ^ net[i]) & mask) return false;
        bits -= here;
    }
    return true;
}

static bool public_v4(const uint8_t *address)
{
    for (size_t i = 0; i < sizeof private_v4 / sizeof private_v4[0]; i++) {
        if (within(address, private_v4[i].net, private_v4[i].bits)) return false;
    }
    return true;
}

static bool public_v6(const uint8_t *address)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xFF, 0x9B};
    static const uint8_t six_to_four[2] = {0x20, 0x02};
    if (memcmp(address, mapped, sizeof mapped) == 0) return public_v4(address + 12);
    if (memcmp(address, nat64, sizeof nat64) == 0) return public_v4(address + 12);
    if (memcmp(address, six_to_four, sizeof six_to_four) == 0) return public_v4(address + 2);
    if ((address[0] & 0xE0) != 0x20) return false;
    for (size_t i = 0; i < sizeof private_v6 / sizeof private_v6[0]; i++) {
        if (within(address, private_v6[i].net, private_v6[i].bits)) return false;
    }
    return true;
}

bool pl_address_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        return public_v4((const uint8_t *)&v4.sin_addr);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        return public_v6((const uint8_t *)&v6.sin6_addr);
    }
    return false;
}
