/* base/npy.c: the .npy format. A file is
 *
 *     \x93NUMPY  major minor  header length (u16; u32 from version 2 on)  {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }  data
 *
 * The header is a Python literal; only what numpy itself writes is taken. Nothing of it is believed before the product of the shape was
 * compared with the bytes that are there, so a hostile header costs no memory.
 */
#include "base/npy.h"

#include <math.h>
#include <string.h>

#include "base/csv.h"

#define HEADER_MOST ((size_t)1 << 16)
#define MACHINE_BIG (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)

/* --- reading the header */

typedef struct Header {
    Arena *arena;
    const char *at; /* terminated: a copy */
    const char *name;
    DiagList *diags;
} Header;

static bool header_error(const Header *header, const char *text)
{
    diag_error(header->diags, DIAG_SYNTAX, (Place){.file = header->name, .part = "npy header"}, "write it with numpy.save", "%s", text);
    return false;
}

static void skip_blanks(Header *header) { header->at += strspn(header->at, " \t\r\n"); }

static bool take(Header *header, char c)
{
    skip_blanks(header);
    if (*header->at != c)
        return false;
    header->at++;
    return true;
}

/* '...' or "...", without escapes; NULL if there is none */
static const char *take_string(Header *header)
{
    skip_blanks(header);
    char quote = *header->at;
    if (quote != '\'' && quote != '"')
        return NULL;
    const char *end = strchr(header->at + 1, quote);
    if (!end)
        return NULL;
    const char *string = arena_strndup(header->arena, header->at + 1, (size_t)(end - header->at) - 1);
    header->at = end + 1;
    return string;
}

static bool take_word(Header *header, const char *word)
{
    skip_blanks(header);
    if (!text_starts(header->at, word))
        return false;
    header->at += strlen(word);
    return true;
}

static bool read_descr(Header *header, NpyArray *array)
{
    const char *descr = take_string(header);
    const char *hint = "convert it before saving, as in numpy.save(name, array.astype('float64'))";
    Place place = {.file = header->name};
    if (!descr && *header->at != '[')
        return header_error(header, "the type of the elements is not a string");
    if (!descr) {
        diag_error(header->diags, DIAG_UNSUPPORTED, place, hint, "the elements are records; numbers are needed");
        return false;
    }
    static const struct {
        char letter;
        NpyKind kind;
        const char *sizes;
    } kinds[] = {{'b', NPY_BOOL, "1"}, {'i', NPY_INT, "1248"}, {'u', NPY_UINT, "1248"}, {'f', NPY_FLOAT, "248"}};
    if (strlen(descr) == 3 && strchr("<>|", descr[0]))
        for (size_t i = 0; i < COUNT_OF(kinds); i++)
            if (descr[1] == kinds[i].letter && strchr(kinds[i].sizes, descr[2]) && (descr[0] != '|' || descr[2] == '1')) {
                array->kind = kinds[i].kind;
                array->item_bytes = (uint32_t)(descr[2] - '0');
                array->big_endian = descr[0] == '>';
                return true;
            }
    diag_error(header->diags, DIAG_UNSUPPORTED, place, hint, "elements of type '%s' cannot be read",
               text_printable(header->arena, descr, 40));
    return false;
}

static bool read_dim(Header *header, uint64_t *dim)
{
    skip_blanks(header);
    size_t n = strspn(header->at, "0123456789");
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++)
        if (__builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, (uint64_t)(header->at[i] - '0'), &value))
            return header_error(header, "a dimension is above 64 bits");
    header->at += n;
    if (n && *header->at == 'L') /* Python 2 */
        header->at++;
    *dim = value;
    return n > 0 || header_error(header, "the shape is not a tuple of whole numbers that are not negative");
}

static bool read_shape(Header *header, NpyArray *array)
{
    if (!take(header, '('))
        return header_error(header, "the shape is not a tuple");
    while (!take(header, ')')) {
        if (array->rank == NPY_MAX_RANK)
            return header_error(header, "more than 8 dimensions");
        if (!read_dim(header, &array->dim[array->rank++]))
            return false;
        if (!take(header, ',')) {
            if (take(header, ')') && array->rank > 1)
                break;
            return header_error(header, "the shape is not a tuple");
        }
    }
    return true;
}

static bool read_order(Header *header, NpyArray *array)
{
    array->fortran_order = take_word(header, "True");
    return array->fortran_order || take_word(header, "False") || header_error(header, "fortran_order is neither True nor False");
}

