/* import/keras/extract.c: all use of libhdf5, in a child process, because the library is not safe on hostile files: a crash, a hang or an
 * allocation out of bounds ends the child, not us. What a Keras 2 file holds:
 *
 *     /  attributes model_config (JSON), keras_version
 *        model_weights/              attribute layer_names: ["fc1", ...]; longer lists as layer_names0, layer_names1, ...
 *           fc1/                     attribute weight_names: ["fc1/kernel:0", ...], likewise; each the path of a dataset from here
 *
 * Links to other files, external and virtual storage and plugin filters are refused, so that a model cannot name files of this machine.
 * Memory goes with the process.
 */
#include <errno.h>
#include <hdf5.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "import/keras/keras.h"

#define MAX_NAMES      65536u
#define MAX_NAME_BYTES 4096u

typedef struct Child {
    int out;
    hid_t group_access, dataset_access; /* that follow no link to another file */
    uint64_t n_elements;                /* sent so far */
    const char *layer;
    bool failed; /* the parent does not listen any more */
} Child;

static void put(Child *child, const void *from, size_t n)
{
    const char *at = from;
    while (n > 0 && !child->failed) {
        ssize_t written = write(child->out, at, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            child->failed = true;
            return;
        }
        at += written;
        n -= (size_t)written;
    }
}

static void put_u8(Child *child, uint8_t value) { put(child, &value, 1); }

static void put_u64(Child *child, uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    put(child, bytes, 8);
}

static void put_bytes(Child *child, const char *at, size_t n)
{
    put_u64(child, n);
    put(child, at, n);
}

static void problem(Child *child, KerasProblem code, const char *part, const char *format, ...) KAON_PRINTF(4, 5);
static void problem(Child *child, KerasProblem code, const char *part, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put_u8(child, KERAS_PROBLEM);
    put_u8(child, (uint8_t)code);
    put_bytes(child, child->layer, strlen(child->layer));
    put_bytes(child, part, strlen(part));
    put_bytes(child, text, strlen(text));
}

static void *memory(size_t n)
{
    void *at = calloc(1, n ? n : 1);
    if (!at)
        _exit(KERAS_CHILD_NO_MEMORY);
    return at;
}

typedef struct Strings {
    char **at; /* [n] */
    size_t n;
} Strings;

/* Strings of an attribute: of fixed or of variable length, one or a list. An empty list of Keras has type float64. */
static bool read_strings(Child *child, hid_t object, const char *name, size_t most_bytes, Strings *out)
{
    *out = (Strings){0};
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t space = attribute < 0 ? -1 : H5Aget_space(attribute), type = attribute < 0 ? -1 : H5Aget_type(attribute);
    hssize_t n = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    if (n == 0)
        return true;
    if (n < 0 || n > MAX_NAMES || H5Tget_class(type) != H5T_STRING) {
        problem(child, KERAS_NOT_READ, name, "this attribute is not text, or has more than %u entries", MAX_NAMES);
        return false;
    }
    out->n = (size_t)n;
    out->at = memory(out->n * sizeof *out->at);
    if (H5Tis_variable_str(type) > 0) {
        hid_t wanted = H5Tcopy(H5T_C_S1);
        H5Tset_size(wanted, H5T_VARIABLE);
        H5Tset_cset(wanted, H5Tget_cset(type));
        if (H5Aread(attribute, wanted, out->at) < 0)
            goto broken;
    } else {
        size_t width = H5Tget_size(type);
        if (width > most_bytes || out->n * width > most_bytes)
            goto broken;
        char *all = memory(out->n * width);
        if (H5Aread(attribute, type, all) < 0)
            goto broken;
        for (size_t i = 0; i < out->n; i++) {
            out->at[i] = memory(width + 1);
            memcpy(out->at[i], all + i * width, width);
        }
    }
    for (size_t i = 0; i < out->n; i++)
        if (!out->at[i] || strlen(out->at[i]) > most_bytes)
            goto broken;
    return true;
broken:
    problem(child, KERAS_NOT_READ, name, "this attribute cannot be read, or is too long");
    return false;
}

/* A list of names, in one attribute or in numbered pieces (an HDF5 header holds 64 KiB). */
static bool read_names(Child *child, hid_t object, const char *name, Strings *out)
{
    if (H5Aexists(object, name) > 0)
        return read_strings(child, object, name, MAX_NAMES * 64, out);
    *out = (Strings){0};
    for (unsigned piece = 0;; piece++) {
        char numbered[64];
        Strings part;
        snprintf(numbered, sizeof numbered, "%s%u", name, piece);
        if (H5Aexists(object, numbered) <= 0) {
            if (piece == 0)
                problem(child, KERAS_NOT_THERE, name, "this attribute is missing");
            return piece > 0;
        }
        if (!read_strings(child, object, numbered, MAX_NAMES * 64, &part) || out->n + part.n > MAX_NAMES)
            return false;
        char **joined = memory((out->n + part.n) * sizeof *joined);
        if (out->n)
            memcpy(joined, out->at, out->n * sizeof *joined);
        if (part.n)
            memcpy(joined + out->n, part.at, part.n * sizeof *joined);
        *out = (Strings){joined, out->n + part.n};
    }
}

static bool inside_file(hid_t dataset)
{
    hid_t plist = H5Dget_create_plist(dataset);
    return plist >= 0 && H5Pget_layout(plist) != H5D_VIRTUAL && H5Pget_external_count(plist) == 0;
}

