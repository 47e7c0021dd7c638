/* part/part.c: prices from the table of parts. Integers only, so that no decision depends on a compiler. */
#include "part/part.h"

#include <assert.h>

typedef enum PartChain { PART_CHAIN_PAIRED, PART_CHAIN_EVERY, PART_CHAIN_INSIDE } PartChain;

struct PartModel {
    const char *name, *summary;
    uint32_t lut_inputs;
    PartChain chain;
    PartThree three;
    bool primitives; /* sums of three are written as cells */
    uint32_t adder_base_ps, three_base_ps, adder_bit_fs, lut_ps, route_ps, register_ps, default_clock_ps;
    const char *synth;
};

static const PartModel parts[] = {
#define PART(name, text, summary, lut_inputs, chain, three, adder_base, three_base, adder_bit, lut, route, reg, clock, synth)              \
    {text, summary, lut_inputs, PART_CHAIN_##chain, PART_##three, false, adder_base, three_base, adder_bit, lut, route, reg, clock, synth},
#include "part/parts.def"
#undef PART
};

/* The same, where the emitted text names the target's cells. */
static const PartModel with_primitives[] = {
#define PART(name, text, summary, lut_inputs, chain, three, adder_base, three_base, adder_bit, lut, route, reg, clock, synth)              \
    {text, summary, lut_inputs, PART_CHAIN_##chain, PART_##three, true, adder_base, three_base, adder_bit, lut, route, reg, clock, synth},
#include "part/parts.def"
#undef PART
};

const PartModel *part_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (text_equal(parts[i].name, name))
            return &parts[i];
    return NULL;
}

const PartModel *part_with_primitives(const PartModel *part)
{
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if ((part == &parts[i] || part == &with_primitives[i]) && part->three != PART_NONE)
            return &with_primitives[i];
    return NULL;
}

PartThree part_three(const PartModel *part) { return part->three; }
bool part_has_primitives(const PartModel *part) { return part->primitives; }

const char *part_names(void)
{
#define PART(name, text, ...) ", " text
    static const char names[] =
#include "part/parts.def"
        ;
#undef PART
    return names + 2;
}

const char *part_name(const PartModel *part) { return part->name; }
const char *part_summary(const PartModel *part) { return part->summary; }
const char *part_synth_command(const PartModel *part) { return part->synth; }
uint32_t part_default_clock_ps(const PartModel *part) { return part->default_clock_ps; }
uint32_t part_register_ps(const PartModel *part) { return part->register_ps; }
uint32_t part_lut_inputs(const PartModel *part) { return part->lut_inputs; }

PartPrice part_price_then(PartPrice first, PartPrice second)
{
    return (PartPrice){first.luts + second.luts, first.carries + second.carries, first.delay_ps + second.delay_ps};
}

PartPrice part_price_beside(PartPrice one, PartPrice another)
{
    return (PartPrice){one.luts + another.luts, one.carries + another.carries, u32_max(one.delay_ps, another.delay_ps)};
}

static uint32_t ceil_div(uint32_t a, uint32_t b) { return (a + b - 1) / b; }

/* A carry chain of `bits` positions, `lone` of which see one varying operand. */
static PartPrice chain_price(const PartModel *part, uint32_t bits, uint32_t lone)
{
    uint32_t luts = 0;
    switch (part->chain) {
    case PART_CHAIN_PAIRED:
        luts = bits > lone ? bits - lone : 0;
        break;
    case PART_CHAIN_EVERY:
        luts = bits;
        break;
    case PART_CHAIN_INSIDE:
        break;
    }
    return (PartPrice){luts, bits, bits ? part->adder_base_ps + (uint32_t)((uint64_t)part->adder_bit_fs * (bits - 1) / 1000) : 0};
}

/* Three operands: with the cells one table a position. Without, a row of carry-save sums before the chain: two tables where the chain's own
 * takes the row's sum in, else two and what the chain takes. */
static PartPrice three_price(const PartModel *part, uint32_t bits, uint32_t lone)
{
    uint32_t row = bits > lone ? bits - lone : 0;
    PartPrice price = chain_price(part, bits, lone);
    if (part->primitives)
        price.luts = row;
    else if (part->chain == PART_CHAIN_PAIRED)
        price.luts = row > 1 ? 2 * row - 2 : row; /* the ends of the row take one */
    else
        price.luts += 2 * row;
    price.delay_ps += bits ? part->three_base_ps - part->adder_base_ps : 0;
    return price;
}

/* `bits` functions of `fan_in` inputs, each a tree of tables as an and, or, or parity is. */
static PartPrice logic_price(const PartModel *part, uint32_t bits, uint32_t fan_in)
{
    if (bits == 0 || fan_in < 2)
        return (PartPrice){0};
    uint32_t levels = 0;
    for (uint32_t reach = 1; reach < fan_in; levels++)
        reach = reach > UINT32_MAX / part->lut_inputs ? UINT32_MAX : reach * part->lut_inputs;
    return (PartPrice){bits * ceil_div(fan_in - 1, part->lut_inputs - 1), 0, levels * (part->lut_ps + part->route_ps)};
}

/* Order of two numbers. With a table behind each carry position, a position compares as many bits of both as a table reads: one table says
 * that they are equal, one that they decide; few of them need no chain, and the lowest one never passes anything on. */
static PartPrice compare_price(const PartModel *part, uint32_t bits)
{
    uint32_t groups = ceil_div(bits, part->lut_inputs / 2);
    if (part->chain != PART_CHAIN_PAIRED)
        return chain_price(part, bits, 0);
    if (groups <= 2)
        return (PartPrice){groups > 0 ? 2 * groups - 1 : 0, 0, groups * (part->lut_ps + part->route_ps)};
    PartPrice chain = chain_price(part, groups, 0);
    return (PartPrice){2 * groups, groups, chain.delay_ps};
}

/* Rows of partial products, summed as a tree of chains: the form without DSP blocks. */
static PartPrice multiply_price(const PartModel *part, uint32_t bits, uint32_t other_bits)
{
    uint32_t rows = u32_min(bits, other_bits), width = u32_max(bits, other_bits);
    PartPrice price = {0};
    if (rows < 2)
        return logic_price(part, width, 2);
    for (uint32_t grow = 1; rows > 1; rows -= rows / 2, grow++) {
        PartPrice chain = chain_price(part, width + grow, 0);
        price.luts += chain.luts * (rows / 2);
        price.carries += chain.carries * (rows / 2);
        price.delay_ps += chain.delay_ps;
    }
    return price;
}

/* One table of K address bits and less per output bit; beyond, 2^(address - K) of them and wide multiplexers. */
static PartPrice table_price(const PartModel *part, uint32_t bits, uint32_t address_bits)
{
    uint32_t beyond = address_bits > part->lut_inputs ? address_bits - part->lut_inputs : 0;
    uint64_t luts = (uint64_t)bits << u32_min(beyond, 30);
    return (PartPrice){luts > UINT32_MAX ? UINT32_MAX : (uint32_t)luts, 0,
                       part->lut_ps + part->route_ps + ceil_div(beyond, 2) * (part->lut_ps + part->route_ps)};
}

PartPrice part_price(const PartModel *part, PartQuery query)
{
    switch (query.operation) {
    case PART_ADD:
        return chain_price(part, query.bits, query.other_bits);
    case PART_ADD3:
        return three_price(part, query.bits, query.other_bits);
    case PART_NEGATE:
        return chain_price(part, query.bits, query.bits);
    case PART_COMPARE:
        return query.constant ? logic_price(part, 1, query.bits) : compare_price(part, query.bits);
    case PART_EQUAL:
        return logic_price(part, 1, query.constant ? query.bits : 2 * query.bits);
    case PART_SELECT:
        return logic_price(part, query.bits, query.constant ? 2 : 3);
    case PART_LOGIC:
        return logic_price(part, query.bits, query.fan_in);
    case PART_MULTIPLY:
        return multiply_price(part, query.bits, query.other_bits);
    case PART_TABLE:
        return table_price(part, query.bits, query.other_bits);
    case PART_WIRE:
        return (PartPrice){0};
    }
    assert(!"no such operation");
    return (PartPrice){0};
}
