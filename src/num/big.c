/* num/big.c: integers of any size. Sign and magnitude in limbs of 32 bits, so that a product of two limbs and two carries fits a uint64_t.
 *
 * Schoolbook throughout: numbers here have tens of limbs (a float64 and its square, a common denominator), where nothing faster pays.
 * Division is Knuth's algorithm D (The Art of Computer Programming, volume 2, section 4.3.1); the greatest common divisor reduces to like
 * sizes by one division, then shifts and subtracts in place (Stein), so that it leaves two buffers behind and not one a step.
 */
#include "num/big.h"

#include <assert.h>
#include <string.h>

static uint32_t *limbs_new(Arena *arena, size_t n)
{
    assert(n <= UINT32_MAX);
    return arena_array(arena, uint32_t, n);
}

/* Drops leading zeros; zero is not negative. */
static Big big_of(const uint32_t *limb, size_t n, bool negative)
{
    while (n > 0 && limb[n - 1] == 0)
        n--;
    return (Big){.limb = n ? limb : NULL, .n = (uint32_t)n, .negative = negative && n > 0};
}

static Big from_magnitude(Arena *arena, u128 magnitude, bool negative)
{
    uint32_t *limb = limbs_new(arena, 4);
    for (int i = 0; i < 4; i++)
        limb[i] = (uint32_t)(magnitude >> (32 * i));
    return big_of(limb, 4, negative);
}

Big big_from_i128(Arena *arena, i128 value) { return from_magnitude(arena, value < 0 ? -(u128)value : (u128)value, value < 0); }

static u128 low_magnitude(Big a)
{
    u128 low = 0;
    for (uint32_t i = 0; i < a.n && i < 4; i++)
        low |= (u128)a.limb[i] << (32 * i);
    return low;
}

u128 big_low_bits(Big a) { return a.negative ? -low_magnitude(a) : low_magnitude(a); }

bool big_to_i128(Big a, i128 *out)
{
    u128 magnitude = low_magnitude(a), limit = (u128)1 << 127;
    if (a.n > 4 || magnitude > limit || (magnitude == limit && !a.negative))
        return false;
    *out = (i128)big_low_bits(a);
    return true;
}

Big big_neg(Big a)
{
    a.negative = a.n > 0 && !a.negative;
    return a;
}

static int compare_magnitude(Big a, Big b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    for (uint32_t i = a.n; i-- > 0;) {
        if (a.limb[i] != b.limb[i])
            return a.limb[i] < b.limb[i] ? -1 : 1;
    }
    return 0;
}

int big_compare(Big a, Big b)
{
    if (a.negative != b.negative)
        return a.negative ? -1 : 1;
    return a.negative ? compare_magnitude(b, a) : compare_magnitude(a, b);
}

