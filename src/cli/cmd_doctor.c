/* kaon doctor : what is installed, and what it is for. */
#include "cli/options.h"
#include "tool/tool.h"

static const struct {
    const char *program, *package, *purpose;
    bool needed;
} PROGRAMS[] = {
    {"iverilog", "iverilog", "simulates the Verilog (engine icarus)", true},
    {"verilator", "verilator", "simulates and lints the Verilog, faster on many events (engine verilator)", false},
    {"ghdl", "ghdl", "simulates the VHDL (engine ghdl)", false},
    {"yosys", "yosys", "synthesis: kaon synth, kaon prove", false},
    {"berkeley-abc", "berkeley-abc", "proofs of equality: kaon prove", false},
    {"c++", "g++", "compiles what Verilator makes", false},
};

int cmd_doctor(Command *command)
{
    Arena *arena = command->arena;
    if (command->options.arguments.n > 0) {
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "doctor"}, "kaon doctor", "it takes no arguments");
        return 2;
    }
    json_t *list = json_keep(arena, json_array());
    int status = 0;
    text_put(&command->out, "kaon " KAON_VERSION "\n");
    for (size_t i = 0; i < COUNT_OF(PROGRAMS); i++) {
        const char *path = path_of_program(arena, PROGRAMS[i].program);
        const char *version = path != NULL ? tool_version(arena, PROGRAMS[i].program) : NULL;
        text_add(&command->out, "  %-10s %-12s %s\n", PROGRAMS[i].program, path != NULL ? "found" : "MISSING", PROGRAMS[i].purpose);
        if (version != NULL)
            text_add(&command->out, "             %s\n", version);
        if (path == NULL) {
            text_add(&command->out, "             apt-get install %s\n", PROGRAMS[i].package);
            status = PROGRAMS[i].needed ? 1 : status;
        }
        json_t *entry = json_object();
        json_push(arena, list, entry);
        json_set(arena, entry, "program", json_string(PROGRAMS[i].program));
        json_set(arena, entry, "found", json_boolean(path != NULL));
        json_set(arena, entry, "version", json_string(version != NULL ? text_printable(arena, version, 200) : ""));
        json_set(arena, entry, "package", json_string(PROGRAMS[i].package));
    }
    if (command->json != NULL)
        json_set(arena, command->json, "programs", json_incref(list));
    return status;
}
