/* base/types.h: the few names that every room uses. */
#ifndef KAON_BASE_TYPES_H
#define KAON_BASE_TYPES_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 128-bit integers hold every intermediate of a 64-bit value: a product of two, or a sum of 2^63 of them. */
__extension__ typedef __int128 i128;
__extension__ typedef unsigned __int128 u128;

#define KAON_PRINTF(text, first) __attribute__((__format__(printf, text, first)))
#define KAON_NORETURN            __attribute__((noreturn))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static inline i128 i128_min(i128 a, i128 b) { return a < b ? a : b; }
static inline i128 i128_max(i128 a, i128 b) { return a > b ? a : b; }
static inline uint32_t u32_min(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t u32_max(uint32_t a, uint32_t b) { return a > b ? a : b; }

#endif
