/* api/inside.h: what the files of this room share. */
#ifndef KAON_API_INSIDE_H
#define KAON_API_INSIDE_H

#include "api/design.h"

/* The ports of the typed graph, with the input scaling that the options name for them. */
bool design_collect_ports(Design *design, DiagList *diags);
void design_fill_report(Design *design);
/* Everything of the hardware that out/ holds besides the manifest: RTL, test bench, Makefile, scripts, as the targets (EmitTarget) say. */
bool design_emit(const Design *design, unsigned targets, EmitFiles *files, DiagList *diags);
EmitOptions design_emit_options(const Design *design);
/* "u6.6", or the span of a map: "u3.1 .. u7.4" */
const char *type_map_text(Arena *arena, const TypeMap *map, Shape shape);

/* jansson trees from YAML (libyaml); JSON is read as the YAML that it is. Aliases are refused. */
struct json_t;
bool yaml_parse(Arena *arena, Bytes bytes, const char *file, struct json_t **out, DiagList *diags);

#define MANIFEST_NAME "kaon.json"

#endif
