/* Unit tests of the .h5 side of src/import/keras: files written here with libhdf5, whole, odd and hostile ones, read through the child
 * process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "import/import.h"
#include "run/ref/ref.h"

typedef struct Fixture {
    Arena *arena;
    const char *path; /* of the file being written */
    hid_t file;
} Fixture;

static int setup(void **state)
{
    Arena *arena = arena_create(NULL);
    Fixture *fixture = arena_new(arena, Fixture);
    DiagList diags = diag_init(arena);
    fixture->arena = arena;
    fixture->path = path_join(arena, folder_temporary(arena, &diags), "model.h5");
    fixture->file = H5Fcreate(fixture->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    *state = fixture;
    return fixture->file >= 0 ? 0 : -1;
}

static int teardown(void **state)
{
    arena_destroy(((Fixture *)*state)->arena);
    return 0;
}

/* --- writing */

/* n 0: a list of nothing, which Keras writes as float64; width 0: of variable length */
static void put_strings(hid_t object, const char *name, const char *const *at, hsize_t n, size_t width)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &n, NULL);
    if (n == 0) {
        H5Aclose(H5Acreate2(object, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT));
        return;
    }
    H5Tset_size(type, width ? width : H5T_VARIABLE);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attribute >= 0);
    if (width) {
        char *all = calloc(n, width);
        for (hsize_t i = 0; i < n; i++)
            memcpy(all + i * width, at[i], strlen(at[i]) < width ? strlen(at[i]) : width);
        assert_true(H5Awrite(attribute, type, all) >= 0);
        free(all);
    } else {
        assert_true(H5Awrite(attribute, type, at) >= 0);
    }
    H5Aclose(attribute);
    H5Tclose(type);
    H5Sclose(space);
}

static void put_config(hid_t file, const char *config)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    hid_t attribute = H5Acreate2(file, "model_config", type, space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Awrite(attribute, type, &config) >= 0);
    H5Aclose(attribute);
}

static hid_t put_array(hid_t group, const char *name, hid_t type, const void *at, const hsize_t *dim, int rank, hid_t plist)
{
    hid_t space = H5Screate_simple(rank, dim, NULL), links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    hid_t dataset = H5Dcreate2(group, name, type, space, links, plist, H5P_DEFAULT);
    assert_true(dataset >= 0);
    if (at)
        assert_true(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, at) >= 0);
    return dataset;
}

static const char dense_config[] =
    "{\"class_name\": \"Sequential\", \"config\": {\"name\": \"m\", \"layers\": [{\"class_name\": \"Dense\", \"config\": {\"name\": \"d\", "
    "\"units\": 2, \"batch_input_shape\": [null, 2]}}, {\"class_name\": \"Activation\", \"config\": {\"name\": \"r\", \"activation\": "
    "\"relu\"}}]}}";

