/* The small forms that users and files write: fixed-point types, quantisers, rationals, numbers. Each is a string; all readers get it. */
#include <string.h>

#include "fuzz.h"
#include "num/big.h"
#include "num/fixed.h"

#define MOST 2048u

static void types(Arena *arena, const char *string)
{
    Quantiser q, again;
    const char *why = NULL;
    if (quantiser_parse(arena, string, &q, &why)) {
        const char *text = quantiser_text(arena, &q);
        FUZZ_MUST(quantiser_parse(arena, text, &again, &why) && quantiser_equal(q, again));
        FUZZ_MUST(q.type.bits <= FIXED_MAX_BITS && q.type.frac <= FIXED_MAX_FRAC && q.type.frac >= -FIXED_MAX_FRAC);
        FUZZ_MUST(fixed_min(q.type) <= quantiser_min(&q) && quantiser_min(&q) <= fixed_max(q.type));
        (void)quantise_double(1.25, &q, NULL);
        (void)quantise_raw(-12345, 7, &q, NULL);
    } else {
        FUZZ_MUST(why != NULL && why[0] != '\0');
    }
    FixedType type, type_again;
    if (fixed_parse(string, &type))
        FUZZ_MUST(fixed_parse(fixed_text(arena, type), &type_again) && fixed_equal(type, type_again));
    Rounding rounding;
    Overflow overflow;
    if (rounding_parse(string, &rounding))
        FUZZ_MUST(rounding < ROUNDING_COUNT && rounding_text(rounding)[0] != '\0');
    if (overflow_parse(string, &overflow))
        FUZZ_MUST(overflow < OVERFLOW_COUNT && overflow_text(overflow)[0] != '\0');
}

static void rationals(Arena *arena, const char *string)
{
    Rational value, again;
    if (rational_parse(arena, string, &value)) {
        Text text = text_init(arena);
        text_put_rational(&text, value);
        FUZZ_MUST(rational_parse(arena, text.at, &again) && rational_equal(value, again));
        double real = rational_to_double(value);
        FUZZ_MUST(real == real && (real > 0) <= (rational_sign(value) > 0));
    }
    Big big, big_again;
    if (big_parse(arena, string, &big)) {
        Text text = text_init(arena);
        text_put_big(&text, big);
        FUZZ_MUST(big_parse(arena, text.at, &big_again) && big_compare(big, big_again) == 0);
    }
}

static void numbers(Arena *arena, const char *string)
{
    Text text = text_init(arena);
    double real, real_again;
    if (text_to_double(string, &real)) {
        text_put_double(&text, real);
        FUZZ_MUST(text_to_double(text.at, &real_again) && (memcmp(&real, &real_again, sizeof real) == 0 || real != real));
    }
    int64_t whole;
    i128 wide, wide_again;
    if (text_to_i64(string, &whole))
        FUZZ_MUST(text_to_i128(string, &wide) && wide == whole);
    if (text_to_i128(string, &wide))
        FUZZ_MUST(text_to_i128(text_i128(arena, wide), &wide_again) && wide_again == wide);
    for (int32_t frac = -3; frac <= 70; frac += 7) {
        Text dyadic = text_init(arena);
        if (!text_to_dyadic(string, frac, &wide))
            continue;
        text_put_dyadic(&dyadic, wide, frac);
        FUZZ_MUST(text_to_dyadic(dyadic.at, frac, &wide_again) && wide_again == wide);
    }
}

static void texts(Arena *arena, const char *string)
{
    static const char *const names[] = {"dense", "conv2d", "relu", "quantise"};
    (void)text_nearest(string, names, COUNT_OF(names));
    const char *printable = text_printable(arena, string, 40);
    for (const char *c = printable; *c; c++)
        FUZZ_MUST((unsigned char)*c >= ' ' && *c != 127);
}

static void body(Arena *arena, Bytes bytes, DiagList *diags)
{
    (void)diags;
    const char *string = fuzz_string(arena, bytes, MOST);
    types(arena, string);
    rationals(arena, string);
    numbers(arena, string);
    texts(arena, string);
}
FUZZ_TARGET(body)
