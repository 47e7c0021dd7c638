/* report/html_adders.c: the adders that make a neuron: what enters the layer on the left, the neuron on the right, time from left to right.
 *
 *     x0 --------+                    a box is an operator with the type of its result; how an operand comes in stands at its end
 *              [+ s17]--#--[- s19]    # a register, on the line where its stage ends
 *     x1 -- <<2 -+
 */
#include <string.h>

#include "report/inside.h"

enum { LEFT = 96, PITCH = 116, HALF = 31, HALF_HEIGHT = 10, STUB = 9, TOP = 30, READS_WELL = 46 };

typedef struct Sheet {
    Text *text;
    const ReportNeuron *neuron;
    Layout layout;
} Sheet;

static int32_t column_x(uint32_t column) { return LEFT + (int32_t)column * PITCH; }

/* Where operand k enters box i: operands from further up enter further up. */
static int32_t entry_y(const Sheet *s, uint32_t i, uint32_t k)
{
    const ReportWire *wire = &s->neuron->wire[i];
    const LayoutPlace *box = &s->layout.place[i];
    int32_t own = layout_at(&s->layout, wire->operand[k].wire, box->column - 1)->y;
    int32_t above = 0, n = (int32_t)wire->n_operands;
    for (uint32_t j = 0; j < wire->n_operands; j++) {
        int32_t other = layout_at(&s->layout, wire->operand[j].wire, box->column - 1)->y;
        above += other < own || (other == own && j < k);
    }
    return n > 1 && n < 5 ? box->y - 6 + 12 * above / (n - 1) : box->y;
}

static void put_curve(Text *text, int32_t x, int32_t y, int32_t to_x, int32_t to_y)
{
    int32_t middle = (x + to_x) / 2;
    if (y == to_y)
        text_add(text, "M%d %dH%d", x, y, to_x);
    else
        text_add(text, "M%d %dC%d %d %d %d %d %d", x, y, middle, y, middle, to_y, to_x, to_y);
}

/* A wire as one path: through the places it passes, and from there to each reader. */
static void put_wire(const Sheet *s, uint32_t i)
{
    Text *text = s->text;
    const Layout *layout = &s->layout;
    text_put(text, "<path class=\"wire\" d=\"");
    size_t empty = text->n;
    for (uint32_t c = layout->place[i].column + 1; c <= layout->last[i]; c++) {
        int32_t from = layout_at(layout, i, c - 1)->y, to = layout_at(layout, i, c)->y;
        text_add(text, "M%d %dh%d", column_x(c - 1) + HALF, from, STUB);
        put_curve(text, column_x(c - 1) + HALF + STUB, from, column_x(c) - HALF, to);
        text_add(text, "H%d", column_x(c) + HALF);
    }
    for (uint32_t u = i + 1; u < s->neuron->n; u++)
        for (uint32_t k = 0; k < s->neuron->wire[u].n_operands; k++) {
            uint32_t column = layout->place[u].column;
            if (s->neuron->wire[u].operand[k].wire != i || column == 0)
                continue;
            int32_t from = layout_at(layout, i, column - 1)->y;
            text_add(text, "M%d %dh%d", column_x(column - 1) + HALF, from, STUB);
            put_curve(text, column_x(column - 1) + HALF + STUB, from, column_x(column) - HALF, entry_y(s, u, k));
        }
    if (text->n == empty)
        text_add(text, "M%d %dh%d", column_x(layout->place[i].column) + HALF, layout->place[i].y, 24); /* the neuron: it leaves */
    text_put(text, "\"/>\n");
}

/* Registers stand where a wire leaves the last column of a stage. */
static void put_stages(const Sheet *s)
{
    Text *text = s->text;
    const Layout *layout = &s->layout;
    for (uint32_t c = 0; c < layout->n_columns; c++) {
        if (c == 0 || layout->stage[c] != layout->stage[c - 1])
            text_add(text, "<text class=\"dim small\" x=\"%d\" y=\"12\">stage %u</text>\n", column_x(c) - HALF, layout->stage[c] + 1);
        if (c + 1 < layout->n_columns && layout->stage[c + 1] != layout->stage[c])
            text_add(text, "<path class=\"cut\" d=\"M%d 4V%d\"/>\n", column_x(c) + HALF + STUB / 2, TOP + layout->height + 16);
    }
}

static void put_registers(const Sheet *s, uint32_t i)
{
    const Layout *layout = &s->layout;
    if (s->neuron->wire[i].kind == REPORT_WIRE_CONSTANT || s->layout.place[i].column == layout->n_columns - 1)
        return;
    for (uint32_t c = layout->place[i].column; c <= layout->last[i]; c++)
        if (c + 1 < layout->n_columns && layout->stage[c + 1] != layout->stage[c])
            text_add(s->text, "<rect class=\"register\" x=\"%d\" y=\"%d\" width=\"6\" height=\"8\"/>\n", column_x(c) + HALF + STUB / 2 - 3,
                     layout_at(layout, i, c)->y - 4);
}

