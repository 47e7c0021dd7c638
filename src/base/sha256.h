/* base/sha256.h: FIPS 180-4, to name side files and to tell in a manifest what was compiled. */
#ifndef KAON_BASE_SHA256_H
#define KAON_BASE_SHA256_H

#include "base/types.h"

void sha256(const void *at, size_t n, uint8_t digest[32]);
void sha256_hex(const void *at, size_t n, char hex[65]);

#endif
