/* tests/faults/faults.c: the N-th allocation fails, for every N until all goes well.
 *
 *   faults CORPUS SCENARIO WHAT [STRIDE [FIRST]]
 *
 *   CORPUS    tests/fuzz/corpus: the small inputs are taken from there
 *   SCENARIO  a row of scenarios[]
 *   WHAT      arena: the N-th call of arena_alloc and all after it; json: the N-th malloc of jansson alone; malloc: the N-th malloc, calloc
 * or realloc of the process alone, whoever asks (libraries too; not in a build with AddressSanitizer, which has its own malloc) STRIDE only
 * every STRIDE-th N; FIRST: start there
 *
 * KAON_SHOW=1 prints the diagnostics.
 *
 * Each time the work must end at its phase boundary or with a diagnostic, leave no memory behind (ASan, or the count of live blocks,
 * tells), leave an existing output folder as it was or replace it whole, and nothing beside it.
 */
#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/inside.h"
#include "api/run.h"
#include "import/keras/keras.h"
#include "report/vendor.h"

#if defined(__SANITIZE_ADDRESS__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#ifndef OWN_MALLOC
#define OWN_MALLOC 1
#endif

/* ---- the failing allocators ---- */

static struct {
    uint64_t calls, fail_at; /* 0: never */
    int64_t live;            /* blocks */
    bool counting;
} heap, json_heap;

static bool must_fail(uint64_t *calls, uint64_t fail_at) { return ++*calls == fail_at; }

#if OWN_MALLOC
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *at, size_t n);
void __libc_free(void *at);

void *malloc(size_t n)
{
    if (heap.counting && must_fail(&heap.calls, heap.fail_at))
        return NULL;
    void *at = __libc_malloc(n);
    heap.live += at != NULL;
    return at;
}

void *calloc(size_t n, size_t size)
{
    if (heap.counting && must_fail(&heap.calls, heap.fail_at))
        return NULL;
    void *at = __libc_calloc(n, size);
    heap.live += at != NULL;
    return at;
}

void *realloc(void *at, size_t n)
{
    if (heap.counting && must_fail(&heap.calls, heap.fail_at))
        return NULL;
    void *to = __libc_realloc(at, n);
    heap.live += at == NULL && to != NULL;
    return to;
}

void free(void *at)
{
    heap.live -= at != NULL;
    __libc_free(at);
}
#endif

static void *json_malloc(size_t n)
{
    if (json_heap.counting && must_fail(&json_heap.calls, json_heap.fail_at))
        return NULL;
    return malloc(n);
}

/* ---- the work ---- */

typedef struct Job {
    Arena *arena;
    const char *corpus, *folder; /* folder: own, temporary */
    DiagList diags;
    bool ok;
} Job;

static const char *path_of(Job *job, const char *name) { return fmt(job->arena, "%s/%s", job->corpus, name); }

static bool compile(Job *job, const char *model, const char *config, unsigned emit, const char *out)
{
    DesignOptions options = design_options_default();
    options.emit = emit;
    if (config != NULL && !design_options_read(job->arena, path_of(job, config), &options, &job->diags))
        return false;
    Design *design = design_create(job->arena, &options);
    return design_compile(design, path_of(job, model), NULL, &job->diags) &&
           design_save(design, fmt(job->arena, "%s/%s", job->folder, out), &job->diags);
}

static bool compile_net(Job *job) { return compile(job, "net/dense", "config/scaling", EMIT_VERILOG, "out"); }
static bool compile_onnx(Job *job) { return compile(job, "onnx/small", NULL, EMIT_VERILOG, "out"); }
static bool compile_graph(Job *job)
{
    return compile(job, "graph/random00", NULL, EMIT_VERILOG | EMIT_VHDL | EMIT_VIVADO | EMIT_QUARTUS, "out");
}

/* Reports of Vivado beside an estimate, as text and as JSON. */
static bool read_vendor(Job *job)
{
    VendorReports vendor = {0};
    Report report = {.name = "x", .luts = 3, .register_bits = 5, .clock_ns = 2.5, .achieved_ns = 2};
    if (!vendor_read_folder(job->arena, path_of(job, "vendor"), &vendor, &job->diags))
        return false;
    Text text = text_init(job->arena);
    vendor_print(&text, &report, &vendor);
    json_t *object = json_keep(job->arena, json_object());
    vendor_to_json(job->arena, &report, &vendor, object);
    text_put_json(&text, object);
    return true;
}

static bool read_config(Job *job)
{
    DesignOptions options = design_options_default();
    return design_options_read(job->arena, path_of(job, "config/all"), &options, &job->diags);
}

static bool read_keras(Job *job)
{
    Bytes bytes;
    const char *path = path_of(job, "keras/qdense");
    PassOptions options = pass_options_default();
    if (!file_read(job->arena, path, FILE_LIMIT_TEXT, &bytes, &job->diags))
        return false;
    Graph *graph = keras_build_graph(job->arena, path, bytes, &job->diags);
    return graph != NULL && graph_infer(graph, path, &job->diags) && pass_run_graph(job->arena, graph, &options, &job->diags) != NULL;
}

