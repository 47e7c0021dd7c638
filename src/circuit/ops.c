/* circuit/ops.c: the op table as data. */
#include "circuit/inside.h"

/* the words that the rows of circuit_ops.def use */
enum { COMM = CIRCUIT_COMM, PURE = CIRCUIT_PURE, FREE = CIRCUIT_FREE, STRUCT = CIRCUIT_STRUCT, MANY = CIRCUIT_MANY };

static const CircuitOpInfo op_infos[CIRCUIT_OP_COUNT] = {
#define OP(name, text, arity, flags, attribute, summary) [CIRCUIT_##name] = {#name, text, arity, flags, CIRCUIT_ATTR_##attribute, summary},
#define RESERVED(name, text, summary)
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED
};

static const char *const reserved_texts[] = {
#define OP(name, text, arity, flags, attribute, summary)
#define RESERVED(name, text, summary) text,
#include "circuit/circuit_ops.def"
#undef OP
#undef RESERVED
};

const CircuitOpInfo *circuit_op_info(CircuitOp op) { return &op_infos[op]; }

bool circuit_op_parse(const char *text, CircuitOp *out)
{
    for (uint32_t op = 0; op < CIRCUIT_OP_COUNT; op++)
        if (text_equal(op_infos[op].text, text)) {
            *out = (CircuitOp)op;
            return true;
        }
    return false;
}

bool circuit_op_reserved(const char *text)
{
    for (uint32_t i = 0; i < COUNT_OF(reserved_texts); i++)
        if (text_equal(reserved_texts[i], text))
            return true;
    return false;
}