static bool read_header(Header *header, NpyArray *array)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    unsigned seen = 0;
    if (!take(header, '{'))
        return header_error(header, "the header is not a dictionary");
    while (!take(header, '}')) {
        const char *key = take_string(header);
        size_t k = 0;
        while (key && k < 3 && !text_equal(key, keys[k]))
            k++;
        if (!key || k == 3 || seen >> k & 1 || !take(header, ':'))
            return header_error(header, "the keys are not descr, fortran_order and shape, once each");
        seen |= 1u << k;
        if (!(k == 0 ? read_descr(header, array) : k == 1 ? read_order(header, array) : read_shape(header, array)))
            return false;
        if (!take(header, ',')) {
            if (take(header, '}'))
                break;
            return header_error(header, "the header is not a dictionary");
        }
    }
    skip_blanks(header);
    return (seen == 7 && !*header->at) || header_error(header, "the header is incomplete, or something follows it");
}

/* Elements, and their bytes; false above 2^62 bytes. Zero dimensions do not hide an overflow of the others. */
static bool count_elements(const NpyArray *array, uint64_t *n, uint64_t *bytes)
{
    uint64_t product = array->item_bytes;
    bool empty = false;
    for (uint32_t i = 0; i < array->rank; i++) {
        if (array->dim[i] == 0)
            empty = true;
        else if (__builtin_mul_overflow(product, array->dim[i], &product) || product >> 62)
            return false;
    }
    *bytes = empty ? 0 : product;
    *n = *bytes / array->item_bytes;
    return true;
}

static bool check_size(NpyArray *array, size_t have, const char *name, DiagList *diags)
{
    uint64_t bytes;
    if (!count_elements(array, &array->n, &bytes)) {
        diag_error(diags, DIAG_LIMIT, (Place){.file = name}, "check how the file was written",
                   "the shape has more elements than any memory");
        return false;
    }
    if (bytes == have)
        return true;
    diag_error(diags, DIAG_SYNTAX, (Place){.file = name},
               bytes > have ? "the file is truncated: write or copy it again" : "one array a file; write it with numpy.save",
               "the header promises %llu bytes of data, the file holds %llu", (unsigned long long)bytes, (unsigned long long)have);
    return false;
}

bool npy_parse(Arena *arena, Bytes bytes, const char *name, NpyArray *out, DiagList *diags)
{
    Header header = {.arena = arena, .name = name, .diags = diags};
    if (bytes.n < 10 || memcmp(bytes.at, "\x93NUMPY", 6) != 0)
        return header_error(&header, "the file is not in numpy's .npy format");
    unsigned major = bytes.at[6];
    if (major < 1 || major > 3 || bytes.at[7] != 0)
        return header_error(&header, "the version of the .npy format is not 1.0, 2.0 or 3.0");
    size_t start = major == 1 ? 10 : 12, length = (size_t)bytes.at[8] | (size_t)bytes.at[9] << 8;
    if (bytes.n < start)
        return header_error(&header, "the file is truncated");
    if (major > 1)
        length |= (size_t)bytes.at[10] << 16 | (size_t)bytes.at[11] << 24;
    if (length > bytes.n - start)
        return header_error(&header, "the file is truncated in its header");
    if (length > HEADER_MOST)
        return header_error(&header, "the header is longer than 65536 bytes");
    header.at = arena_strndup(arena, (const char *)bytes.at + start, length);
    if (strlen(header.at) != length)
        return header_error(&header, "a zero byte stands in the header");
    NpyArray array = {.data = bytes.at + start + length};
    if (!read_header(&header, &array) || !check_size(&array, bytes.n - start - length, name, diags))
        return false;
    *out = array;
    return true;
}

bool npy_read(Arena *arena, const char *path, NpyArray *out, DiagList *diags)
{
    Bytes bytes;
    if (!file_read(arena, path, FILE_LIMIT_EVENTS, &bytes, diags))
        return false;
    return text_ends(path, ".csv") ? csv_parse(arena, bytes, path, out, diags) : npy_parse(arena, bytes, path, out, diags);
}

/* --- elements */

/* Where element i of C order is stored. */
static uint64_t stored_index(const NpyArray *array, uint64_t i)
{
    if (!array->fortran_order || array->rank < 2)
        return i;
    uint64_t index[NPY_MAX_RANK], stored = 0;
    for (uint32_t k = array->rank; k-- > 0; i /= array->dim[k])
        index[k] = i % array->dim[k];
    for (uint32_t k = array->rank; k-- > 0;)
        stored = stored * array->dim[k] + index[k];
    return stored;
}

static uint64_t load_bits(const NpyArray *array, uint64_t i)
{
    const uint8_t *at = array->data + stored_index(array, i) * array->item_bytes;
    uint64_t bits = 0;
    for (uint32_t k = 0; k < array->item_bytes; k++)
        bits |= (uint64_t)at[array->big_endian ? array->item_bytes - 1 - k : k] << (8 * k);
    return bits;
}

static double half_value(uint32_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double fraction = bits & 1023;
    double value = exponent == 31  ? (fraction > 0 ? (double)NAN : (double)INFINITY)
                   : exponent == 0 ? ldexp(fraction, -24)
                                   : ldexp(fraction + 1024, exponent - 25);
    return bits >> 15 & 1 ? -value : value;
}