static bool read_circuit(Job *job)
{
    Bytes bytes;
    const char *path = path_of(job, "circuit/random01");
    if (!file_read(job->arena, path, FILE_LIMIT_TEXT, &bytes, &job->diags))
        return false;
    Circuit *circuit = circuit_parse(job->arena, bytes, path, &job->diags);
    if (circuit == NULL)
        return false;
    Text text = text_init(job->arena);
    circuit_print(&text, pass_run_circuit(job->arena, circuit));
    return true;
}

/* A compiled folder is read again and runs events; results and diagnostics as JSON. */
static bool load_and_run(Job *job)
{
    Arena *arena = job->arena;
    DesignOptions options = design_options_default();
    Design *design = design_create(arena, &options);
    const char *x = fmt(arena, "%s/x.csv", job->folder), *y = fmt(arena, "%s/y.npy", job->folder);
    Events events;
    Results results;
    if (!design_load(design, fmt(arena, "%s/ready", job->folder), &job->diags) ||
        !events_read(arena, design, &x, 1, &(EventsOptions){.scale = true}, &events, &job->diags) ||
        !engine_run(arena, design, ENGINE_CIRCUIT, &events, NULL, &results, &job->diags) ||
        !engine_run(arena, design, ENGINE_REF, &events, NULL, &results, &job->diags))
        return false;
    results_real(arena, design, &results);
    json_t *object = json_keep(arena, json_object());
    report_to_json(arena, &design->report, object);
    json_set(arena, object, "diagnostics", json_diagnostics(arena, &job->diags));
    Text text = text_init(arena);
    text_put_json(&text, object);
    return results_write(arena, design, &results, &y, 1, false, &job->diags);
}

/* What is wrong is told although memory is short. */
static bool complain(Job *job)
{
    DiagList diags = diag_init(job->arena);
    Bytes bytes;
    if (!file_read(job->arena, path_of(job, "net/wrong"), FILE_LIMIT_TEXT, &bytes, &job->diags))
        return false;
    Design *design = design_create(job->arena, &(DesignOptions){0});
    bool refused = !design_import(design, path_of(job, "net/wrong"), &diags);
    json_t *object = json_keep(job->arena, json_object());
    json_set(job->arena, object, "diagnostics", json_diagnostics(job->arena, &diags));
    Text text = text_init(job->arena);
    text_put_json(&text, object);
    diag_print(&text, &diags);
    return refused;
}

static const struct Scenario {
    const char *name;
    bool (*work)(Job *job);
} scenarios[] = {
    {"net", compile_net},      {"onnx", compile_onnx}, {"graph", compile_graph}, {"config", read_config}, {"keras", read_keras},
    {"circuit", read_circuit}, {"load", load_and_run}, {"complain", complain},   {"vendor", read_vendor},
};

/* ---- one run ---- */

static const struct Scenario *scenario;
static uint64_t current;

static void run(void *context)
{
    Job *job = context;
    job->diags = diag_init(job->arena);
    job->ok = scenario->work(job);
}

typedef enum Outcome { DONE, TOLD, SHORT } Outcome;

static void broken(const char *what)
{
    heap.counting = json_heap.counting = false;
    fprintf(stderr, "faults %s: allocation %llu: %s\n", scenario->name, (unsigned long long)current, what);
    exit(1);
}

static void crashed(int signal_number)
{
    char text[100];
    int n =
        snprintf(text, sizeof text, "faults %s: allocation %llu: signal %d\n", scenario->name, (unsigned long long)current, signal_number);
    if (write(STDERR_FILENO, text, (size_t)n) < 0)
        _exit(3);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static Outcome run_once(const char *corpus, const char *folder, Memory *memory)
{
    Job job = {.arena = arena_create(memory), .corpus = corpus, .folder = folder};
    bool whole = job.arena != NULL && arena_run(job.arena, run, &job);
    if (whole && !job.ok && !diag_failed(&job.diags))
        broken("failed without a diagnostic");
    if (whole && !job.ok && getenv("KAON_SHOW") != NULL) {
        heap.counting = json_heap.counting = false;
        Text text = text_init(job.arena);
        diag_print(&text, &job.diags);
        fprintf(stderr, "%llu: %s", (unsigned long long)current, text.at);
    }
    arena_destroy(job.arena);
    if (memory->used_bytes != 0)
        broken("the arena left memory behind");
    return !whole ? SHORT : job.ok ? DONE : TOLD;
}

/* ---- the output folder ---- */

/* One number for names and contents of all files below; a part that is missing gives another one. */
static uint64_t print_of(const char *folder)
{
    char command[4096], hex[64] = "";
    snprintf(command, sizeof command, "cd '%s' && find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum", folder);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL || fgets(hex, 17, pipe) == NULL)
        broken("sha256sum does not run");
    pclose(pipe);
    return strtoull(hex, NULL, 16);
}