static void put_box(const Sheet *s, uint32_t i)
{
    Text *text = s->text;
    const ReportWire *wire = &s->neuron->wire[i];
    int32_t x = column_x(s->layout.place[i].column), y = s->layout.place[i].y;
    text_put(text, "<g><title>");
    html_put(text, wire->title, 2 * HTML_NAME);
    text_put(text, "</title>");
    if (wire->kind == REPORT_WIRE_OPERATOR) {
        text_add(text, "<rect class=\"c%u box\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"5\"/>", s->neuron->layer % 8, x - HALF,
                 y - HALF_HEIGHT, 2 * HALF, 2 * HALF_HEIGHT);
        bool sign = strlen(wire->text) < 4; /* of a sum: there is room for the type */
        text_add(text, "<text class=\"%s\" x=\"%d\" y=\"%d\">", sign ? "bold" : "mid", sign ? x - HALF + 5 : x, y + 4);
        html_put(text, wire->text, 9);
        if (sign) {
            text_add(text, "</text><text class=\"dim small end\" x=\"%d\" y=\"%d\">", x + HALF - 4, y + 4);
            html_put(text, wire->type, 10);
        }
    } else {
        text_add(text, "<text class=\"end%s\" x=\"%d\" y=\"%d\">", wire->kind == REPORT_WIRE_CONSTANT ? " dim" : "", x + HALF - 4, y + 4);
        html_put(text, wire->text, 20);
    }
    text_put(text, "</text></g>\n");
}

static void put_entries(const Sheet *s, uint32_t i)
{
    const ReportWire *wire = &s->neuron->wire[i];
    for (uint32_t k = 0; k < wire->n_operands && s->layout.place[i].column > 0; k++) {
        if (wire->operand[k].text[0] == '\0')
            continue;
        text_add(s->text, "<text class=\"small end\" x=\"%d\" y=\"%d\">", column_x(s->layout.place[i].column) - HALF - 3,
                 entry_y(s, i, k) - 2);
        html_put(s->text, wire->operand[k].text, 12);
        text_put(s->text, "</text>\n");
    }
}

static void put_sheet(const Sheet *s)
{
    Text *text = s->text;
    uint32_t n = s->neuron->n;
    int32_t width = column_x(s->layout.n_columns - 1) + HALF + 40, height = TOP + s->layout.height + 24;
    text_add(text, "<svg class=\"kaon\" role=\"img\" aria-label=\"adder graph\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n", width,
             height, width, height);
    put_stages(s);
    text_add(text, "<g transform=\"translate(0 %d)\">\n", TOP);
    for (uint32_t i = 0; i < n; i++)
        put_wire(s, i);
    for (uint32_t i = 0; i < n; i++)
        put_registers(s, i);
    for (uint32_t i = 0; i < n; i++)
        put_box(s, i);
    for (uint32_t i = 0; i < n; i++)
        put_entries(s, i);
    text_put(text, "</g>\n</svg>");
}

/* The largest graph that still reads well, else the smallest. */
static uint32_t choose_shown(const Sheet *sheet, uint32_t n)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++) {
        uint32_t size = sheet[i].neuron->n, of_best = sheet[best].neuron->n;
        if (size <= READS_WELL ? of_best > READS_WELL || size > of_best : size < of_best)
            best = i;
    }
    return best;
}

void html_put_adders(Text *text, const Report *report, const ReportPicture *picture)
{
    Sheet *sheet = arena_array(text->arena, Sheet, picture->neurons.n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < picture->neurons.n; i++) {
        sheet[n] = (Sheet){.text = text, .neuron = &picture->neurons.at[i]};
        n += layout_neuron(text->arena, sheet[n].neuron, &sheet[n].layout);
    }
    if (n == 0)
        return;
    uint32_t shown = choose_shown(sheet, n);
    text_put(text,
             "<section id=\"adders\">\n<h2>Adder graph of a neuron</h2>\n<p><label>neuron <select id=\"neuron\" autocomplete=\"off\">\n");
    for (uint32_t i = 0; i < n; i++) {
        const ReportNeuron *neuron = sheet[i].neuron;
        if (i == 0 || neuron->layer != sheet[i - 1].neuron->layer) {
            text_put(text, i > 0 ? "</optgroup>\n<optgroup label=\"" : "<optgroup label=\"");
            html_put(text, report->layers.at[neuron->layer].name, HTML_NAME);
            text_put(text, "\">\n");
        }
        text_add(text, "<option value=\"neuron%u\"%s>", i, i == shown ? " selected" : "");
        html_put(text, neuron->name, HTML_NAME);
        text_put(text, "</option>\n");
    }
    text_put(
        text,
        "</optgroup>\n</select></label></p>\n<p class=\"note\">Boxes are operators with the type of their result; an operand that comes in "
        "shifted or negated says so at its end. Small squares are registers. A pointer on a box tells when it is ready.</p>\n");
    for (uint32_t i = 0; i < n; i++) {
        text_add(text, "<figure class=\"neuron%s\" id=\"neuron%u\"><div class=\"wide\">", i == shown ? "" : " off", i);
        put_sheet(&sheet[i]);
        text_put(text, "</div><figcaption class=\"note\">");
        html_put(text, sheet[i].neuron->name, HTML_NAME);
        text_put(text, "</figcaption></figure>\n");
    }
    text_put(text, "</section>\n");
}
