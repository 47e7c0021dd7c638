/* kaon prove OUT/ : for every input, not for some: the circuit computes what the model says, and what Yosys makes of the Verilog computes
 * the circuit. */
#include "cli/options.h"
#include "lower/lower.h"
#include "prove/prove.h"

typedef struct Proof {
    Command *command;
    Design *design;
    bool cones_asked, netlist_asked;
    ProveCones cones;
    ProveNetlist netlist;
} Proof;

/* The typed graph, wire by wire and nothing else: products with the weights as they are, assignments as they are written. */
static bool prove_design(Proof *proof)
{
    Command *command = proof->command;
    const Design *design = proof->design;
    ProveOptions options = prove_options_default(command->arena);
    LowerOptions plain = {.part = design->options.part, .plain = true, .file = design->file};
    progress("circuit");
    Circuit *model = lower_graph(command->arena, design->typed, &plain, &command->diags);
    if (model == NULL)
        return false;
    proof->cones = prove_cones(command->arena, model, design->pipelined, &options, &command->diags);
    progress(NULL);
    return proof->cones.verdict == PROVE_SHOWN;
}

static bool read_netlist(Proof *proof, const PartModel *part, const char **path, Bytes *blif)
{
    Command *command = proof->command;
    const Design *design = proof->design;
    *path = command->options.netlist;
    if (*path == NULL) {
        const char *folder = folder_temporary(command->arena, &command->diags);
        EmitOptions emit = {.name = design->name};
        if (folder == NULL)
            return false;
        *path = path_join(command->arena, folder, "netlist.blif");
        progress("Yosys");
        if (!tool_netlist(command->arena, design->folder, emit_top_name(command->arena, design->pipelined, &emit), part_synth_command(part),
                          *path, &command->diags))
            return false;
    }
    if (!file_read(command->arena, *path, FILE_LIMIT_MODEL, blif, &command->diags))
        return false;
    return command->options.output.n == 0 || file_write(command->options.output.at[0], blif->at, blif->n, &command->diags);
}

static bool prove_synthesis(Proof *proof, const PartModel *part)
{
    Command *command = proof->command;
    const DesignOptions *options = &proof->design->options;
    ProveControl control = {.valid = options->valid,
                            .enable = options->enable,
                            .reset = options->reset,
                            .ports = emit_port_names(command->arena, proof->design->pipelined)};
    Bytes blif;
    const char *path;
    bool ok = read_netlist(proof, part, &path, &blif);
    progress("netlist");
    if (ok)
        proof->netlist = prove_netlist(command->arena, proof->design->pipelined, &control, blif,
                                       command->options.netlist != NULL ? path : "netlist", &command->diags);
    progress(NULL);
    return ok && proof->netlist.verdict == PROVE_SHOWN;
}

static void json_proof(const Proof *proof, const PartModel *part)
{
    Command *command = proof->command;
    Arena *arena = command->arena;
    json_set(arena, command->json, "target", json_string(part_name(part)));
    if (proof->cones_asked) {
        json_t *cones = json_object(), *layers = json_array();
        json_set(arena, command->json, "circuit", cones);
        json_set(arena, cones, "verdict", json_string(prove_verdict_text(proof->cones.verdict)));
        json_set(arena, cones, "layers", layers);
        for (uint32_t i = 0; i < proof->cones.lines.n; i++) {
            const ProveLine *line = &proof->cones.lines.at[i];
            json_t *entry = json_object();
            json_push(arena, layers, entry);
            json_set(arena, entry, "name", json_string(text_printable(arena, line->layer, 1u << 16)));
            json_set(arena, entry, "linear", json_integer(line->linear));
            json_set(arena, entry, "exhaustive", json_integer(line->exhaustive));
            json_set(arena, entry, "sat", json_integer(line->sat));
        }
        json_set(arena, cones, "values", json_integer((json_int_t)proof->cones.values));
        json_set(arena, cones, "seconds", json_real(proof->cones.seconds));
    }
    if (proof->netlist_asked) {
        json_t *netlist = json_object();
        json_set(arena, command->json, "netlist", netlist);
        json_set(arena, netlist, "verdict", json_string(prove_verdict_text(proof->netlist.verdict)));
        json_set(arena, netlist, "registers", json_integer(proof->netlist.registers));
        json_set(arena, netlist, "latency_cycles", json_integer(proof->netlist.latency_cycles));
        json_set(arena, netlist, "seconds", json_real(proof->netlist.seconds));
    }
}

static void print_proof(const Proof *proof, const PartModel *part)
{
    Text *out = &proof->command->out;
    const ProveCones *cones = &proof->cones;
    text_add(out, "%s, for every input\n\n", proof->design->name);
    if (proof->cones_asked) {
        text_add(out, "  the circuit computes what the model says: %s (%.1f s)\n\n", prove_verdict_text(cones->verdict), cones->seconds);
        if (cones->lines.n > 0)
            text_add(out, "    %-20s %10s %10s %10s\n", "layer", "factors", "exhaustive", "SAT");
        for (uint32_t i = 0; i < cones->lines.n; i++)
            text_add(out, "    %-20s %10u %10u %10u\n", text_printable(proof->command->arena, cones->lines.at[i].layer, 20),
                     cones->lines.at[i].linear, cones->lines.at[i].exhaustive, cones->lines.at[i].sat);
        text_add(out, "%s", cones->lines.n > 0 ? "\n" : "");
    }
    if (proof->netlist_asked) {
        text_add(out, "  the netlist for %s computes the circuit: %s (%.1f s)\n", part_name(part),
                 prove_verdict_text(proof->netlist.verdict), proof->netlist.seconds);
        if (proof->netlist.verdict == PROVE_SHOWN)
            text_add(out, "    %u registers, %u on every path from input to output\n", proof->netlist.registers,
                     proof->netlist.latency_cycles);
    }
}

int cmd_prove(Command *command)
{
    const Options *options = &command->options;
    Arena *arena = command->arena;
    if (options->arguments.n != 1 || !design_is_folder(arena, options->arguments.at[0]))
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "prove"}, "compile first: kaon compile model.h5 -o out/",
                   "one folder with a compiled design is needed");
    if (options->circuit_only && options->netlist != NULL)
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--netlist"}, NULL, "--circuit-only asks for no netlist");
    if (options->output.n > (options->circuit_only ? 0u : 1u))
        diag_error(&command->diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--output"}, NULL, "one file at most, for the netlist");
    DesignOptions wanted;
    if (!options_design(command, &wanted) || diag_failed(&command->diags))
        return 2;
    Proof proof = {.command = command, .cones_asked = true, .netlist_asked = !options->circuit_only};
    proof.cones.verdict = PROVE_NOT_SHOWN;
    proof.netlist.verdict = PROVE_NOT_SHOWN;
    proof.design = design_create(arena, &wanted);
    if (!design_load(proof.design, options->arguments.at[0], &command->diags))
        return 1;
    const PartModel *part = options->target != NULL ? wanted.part : proof.design->options.part;
    bool shown = prove_design(&proof);
    if (proof.netlist_asked)
        shown = prove_synthesis(&proof, part) && shown;
    if (command->json != NULL)
        json_proof(&proof, part);
    else
        print_proof(&proof, part);
    return shown ? 0 : 1;
}
