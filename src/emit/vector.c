/* emit/vector.c: events as lines of hex, packed as the ports are: flat value 0 lowest. */
#include "emit/inside.h"

static uint32_t n_values(const CircuitModule *module, bool inputs) { return inputs ? module->inputs.n : module->outputs.n; }

uint32_t emit_vector_bits(const Circuit *circuit, bool inputs)
{
    const CircuitModule *top = circuit_top(circuit);
    uint32_t bits = 0;
    for (uint32_t i = 0; i < n_values(top, inputs); i++)
        bits += emit_value_type(top, inputs, i).bits;
    return bits;
}

/* Digits are collected from the lowest bit upward into the end of the text, then turned round. */
void emit_vector(Text *text, const Circuit *circuit, bool inputs, const i128 *raw)
{
    const CircuitModule *top = circuit_top(circuit);
    size_t start = text->n;
    uint32_t filled = 0, digit = 0;
    for (uint32_t i = 0; i < n_values(top, inputs); i++) {
        uint32_t bits = emit_value_type(top, inputs, i).bits;
        for (uint32_t b = 0; b < bits; b++) {
            digit |= (uint32_t)((u128)raw[i] >> b & 1) << filled;
            if (++filled == 4) {
                text_put_char(text, "0123456789abcdef"[digit]);
                filled = digit = 0;
            }
        }
    }
    if (filled > 0 || text->n == start)
        text_put_char(text, "0123456789abcdef"[digit]);
    for (size_t lo = start, hi = text->n - 1; lo < hi; lo++, hi--) {
        char c = text->at[lo];
        text->at[lo] = text->at[hi];
        text->at[hi] = c;
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool emit_vector_parse(const char *line, const Circuit *circuit, bool inputs, i128 *raw)
{
    const CircuitModule *top = circuit_top(circuit);
    size_t digits = (emit_vector_bits(circuit, inputs) + 3) / 4, n = 0;
    while (hex_digit(line[n]) >= 0)
        n++;
    if (n != (digits ? digits : 1) || (line[n] && line[n] != '\n' && line[n] != '\r'))
        return false;
    uint32_t at = 0;
    for (uint32_t i = 0; i < n_values(top, inputs); i++) {
        FixedType type = emit_value_type(top, inputs, i);
        u128 pattern = 0;
        for (uint32_t b = 0; b < type.bits; b++, at++)
            pattern |= (u128)((uint32_t)hex_digit(line[n - 1 - at / 4]) >> (at & 3) & 1) << b;
        raw[i] = fixed_wrap((i128)pattern, type);
    }
    return true;
}