static double float_value(const NpyArray *array, uint64_t bits)
{
    if (array->item_bytes == 2)
        return half_value((uint32_t)bits);
    if (array->item_bytes == 4) {
        uint32_t bits32 = (uint32_t)bits;
        float value;
        memcpy(&value, &bits32, sizeof value);
        return (double)value;
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static i128 integer_value(const NpyArray *array, uint64_t bits)
{
    if (array->kind == NPY_BOOL)
        return bits != 0;
    uint32_t unused = 64 - 8 * array->item_bytes;
    return array->kind == NPY_INT ? (i128)((int64_t)(bits << unused) >> unused) : (i128)bits;
}

double npy_f64(const NpyArray *array, uint64_t i)
{
    uint64_t bits = load_bits(array, i);
    return array->kind == NPY_FLOAT ? float_value(array, bits) : (double)integer_value(array, bits);
}

bool npy_i128(const NpyArray *array, uint64_t i, i128 *out)
{
    uint64_t bits = load_bits(array, i);
    if (array->kind != NPY_FLOAT) {
        *out = integer_value(array, bits);
        return true;
    }
    double value = float_value(array, bits);
    if (!(value >= -0x1p127 && value < 0x1p127) || value != floor(value))
        return false;
    *out = (i128)value;
    return true;
}

/* --- writing */

static uint64_t product_of(const uint64_t *dim, uint32_t from, uint32_t rank)
{
    uint64_t n = 1;
    for (uint32_t i = from; i < rank; i++)
        n *= dim[i];
    return n;
}

/* The words and the padding to 64 bytes that numpy itself writes, so that the files are the same byte for byte. */
Bytes npy_bytes(Arena *arena, NpyKind kind, uint32_t item_bytes, const void *at, const uint64_t *dim, uint32_t rank)
{
    Text text = text_init(arena);
    text_add(&text, "{'descr': '%c%c%u', 'fortran_order': False, 'shape': (",
             item_bytes == 1 ? '|'
             : MACHINE_BIG   ? '>'
                             : '<',
             "biuf"[kind], item_bytes);
    for (uint32_t i = 0; i < rank; i++)
        text_add(&text, "%s%llu%s", i ? " " : "", (unsigned long long)dim[i], i + 1 < rank || rank == 1 ? "," : "");
    text_put(&text, "), }");
    size_t header = (10 + text.n + 1 + 63) / 64 * 64;
    while (10 + text.n + 1 < header)
        text_put_char(&text, ' ');
    text_put_char(&text, '\n');

    size_t n_data = product_of(dim, 0, rank) * item_bytes;
    uint8_t *bytes = arena_alloc_array(arena, header + n_data, 1, 1);
    memcpy(bytes, "\x93NUMPY\x01\x00", 8);
    bytes[8] = (uint8_t)text.n;
    bytes[9] = (uint8_t)(text.n >> 8);
    memcpy(bytes + 10, text.at, text.n);
    if (n_data)
        memcpy(bytes + header, at, n_data);
    return (Bytes){.at = bytes, .n = header + n_data};
}

/* Rows are the first dimension; all others stand side by side. */
static void put_csv(Text *text, const double *real, const int64_t *whole, const uint64_t *dim, uint32_t rank)
{
    uint64_t n_rows = rank ? dim[0] : 1, n_columns = rank ? product_of(dim, 1, rank) : 1;
    for (uint64_t row = 0; row < n_rows; row++)
        for (uint64_t column = 0; column < n_columns; column++) {
            if (real)
                text_put_double(text, real[row * n_columns + column]);
            else
                text_put_i128(text, whole[row * n_columns + column]);
            text_put_char(text, column + 1 < n_columns ? ',' : '\n');
        }
}

static bool write_array(Arena *arena, const char *path, NpyKind kind, const void *at, const uint64_t *dim, uint32_t rank, DiagList *diags)
{
    Arena *scratch = arena_child(arena);
    Bytes bytes;
    if (text_ends(path, ".csv")) {
        Text text = text_init(scratch);
        put_csv(&text, kind == NPY_FLOAT ? at : NULL, kind == NPY_INT ? at : NULL, dim, rank);
        bytes = (Bytes){.at = (const uint8_t *)text.at, .n = text.n};
    } else {
        bytes = npy_bytes(scratch, kind, 8, at, dim, rank);
    }
    bool good = file_write(path, bytes.at, bytes.n, diags);
    arena_destroy(scratch);
    return good;
}

bool npy_write_f64(Arena *arena, const char *path, const double *at, const uint64_t *dim, uint32_t rank, DiagList *diags)
{
    return write_array(arena, path, NPY_FLOAT, at, dim, rank, diags);
}

bool npy_write_i64(Arena *arena, const char *path, const int64_t *at, const uint64_t *dim, uint32_t rank, DiagList *diags)
{
    return write_array(arena, path, NPY_INT, at, dim, rank, diags);
}
