/* report/html_pipeline.c: the pipeline as a picture, a column a stage.
 *
 *      clock - - - - - - - - -      longest path, a piece an operator in its layer's colour, the register's share on top in grey
 *            #   #   #              slack is what is left below the line
 *      fc1   ##                     where the layer works: strength by its tables there
 *      relu1     #
 *      bits  =   =   =              stored at the end of the stage
 */
#include "report/inside.h"

enum { LEFT = 150, PITCH = 62, BAR = 34, TOP = 36, PLOT = 150, ROW = 20, STORE = 46, MOST_STAGES = 200, MOST_LAYERS = 60 };

typedef struct Drawing {
    Text *text;
    const Report *report;
    const ReportPicture *picture;
    uint32_t n_stages, n_layers;
    uint32_t top_ps; /* of the scale */
} Drawing;

uint32_t html_layer_colour(const Report *report, const char *layer)
{
    for (uint32_t i = 0; i < report->layers.n; i++)
        if (text_equal(report->layers.at[i].name, layer))
            return i % 8;
    return 7;
}

static uint32_t ps_of(double ns) { return ns > 0 && ns < 1e6 ? (uint32_t)(ns * 1000 + 0.5) : 0; }
static uint32_t height_of(const Drawing *d, uint64_t ps) { return (uint32_t)(ps * PLOT / d->top_ps); }
static uint32_t stage_x(uint32_t stage) { return LEFT + stage * PITCH; }

static void put_path(const Drawing *d, uint32_t s)
{
    const ReportStage *stage = &d->report->stages.at[s];
    uint32_t x = stage_x(s) + (PITCH - BAR) / 2, whole = ps_of(stage->longest_ns);
    uint64_t at = 0;
    for (uint32_t i = 0; i < stage->n_steps; i++) {
        const ReportStep *step = &stage->step[i];
        uint32_t low = height_of(d, at), high = height_of(d, at + step->delay_ps);
        at += step->delay_ps;
        text_add(d->text, "<rect class=\"c%u of\" x=\"%u\" y=\"%u\" width=\"%d\" height=\"%u\"><title>",
                 html_layer_colour(d->report, step->layer), x, TOP + PLOT - high, BAR, high - low > 1 ? high - low - 1 : 1);
        html_put(d->text, fmt(d->text->arena, "%s: %s %s, %u ps", step->layer, step->wire, step->op, step->delay_ps), HTML_NAME);
        text_put(d->text, "</title></rect>\n");
    }
    if (whole > at)
        text_add(
            d->text,
            "<rect class=\"register\" x=\"%u\" y=\"%u\" width=\"%d\" height=\"%u\"><title>the register's own: %llu ps</title></rect>\n", x,
            TOP + PLOT - height_of(d, whole), BAR, u32_max(height_of(d, whole) - height_of(d, at), 1), (unsigned long long)(whole - at));
    if (whole == 0)
        return;
    double slack = d->report->clock_ns - stage->longest_ns;
    text_add(d->text, "<text class=\"mid%s\" x=\"%u\" y=\"%d\">%.3f<title>slack %.3f ns</title></text>\n", slack < 0 ? " hot bold" : "",
             x + BAR / 2, TOP - 12, stage->longest_ns, slack);
}

static void put_paths(const Drawing *d)
{
    uint32_t right = stage_x(d->n_stages), y = TOP + PLOT - height_of(d, ps_of(d->report->clock_ns));
    text_add(d->text, "<path class=\"axis\" d=\"M%d %dH%u\"/>\n", LEFT, TOP + PLOT, right);
    for (uint32_t s = 0; s < d->n_stages; s++)
        put_path(d, s);
    text_add(d->text, "<path class=\"clock\" d=\"M%d %uH%u\"/><text class=\"hot end\" x=\"%d\" y=\"%u\">clock %.4g ns</text>\n", LEFT, y,
             right, LEFT - 8, y + 4, d->report->clock_ns);
    text_add(d->text, "<text class=\"dim end\" x=\"%d\" y=\"%d\">longest path, ns</text>\n", LEFT - 8, TOP - 12);
    for (uint32_t s = 0; s < d->n_stages; s++)
        text_add(d->text, "<text class=\"mid bold\" x=\"%u\" y=\"%d\">%u</text>\n", stage_x(s) + PITCH / 2, TOP + PLOT + 17, s + 1);
    text_add(d->text, "<text class=\"dim end\" x=\"%d\" y=\"%d\">stage</text>\n", LEFT - 8, TOP + PLOT + 17);
}

