/* import/import.h: model files -> tensor IR, exactly as the file says: parameters are the file's numbers, quantisers are explicit nodes,
 * nothing is typed or fused here. All that a format does not know is reported in one run, each with its name and what is known. */
#ifndef KAON_IMPORT_IMPORT_H
#define KAON_IMPORT_IMPORT_H

#include "graph/graph.h"

/* The format is told from the first bytes, else the extension. NULL and diagnostics. The graph is inferred. */
Graph *import_model(Arena *arena, const char *path, DiagList *diags);

#define FORMAT(name, text, extensions, summary) Graph *import_##name(Arena *arena, const char *path, Bytes bytes, DiagList *diags);
#include "import/formats.def"
#undef FORMAT

#endif
