/* report/html.c: page/page.html with its {{fields}} filled in: one file, no network, the same bytes for the same design. */
#include <assert.h>
#include <string.h>

#include "report/inside.h"

#include "page_text.h"

typedef struct Page {
    Text *text;
    const Report *report;
    const ReportPicture *picture;
} Page;

static void put_cell(Text *text, const char *string)
{
    text_put(text, "<td>");
    html_put(text, string, HTML_NAME);
}

static void put_number(Text *text, uint64_t number)
{
    text_put(text, "<td class=\"n\">");
    html_put_count(text, number);
}

static void put_default(Text *text, bool is_default) { text_put(text, is_default ? " <span class=\"default\">default</span>" : ""); }

/* ---- fields ---- */

static void put_name(const Page *page) { html_put(page->text, page->report->name, HTML_NAME); }
static void put_source(const Page *page) { html_put(page->text, page->report->source, HTML_NAME); }
static void put_target(const Page *page) { html_put(page->text, page->report->target, HTML_NAME); }
static void put_version(const Page *page) { html_put(page->text, page->report->version, HTML_NAME); }
static void put_style(const Page *page) { text_put(page->text, page_css); }
static void put_picture_style(const Page *page) { text_put(page->text, picture_css); }
static void put_script(const Page *page) { text_put(page->text, page_js); }
static void put_pipeline(const Page *page) { html_put_pipeline(page->text, page->report, page->picture, NULL); }
static void put_widths(const Page *page) { html_put_widths(page->text, page->picture); }
static void put_adders(const Page *page) { html_put_adders(page->text, page->report, page->picture); }

static void put_figure(Text *text, const char *what, const char *value, const char *more)
{
    text_add(text, "<div><dt>%s</dt><dd>%s<small>%s</small></dd></div>\n", what, value, more);
}

static const char *count_text(Arena *arena, uint64_t count)
{
    Text text = text_init(arena);
    html_put_count(&text, count);
    return text.at;
}

static void put_figures(const Page *page)
{
    const Report *report = page->report;
    Text *text = page->text;
    Arena *arena = text->arena;
    put_figure(text, "latency", fmt(arena, "%.4g ns", report->latency_cycles * report->clock_ns),
               fmt(arena, "%u clock%s of %.4g ns", report->latency_cycles, report->latency_cycles == 1 ? "" : "s", report->clock_ns));
    put_figure(text, "events",
               fmt(arena, "%.4g MHz", 1000 / report->clock_ns / (report->initiation_interval ? report->initiation_interval : 1)),
               report->initiation_interval == 1 ? "a new one every clock" : fmt(arena, "one every %u clocks", report->initiation_interval));
    put_figure(text, "longest stage", fmt(arena, "%.4g ns", report->achieved_ns),
               fmt(arena, "slack %.3f ns", report->clock_ns - report->achieved_ns));
    put_figure(text, "look-up tables", count_text(arena, report->luts), "estimated");
    put_figure(text, "carry bits", count_text(arena, report->carries), "estimated");
    put_figure(text, "register bits", count_text(arena, report->register_bits), "ports included");
    put_figure(text, "adders", count_text(arena, report->adders), "and subtractors");
}

static void put_verdict(const Page *page)
{
    if (!page->report->met)
        text_put(page->text, "<p class=\"bad\">The clock is not met in the model.</p>\n");
}

static void put_default_note(const Page *page)
{
    bool any = false;
    for (uint32_t i = 0; i < page->report->layers.n; i++)
        any = any || page->report->layers.at[i].weights_default || page->report->layers.at[i].result_default;
    text_put(page->text, any ? " Types marked default were chosen by kaon." : "");
}

static void put_span(Text *text, const ReportLayer *layer)
{
    if (!layer->has_stages)
        text_put(text, "<td class=\"n\">-");
    else if (layer->first_stage == layer->last_stage)
        text_add(text, "<td class=\"n\">%llu", layer->first_stage + 1ull);
    else
        text_add(text, "<td class=\"n\">%llu\xe2\x80\x93%llu", layer->first_stage + 1ull, layer->last_stage + 1ull);
}

static void put_layer(Text *text, const ReportLayer *layer, uint32_t colour)
{
    text_add(text, "<tr><td><span class=\"c%u\"><span class=\"swatch\"></span></span><bdi>", colour);
    html_put(text, layer->name[0] ? layer->name : "-", HTML_NAME);
    text_put(text, "</bdi>");
    put_cell(text, layer->ops);
    put_cell(text, layer->shape);
    put_cell(text, layer->weights);
    put_default(text, layer->weights_default);
    put_cell(text, layer->result);
    put_default(text, layer->result_default);
    put_number(text, layer->adders);
    put_number(text, layer->luts);
    put_number(text, layer->register_bits);
    put_number(text, layer->depth);
    text_put(text, "<td class=\"n\">");
    html_put_ns(text, layer->delay_ps / 1000.0);
    put_span(text, layer);
    text_put(text, "</tr>\n");
}