static void put_layer(const Drawing *d, uint32_t l, uint32_t y)
{
    const ReportLayer *layer = &d->report->layers.at[l];
    const uint64_t *luts = d->picture->luts + (size_t)l * d->report->stages.n;
    uint64_t most = 1;
    for (uint32_t s = 0; s < d->report->stages.n; s++)
        most = luts[s] > most ? luts[s] : most;
    text_add(d->text, "<text class=\"end\" x=\"%d\" y=\"%u\">", LEFT - 8, y + ROW - 6);
    html_put(d->text, layer->name[0] ? layer->name : "-", HTML_LABEL);
    text_put(d->text, "<title>");
    html_put(d->text, layer->name, HTML_NAME);
    text_add(d->text, "</title></text><path class=\"grid\" d=\"M%d %uH%u\"/>\n", LEFT, y + ROW, stage_x(d->n_stages));
    for (uint32_t s = layer->first_stage; layer->has_stages && s <= layer->last_stage && s < d->n_stages; s++) {
        uint32_t strength = 25 + (uint32_t)(luts[s] * 75 / most);
        text_add(d->text, "<rect class=\"c%u of\" fill-opacity=\"%u%%\" x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" rx=\"2\"><title>",
                 l % 8, strength, stage_x(s) + 2, y + 3, PITCH - 4, ROW - 6);
        html_put(d->text, layer->name, HTML_NAME);
        text_add(d->text, ", stage %u: about %llu LUTs</title></rect>\n", s + 1, (unsigned long long)luts[s]);
    }
}

static void put_registers(const Drawing *d, uint32_t y)
{
    uint64_t most = 1;
    for (uint32_t s = 0; s < d->n_stages; s++)
        most = d->report->stages.at[s].register_bits > most ? d->report->stages.at[s].register_bits : most;
    text_add(d->text, "<text class=\"dim end\" x=\"%d\" y=\"%u\">register bits</text>\n", LEFT - 8, y + 12);
    for (uint32_t s = 0; s < d->n_stages; s++) {
        uint64_t bits = d->report->stages.at[s].register_bits;
        if (bits == 0)
            continue;
        uint32_t height = (uint32_t)((i128)bits * STORE / (i128)most), x = stage_x(s + 1);
        text_add(d->text, "<rect class=\"register\" x=\"%u\" y=\"%u\" width=\"8\" height=\"%u\"><title>", x - 4, y, u32_max(height, 1));
        html_put_count(d->text, bits);
        text_add(d->text, " bits at the end of stage %u</title></rect><text class=\"mid small\" x=\"%u\" y=\"%u\">", s + 1, x,
                 y + u32_max(height, 1) + 11);
        html_put_count(d->text, bits);
        text_put(d->text, "</text>\n");
    }
}

void html_put_pipeline(Text *text, const Report *report, const ReportPicture *picture, const char *style)
{
    Drawing d = {.text = text, .report = report, .picture = picture};
    d.n_stages = u32_min(report->stages.n, MOST_STAGES);
    d.n_layers = u32_min(report->layers.n, MOST_LAYERS);
    d.top_ps = u32_max(ps_of(report->clock_ns), 1);
    for (uint32_t s = 0; s < d.n_stages; s++)
        d.top_ps = u32_max(d.top_ps, ps_of(report->stages.at[s].longest_ns));
    uint32_t rows = TOP + PLOT + 26, registers = rows + d.n_layers * ROW + 10;
    uint32_t width = stage_x(d.n_stages) + 30, height = registers + STORE + 18;
    text_add(text,
             "<svg class=\"kaon\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"the pipeline\" width=\"%u\" height=\"%u\" "
             "viewBox=\"0 0 %u %u\">\n",
             width, height, width, height);
    if (style != NULL)
        text_add(text, "<style>\n%s</style>\n", style);
    for (uint32_t s = 1; s <= d.n_stages; s++)
        text_add(text, "<path class=\"grid\" d=\"M%u %dV%u\"/>\n", stage_x(s), TOP, registers);
    put_paths(&d);
    for (uint32_t l = 0; l < d.n_layers; l++)
        put_layer(&d, l, rows + l * ROW);
    put_registers(&d, registers);
    text_put(text, "</svg>");
    if (d.n_stages < report->stages.n || d.n_layers < report->layers.n)
        text_add(text, "%s",
                 style == NULL ? "<p class=\"note\">The picture leaves stages or layers out; the tables have them all.</p>" : "");
}