static Big add_magnitude(Arena *arena, Big a, Big b, bool negative)
{
    uint32_t n = u32_max(a.n, b.n);
    uint32_t *limb = limbs_new(arena, (size_t)n + 1);
    uint64_t carry = 0;
    for (uint32_t i = 0; i < n; i++) {
        carry += (uint64_t)(i < a.n ? a.limb[i] : 0) + (i < b.n ? b.limb[i] : 0);
        limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    limb[n] = (uint32_t)carry;
    return big_of(limb, (size_t)n + 1, negative);
}

/* x -= y in place, |x| >= |y| */
static void subtract_in_place(uint32_t *x, uint32_t n_x, const uint32_t *y, uint32_t n_y)
{
    uint64_t borrow = 0;
    for (uint32_t i = 0; i < n_x && (i < n_y || borrow); i++) {
        uint64_t d = (uint64_t)x[i] - (i < n_y ? y[i] : 0) - borrow;
        x[i] = (uint32_t)d;
        borrow = d >> 63;
    }
    assert(borrow == 0);
}

Big big_add(Arena *arena, Big a, Big b)
{
    if (a.negative == b.negative)
        return add_magnitude(arena, a, b, a.negative);
    if (compare_magnitude(a, b) < 0)
        return big_add(arena, b, a);
    if (b.n == 0)
        return a;
    uint32_t *limb = limbs_new(arena, a.n);
    memcpy(limb, a.limb, a.n * sizeof *limb);
    subtract_in_place(limb, a.n, b.limb, b.n);
    return big_of(limb, a.n, a.negative);
}

Big big_sub(Arena *arena, Big a, Big b) { return big_add(arena, a, big_neg(b)); }

Big big_mul(Arena *arena, Big a, Big b)
{
    if (a.n == 0 || b.n == 0)
        return (Big){0};
    uint32_t *limb = limbs_new(arena, (size_t)a.n + b.n);
    for (uint32_t i = 0; i < a.n; i++) {
        uint64_t carry = 0;
        for (uint32_t j = 0; j < b.n; j++) {
            carry += (uint64_t)a.limb[i] * b.limb[j] + limb[i + j];
            limb[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        limb[i + b.n] = (uint32_t)carry;
    }
    return big_of(limb, (size_t)a.n + b.n, a.negative != b.negative);
}

/* to[n + 1] = from[n] * 2^shift, shift < 32 */
static void shift_left(uint32_t *to, const uint32_t *from, uint32_t n, uint32_t shift)
{
    uint64_t carry = 0;
    for (uint32_t i = 0; i < n; i++) {
        carry |= (uint64_t)from[i] << shift;
        to[i] = (uint32_t)carry;
        carry >>= 32;
    }
    to[n] = (uint32_t)carry;
}

/* to[n - shift / 32] = floor(from[n] / 2^shift); to == from is allowed */
static void shift_right(uint32_t *to, const uint32_t *from, uint32_t n, uint32_t shift)
{
    uint32_t skip = shift / 32, bits = shift % 32;
    for (uint32_t i = skip; i < n; i++) {
        uint64_t pair = from[i] | (i + 1 < n ? (uint64_t)from[i + 1] << 32 : 0);
        to[i - skip] = (uint32_t)(pair >> bits);
    }
}

Big big_shl(Arena *arena, Big a, uint32_t shift)
{
    if (a.n == 0 || shift == 0)
        return a;
    uint32_t skip = shift / 32;
    uint32_t *limb = limbs_new(arena, (size_t)a.n + skip + 1);
    shift_left(limb + skip, a.limb, a.n, shift % 32);
    return big_of(limb, (size_t)a.n + skip + 1, a.negative);
}

static bool has_bits_below(Big a, uint32_t shift) { return a.n > 0 && big_trailing_zeros(a) < shift; }

Big big_shr_floor(Arena *arena, Big a, uint32_t shift)
{
    if (a.n == 0 || shift == 0)
        return a;
    bool lower = a.negative && has_bits_below(a, shift);
    uint32_t skip = shift / 32;
    Big shifted = {0};
    if (skip < a.n) {
        uint32_t *limb = limbs_new(arena, a.n - skip);
        shift_right(limb, a.limb, a.n, shift);
        shifted = big_of(limb, a.n - skip, a.negative);
    }
    return lower ? big_add(arena, shifted, big_from_i128(arena, -1)) : shifted;
}

/* Division by one limb: the quotient into limb[a.n], which may be a's own; gives the remainder. */
static uint32_t divide_by_limb(uint32_t *limb, const uint32_t *from, uint32_t n, uint32_t divisor)
{
    uint64_t rest = 0;
    for (uint32_t i = n; i-- > 0;) {
        rest = rest << 32 | from[i];
        limb[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    return (uint32_t)rest;
}

/* x[n + 1] -= factor * y[n]; true if that borrowed from beyond */
static bool subtract_product(uint32_t *x, const uint32_t *y, uint32_t n, uint32_t factor)
{
    uint64_t carry = 0, borrow = 0;
    for (uint32_t i = 0; i < n; i++) {
        carry += (uint64_t)y[i] * factor;
        uint64_t d = (uint64_t)x[i] - (uint32_t)carry - borrow;
        x[i] = (uint32_t)d;
        borrow = d >> 63;
        carry >>= 32;
    }
    uint64_t d = (uint64_t)x[n] - carry - borrow;
    x[n] = (uint32_t)d;
    return d >> 63;
}

static void add_back(uint32_t *x, const uint32_t *y, uint32_t n)
{
    uint64_t carry = 0;
    for (uint32_t i = 0; i < n; i++) {
        carry += (uint64_t)x[i] + y[i];
        x[i] = (uint32_t)carry;
        carry >>= 32;
    }
    x[n] += (uint32_t)carry;
}

/* Algorithm D on magnitudes, |a| >= |b|, b of two limbs at least. */
static void divide_long(Arena *arena, Big a, Big b, Big *q, Big *r)
{
    uint32_t shift = (uint32_t)__builtin_clz(b.limb[b.n - 1]);
    uint32_t *u = limbs_new(arena, (size_t)a.n + 1), *v = limbs_new(arena, (size_t)b.n + 1), n = b.n;
    uint32_t *quotient = limbs_new(arena, (size_t)a.n - n + 1);
    shift_left(u, a.limb, a.n, shift);
    shift_left(v, b.limb, n, shift);
    for (uint32_t j = a.n - n + 1; j-- > 0;) {
        uint64_t top = (uint64_t)u[j + n] << 32 | u[j + n - 1];
        uint64_t guess = top / v[n - 1], rest = top % v[n - 1];
        while (guess >> 32 || guess * v[n - 2] > (rest << 32 | u[j + n - 2])) {
            guess--;
            rest += v[n - 1];
            if (rest >> 32)
                break;
        }
        if (subtract_product(u + j, v, n, (uint32_t)guess)) {
            guess--;
            add_back(u + j, v, n);
        }
        quotient[j] = (uint32_t)guess;
    }
    shift_right(u, u, n + 1, shift);
    *q = big_of(quotient, (size_t)a.n - n + 1, false);
    *r = big_of(u, n, false);
}

static void divide_magnitude(Arena *arena, Big a, Big b, Big *q, Big *r)
{
    a.negative = b.negative = false;
    if (compare_magnitude(a, b) < 0) {
        *q = (Big){0};
        *r = a;
    } else if (b.n == 1) {
        uint32_t *limb = limbs_new(arena, a.n), *rest = limbs_new(arena, 1);
        *rest = divide_by_limb(limb, a.limb, a.n, b.limb[0]);
        *q = big_of(limb, a.n, false);
        *r = big_of(rest, 1, false);
    } else {
        divide_long(arena, a, b, q, r);
    }
}

void big_divmod_floor(Arena *arena, Big a, Big b, Big *q, Big *r)
{
    assert(b.n > 0);
    Big quotient, rest;
    divide_magnitude(arena, a, b, &quotient, &rest);
    if (a.negative)
        rest = big_neg(rest);
    if (a.negative != b.negative)
        quotient = big_neg(quotient);
    /* that was division toward zero, whose remainder has a's sign; the floor is one lower where the signs differ */
    if (a.negative != b.negative && rest.n > 0) {
        quotient = big_sub(arena, quotient, big_from_i128(arena, 1));
        rest = big_add(arena, rest, b);
    }
    if (q)
        *q = quotient;
    if (r)
        *r = rest;
}

uint32_t big_bits(Big a) { return a.n ? 32 * a.n - (uint32_t)__builtin_clz(a.limb[a.n - 1]) : 0; }

uint32_t big_trailing_zeros(Big a)
{
    for (uint32_t i = 0; i < a.n; i++) {
        if (a.limb[i])
            return 32 * i + (uint32_t)__builtin_ctz(a.limb[i]);
    }
    return 0;
}

static u128 gcd_u128(u128 a, u128 b)
{
    while (b) {
        u128 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A copy of a / 2^trailing zeros that may be written to; odd. */
static uint32_t *odd_copy(Arena *arena, Big a, uint32_t *n)
{
    uint32_t zeros = big_trailing_zeros(a);
    uint32_t *limb = limbs_new(arena, a.n);
    shift_right(limb, a.limb, a.n, zeros);
    *n = big_of(limb, a.n - zeros / 32, false).n;
    return limb;
}

/* Both odd and not zero, of like size: the larger minus the smaller is even, and loses its zeros at once. */
static Big gcd_odd(uint32_t *x, uint32_t n_x, uint32_t *y, uint32_t n_y)
{
    for (;;) {
        Big a = big_of(x, n_x, false), b = big_of(y, n_y, false);
        int order = compare_magnitude(a, b);
        if (order == 0)
            return a;
        if (order < 0) {
            uint32_t *swap = x;
            x = y;
            y = swap;
            uint32_t n = n_x;
            n_x = n_y;
            n_y = n;
        }
        subtract_in_place(x, n_x, y, n_y);
        a = big_of(x, n_x, false);
        uint32_t zeros = big_trailing_zeros(a);
        shift_right(x, x, a.n, zeros);
        n_x = big_of(x, a.n - zeros / 32, false).n;
    }
}

Big big_gcd(Arena *arena, Big a, Big b)
{
    a.negative = b.negative = false;
    if (compare_magnitude(a, b) < 0)
        return big_gcd(arena, b, a);
    if (b.n > 0 && a.n > b.n + 1) {
        Big q;
        divide_magnitude(arena, a, b, &q, &a);
        return big_gcd(arena, b, a);
    }
    if (b.n == 0)
        return a;
    if (a.n <= 4)
        return from_magnitude(arena, gcd_u128(low_magnitude(a), low_magnitude(b)), false);
    uint32_t zeros = u32_min(big_trailing_zeros(a), big_trailing_zeros(b)), n_x, n_y;
    uint32_t *x = odd_copy(arena, a, &n_x), *y = odd_copy(arena, b, &n_y);
    return big_shl(arena, gcd_odd(x, n_x, y, n_y), zeros);
}