/* Where one malloc of the clean-up itself fails, the hidden folder may stay: the next run removes it. */
static void check_folder(const char *folder, uint64_t old, uint64_t new, bool hidden_may_stay)
{
    char out[4096];
    snprintf(out, sizeof out, "%s/out", folder);
    uint64_t now = print_of(out);
    if (now != old && now != new)
        broken("the output folder is neither the old one nor the new one");
    DIR *directory = opendir(folder);
    if (directory == NULL)
        broken("the folder is gone");
    for (const struct dirent *entry; !hidden_may_stay && (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] == '.' && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            broken(entry->d_name);
    closedir(directory);
}

/* out/ and ready/: compiled without faults from another model, so that old and new differ. x.csv: events for it. */
static void prepare(const char *corpus, const char *folder)
{
    static const char *const names[] = {"out", "ready"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        Job job = {.arena = arena_create(NULL), .corpus = corpus, .folder = folder};
        job.diags = diag_init(job.arena);
        if (!compile(&job, "net/per_element", NULL, EMIT_VERILOG, names[i]))
            broken("the old folder could not be made");
        arena_destroy(job.arena);
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/x.csv", folder);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        broken("x.csv could not be made");
    fputs("a,b,c,d\n0.5,1,-1.25,0\n3,-3,nan,0.125\n", file);
    fclose(file);
}

static void remove_folder(const char *folder)
{
    char command[4096];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "faults: %s is left\n", folder);
}

typedef enum What { WHAT_ARENA, WHAT_JSON, WHAT_MALLOC } What;

static Outcome run_failing(const char *corpus, const char *folder, What what, uint64_t n, uint64_t *calls)
{
    Memory memory = {.fail_at = what == WHAT_ARENA ? n : 0};
    int64_t live = heap.live;
    heap.calls = json_heap.calls = 0;
    heap.fail_at = what == WHAT_MALLOC ? n : 0;
    json_heap.fail_at = what == WHAT_JSON ? n : 0;
    heap.counting = json_heap.counting = true;
    Outcome outcome = run_once(corpus, folder, &memory);
    heap.counting = json_heap.counting = false;
    if (OWN_MALLOC && n > 0 && heap.live != live)
        broken("memory of a library leaked");
    *calls = what == WHAT_ARENA ? memory.allocations : what == WHAT_JSON ? json_heap.calls : heap.calls;
    return outcome;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/kaon-faults-XXXXXX";
    if (argc < 4 || mkdtemp(folder) == NULL)
        return 2;
    for (size_t i = 0; i < COUNT_OF(scenarios); i++)
        if (strcmp(argv[2], scenarios[i].name) == 0)
            scenario = &scenarios[i];
    What what = strcmp(argv[3], "arena") == 0 ? WHAT_ARENA : strcmp(argv[3], "json") == 0 ? WHAT_JSON : WHAT_MALLOC;
    uint64_t stride = argc > 4 ? strtoull(argv[4], NULL, 10) : 1, first = argc > 5 ? strtoull(argv[5], NULL, 10) : 1, calls = 0;
    if (scenario == NULL || stride == 0)
        return 2;
    if (what == WHAT_MALLOC && !OWN_MALLOC)
        return 77;
    json_set_alloc_funcs(json_malloc, free);
    signal(SIGABRT, crashed);
    if (OWN_MALLOC)
        signal(SIGSEGV, crashed);

    prepare(argv[1], folder);
    char out[4096], ready[4096];
    snprintf(out, sizeof out, "%s/out", folder);
    snprintf(ready, sizeof ready, "%s/ready", folder);
    if (run_failing(argv[1], folder, what, 0, &calls) != DONE) /* also fills what libraries keep for good */
        broken("does not even run without faults");
    uint64_t new = print_of(out), old = print_of(ready), all = calls, told = 0, done = 0;
    remove_folder(out);
    if (rename(ready, out) != 0)
        broken("rename");
    prepare(argv[1], folder);
    for (current = first; current <= all; current += stride) {
        Outcome outcome = run_failing(argv[1], folder, what, current, &calls);
        told += outcome == TOLD;
        done += outcome == DONE;
        if (outcome == DONE && what == WHAT_ARENA)
            broken("succeeded although an allocation of an arena failed");
        if (current % 64 < stride || outcome == DONE || current + 500 > all)
            check_folder(folder, old, new, what == WHAT_MALLOC);
    }
    if (run_failing(argv[1], folder, what, 0, &calls) != DONE)
        broken("does not run any more");
    check_folder(folder, old, new, false);
    remove_folder(folder);
    printf("%s: %llu allocations, every %llu-th failed: %llu ended with a diagnostic, %llu went well all the same\n", scenario->name,
           (unsigned long long)all, (unsigned long long)stride, (unsigned long long)told, (unsigned long long)done);
    return 0;
}
