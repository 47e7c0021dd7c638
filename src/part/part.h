/* part/part.h: prices: look-up tables, carries and picoseconds of a target, for an operation of given widths. Knows nothing of IRs. */
#ifndef KAON_PART_PART_H
#define KAON_PART_PART_H

#include "num/interval.h"

typedef struct PartModel PartModel; /* the columns of parts.def */

typedef enum PartOperation {
    PART_ADD,      /* sum or difference on one carry chain of `bits` positions; at `other_bits` of them only one operand varies */
    PART_ADD3,     /* the same of three operands; `other_bits` are wires, or share the table below */
    PART_NEGATE,   /* `bits` */
    PART_COMPARE,  /* order of two numbers of `bits`; of one and a constant when `constant` */
    PART_EQUAL,    /* the same for equality */
    PART_SELECT,   /* `bits` two-way multiplexers; gates (one input is 0 or 1) when `constant` */
    PART_LOGIC,    /* `bits` independent functions of `fan_in` bits each */
    PART_MULTIPLY, /* bits x other_bits */
    PART_TABLE,    /* 2^other_bits entries of `bits` */
    PART_WIRE,     /* nothing */
} PartOperation;

typedef struct PartQuery {
    PartOperation operation;
    uint32_t bits, other_bits; /* other_bits: lone positions of a chain, second factor, address bits of a table */
    uint32_t fan_in;
    bool constant;
} PartQuery;

typedef struct PartPrice {
    uint32_t luts;
    uint32_t carries; /* carry positions (bits) */
    uint32_t delay_ps;
} PartPrice;

/* Cells that add three operands on one carry chain, at a look-up table a position. */
typedef enum PartThree { PART_NONE, PART_CARRY8, PART_CARRY4 } PartThree;

const PartModel *part_find(const char *name); /* NULL if unknown */
/* The same part where the design names its cells instead of leaving sums to synthesis; NULL if it has none for adders of three operands. */
const PartModel *part_with_primitives(const PartModel *part);
bool part_has_primitives(const PartModel *part);
PartThree part_three(const PartModel *part);
const char *part_names(void); /* "xcup, xc7, ..." */
const char *part_name(const PartModel *part);
const char *part_summary(const PartModel *part);
const char *part_synth_command(const PartModel *part);
uint32_t part_default_clock_ps(const PartModel *part);
uint32_t part_register_ps(const PartModel *part);
uint32_t part_lut_inputs(const PartModel *part);
PartPrice part_price(const PartModel *part, PartQuery query);
PartPrice part_price_then(PartPrice first, PartPrice second);  /* one behind the other */
PartPrice part_price_beside(PartPrice one, PartPrice another); /* side by side */

#endif
