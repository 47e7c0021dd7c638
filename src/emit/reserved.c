/* emit/reserved.c: words that cannot be names: of Verilog, VHDL, C++ (which Verilator writes), and those that the emitted files use
 * themselves. Compared without regard to case, as VHDL does: one design has the same names in every language. */
#include <strings.h>

#include "emit/inside.h"

/* Asked a few hundred times a design: not sorted, not hashed. */
/* clang-format off */
static const char *const reserved[] = {
    /* Verilog-2005 and SystemVerilog-2017 */
    "accept_on", "alias", "always", "always_comb", "always_ff", "always_latch", "and", "assert", "assign", "assume", "automatic", "before",
    "begin", "bind", "bins", "binsof", "bit", "break", "buf", "bufif0", "bufif1", "byte", "case", "casex", "casez", "cell", "chandle",
    "checker", "class", "clocking", "cmos", "config", "const", "constraint", "context", "continue", "cover", "covergroup", "coverpoint",
    "cross", "deassign", "default", "defparam", "design", "disable", "dist", "do", "edge", "else", "end", "endcase", "endchecker",
    "endclass", "endclocking", "endconfig", "endfunction", "endgenerate", "endgroup", "endinterface", "endmodule", "endpackage",
    "endprimitive", "endprogram", "endproperty", "endsequence", "endspecify", "endtable", "endtask", "enum", "event", "eventually",
    "expect", "export", "extends", "extern", "final", "first_match", "for", "force", "foreach", "forever", "fork", "forkjoin", "function",
    "generate", "genvar", "global", "highz0", "highz1", "if", "iff", "ifnone", "ignore_bins", "illegal_bins", "implements", "implies",
    "import", "incdir", "include", "initial", "inout", "input", "inside", "instance", "int", "integer", "interconnect", "interface",
    "intersect", "join", "join_any", "join_none", "large", "let", "liblist", "library", "local", "localparam", "logic", "longint",
    "macromodule", "matches", "medium", "modport", "module", "nand", "negedge", "nettype", "new", "nexttime", "nmos", "nor",
    "noshowcancelled", "not", "notif0", "notif1", "null", "or", "output", "package", "packed", "parameter", "pmos", "posedge", "primitive",
    "priority", "program", "property", "protected", "pull0", "pull1", "pulldown", "pullup", "pulsestyle_ondetect", "pulsestyle_onevent",
    "pure", "rand", "randc", "randcase", "randsequence", "rcmos", "real", "realtime", "ref", "reg", "reject_on", "release", "repeat",
    "restrict", "return", "rnmos", "rpmos", "rtran", "rtranif0", "rtranif1", "s_always", "s_eventually", "s_nexttime", "s_until",
    "s_until_with", "scalared", "sequence", "shortint", "shortreal", "showcancelled", "signed", "small", "soft", "solve", "specify",
    "specparam", "static", "string", "strong", "strong0", "strong1", "struct", "super", "supply0", "supply1", "sync_accept_on",
    "sync_reject_on", "table", "tagged", "task", "this", "throughout", "time", "timeprecision", "timeunit", "tran", "tranif0", "tranif1",
    "tri", "tri0", "tri1", "triand", "trior", "trireg", "type", "typedef", "union", "unique", "unique0", "unsigned", "until", "until_with",
    "untyped", "use", "uwire", "var", "vectored", "virtual", "void", "wait", "wait_order", "wand", "weak", "weak0", "weak1", "while",
    "wildcard", "wire", "with", "within", "wor", "wreal", "xnor", "xor",
    /* C and C++ */
    "abort", "alignas", "alignof", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "catch", "char", "char16_t", "char32_t", "compl",
    "concept", "const_cast", "constexpr", "decltype", "delete", "double", "dynamic_cast", "explicit", "false", "float", "friend", "goto",
    "inline", "long", "main", "mutable", "namespace", "noexcept", "not_eq", "nullptr", "operator", "or_eq", "override", "private", "public",
    "register", "reinterpret_cast", "requires", "short", "sizeof", "static_assert", "static_cast", "std", "switch", "template",
    "thread_local", "throw", "true", "try", "typeid", "typename", "uint32_t", "uint8_t", "using", "volatile", "wchar_t", "xor_eq",
    /* VHDL-2008, where the lists above have them not */
    "abs", "access", "after", "all", "architecture", "array", "assume_guarantee", "attribute", "block", "body", "buffer", "bus",
    "component", "configuration", "constant", "disconnect", "downto", "elsif", "entity", "exit", "fairness", "file", "generic", "group",
    "guarded", "impure", "in", "inertial", "is", "label", "linkage", "literal", "loop", "map", "mod", "next", "of", "on", "open", "others",
    "out", "port", "postponed", "procedure", "process", "range", "record", "reject", "rem", "report", "restrict_guarantee", "rol", "ror",
    "select", "severity", "shared", "signal", "sla", "sll", "sra", "srl", "subtype", "then", "to", "transport", "unaffected", "units",
    "variable", "view", "vmode", "vprop", "vunit", "when",
    /* types and functions that the VHDL uses */
    "ieee", "natural", "now", "numeric_std", "positive", "resize", "rising_edge", "rtl", "std_logic", "std_logic_1164", "std_logic_vector",
    "std_ulogic", "to_integer", "work",
    /* our own */
    "clk", "clock_enable", "reset", "tb", "unused", "valid_in", "valid_line", "valid_out",
};
/* clang-format on */

bool emit_is_reserved(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(reserved); i++)
        if (strcasecmp(reserved[i], name) == 0)
            return true;
    return false;
}