static void send_dataset(Child *child, hid_t dataset, const char *name)
{
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    int rank = H5Sget_simple_extent_ndims(space);
    hsize_t dim[H5S_MAX_RANK] = {0};
    H5T_class_t class = H5Tget_class(type);
    if (rank < 0 || rank > (int)SHAPE_MAX_RANK || (class != H5T_FLOAT && class != H5T_INTEGER) || !inside_file(dataset)) {
        problem(child, KERAS_NOT_READ, name, "this weight is no array of numbers of at most %u axes inside the file", SHAPE_MAX_RANK);
        return;
    }
    H5Sget_simple_extent_dims(space, dim, NULL);
    uint64_t n = 1;
    for (int i = 0; i < rank; i++)
        if (dim[i] > SHAPE_MAX_ELEMENTS || (n *= dim[i]) > SHAPE_MAX_ELEMENTS)
            n = SHAPE_MAX_ELEMENTS + 1;
    if ((child->n_elements += n) > SHAPE_MAX_ELEMENTS) {
        problem(child, KERAS_TOO_LARGE, name, "the model has more than %u weights", SHAPE_MAX_ELEMENTS);
        child->n_elements = SHAPE_MAX_ELEMENTS;
        return;
    }
    bool single = class == H5T_FLOAT && H5Tget_size(type) <= 4;
    size_t item_bytes = single ? 4 : 8;
    void *items = memory((size_t)n * item_bytes);
    if (n && H5Dread(dataset, single ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, items) < 0) {
        problem(child, KERAS_NOT_READ, name, "this weight cannot be read: the file is truncated or corrupt");
        return;
    }
    put_u8(child, KERAS_WEIGHT);
    put_bytes(child, child->layer, strlen(child->layer));
    put_bytes(child, name, strlen(name));
    put_u8(child, (uint8_t)item_bytes);
    put_u8(child, (uint8_t)rank);
    for (int i = 0; i < rank; i++)
        put_u64(child, dim[i]);
    put(child, items, (size_t)n * item_bytes);
    free(items);
}

static void send_layer(Child *child, hid_t weights, const char *layer)
{
    Strings names;
    child->layer = layer;
    hid_t group = H5Gopen2(weights, layer, child->group_access);
    if (group < 0)
        problem(child, KERAS_NOT_THERE, "model_weights", "the group of this layer's weights is missing");
    else if (read_names(child, group, "weight_names", &names))
        for (size_t i = 0; i < names.n && !child->failed; i++) {
            hid_t dataset = strlen(names.at[i]) < MAX_NAME_BYTES ? H5Dopen2(group, names.at[i], child->dataset_access) : -1;
            if (dataset < 0)
                problem(child, KERAS_NOT_THERE, names.at[i], "this weight is listed, but not in the file");
            else
                send_dataset(child, dataset, names.at[i]);
            H5Dclose(dataset);
        }
    child->layer = "";
}

/* false: the file does not have it */
static bool send_text(Child *child, hid_t file, const char *name, KerasTag tag)
{
    Strings text;
    if (H5Aexists(file, name) <= 0)
        return false;
    if (read_strings(child, file, name, KERAS_LIMIT_CONFIG, &text) && text.n == 1) {
        put_u8(child, tag);
        put_bytes(child, text.at[0], strlen(text.at[0]));
    }
    return true;
}

static void send_weights(Child *child, hid_t file)
{
    Strings layers;
    hid_t weights = H5Gopen2(file, "model_weights", child->group_access);
    if (weights < 0)
        problem(child, KERAS_NO_MODEL, "model_weights", "this group is missing");
    else if (read_names(child, weights, "layer_names", &layers))
        for (size_t i = 0; i < layers.n && !child->failed; i++)
            send_layer(child, weights, layers.at[i]);
}

static herr_t refuse_link(const char *parent_file, const char *parent_group, const char *child_file, const char *child_object,
                          unsigned *flags, hid_t plist, void *data)
{
    (void)parent_file, (void)parent_group, (void)child_file, (void)child_object, (void)flags, (void)plist, (void)data;
    return -1;
}

static hid_t open_image(Bytes bytes)
{
    hid_t plist = H5Pcreate(H5P_FILE_ACCESS);
    if (plist < 0 || H5Pset_fapl_core(plist, 1 << 20, 0) < 0 || H5Pset_file_image(plist, (void *)(uintptr_t)bytes.at, bytes.n) < 0)
        return -1;
    /* the name is never read, but libhdf5 refuses an image whose name some file has: below a device there is none */
    return H5Fopen("/dev/null/image", H5F_ACC_RDONLY, plist);
}

int keras_extract(void *context, int out)
{
    const Bytes *bytes = context;
    Child child = {.out = out, .layer = ""};
    put(&child, KERAS_STREAM_MAGIC, 8);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
    child.group_access = H5Pcreate(H5P_GROUP_ACCESS);
    child.dataset_access = H5Pcreate(H5P_DATASET_ACCESS);
    H5Pset_elink_cb(child.group_access, refuse_link, NULL);
    H5Pset_elink_cb(child.dataset_access, refuse_link, NULL);
    hid_t file = open_image(*bytes);
    if (file < 0) {
        problem(&child, KERAS_NOT_HDF5, "", "not an HDF5 file, or a truncated one");
    } else if (!send_text(&child, file, "model_config", KERAS_CONFIG)) {
        problem(&child, KERAS_NO_MODEL, "model_config", "this attribute is missing: the file holds no model");
    } else {
        send_text(&child, file, "keras_version", KERAS_VERSION);
        send_weights(&child, file);
    }
    put_u8(&child, KERAS_END);
    return child.failed ? 1 : 0;
}
