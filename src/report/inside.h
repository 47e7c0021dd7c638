/* report/inside.h: what the files of the HTML report share. */
#ifndef KAON_REPORT_INSIDE_H
#define KAON_REPORT_INSIDE_H

#include "report/html.h"

/* html_text.c: everything that comes from a model goes through these. Control bytes and broken UTF-8 as \xNN, cut at `most` characters,
 * & < > " ' as entities: safe as text and inside quoted attributes. */
void html_put(Text *text, const char *string, size_t most);
void html_put_count(Text *text, uint64_t count); /* 1 234 567 */
void html_put_ns(Text *text, double ns);         /* three decimals */
enum { HTML_NAME = 120, HTML_LABEL = 20 };       /* characters of a name in a table, in a picture */

/* html_pipeline.c, html_widths.c, html_adders.c: each one <svg>, or a whole section */
void html_put_pipeline(Text *text, const Report *report, const ReportPicture *picture, const char *style); /* style: inside it, or NULL */
void html_put_widths(Text *text, const ReportPicture *picture);
void html_put_adders(Text *text, const Report *report, const ReportPicture *picture);
uint32_t html_layer_colour(const Report *report, const char *layer); /* class c0 .. c7 */

/* layout.c: a neuron's wires in columns. A wire that is read further right than the next column passes the columns between at places of its
 * own, one for all its readers. */
typedef struct LayoutPlace {
    uint32_t wire, column;
    bool passes; /* on its way to a later column */
    int32_t y;
} LayoutPlace;

typedef struct Layout {
    uint32_t n_columns, n_places;
    LayoutPlace *place;     /* [n_places] first a place for each wire, then those on the way, by wire and column */
    const uint32_t *on_way; /* [wires] first place on the way */
    const uint32_t *last;   /* [wires] last column that it stands in or passes */
    const uint32_t *stage;  /* [n_columns] of the wires in it */
    int32_t height;
} Layout;
/* False where it would not fit on a page that anyone reads. */
bool layout_neuron(Arena *arena, const ReportNeuron *neuron, Layout *out);
/* The place of `wire` in a column at or right of its own. */
static inline const LayoutPlace *layout_at(const Layout *layout, uint32_t wire, uint32_t column)
{
    uint32_t own = layout->place[wire].column;
    return &layout->place[column == own ? wire : layout->on_way[wire] + column - own - 1];
}

#endif
