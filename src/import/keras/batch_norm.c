/* import/keras/batch_norm.c: gamma / sqrt(variance) with one rounding, the only number of a batch norm that is not rational.
 *
 * A double m is the result iff it is nearest, that is, iff with its neighbours' midpoints a and b:   a^2 variance <= gamma^2 <= b^2 variance,
 * decided over rationals. The quotient of the machine is off by 2 ulp at most, so a few steps from there suffice.
 */
#include <math.h>
#include <string.h>

#include "import/keras/keras.h"

static Rational half_way(Arena *arena, double a, double b)
{
    Rational sum = rational_add(arena, rational_from_double(arena, a), rational_from_double(arena, b));
    return rational_mul(arena, sum, rational_from_i64(arena, 1, 2));
}

static bool is_odd(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits & 1;
}

double inverse_root_times(Arena *arena, double gamma, Rational variance)
{
    double root = sqrt(rational_to_double(variance)), m = fabs(gamma) / root;
    if (gamma == 0 || m == 0 || !isfinite(m) || !isfinite(nextafter(m, INFINITY)))
        return copysign(m, gamma);
    Rational g = rational_from_double(arena, gamma), square = rational_mul(arena, g, g);
    for (;;) {
        double below = nextafter(m, 0), above = nextafter(m, INFINITY);
        Rational a = half_way(arena, below, m), b = half_way(arena, m, above);
        int low = rational_compare(arena, square, rational_mul(arena, rational_mul(arena, a, a), variance));
        int high = rational_compare(arena, square, rational_mul(arena, rational_mul(arena, b, b), variance));
        if (low < 0 || (low == 0 && is_odd(m)))
            m = below;
        else if (high > 0 || (high == 0 && is_odd(m)))
            m = above;
        else
            return copysign(m, gamma);
    }
}
