/* graph/parse.h: what parse.c and parse_attr.c share. */
#ifndef KAON_GRAPH_PARSE_H
#define KAON_GRAPH_PARSE_H

#include "base/lex.h"
#include "graph/inside.h"

/* A list whose length is right once the node's shape is known. */
typedef struct ParseList {
    const char *what;
    Spread spread;
    uint32_t n;
} ParseList;

typedef struct ParsePrinted {
    uint32_t module;
    GraphRef ref;
    const char *text; /* behind the colon */
    Place place;
} ParsePrinted;

typedef VEC(GraphRef) ParseRefs;

typedef struct Parse {
    Lexer lex;
    Arena *arena;
    Graph *graph;
    GraphModule *module; /* the one at hand; NULL before the first head */
    const char *file;
    DiagList *diags;
    Map modules; /* by name */
    bool has_top;
    ParseList lists[6]; /* of the node at hand */
    uint32_t n_lists;
    const char *side; /* the side file of the constant at hand */
    VEC(ParsePrinted) printed;
} Parse;

const char *parse_name(Parse *p, const char *what); /* plain or in quotes */
void parse_expect(Parse *p, const char *what, Spread spread, uint32_t n);
/* parse_attr.c */
bool parse_attribute(Parse *p, GraphNode *node, const ParseRefs *refs);
bool parse_load_side(Parse *p, GraphNode *node, Place place); /* fills in a constant's numbers from its side file, if it has one */

#endif
