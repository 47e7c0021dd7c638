/* tools/print_tables.c: docs/tables.md, an expansion of the vocabularies. A test holds the file in docs/ against it. */
#include <stdio.h>

#include "circuit/circuit.h"
#include "graph/graph.h"
#include "pass/pass.h"

static void head(const char *title, const char *columns, const char *rule) { printf("\n## %s\n\n%s\n%s\n", title, columns, rule); }

static void graph_ops(void)
{
    head("Tensor IR (`.graph`): one op a layer", "| op | inputs | meaning |", "|---|---|---|");
#define MANY GRAPH_MANY
#define OP(name, text, min_inputs, max_inputs, flags, attribute, summary)                                                                      \
    printf("| `%s` | %s | %s |\n", text, max_inputs == GRAPH_MANY ? "many" : max_inputs == 0 ? "0" : min_inputs == max_inputs ? (min_inputs == 1 ? "1" : "2") : "2, 3", summary);
#include "graph/graph_ops.def"
#undef OP
#undef MANY
}

static void circuit_ops(void)
{
    head("Scalar IR (`.circuit`): one op a wire", "| op | operands | meaning |", "|---|---|---|");
#define OP(name, text, arity, flags, attribute, summary) printf("| `%s` | %s | %s |\n", text, arity == CIRCUIT_MANY ? "many" : (const char *[]){ "0", "1", "2", "3" }[arity < 0 ? 0 : arity], summary);
#define RESERVED(name, text, summary) printf("| `%s` | | kept for folded hardware: %s |\n", text, summary);
#define MANY CIRCUIT_MANY
#include "circuit/circuit_ops.def"
#undef MANY
#undef OP
#undef RESERVED
}

int main(void)
{
    puts("# The vocabularies\n\nPrinted by the build from the tables in `src/`; edit those.");
    graph_ops();
    circuit_ops();
    head("Rounding", "| mode | meaning |", "|---|---|");
#define ROUNDING(name, text, summary) printf("| `%s` | %s |\n", text, summary);
#include "num/rounding.def"
#undef ROUNDING
    head("Overflow", "| mode | meaning |", "|---|---|");
#define OVERFLOW(name, text, summary) printf("| `%s` | %s |\n", text, summary);
#include "num/overflow.def"
#undef OVERFLOW
    head("Formats", "| format | files | what |", "|---|---|---|");
#define FORMAT(name, text, extensions, summary) printf("| %s | %s | %s |\n", text, extensions, summary);
#include "import/formats.def"
#undef FORMAT
    head("Passes", "| pass | on | what |", "|---|---|---|");
#define GRAPH_PASS(name, summary) printf("| `%s` | graph | %s |\n", #name, summary);
#define CIRCUIT_PASS(name, summary) printf("| `%s` | circuit | %s |\n", #name, summary);
#include "pass/passes.def"
#undef GRAPH_PASS
#undef CIRCUIT_PASS
    head("Engines", "| engine | bits of the hardware | what |", "|---|---|---|");
#define ENGINE(name, text, exact, needs_folder, summary) printf("| `%s` | %s | %s |\n", text, exact ? "yes" : "no", summary);
#include "api/engines.def"
#undef ENGINE
    head("Diagnostics", "| code | meaning |", "|---|---|");
#define CODE(name, text, summary) printf("| `%s` | %s |\n", text, summary);
#include "base/diag_codes.def"
#undef CODE
    return 0;
}
