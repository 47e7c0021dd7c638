/* report/report_print.c: the report as one screen of text. */
#include <string.h>

#include "report/report.h"

enum { COLUMNS = 10, STAGES_A_ROW = 14, PATH_WIDTH = 132 };

typedef struct Row {
    const char *cell[COLUMNS];
} Row;

static const char *cut(Arena *arena, const char *text, size_t most)
{
    size_t n = strlen(text);
    return n <= most ? text : fmt(arena, "%.*s..", (int)(most - 2), text);
}

static void print_rows(Text *text, const Row *rows, uint32_t n, uint32_t first_number)
{
    size_t width[COLUMNS] = {0};
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < COLUMNS; k++)
            if (strlen(rows[i].cell[k]) > width[k])
                width[k] = strlen(rows[i].cell[k]);
    for (uint32_t i = 0; i < n; i++) {
        text_put(text, " ");
        for (uint32_t k = 0; k < COLUMNS; k++)
            text_add(text, k < first_number ? " %-*s" : " %*s", (int)width[k] + (k ? 1 : 0), rows[i].cell[k]);
        while (text->n > 0 && text->at[text->n - 1] == ' ')
            text->at[--text->n] = '\0';
        text_put_char(text, '\n');
    }
}

static const char *stages_text(Arena *arena, const ReportLayer *layer)
{
    if (!layer->has_stages)
        return "-";
    if (layer->first_stage == layer->last_stage)
        return fmt(arena, "%llu", layer->first_stage + 1ull);
    return fmt(arena, "%llu-%llu", layer->first_stage + 1ull, layer->last_stage + 1ull);
}

static void print_layers(Text *text, const Report *report)
{
    Arena *arena = text->arena;
    uint32_t n = 0;
    Row *rows = arena_array(arena, Row, report->layers.n + 2);
    rows[n++] = (Row){{"layer", "computes", "shape", "weights", "result", "adders", "LUTs", "regs", "depth", "stages"}};
    for (uint32_t i = 0; i < report->layers.n; i++) {
        const ReportLayer *layer = &report->layers.at[i];
        rows[n++] = (Row){{
            cut(arena, layer->name[0] ? layer->name : "-", 28),
            cut(arena, layer->ops, 28),
            layer->shape,
            fmt(arena, "%s%s", layer->weights, layer->weights_default ? " default" : ""),
            fmt(arena, "%s%s", layer->result, layer->result_default ? " default" : ""),
            fmt(arena, "%llu", (unsigned long long)layer->adders),
            fmt(arena, "%llu", (unsigned long long)layer->luts),
            fmt(arena, "%llu", (unsigned long long)layer->register_bits),
            fmt(arena, "%u", layer->depth),
            stages_text(arena, layer),
        }};
    }
    rows[n++] = (Row){{"total", "", "", "", "", fmt(arena, "%llu", (unsigned long long)report->adders),
                       fmt(arena, "%llu", (unsigned long long)report->luts), fmt(arena, "%llu", (unsigned long long)report->register_bits),
                       "", ""}};
    print_rows(text, rows, n, 5);
}

static void print_port(Text *text, const char *direction, const ReportPort *port)
{
    text_add(text, "  %-7s %s %s %s%s%s%s%s\n", direction, port->name, port->shape, port->type, port->is_default ? " (default)" : "",
             port->scale[0] ? " x " : "", port->scale,
             port->post[0] ? fmt(text->arena, "; %s by the host, behind the logic", port->post) : "");
}

static void print_stages(Text *text, const Report *report, uint32_t first, uint32_t end)
{
    text_put(text, "\n  stage ");
    for (uint32_t i = first; i < end; i++)
        text_add(text, " %7u", i + 1);
    text_put(text, "\n  ns    ");
    for (uint32_t i = first; i < end; i++)
        text_add(text, " %7.3f", report->stages.at[i].longest_ns);
    text_put(text, "\n  slack ");
    for (uint32_t i = first; i < end; i++)
        text_add(text, " %7.3f", report->clock_ns - report->stages.at[i].longest_ns);
    text_put(text, "\n  bits  ");
    for (uint32_t i = first; i < end; i++)
        text_add(text, " %7llu", (unsigned long long)report->stages.at[i].register_bits);
    text_put(text, "\n");
}

void report_print(Text *text, const Report *report)
{
    text_add(text, "%s, from %s\n\n", report->name, report->source);
    print_layers(text, report);
    text_put(text, "\n");
    for (uint32_t i = 0; i < report->inputs.n; i++)
        print_port(text, "input", &report->inputs.at[i]);
    for (uint32_t i = 0; i < report->outputs.n; i++)
        print_port(text, "output", &report->outputs.at[i]);
    text_add(text, "\n  %llu LUTs, %llu carry bits, %llu register bits estimated for %s\n", (unsigned long long)report->luts,
             (unsigned long long)report->carries, (unsigned long long)report->register_bits, report->target);
    text_add(text, "  latency %u clock%s = %.4g ns at %.4g ns a clock; initiation interval %u: a new event every clock\n",
             report->latency_cycles, report->latency_cycles == 1 ? "" : "s", report->latency_cycles * report->clock_ns, report->clock_ns,
             report->initiation_interval);
    text_add(text, "  longest stage %.4g ns%s\n", report->achieved_ns, report->met ? "" : ": the clock is NOT met in the model");
    for (uint32_t i = 0; i < report->stages.n; i += STAGES_A_ROW)
        print_stages(text, report, i, i + STAGES_A_ROW < report->stages.n ? i + STAGES_A_ROW : report->stages.n);
}

/* Operators of one layer stand behind its name. */
static void print_path(Text *text, const ReportStage *stage, size_t indent)
{
    size_t line = text->n - indent; /* where it starts */
    for (uint32_t i = 0; i < stage->n_steps; i++) {
        const ReportStep *step = &stage->step[i];
        bool named = i > 0 && text_equal(step->layer, stage->step[i - 1].layer);
        const char *layer = named ? "" : fmt(text->arena, "%s: ", cut(text->arena, step->layer[0] ? step->layer : "-", 28));
        const char *item = fmt(text->arena, "%s%s %s %u", layer, step->wire, step->op, step->delay_ps);
        bool last = i + 1 == stage->n_steps;
        if (i > 0 && text->n - line + strlen(item) > PATH_WIDTH) {
            text_add(text, "\n%*s", (int)indent, "");
            line = text->n - indent;
        } else if (i > 0) {
            text_put_char(text, ' ');
        }
        text_put(text, item);
        text_put(text, last ? "" : text_equal(stage->step[i + 1].layer, step->layer) ? "," : ";");
    }
    text_put_char(text, '\n');
}

void report_print_paths(Text *text, const Report *report)
{
    text_put(text, "\n  where the delay goes: the operators on each stage's longest path, in ps; the rest is its register's\n\n");
    for (uint32_t i = 0; i < report->stages.n; i++) {
        const ReportStage *stage = &report->stages.at[i];
        if (stage->n_steps == 0)
            continue;
        size_t start = text->n;
        text_add(text, "  stage %-3u %6.3f ns  ", i + 1, stage->longest_ns);
        print_path(text, stage, text->n - start);
    }
}
