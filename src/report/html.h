/* report/html.h: the report as one HTML file that needs nothing else, and its pipeline as an SVG picture. */
#ifndef KAON_REPORT_HTML_H
#define KAON_REPORT_HTML_H

#include "report/report.h"

typedef enum ReportWireKind {
    REPORT_WIRE_SOURCE, /* comes from outside the graph */
    REPORT_WIRE_CONSTANT,
    REPORT_WIRE_OPERATOR, /* of the graph's own layer */
} ReportWireKind;

typedef struct ReportOperand {
    uint32_t wire;
    const char *text; /* "", or how it enters: "-<<2" */
} ReportOperand;

typedef struct ReportWire {
    ReportWireKind kind;
    const char *text;  /* "+", "features[3]", "-2.5" */
    const char *type;  /* "s17.10" */
    const char *title; /* all that is known of it, in a line */
    uint32_t stage;
    uint32_t n_operands;
    const ReportOperand *operand; /* [n_operands] wires that stand before it */
} ReportWire;

/* The operators that make one value of a layer from what enters the layer. */
typedef struct ReportNeuron {
    const char *name; /* "fc1[3]" */
    uint32_t layer;   /* of the report */
    uint32_t n;
    const ReportWire *wire; /* [n]; the last one is the value */
} ReportNeuron;

enum { REPORT_WIDTHS = 65 };

/* What the circuit tells beyond a Report. */
typedef struct ReportPicture {
    uint64_t adders[REPORT_WIDTHS], others[REPORT_WIDTHS]; /* operators by the bits of their result */
    const uint64_t *luts;                                  /* [report layers][report stages] */
    VEC(ReportNeuron) neurons;
} ReportPicture;

void report_html(Text *text, const Report *report, const ReportPicture *picture);
void report_svg(Text *text, const Report *report, const ReportPicture *picture); /* the pipeline alone, a file of its own */

#endif
