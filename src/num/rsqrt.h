/* num/rsqrt.h: the one irrational parameter of trained nets: the multiplier of a batch norm, gamma / sqrt(variance + epsilon). */
#ifndef KAON_NUM_RSQRT_H
#define KAON_NUM_RSQRT_H

#include "num/big.h"

/* a / sqrt(b), b > 0, correctly rounded to nearest even (binary64); +-infinity beyond its range. */
double rational_over_sqrt(Arena *arena, Rational a, Rational b);

/* gamma (x - mean) / sqrt(variance + epsilon) + beta as x * multiplier + offset: the multiplier is rounded to binary64 once, the offset is
 * beta - mean * multiplier, exact. false if variance + epsilon <= 0 or the multiplier is beyond binary64. */
bool rational_batch_norm(Arena *arena, double gamma, double beta, double mean, double variance, double epsilon, Rational *multiplier,
                         Rational *offset);

#endif