static void put_layers(const Page *page)
{
    Text *text = page->text;
    for (uint32_t i = 0; i < page->report->layers.n; i++)
        put_layer(text, &page->report->layers.at[i], i % 8);
    text_put(text, "<tr class=\"total\"><td>all<td><td><td><td>");
    put_number(text, page->report->adders);
    put_number(text, page->report->luts);
    put_number(text, page->report->register_bits);
    text_put(text, "<td class=\"n\"><td class=\"n\"><td class=\"n\"></tr>\n");
}

static void put_port(Text *text, const char *direction, const ReportPort *port)
{
    text_add(text, "<tr><td>%s<td><bdi>", direction);
    html_put(text, port->name, HTML_NAME);
    text_put(text, "</bdi>");
    put_cell(text, port->shape);
    put_cell(text, port->type);
    put_default(text, port->is_default);
    put_cell(text, port->scale[0] ? port->scale : "1");
    if (port->post[0]) {
        text_put(text, "; ");
        html_put(text, port->post, HTML_NAME);
        text_put(text, " by the host");
    }
    text_put(text, "</tr>\n");
}

static void put_ports(const Page *page)
{
    for (uint32_t i = 0; i < page->report->inputs.n; i++)
        put_port(page->text, "input", &page->report->inputs.at[i]);
    for (uint32_t i = 0; i < page->report->outputs.n; i++)
        put_port(page->text, "output", &page->report->outputs.at[i]);
}

static void put_stage(Text *text, const Report *report, uint32_t number)
{
    const ReportStage *stage = &report->stages.at[number];
    double slack = report->clock_ns - stage->longest_ns;
    text_add(text, "<tr><td class=\"n\">%u<td class=\"n\">%.3f<td class=\"n%s\">%.3f<td>", number + 1, stage->longest_ns,
             slack < 0 ? " bad" : "", slack);
    for (uint32_t i = 0; i < stage->n_steps; i++) {
        const ReportStep *step = &stage->step[i];
        if (i == 0 || !text_equal(step->layer, stage->step[i - 1].layer)) {
            text_add(text, "%s<span class=\"c%u\"><span class=\"swatch\"></span></span><bdi>", i > 0 ? "; " : "",
                     html_layer_colour(report, step->layer));
            html_put(text, step->layer[0] ? step->layer : "-", HTML_NAME);
            text_put(text, "</bdi>: ");
        } else {
            text_put(text, ", ");
        }
        text_put(text, "<code>");
        html_put(text, fmt(text->arena, "%s %s", step->wire, step->op), HTML_NAME);
        text_add(text, "</code> %u", step->delay_ps);
    }
    text_put(text, "</tr>\n");
}

static void put_paths(const Page *page)
{
    for (uint32_t i = 0; i < page->report->stages.n; i++)
        if (page->report->stages.at[i].n_steps > 0)
            put_stage(page->text, page->report, i);
}

static const struct {
    const char *name;
    void (*put)(const Page *page);
} FIELDS[] = {
    {"name", put_name},
    {"source", put_source},
    {"target", put_target},
    {"version", put_version},
    {"style", put_style},
    {"picture_style", put_picture_style},
    {"script", put_script},
    {"figures", put_figures},
    {"verdict", put_verdict},
    {"layers", put_layers},
    {"default_note", put_default_note},
    {"ports", put_ports},
    {"pipeline", put_pipeline},
    {"paths", put_paths},
    {"widths", put_widths},
    {"adders", put_adders},
};

static void put_field(const Page *page, const char *name, size_t length)
{
    for (size_t i = 0; i < COUNT_OF(FIELDS); i++)
        if (strlen(FIELDS[i].name) == length && memcmp(FIELDS[i].name, name, length) == 0) {
            FIELDS[i].put(page);
            return;
        }
    assert(!"page.html names a field that nobody fills");
}

void report_html(Text *text, const Report *report, const ReportPicture *picture)
{
    Page page = {text, report, picture};
    const char *at = page_html;
    for (const char *field; (field = strstr(at, "{{")) != NULL;) {
        const char *end = strstr(field, "}}");
        text_put_bytes(text, at, (size_t)(field - at));
        put_field(&page, field + 2, (size_t)(end - field - 2));
        at = end + 2;
    }
    text_put(text, at);
}

void report_svg(Text *text, const Report *report, const ReportPicture *picture)
{
    html_put_pipeline(text, report, picture, picture_css);
    text_put_char(text, '\n');
}
