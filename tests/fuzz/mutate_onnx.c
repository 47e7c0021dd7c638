/* tests/fuzz/mutate_onnx.c: protobuf messages, changed field by field at any depth.
 *
 *     message = { tag (number << 3 | wire), value }*      wire 0: varint, 1: 8 bytes, 2: length and that many bytes, 5: 4 bytes
 *
 * Bytes that themselves read as a message are taken for one, so no schema is needed. A field is dropped, doubled, put elsewhere, or given
 * another value; every enclosing length follows.
 */
#include <stdlib.h>
#include <string.h>

#include "mutate.h"

enum { MOST_FIELDS = 512, MOST_DEPTH = 8, VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static bool get_varint(const uint8_t *in, size_t n, size_t *at, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; shift < 64 && *at < n; shift += 7) {
        uint8_t byte = in[(*at)++];
        *out |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static size_t put_varint(uint8_t *out, uint64_t value)
{
    size_t n = 0;
    for (; value > 127; value >>= 7)
        out[n++] = (uint8_t)(value | 128);
    out[n++] = (uint8_t)value;
    return n;
}

/* The fields of a message; 0: it is none. */
static size_t scan(const uint8_t *in, size_t n, MutateField *field)
{
    size_t at = 0, found = 0;
    while (at < n && found < MOST_FIELDS) {
        MutateField *f = &field[found++];
        uint64_t tag, length = 0;
        f->at = at;
        if (!get_varint(in, n, &at, &tag) || tag < 8 || tag >> 3 > 1000)
            return 0;
        f->kind = tag & 7;
        if (f->kind == BYTES && (!get_varint(in, n, &at, &length) || length > n - at))
            return 0;
        f->value_at = at;
        if (f->kind == VARINT && !get_varint(in, n, &at, &length))
            return 0;
        size_t size = f->kind == BYTES ? length : f->kind == FIXED64 ? 8 : f->kind == FIXED32 ? 4 : 0;
        if ((f->kind != VARINT && f->kind != BYTES && f->kind != FIXED64 && f->kind != FIXED32) || size > n - at)
            return 0;
        at += size;
        f->value_n = at - f->value_at;
        f->n = at - f->at;
    }
    return at == n ? found : 0;
}

static size_t mutate_message(const uint8_t *in, size_t n, uint8_t *out, size_t most, Rng *rng, int depth);

static uint64_t new_number(uint64_t old, Rng *rng)
{
    static const uint64_t notable[] = {0, 1, 2, 7, 8, 63, 64, 127, 255, 1u << 16, 1u << 28, 0x7fffffff, 0xffffffff, INT64_MAX, UINT64_MAX};
    switch (rng_below(rng, 3)) {
    case 0:
        return notable[rng_below(rng, COUNT_OF(notable))];
    case 1:
        return old + (uint64_t)(int64_t)rng_between(rng, -3, 3);
    }
    return rng_below(rng, 32);
}

/* tag, length and new contents of field f; `most` leaves room for the numbers in front */
static size_t change_value(const uint8_t *in, const MutateField *f, uint8_t *out, size_t most, Rng *rng, int depth)
{
    size_t at = f->at, n;
    uint64_t tag, old;
    get_varint(in, f->at + f->n, &at, &tag);
    n = put_varint(out, tag);
    if (f->kind == VARINT) {
        get_varint(in, f->at + f->n, &at, &old);
        return n + put_varint(out + n, new_number(old, rng));
    }
    if (f->kind == BYTES) {
        size_t room = most - 32, changed = 0;
        uint8_t *value = malloc(room);
        if (value == NULL)
            abort();
        if (depth < MOST_DEPTH && !rng_chance(rng, 8))
            changed = mutate_message(in + f->value_at, f->value_n, value, room, rng, depth + 1);
        if (changed == 0) {
            memcpy(value, in + f->value_at, f->value_n);
            changed = LLVMFuzzerMutate(value, f->value_n, room < f->value_n + 64 ? room : f->value_n + 64);
        }
        n += put_varint(out + n, changed);
        memcpy(out + n, value, changed);
        free(value);
        return n + changed;
    }
    memcpy(out + n, in + f->value_at, f->value_n);
    size_t size = LLVMFuzzerMutate(out + n, f->value_n, f->value_n);
    memset(out + n + size, 0, f->value_n - size);
    return n + f->value_n;
}

/* 0: no message, or too large */
static size_t mutate_message(const uint8_t *in, size_t n, uint8_t *out, size_t most, Rng *rng, int depth)
{
    MutateField *field = malloc(MOST_FIELDS * sizeof *field);
    if (field == NULL)
        abort();
    size_t found = scan(in, n, field), size = 0;
    if (found > 0 && 2 * n + 128 < most) {
        MutateField f = field[rng_below(rng, (uint32_t)found)], other = field[rng_below(rng, (uint32_t)found)];
        uint32_t what = rng_below(rng, 10);
        memcpy(out, in, f.at);
        size = f.at;
        if (what == 1 || what == 2) { /* once more, or another one in front */
            const MutateField *copy = what == 1 ? &f : &other;
            memcpy(out + size, in + copy->at, copy->n);
            size += copy->n;
        }
        if (what > 2) {
            size += change_value(in, &f, out + size, most - n, rng, depth);
        } else if (what > 0) {
            memcpy(out + size, in + f.at, f.n);
            size += f.n;
        }
        size_t rest = n - f.at - f.n;
        if (size + rest <= most)
            memcpy(out + size, in + f.at + f.n, rest);
        size = size + rest <= most ? size + rest : 0;
    }
    free(field);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t most, unsigned seed)
{
    Rng rng = {seed};
    uint8_t *out = malloc(most + 64);
    if (out == NULL)
        abort();
    size_t size = rng_chance(&rng, 16) ? 0 : mutate_message(data, n, out, most, &rng, 0);
    if (size > 0)
        memcpy(data, out, size);
    else
        size = LLVMFuzzerMutate(data, n, most);
    free(out);
    return size;
}
