/* base/dyadic.c: numbers raw * 2^-frac in decimal, both ways, exact.
 *
 * A dyadic number with f fractional bits has at most f decimal places: raw * 2^-f = raw * 5^f / 10^f. Limbs hold nine decimal digits.
 * Writing multiplies, reading doubles the fraction once a bit and takes what it carries: both O(digits * f), a few operations at usual
 * widths.
 */
#include <assert.h>
#include <string.h>

#include "base/text.h"

#define LIMB        1000000000u
#define DYADIC_MOST 4096
#define LIMBS_MOST  330u /* 2^128 * 5^4096 has 2902 digits */

/* Lowest limb first. */
typedef struct Decimal {
    uint32_t n;
    uint32_t limb[LIMBS_MOST];
} Decimal;

static u128 magnitude(i128 value) { return value < 0 ? -(u128)value : (u128)value; }

static void decimal_scale(Decimal *decimal, uint32_t factor)
{
    uint64_t carry = 0;
    for (uint32_t i = 0; i < decimal->n; i++) {
        carry += (uint64_t)decimal->limb[i] * factor;
        decimal->limb[i] = (uint32_t)(carry % LIMB);
        carry /= LIMB;
    }
    if (carry) {
        assert(decimal->n < LIMBS_MOST);
        decimal->limb[decimal->n++] = (uint32_t)carry;
    }
}

static void decimal_scale_power(Decimal *decimal, uint32_t base, uint32_t power)
{
    for (; power >= 12; power -= 12) /* 5^12 is the highest power of five below 2^32 */
        decimal_scale(decimal, base == 5 ? 244140625u : 4096u);
    for (; power; power--)
        decimal_scale(decimal, base);
}

/* An odd number times 5^frac does not end in 0, so with raw made odd first the digits are the shortest. */
void text_put_dyadic(Text *text, i128 raw, int32_t frac)
{
    if (raw == 0) {
        text_put_char(text, '0');
        return;
    }
    u128 rest = magnitude(raw);
    for (; frac > 0 && !(rest & 1); frac--)
        rest >>= 1;
    assert(frac >= -DYADIC_MOST && frac <= DYADIC_MOST);
    Decimal decimal = {.n = 0};
    for (; rest; rest /= LIMB)
        decimal.limb[decimal.n++] = (uint32_t)(rest % LIMB);
    decimal_scale_power(&decimal, frac > 0 ? 5 : 2, (uint32_t)(frac > 0 ? frac : -frac));

    char digits[9 * LIMBS_MOST];
    uint32_t n = 0; /* from the highest digit that is not 0 */
    for (uint32_t i = decimal.n; i-- > 0;)
        for (uint32_t unit = LIMB / 10; unit; unit /= 10) {
            char digit = (char)('0' + decimal.limb[i] / unit % 10);
            if (n || digit != '0')
                digits[n++] = digit;
        }
    uint32_t n_frac = frac > 0 ? (uint32_t)frac : 0;
    if (raw < 0)
        text_put_char(text, '-');
    if (n <= n_frac) {
        text_put(text, "0.");
        for (uint32_t i = n; i < n_frac; i++)
            text_put_char(text, '0');
        text_put_bytes(text, digits, n);
    } else {
        text_put_bytes(text, digits, n - n_frac);
        if (n_frac) {
            text_put_char(text, '.');
            text_put_bytes(text, digits + n - n_frac, n_frac);
        }
    }
}

/* The fraction of a number, in limbs from the point on. */
typedef struct Fraction {
    uint32_t n; /* without zeros at the end */
    uint32_t limb[DYADIC_MOST / 9 + 1];
} Fraction;

static unsigned fraction_double(Fraction *fraction)
{
    uint32_t carry = 0;
    for (uint32_t i = fraction->n; i-- > 0;) {
        uint32_t twice = 2 * fraction->limb[i] + carry;
        carry = twice >= LIMB;
        fraction->limb[i] = carry ? twice - LIMB : twice;
    }
    while (fraction->n && fraction->limb[fraction->n - 1] == 0)
        fraction->n--;
    return carry;
}

/* digits[n] into limbs; the first limb of the integer part may be short, the last one of the fraction is filled up with zeros. */
static void fraction_read(Fraction *fraction, const char *digits, size_t n)
{
    fraction->n = (uint32_t)((n + 8) / 9);
    for (size_t i = 0; i < 9 * (size_t)fraction->n; i++)
        fraction->limb[i / 9] = 10 * (i % 9 ? fraction->limb[i / 9] : 0) + (i < n ? (uint32_t)(digits[i] - '0') : 0);
}

static void decimal_read(Decimal *decimal, const char *digits, size_t n)
{
    decimal->n = 0;
    for (size_t end = n; end > 0;) {
        size_t begin = end > 9 ? end - 9 : 0;
        uint32_t limb = 0;
        for (size_t i = begin; i < end; i++)
            limb = 10 * limb + (uint32_t)(digits[i] - '0');
        decimal->limb[decimal->n++] = limb;
        end = begin;
    }
}

/* Halves; false if it was odd. */
static bool decimal_halve(Decimal *decimal)
{
    uint32_t carry = 0;
    for (uint32_t i = decimal->n; i-- > 0;) {
        uint32_t limb = decimal->limb[i] + (carry ? LIMB : 0);
        decimal->limb[i] = limb / 2;
        carry = limb & 1;
    }
    while (decimal->n && decimal->limb[decimal->n - 1] == 0)
        decimal->n--;
    return !carry;
}

static bool decimal_value(const Decimal *decimal, u128 *out)
{
    const u128 most = (u128)1 << 127;
    u128 value = 0;
    for (uint32_t i = decimal->n; i-- > 0;) {
        if (value > (most - decimal->limb[i]) / LIMB)
            return false;
        value = value * LIMB + decimal->limb[i];
    }
    *out = value;
    return true;
}

bool text_to_dyadic(const char *text, int32_t frac, i128 *out)
{
    bool negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    size_t n_whole = strspn(text, "0123456789"), n_frac = 0;
    const char *behind = text + n_whole;
    if (*behind == '.') {
        n_frac = strspn(++behind, "0123456789");
        if (behind[n_frac])
            return false;
    } else if (*behind) {
        return false;
    }
    if (n_whole + n_frac == 0)
        return false;
    for (; n_whole && *text == '0'; n_whole--)
        text++;
    while (n_frac && behind[n_frac - 1] == '0')
        n_frac--;
    if (frac < -DYADIC_MOST || frac > DYADIC_MOST || n_whole > 9 * (LIMBS_MOST - 1) || (n_frac && (frac < 0 || n_frac > (size_t)frac)))
        return false;

    Decimal whole;
    decimal_read(&whole, text, n_whole);
    for (int32_t i = frac; i < 0; i++)
        if (!decimal_halve(&whole))
            return false;
    Fraction fraction;
    fraction_read(&fraction, behind, n_frac);
    const u128 most = ((u128)1 << 127) - !negative;
    u128 value;
    if (!decimal_value(&whole, &value))
        return false;
    for (int32_t i = 0; i < frac && (value || fraction.n); i++) {
        if (value > most / 2)
            return false;
        value = 2 * value + fraction_double(&fraction);
    }
    if (fraction.n || value > most)
        return false;
    *out = (i128)(negative ? -value : value);
    return true;
}
