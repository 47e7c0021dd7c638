/* base/rng.h: reproducible pseudo-random numbers (splitmix64) for tests and searches. Same seed, same numbers, on any machine. */
#ifndef KAON_BASE_RNG_H
#define KAON_BASE_RNG_H

#include "base/types.h"

typedef struct Rng {
    uint64_t state;
} Rng;

static inline uint64_t rng_u64(Rng *rng)
{
    uint64_t z = (rng->state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}
/* uniform in [0, n), n > 0; the bias of the modulus is below 2^-32 for n < 2^32 */
static inline uint32_t rng_below(Rng *rng, uint32_t n) { return (uint32_t)(((rng_u64(rng) >> 32) * n) >> 32); }
static inline int32_t rng_between(Rng *rng, int32_t lo, int32_t hi) { return lo + (int32_t)rng_below(rng, (uint32_t)(hi - lo) + 1); }
static inline bool rng_chance(Rng *rng, uint32_t one_in) { return rng_below(rng, one_in) == 0; }
static inline double rng_unit(Rng *rng) { return (double)(rng_u64(rng) >> 11) * 0x1p-53; } /* [0, 1) */

#endif