/* The whole model; the kernel is left to the caller, who gets the layer's group. */
static hid_t put_model(Fixture *fixture, size_t width)
{
    put_config(fixture->file, dense_config);
    hid_t weights = H5Gcreate2(fixture->file, "model_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_strings(weights, "layer_names", (const char *[]){"d", "r"}, 2, width);
    hid_t relu = H5Gcreate2(weights, "r", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_strings(relu, "weight_names", NULL, 0, 0);
    H5Gclose(relu);
    hid_t group = H5Gcreate2(weights, "d", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_strings(group, "weight_names", (const char *[]){"d/kernel:0", "d/bias:0"}, 2, width);
    put_array(group, "d/bias:0", H5T_NATIVE_FLOAT, (float[]){0.5, -1}, (hsize_t[]){2}, 1, H5P_DEFAULT);
    H5Gclose(weights);
    return group;
}

static const float kernel[] = {1, 2, 3, 4};
static const hsize_t kernel_shape[] = {2, 2};

/* --- reading */

static Bytes file_bytes(Fixture *fixture)
{
    DiagList diags = diag_init(fixture->arena);
    Bytes bytes;
    if (fixture->file >= 0) {
        ssize_t n = H5Fget_obj_count(fixture->file, H5F_OBJ_ALL);
        hid_t *open = calloc((size_t)n, sizeof *open);
        H5Fget_obj_ids(fixture->file, H5F_OBJ_ALL, (size_t)n, open);
        for (ssize_t i = 0; i < n; i++)
            if (open[i] != fixture->file)
                H5Idec_ref(open[i]);
        free(open);
        H5Fclose(fixture->file);
        fixture->file = -1;
    }
    assert_true(file_read(fixture->arena, fixture->path, FILE_LIMIT_MODEL, &bytes, &diags));
    return bytes;
}

static void expect_outputs(Fixture *fixture, double y0, double y1)
{
    file_bytes(fixture);
    DiagList diags = diag_init(fixture->arena);
    Graph *graph = import_model(fixture->arena, fixture->path, &diags);
    Text text = text_init(fixture->arena);
    diag_print(&text, &diags);
    if (!graph)
        fail_msg("%s", text.at);
    double y[2];
    ref_run_f64(ref_create(fixture->arena, graph, REF_F64), (double[]){1, -1}, y);
    assert_true(y[0] == y0 && y[1] == y1);
}

static void expect_error(Fixture *fixture, DiagCode code, const char *part_of_text)
{
    file_bytes(fixture);
    DiagList diags = diag_init(fixture->arena);
    assert_null(import_model(fixture->arena, fixture->path, &diags));
    Text text = text_init(fixture->arena);
    diag_print(&text, &diags);
    bool found = false;
    for (uint32_t i = 0; i < diags.list.n; i++)
        found = found || diags.list.at[i].code == code;
    if (!found || !strstr(text.at, part_of_text))
        fail_msg("expected %s with '%s':\n%s", diag_code_text(code), part_of_text, text.at);
}

/* x = [1, -1]: sums [1 - 3 + 0.5, 2 - 4 - 1] = [-1.5, -3]; relu: 0, 0. A kernel of [[3, 2], [1, -4]] gives 2.5, 5. */
static void models_are_read(void **state)
{
    hid_t group = put_model(*state, 0);
    put_array(group, "d/kernel:0", H5T_NATIVE_FLOAT, (float[]){3, 2, 1, -4}, kernel_shape, 2, H5P_DEFAULT);
    expect_outputs(*state, 2.5, 5);
}

/* As a user calls it who stands beside the file: the name must not matter to libhdf5, which is given the bytes. */
static void a_file_of_this_folder_is_read(void **state)
{
    Fixture *fixture = *state;
    hid_t group = put_model(fixture, 0);
    put_array(group, "d/kernel:0", H5T_NATIVE_FLOAT, (float[]){3, 2, 1, -4}, kernel_shape, 2, H5P_DEFAULT);
    char *back = getcwd(NULL, 0);
    const char *folder = arena_strndup(fixture->arena, fixture->path, strlen(fixture->path) - strlen("/model.h5"));
    assert_true(back != NULL && chdir(folder) == 0);
    fixture->path = "model.h5";
    expect_outputs(fixture, 2.5, 5);
    assert_int_equal(chdir(back), 0);
    free(back);
}

static void other_number_types_and_storages(void **state)
{
    hid_t group = put_model(*state, 16); /* fixed-length strings */
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(plist, 2, kernel_shape);
    H5Pset_deflate(plist, 9);
    put_array(group, "d/kernel:0", H5T_NATIVE_SHORT, (short[]){3, 2, 1, -4}, kernel_shape, 2, plist);
    expect_outputs(*state, 2.5, 5);
}

static void long_lists_of_names_come_in_pieces(void **state)
{
    Fixture *fixture = *state;
    hid_t group = put_model(fixture, 0);
    put_array(group, "d/kernel:0", H5T_NATIVE_FLOAT, (float[]){3, 2, 1, -4}, kernel_shape, 2, H5P_DEFAULT);
    H5Adelete(group, "weight_names");
    put_strings(group, "weight_names0", (const char *[]){"d/kernel:0"}, 1, 0);
    put_strings(group, "weight_names1", (const char *[]){"d/bias:0"}, 1, 0);
    expect_outputs(fixture, 2.5, 5);
}

static void missing_pieces(void **state)
{
    Fixture *fixture = *state;
    put_model(fixture, 0);
    expect_error(fixture, DIAG_MISSING, "layer 'd', d/kernel:0: error: this weight is listed, but not in the file");
}

static void weights_alone(void **state)
{
    hid_t file = ((Fixture *)*state)->file;
    put_strings(file, "layer_names", (const char *[]){"d"}, 1, 0);
    expect_error(*state, DIAG_MISSING, "the file holds no model");
}

static void newer_keras(void **state)
{
    hid_t group = put_model(*state, 0);
    put_array(group, "d/kernel:0", H5T_NATIVE_FLOAT, kernel, kernel_shape, 2, H5P_DEFAULT);
    put_strings(((Fixture *)*state)->file, "keras_version", (const char *[]){"3.4.1"}, 1, 0);
    expect_error(*state, DIAG_UNSUPPORTED, "written by Keras 3.4.1");
}

static void sizes_are_checked_before_memory_is_asked_for(void **state)
{
    hid_t group = put_model(*state, 0), plist = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t shape[2] = {1u << 20, 1u << 20}, chunk[2] = {1024, 1024}; /* 4 TiB, none of it stored */
    H5Pset_chunk(plist, 2, chunk);
    put_array(group, "d/kernel:0", H5T_NATIVE_FLOAT, NULL, shape, 2, plist);
    expect_error(*state, DIAG_LIMIT, "more than 268435456 weights");
}

static void no_file_of_this_machine_is_named(void **state)
{
    Fixture *fixture = *state;
    hid_t group = put_model(fixture, 0), plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(plist, "/etc/passwd", 0, 16);
    put_array(group, "d/kernel:0", H5T_NATIVE_FLOAT, NULL, kernel_shape, 2, plist);
    expect_error(fixture, DIAG_SYNTAX, "inside the file");
}

static void no_link_to_another_file_is_followed(void **state)
{
    Fixture *fixture = *state;
    hid_t group = put_model(fixture, 0), links = H5Pcreate(H5P_LINK_CREATE);
    const char *other = fmt(fixture->arena, "%s.other", fixture->path);
    hid_t file = H5Fcreate(other, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    put_array(file, "kernel", H5T_NATIVE_FLOAT, kernel, kernel_shape, 2, H5P_DEFAULT);
    H5Fclose(file);
    H5Pset_create_intermediate_group(links, 1);
    assert_true(H5Lcreate_external(other, "/kernel", group, "d/kernel:0", links, H5P_DEFAULT) >= 0);
    expect_error(fixture, DIAG_MISSING, "this weight is listed, but not in the file");
}

static void text_where_numbers_belong(void **state)
{
    Fixture *fixture = *state;
    hid_t group = put_model(fixture, 0), type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 4);
    put_array(group, "d/kernel:0", type, "abcdefghijklmnop", kernel_shape, 2, H5P_DEFAULT);
    expect_error(fixture, DIAG_SYNTAX, "no array of numbers");
}

/* Truncated at random places, and with random bytes changed: a graph or a diagnostic, never a crash of this process. Among these files is
 * one that sends libhdf5 round in circles: its child is ended after two seconds of work. */
static void damaged_files(void **state)
{
    Fixture *fixture = *state;
    hid_t group = put_model(fixture, 0);
    put_array(group, "d/kernel:0", H5T_NATIVE_FLOAT, kernel, kernel_shape, 2, H5P_DEFAULT);
    Bytes good = file_bytes(fixture);
    Rng rng = {.state = 20250117};
    print_message("seed %llu, %zu bytes\n", (unsigned long long)rng.state, good.n);
    for (int i = 0; i < 100; i++) {
        Arena *arena = arena_child(fixture->arena);
        uint8_t *bad = arena_array(arena, uint8_t, good.n + 1);
        memcpy(bad, good.at, good.n);
        size_t n = rng_chance(&rng, 4) ? rng_below(&rng, (uint32_t)good.n) : good.n;
        for (uint32_t k = rng_below(&rng, 8); k > 0 && n > 0; k--)
            bad[rng_below(&rng, (uint32_t)n)] = (uint8_t)rng_u64(&rng);
        DiagList diags = diag_init(arena);
        Graph *graph = import_keras(arena, "damaged.h5", (Bytes){bad, n}, &diags);
        assert_true(graph != NULL || diags.n_errors > 0);
        arena_destroy(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(models_are_read),
        TEST(a_file_of_this_folder_is_read),
        TEST(other_number_types_and_storages),
        TEST(long_lists_of_names_come_in_pieces),
        TEST(missing_pieces),
        TEST(weights_alone),
        TEST(newer_keras),
        TEST(sizes_are_checked_before_memory_is_asked_for),
        TEST(no_file_of_this_machine_is_named),
        TEST(no_link_to_another_file_is_followed),
        TEST(text_where_numbers_belong),
        TEST(damaged_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
