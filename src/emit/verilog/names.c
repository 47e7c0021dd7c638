/* emit/verilog/names.c: identifiers that Verilog, SystemVerilog, VHDL tools and C++ simulators all take. */
#include "emit/verilog/verilog.h"

#include <ctype.h>

/* Keywords of Verilog-2005 and SystemVerilog-2017, and words that Verilator refuses because its C++ would clash. Sorted by nothing: asked a few
 * hundred times a design. */
static const char *const reserved[] = {
    "accept_on", "alias", "always", "always_comb", "always_ff", "always_latch", "and", "assert", "assign", "assume", "automatic", "before",
    "begin", "bind", "bins", "binsof", "bit", "break", "buf", "bufif0", "bufif1", "byte", "case", "casex", "casez", "cell", "chandle", "checker",
    "class", "clocking", "cmos", "config", "const", "constraint", "context", "continue", "cover", "covergroup", "coverpoint", "cross",
    "deassign", "default", "defparam", "design", "disable", "dist", "do", "edge", "else", "end", "endcase", "endchecker", "endclass",
    "endclocking", "endconfig", "endfunction", "endgenerate", "endgroup", "endinterface", "endmodule", "endpackage", "endprimitive",
    "endprogram", "endproperty", "endsequence", "endspecify", "endtable", "endtask", "enum", "event", "eventually", "expect", "export",
    "extends", "extern", "final", "first_match", "for", "force", "foreach", "forever", "fork", "forkjoin", "function", "generate", "genvar",
    "global", "highz0", "highz1", "if", "iff", "ifnone", "ignore_bins", "illegal_bins", "implements", "implies", "import", "incdir", "include",
    "initial", "inout", "input", "inside", "instance", "int", "integer", "interconnect", "interface", "intersect", "join", "join_any",
    "join_none", "large", "let", "liblist", "library", "local", "localparam", "logic", "longint", "macromodule", "matches", "medium",
    "modport", "module", "nand", "negedge", "nettype", "new", "nexttime", "nmos", "nor", "noshowcancelled", "not", "notif0", "notif1", "null",
    "or", "output", "package", "packed", "parameter", "pmos", "posedge", "primitive", "priority", "program", "property", "protected", "pull0",
    "pull1", "pulldown", "pullup", "pulsestyle_ondetect", "pulsestyle_onevent", "pure", "rand", "randc", "randcase", "randsequence", "rcmos",
    "real", "realtime", "ref", "reg", "reject_on", "release", "repeat", "restrict", "return", "rnmos", "rpmos", "rtran", "rtranif0",
    "rtranif1", "s_always", "s_eventually", "s_nexttime", "s_until", "s_until_with", "scalared", "sequence", "shortint", "shortreal",
    "showcancelled", "signed", "small", "soft", "solve", "specify", "specparam", "static", "string", "strong", "strong0", "strong1", "struct",
    "super", "supply0", "supply1", "sync_accept_on", "sync_reject_on", "table", "tagged", "task", "this", "throughout", "time",
    "timeprecision", "timeunit", "tran", "tranif0", "tranif1", "tri", "tri0", "tri1", "triand", "trior", "trireg", "type", "typedef", "union",
    "unique", "unique0", "unsigned", "until", "until_with", "untyped", "use", "uwire", "var", "vectored", "virtual", "void", "wait",
    "wait_order", "wand", "weak", "weak0", "weak1", "while", "wildcard", "wire", "with", "within", "wor", "wreal", "xnor", "xor",
    /* C and C++ */
    "abort", "alignas", "alignof", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "catch", "char", "char16_t", "char32_t", "compl",
    "concept", "const_cast", "constexpr", "decltype", "delete", "double", "dynamic_cast", "explicit", "false", "float", "friend", "goto",
    "inline", "long", "main", "mutable", "namespace", "noexcept", "not_eq", "nullptr", "operator", "or_eq", "override", "private", "public",
    "register", "reinterpret_cast", "requires", "short", "sizeof", "static_assert", "static_cast", "std", "switch", "template",
    "thread_local", "throw", "true", "try", "typeid", "typename", "uint32_t", "uint8_t", "using", "volatile", "wchar_t", "xor_eq",
    /* our own */
    "clk", "clock_enable", "reset", "tb", "unused", "valid_in", "valid_line", "valid_out",
};

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(reserved); i++)
        if (text_equal(reserved[i], name))
            return true;
    return false;
}

const char *verilog_identifier(Arena *arena, const char *from)
{
    Text name = text_init(arena);
    for (const char *c = from; *c; c++) {
        bool plain = isalnum((unsigned char)*c) && (unsigned char)*c < 128;
        if (plain && name.n == 0 && isdigit((unsigned char)*c))
            text_put(&name, "n");
        if (plain)
            text_put_char(&name, *c);
        else if (name.n > 0 && name.at[name.n - 1] != '_')
            text_put_char(&name, '_');
        if (name.n >= 200)
            break; /* tools limit names; uniqueness is restored by a number */
    }
    while (name.n > 0 && name.at[name.n - 1] == '_')
        name.at[--name.n] = 0;
    if (name.n == 0)
        text_put(&name, "unnamed");
    if (is_reserved(name.at))
        text_put(&name, "_x");
    return name.at;
}

const char *verilog_unique(Arena *arena, Map *names, const char *identifier)
{
    const char *name = identifier;
    for (uint32_t i = 2; map_get(names, name) != MAP_NONE; i++)
        name = fmt(arena, "%s_%u", identifier, i);
    map_put(names, name, 0);
    return name;
}

const char *verilog_node_name(VerilogModule *m, CircuitRef ref)
{
    const CircuitNode *node = circuit_node(m->module, ref);
    if (node->layer == 0)
        return verilog_unique(m->arena, &m->names, fmt(m->arena, "v%u", ref));
    return verilog_unique(m->arena, &m->names, fmt(m->arena, "%s_%u_v%u", m->design->layer_name[node->layer], node->element, ref));
}
