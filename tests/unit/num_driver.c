/* The other end of num_oracle.py: reads a case a line, prints its result a line. Numbers are decimal, doubles the 16 hexadecimal digits of
 * their bits, types a user's text.
 *
 *     raw TYPE FRAC LO HI        quantise_raw of every raw in [LO, HI]; '!' after a result that counted as overflow
 *     rational TYPE FRAC LO HI   the same through quantise_rational
 *     fraction TYPE A            quantise_rational of the rational A
 *     double TYPE BITS           quantise_double: result, overflows, nans, infinities
 *     to_double RAW FRAC         fixed_to_double
 *     nearest A                  rational_to_double
 *     exact BITS                 rational_from_double
 *     add|sub|mul|div|cmp A B    rationals;  floor|ceil A
 *     divmod|gcd A B             integers
 *     dyadic A                   raw and frac, or "none"
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "num/big.h"

#define MAX_WORDS 6

typedef struct Line {
    Arena *arena;
    Text out;
    const char *word[MAX_WORDS];
    uint32_t n;
} Line;

static void fail(const char *what, const char *text)
{
    fprintf(stderr, "num_driver: %s: %s\n", what, text);
    exit(2);
}

static const char *word(const Line *line, uint32_t i)
{
    if (i >= line->n)
        fail("too few words after", line->word[0]);
    return line->word[i];
}

static Quantiser word_type(const Line *line, uint32_t i)
{
    Quantiser q;
    const char *why;
    if (!quantiser_parse(line->arena, word(line, i), &q, &why))
        fail(why, line->word[i]);
    return q;
}

static i128 word_i128(const Line *line, uint32_t i)
{
    i128 value;
    if (!text_to_i128(word(line, i), &value))
        fail("no integer", line->word[i]);
    return value;
}

static double word_double(const Line *line, uint32_t i)
{
    uint64_t bits = strtoull(word(line, i), NULL, 16);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static Rational word_rational(const Line *line, uint32_t i)
{
    Rational value;
    if (!rational_parse(line->arena, word(line, i), &value))
        fail("no rational", line->word[i]);
    return value;
}

static Big word_big(const Line *line, uint32_t i)
{
    Big value;
    if (!big_parse(line->arena, word(line, i), &value))
        fail("no integer", line->word[i]);
    return value;
}

static void put_bits(Text *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    text_add(out, "%016" PRIx64, bits);
}

static void quantise_range(Line *line, bool through_rational)
{
    Quantiser q = word_type(line, 1);
    int32_t frac = (int32_t)word_i128(line, 2);
    i128 hi = word_i128(line, 4);
    for (i128 raw = word_i128(line, 3); raw <= hi; raw++) {
        QuantiserCounts counts = {0};
        i128 result = through_rational ? quantise_rational(line->arena, rational_from_raw(line->arena, raw, frac), &q, &counts)
                                       : quantise_raw(raw, frac, &q, &counts);
        text_put_i128(&line->out, result);
        text_put(&line->out, counts.overflows ? "! " : " ");
    }
}

static void quantise_one_double(Line *line)
{
    Quantiser q = word_type(line, 1);
    QuantiserCounts counts = {0};
    text_put_i128(&line->out, quantise_double(word_double(line, 2), &q, &counts));
    text_add(&line->out, " %d %d %d", (int)counts.overflows, (int)counts.nans, (int)counts.infinities);
}

static void quantise_fraction(Line *line)
{
    Quantiser q = word_type(line, 1);
    QuantiserCounts counts = {0};
    text_put_i128(&line->out, quantise_rational(line->arena, word_rational(line, 2), &q, &counts));
    text_put(&line->out, counts.overflows ? "!" : "");
}

static void dyadic(Line *line)
{
    i128 raw;
    int32_t frac;
    if (!rational_to_dyadic(word_rational(line, 1), &raw, &frac)) {
        text_put(&line->out, "none");
        return;
    }
    text_put_i128(&line->out, raw);
    text_add(&line->out, " %d", (int)frac);
}

static void division(Line *line)
{
    Big q, r;
    big_divmod_floor(line->arena, word_big(line, 1), word_big(line, 2), &q, &r);
    text_put_big(&line->out, q);
    text_put(&line->out, " ");
    text_put_big(&line->out, r);
}

static bool arithmetic(Line *line)
{
    const char *verb = line->word[0];
    Arena *arena = line->arena;
    if (text_equal(verb, "add"))
        text_put_rational(&line->out, rational_add(arena, word_rational(line, 1), word_rational(line, 2)));
    else if (text_equal(verb, "sub"))
        text_put_rational(&line->out, rational_sub(arena, word_rational(line, 1), word_rational(line, 2)));
    else if (text_equal(verb, "mul"))
        text_put_rational(&line->out, rational_mul(arena, word_rational(line, 1), word_rational(line, 2)));
    else if (text_equal(verb, "div"))
        text_put_rational(&line->out, rational_div(arena, word_rational(line, 1), word_rational(line, 2)));
    else if (text_equal(verb, "cmp"))
        text_add(&line->out, "%d", rational_compare(arena, word_rational(line, 1), word_rational(line, 2)));
    else if (text_equal(verb, "floor"))
        text_put_big(&line->out, rational_floor(arena, word_rational(line, 1)));
    else if (text_equal(verb, "ceil"))
        text_put_big(&line->out, rational_ceil(arena, word_rational(line, 1)));
    else if (text_equal(verb, "divmod"))
        division(line);
    else if (text_equal(verb, "gcd"))
        text_put_big(&line->out, big_gcd(arena, word_big(line, 1), word_big(line, 2)));
    else
        return false;
    return true;
}

static void answer(Line *line)
{
    const char *verb = line->word[0];
    if (text_equal(verb, "raw"))
        quantise_range(line, false);
    else if (text_equal(verb, "rational"))
        quantise_range(line, true);
    else if (text_equal(verb, "fraction"))
        quantise_fraction(line);
    else if (text_equal(verb, "double"))
        quantise_one_double(line);
    else if (text_equal(verb, "to_double"))
        put_bits(&line->out, fixed_to_double(word_i128(line, 1), (int32_t)word_i128(line, 2)));
    else if (text_equal(verb, "nearest"))
        put_bits(&line->out, rational_to_double(word_rational(line, 1)));
    else if (text_equal(verb, "exact"))
        text_put_rational(&line->out, rational_from_double(line->arena, word_double(line, 1)));
    else if (text_equal(verb, "dyadic"))
        dyadic(line);
    else if (!arithmetic(line))
        fail("unknown", verb);
}

int main(void)
{
    char *text = NULL;
    size_t cap = 0;
    while (getline(&text, &cap, stdin) > 0) {
        Line line = {.arena = arena_create(NULL)};
        line.out = text_init(line.arena);
        char *rest = NULL;
        for (char *w = strtok_r(text, " \n", &rest); w && line.n < MAX_WORDS; w = strtok_r(NULL, " \n", &rest))
            line.word[line.n++] = w;
        if (line.n == 0)
            fail("empty", "line");
        answer(&line);
        puts(line.out.at);
        arena_destroy(line.arena);
    }
    free(text);
    return 0;
}
