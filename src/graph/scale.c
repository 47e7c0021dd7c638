/* graph/scale.c: value = raw * 2^-frac * multiplier + offset. */
#include "graph/inside.h"

static const uint32_t one_limb[] = {1};

Rational rational_one(void) { return (Rational){.num = {.limb = one_limb, .n = 1}, .den = {.limb = one_limb, .n = 1}}; }

Rational rational_zero(void) { return (Rational){.den = {.limb = one_limb, .n = 1}}; }

Rational scale_multiplier_at(const Scale *scale, Shape shape, uint32_t element)
{
    return scale_is_identity(scale) ? rational_one() : scale->multiplier[spread_index(scale->spread, shape, element)];
}

Rational scale_offset_at(const Scale *scale, Shape shape, uint32_t element)
{
    return scale_is_identity(scale) ? rational_zero() : scale->offset[spread_index(scale->spread, shape, element)];
}

double scale_real(Arena *scratch, const Scale *scale, const TypeMap *type, Shape shape, uint32_t element, i128 raw)
{
    int32_t frac = type_at(type, shape, element).frac;
    if (scale_is_identity(scale))
        return fixed_to_double(raw, frac);
    uint32_t k = spread_index(scale->spread, shape, element);
    Rational value = rational_mul(scratch, rational_from_raw(scratch, raw, frac), scale->multiplier[k]);
    return rational_to_double(rational_add(scratch, value, scale->offset[k]));
}

static uint32_t scale_count(const Scale *scale, Shape shape) { return scale_is_identity(scale) ? 0 : spread_count(scale->spread, shape); }

bool scale_is_uniform(const Scale *scale, Shape shape)
{
    for (uint32_t i = 1, n = scale_count(scale, shape); i < n; i++)
        if (!rational_equal(scale->multiplier[i], scale->multiplier[0]) || !rational_equal(scale->offset[i], scale->offset[0]))
            return false;
    return true;
}

bool scale_is_positive(const Scale *scale, Shape shape)
{
    for (uint32_t i = 0, n = scale_count(scale, shape); i < n; i++)
        if (rational_sign(scale->multiplier[i]) < 0)
            return false;
    return true;
}

bool scale_has_offset(const Scale *scale, Shape shape)
{
    for (uint32_t i = 0, n = scale_count(scale, shape); i < n; i++)
        if (rational_sign(scale->offset[i]) != 0)
            return true;
    return false;
}

bool scale_equal(const Scale *a, const Scale *b, Shape shape)
{
    bool alike = a->spread.kind == b->spread.kind && a->spread.axis == b->spread.axis && !scale_is_identity(a) && !scale_is_identity(b);
    uint32_t n = alike ? spread_count(a->spread, shape) : scale_is_identity(a) && scale_is_identity(b) ? 0 : shape_size(shape);
    for (uint32_t i = 0; i < n; i++) {
        Rational ma = alike ? a->multiplier[i] : scale_multiplier_at(a, shape, i), oa = alike ? a->offset[i] : scale_offset_at(a, shape, i);
        Rational mb = alike ? b->multiplier[i] : scale_multiplier_at(b, shape, i), ob = alike ? b->offset[i] : scale_offset_at(b, shape, i);
        if (!rational_equal(ma, mb) || !rational_equal(oa, ob))
            return false;
    }
    return true;
}

Rational scale_value(Arena *arena, const Scale *scale, Shape shape, uint32_t element, i128 raw, FixedType type)
{
    Rational value = raw == 0 ? rational_zero() : rational_from_raw(arena, raw, type.frac);
    if (scale_is_identity(scale))
        return value;
    uint32_t i = spread_index(scale->spread, shape, element);
    return rational_add(arena, rational_mul(arena, value, scale->multiplier[i]), scale->offset[i]);
}

Scale scale_compress(Arena *arena, Shape shape, const Rational *multiplier, const Rational *offset)
{
    uint32_t n = shape_size(shape);
    for (uint32_t axis = 0; axis <= shape.rank; axis++) {
        Spread spread = axis == 0 ? SPREAD_ONE : (Spread){SPREAD_CHANNEL, shape.rank - axis}; /* the last axis first */
        uint32_t count = spread_count(spread, shape), element = 0;
        uint32_t *first = arena_array(arena, uint32_t, count); /* element + 1 that stands for the channel */
        for (; element < n; element++) {
            uint32_t *i = &first[spread_index(spread, shape, element)];
            if (*i == 0)
                *i = element + 1;
            else if (!rational_equal(multiplier[*i - 1], multiplier[element]) || !rational_equal(offset[*i - 1], offset[element]))
                break;
        }
        if (element < n)
            continue;
        Rational *m = arena_array(arena, Rational, count), *o = arena_array(arena, Rational, count);
        for (uint32_t i = 0; i < count; i++) {
            m[i] = multiplier[first[i] - 1];
            o[i] = offset[first[i] - 1];
        }
        return (Scale){spread, m, o};
    }
    return (Scale){{SPREAD_ELEMENT, 0}, multiplier, offset};
}

void scale_drop_identity(Shape shape, Scale *scale)
{
    bool one = !scale_has_offset(scale, shape);
    for (uint32_t i = 0, n = scale_count(scale, shape); i < n; i++)
        one &= rational_equal(scale->multiplier[i], rational_one());
    if (one)
        *scale = (Scale){0};
}

void scale_normalise(Arena *arena, Shape shape, TypeMap *type, Scale *scale)
{
    scale_drop_identity(shape, scale);
    if (scale_is_identity(scale) || scale_has_offset(scale, shape))
        return;
    uint32_t n_scale = spread_count(scale->spread, shape);
    for (uint32_t i = 0; i < n_scale; i++) {
        int32_t power;
        if (!rational_power_of_two(scale->multiplier[i], &power) || power > FIXED_MAX_FRAC || power < -FIXED_MAX_FRAC)
            return;
    }
    Spread both = type->spread;
    if (both.kind == SPREAD_UNIFORM)
        both = scale->spread;
    else if (scale->spread.kind != SPREAD_UNIFORM && (scale->spread.kind != both.kind || scale->spread.axis != both.axis))
        both = (Spread){SPREAD_ELEMENT, 0};
    uint32_t n = spread_count(both, shape);
    FixedType *at = arena_array(arena, FixedType, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t t = both.kind == SPREAD_ELEMENT ? spread_index(type->spread, shape, i) : type->spread.kind == SPREAD_UNIFORM ? 0 : i;
        uint32_t s = both.kind == SPREAD_ELEMENT ? spread_index(scale->spread, shape, i) : scale->spread.kind == SPREAD_UNIFORM ? 0 : i;
        int32_t power = 0;
        rational_power_of_two(scale->multiplier[s], &power);
        at[i] = type->at[t];
        at[i].frac -= power;
    }
    *type = (TypeMap){both, at};
    *scale = (Scale){0};
}
