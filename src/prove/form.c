/* prove/form.c: integer combinations of cut points, exact or refused: what a cone of adders is, whatever its shape. */
#include "prove/inside.h"

/* The bracket's reach: factors times their points' intervals, which is exact because the points vary alone. */
static bool find_range(const Points *points, Form *form)
{
    Interval sum = interval_point(form->constant);
    for (uint32_t i = 0; i < form->n; i++) {
        Interval product;
        if (!interval_mul(interval_point(form->term[i].factor), points->at[form->term[i].point].range, &product) ||
            !interval_add(sum, product, &sum))
            return false;
    }
    form->range = sum;
    return true;
}

void form_of_constant(i128 raw, int32_t frac, Form *out) { *out = (Form){.constant = raw, .frac = frac, .range = interval_point(raw)}; }

bool form_of_point(Arena *arena, const Points *points, uint32_t point, Form *out)
{
    const Point *p = &points->at[point];
    if (interval_is_point(p->range)) {
        form_of_constant(p->range.lo, p->frac, out);
        return true;
    }
    *out = (Form){.term = arena_new(arena, Term), .n = 1, .frac = p->frac};
    out->term[0] = (Term){point, 1};
    return find_range(points, out);
}

static bool raised(i128 value, int64_t up, i128 *out)
{
    if (value == 0) {
        *out = 0;
        return true;
    }
    if (up < 0 || up + bits_signed(value) > 120)
        return false;
    *out = (i128)((u128)value << up);
    return true;
}

bool form_add(Arena *arena, const Points *points, const Form *x, const Form *y, int32_t shift, bool negative, Form *out)
{
    int64_t frac_y = (int64_t)y->frac - shift, frac = x->frac > frac_y ? x->frac : frac_y;
    i128 a, b;
    if (frac != (int32_t)frac || !raised(x->constant, frac - x->frac, &a) || !raised(y->constant, frac - frac_y, &b))
        return false;
    *out = (Form){.term = arena_array(arena, Term, (size_t)x->n + y->n), .constant = negative ? a - b : a + b, .frac = (int32_t)frac};
    for (uint32_t i = 0, k = 0; i < x->n || k < y->n;) {
        uint32_t at_x = i < x->n ? x->term[i].point : UINT32_MAX, at_y = k < y->n ? y->term[k].point : UINT32_MAX;
        uint32_t point = u32_min(at_x, at_y);
        a = b = 0;
        if (at_x == point && !raised(x->term[i++].factor, frac - x->frac, &a))
            return false;
        if (at_y == point && !raised(y->term[k++].factor, frac - frac_y, &b))
            return false;
        i128 factor = negative ? a - b : a + b;
        if (factor != 0)
            out->term[out->n++] = (Term){point, factor};
    }
    return find_range(points, out);
}

bool form_scale(Arena *arena, const Points *points, const Form *x, i128 factor, int32_t frac, Form *out)
{
    *out = (Form){.term = arena_array(arena, Term, x->n), .frac = x->frac + frac};
    if (__builtin_mul_overflow(x->constant, factor, &out->constant) || bits_signed(out->constant) > 120)
        return false;
    for (uint32_t i = 0; i < x->n && factor != 0; i++) {
        i128 product;
        if (__builtin_mul_overflow(x->term[i].factor, factor, &product) || bits_signed(product) > 120)
            return false;
        out->term[out->n++] = (Term){x->term[i].point, product};
    }
    return find_range(points, out);
}

bool form_on_grid(const Form *x, int32_t frac)
{
    bool zero = x->range.lo == 0 && x->range.hi == 0;
    return zero || frac >= x->frac || (int64_t)x->frac - frac <= x->range.zeros;
}

bool form_fits(const Form *x, FixedType type)
{
    int64_t up = (int64_t)type.frac - x->frac;
    Interval moved = x->range;
    if (x->range.lo == 0 && x->range.hi == 0)
        return true;
    if (!form_on_grid(x, type.frac) || up > 100 || (up > 0 && !interval_shl(x->range, (uint32_t)up, &moved)))
        return false;
    if (up < 0)
        moved = interval_shr(x->range, (uint32_t)-up);
    return interval_fits(moved, type);
}

static bool same(i128 a, i128 b, int64_t modulus_log2)
{
    if (modulus_log2 >= 127)
        return a == b;
    return modulus_log2 <= 0 || (((u128)a - (u128)b) & (((u128)1 << modulus_log2) - 1)) == 0;
}

bool form_equal(const Form *x, const Form *y, int32_t top_log2)
{
    int32_t frac = x->frac > y->frac ? x->frac : y->frac;
    int64_t modulus = top_log2 == INT32_MAX ? 127 : (int64_t)top_log2 + frac;
    i128 a, b;
    if (!raised(x->constant, frac - x->frac, &a) || !raised(y->constant, frac - y->frac, &b) || !same(a, b, modulus))
        return false;
    for (uint32_t i = 0, k = 0; i < x->n || k < y->n;) {
        uint32_t at_x = i < x->n ? x->term[i].point : UINT32_MAX, at_y = k < y->n ? y->term[k].point : UINT32_MAX;
        uint32_t point = u32_min(at_x, at_y);
        a = b = 0;
        if (at_x == point && !raised(x->term[i++].factor, frac - x->frac, &a))
            return false;
        if (at_y == point && !raised(y->term[k++].factor, frac - y->frac, &b))
            return false;
        if (!same(a, b, modulus))
            return false;
    }
    return true;
}
