/* import/import.c: which format a model file has, and the call of its importer. Formats are told by their first bytes, since names lie; the
 * extension decides where the bytes do not (protobuf has no signature). */
#include "import/import.h"

#include <string.h>

typedef Graph *Importer(Arena *arena, const char *path, Bytes bytes, DiagList *diags);

typedef enum Format {
#define FORMAT(name, text, extensions, summary) FORMAT_##name,
#include "import/formats.def"
#undef FORMAT
    FORMAT_COUNT
} Format;

static const struct FormatInfo {
    Importer *import;
    const char *text, *extensions, *summary;
} format_info[FORMAT_COUNT] = {
#define FORMAT(name, text, extensions, summary) [FORMAT_##name] = {import_##name, text, extensions, summary},
#include "import/formats.def"
#undef FORMAT
};

/* The tensor IR is parsed, verified and inferred by its own room. */
Graph *import_graph(Arena *arena, const char *path, Bytes bytes, DiagList *diags) { return graph_parse(arena, bytes, path, diags); }

static bool has_prefix(Bytes bytes, size_t at, const char *prefix, size_t n)
{
    return bytes.n >= at && bytes.n - at >= n && memcmp(bytes.at + at, prefix, n) == 0;
}

/* HDF5 allows a user block of 512 bytes, doubled any number of times, in front of its signature. */
static bool is_hdf5(Bytes bytes)
{
    static const char signature[] = "\x89HDF\r\n\x1a\n";
    for (size_t at = 0; at < bytes.n; at = at ? at * 2 : 512)
        if (has_prefix(bytes, at, signature, 8))
            return true;
    return false;
}

/* Where text starts, behind blanks and comment lines. */
static size_t first_word(Bytes bytes)
{
    size_t at = 0;
    while (at < bytes.n) {
        if (bytes.at[at] == '#')
            while (at < bytes.n && bytes.at[at] != '\n')
                at++;
        else if (!memchr(" \t\r\n", bytes.at[at], 4))
            break;
        else
            at++;
    }
    return at;
}

/* ModelProto begins with its field 1, ir_version, a small number, in every writer; or with field 2, the producer's name. */
static bool looks_like_onnx(Bytes bytes)
{
    return bytes.n > 2 &&
           ((bytes.at[0] == 0x08 && bytes.at[1] < 0x20 && (bytes.at[2] & 7) == 2) || (bytes.at[0] == 0x12 && bytes.at[1] < 0x40));
}

static bool format_by_extension(const char *path, Format *out)
{
    const char *extension = strrchr(path_base(path), '.');
    if (!extension)
        return false;
    for (Format format = 0; format < FORMAT_COUNT; format++) {
        for (const char *at = format_info[format].extensions; *at;) {
            size_t n = strcspn(at, " ");
            if (strlen(extension) == n && memcmp(extension, at, n) == 0) {
                *out = format;
                return true;
            }
            at += n + (at[n] == ' ');
        }
    }
    return false;
}

static bool format_of(const char *path, Bytes bytes, Format *out)
{
    size_t word = first_word(bytes);
    if (is_hdf5(bytes))
        *out = FORMAT_keras;
    else if (has_prefix(bytes, word, "graph ", 6) || has_prefix(bytes, word, "module ", 7))
        *out = FORMAT_graph;
    else if (has_prefix(bytes, word, "{", 1))
        *out = FORMAT_net;
    else if (format_by_extension(path, out))
        return true;
    else if (looks_like_onnx(bytes))
        *out = FORMAT_onnx;
    else
        return false;
    return true;
}

static const char *formats_hint(Arena *arena, Bytes bytes)
{
    if (has_prefix(bytes, 0, "PK\x03\x04", 4))
        return "this is a zip archive, perhaps a Keras 3 .keras file; save the model as Keras 2 .h5 or export it to ONNX";
    Text text = text_init(arena);
    text_put(&text, "kaon reads:");
    for (Format format = 0; format < FORMAT_COUNT; format++)
        text_add(&text, "%s %s (%s)", format ? "," : "", format_info[format].text, format_info[format].extensions);
    return text.at;
}

Graph *import_model(Arena *arena, const char *path, DiagList *diags)
{
    Place place = {.file = path};
    uint32_t errors = diags->n_errors;
    if (file_is_folder(path)) {
        diag_error(diags, DIAG_FORMAT, place, "a TensorFlow SavedModel folder is not read; save the model as .h5 or export it to ONNX",
                   "this is a folder, not a model file");
        return NULL;
    }
    Bytes bytes;
    if (!file_read(arena, path, FILE_LIMIT_MODEL, &bytes, diags))
        return NULL;
    if (bytes.n == 0) {
        diag_error(diags, DIAG_SYNTAX, place, NULL, "the file is empty");
        return NULL;
    }
    Format format;
    if (!format_of(path, bytes, &format)) {
        diag_error(diags, DIAG_FORMAT, place, formats_hint(arena, bytes), "neither its first bytes nor its name tell the format");
        return NULL;
    }
    Graph *graph = format_info[format].import(arena, path, bytes, diags);
    if (!graph || diags->n_errors > errors)
        return NULL;
    if (format != FORMAT_graph && !graph_infer(graph, path, diags))
        return NULL;
    return graph;
}
