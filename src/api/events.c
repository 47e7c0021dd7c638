/* api/events.c: events from files to what the engines take, and results back. All conversions are exact: a real number becomes raw through
 * the port's quantiser (over rationals where the port has a scale), a raw result becomes the nearest double of its exact value. */
#include <math.h>
#include <string.h>

#include "api/run.h"
#include "base/rng.h"

#define EVENTS_MAX_BYTES (12ull << 30)

/* The input scaling of the configuration for one number; feature: index on the last axis. */
static double scaled(const InputScaling *scaling, double x, uint32_t feature)
{
    if (scaling->n_mean > 0)
        x -= scaling->mean[scaling->n_mean > 1 ? feature : 0];
    if (scaling->n_std > 0)
        x /= scaling->std[scaling->n_std > 1 ? feature : 0];
    if (scaling->clip > 0 && x == x)
        x = fmin(fmax(x, -scaling->clip), scaling->clip);
    return ldexp(x, scaling->shift);
}

static i128 raw_of_real(Arena *scratch, const DesignPort *port, uint32_t element, double x, QuantiserCounts *counts)
{
    const Quantiser *q = quantiser_at(&port->quant, port->shape, element);
    if (scale_is_identity(&port->scale) || x - x != 0)
        return quantise_double(x, q, counts);
    uint32_t k = spread_index(port->scale.spread, port->shape, element);
    Rational value = rational_sub(scratch, rational_from_double(scratch, x), port->scale.offset[k]);
    return quantise_rational(scratch, rational_div(scratch, value, port->scale.multiplier[k]), q, counts);
}

/* [events, ...shape] or [events, size]; where an event is one number, [events] */
static bool check_array(const DesignPort *port, const NpyArray *array, const char *path, uint64_t *n, DiagList *diags)
{
    if (array->rank >= 1 && array->dim[0] * port->n == array->n) {
        uint64_t inner = 1;
        bool same = array->rank - 1 == port->shape.rank;
        for (uint32_t i = 1; i < array->rank; i++) {
            inner *= array->dim[i];
            same = same && array->dim[i] == port->shape.dim[i - 1];
        }
        if (same || (array->rank == 2 && inner == port->n) || (array->rank == 1 && port->n == 1)) {
            *n = array->dim[0];
            return true;
        }
    }
    Arena *arena = diags->arena;
    Text is = text_init(arena), wanted = text_init(arena);
    for (uint32_t i = 0; i < array->rank; i++)
        text_add(&is, "%s%llu", i ? ", " : "", (unsigned long long)array->dim[i]);
    text_put_shape(&wanted, port->shape);
    diag_error(diags, DIAG_EVENTS, (Place){.file = path, .layer = port->name, .kind = "input"},
               port->shape.rank == 1 ? fmt(arena, "give [events, %u]", port->n)
                                     : fmt(arena, "give [events, %s or [events, %u]", wanted.at + 1, port->n),
               "an array of shape [%s] is no list of events of shape %s", is.at, wanted.at);
    return false;
}

static bool read_raw(const DesignPort *port, const NpyArray *array, const char *path, Events *events, DiagList *diags)
{
    uint64_t wrong = 0, first = 0;
    for (uint64_t i = 0; i < events->n * port->n; i++) {
        uint64_t event = i / port->n;
        uint32_t element = (uint32_t)(i % port->n);
        FixedType type = type_at(&port->type, port->shape, element);
        i128 raw = 0;
        if ((!npy_i128(array, i, &raw) || raw < fixed_min(type) || raw > fixed_max(type)) && wrong++ == 0)
            first = i;
        events->raw[event * events->width + port->first + element] = raw;
    }
    if (wrong > 0)
        diag_error(diags, DIAG_RANGE, (Place){.file = path, .layer = port->name, .kind = "input"},
                   "raw events are integers in units of the port's step; leave out --raw for real numbers",
                   "%llu numbers are no integers of the port's type, the first in event %llu, element %llu", (unsigned long long)wrong,
                   (unsigned long long)(first / port->n), (unsigned long long)(first % port->n));
    return wrong == 0;
}

static void read_real(Arena *arena, const DesignPort *port, const NpyArray *array, bool scale, Events *events)
{
    uint32_t last = port->shape.rank > 0 ? port->shape.dim[port->shape.rank - 1] : 1;
    bool rational = !scale_is_identity(&port->scale);
    Arena *scratch = arena_child(arena);
    for (uint64_t i = 0; i < events->n * port->n; i++) {
        uint32_t element = (uint32_t)(i % port->n);
        uint64_t at = i / port->n * events->width + port->first + element;
        double x = npy_f64(array, i);
        if (scale && port->scaling != NULL)
            x = scaled(port->scaling, x, element % last);
        events->real[at] = x;
        events->raw[at] = raw_of_real(scratch, port, element, x, &events->counts);
        if (rational && i % 4096 == 4095) {
            arena_destroy(scratch);
            scratch = arena_child(arena);
        }
    }
    arena_destroy(scratch);
}

static void report_counts(const Events *events, const char *path, DiagList *diags)
{
    const QuantiserCounts *counts = &events->counts;
    if (counts->nans + counts->infinities > 0)
        diag_warning(diags, DIAG_RANGE, (Place){.file = path}, NULL, "%llu input values are NaN (taken as 0) and %llu infinite",
                     (unsigned long long)counts->nans, (unsigned long long)counts->infinities);
    if (counts->overflows > 0)
        diag_warning(diags, DIAG_RANGE, (Place){.file = path}, "choose a wider --input-type, or scale the inputs",
                     "%llu of %llu input values are outside the input type's range and were handled as the type says",
                     (unsigned long long)counts->overflows, (unsigned long long)(events->n * events->width));
}

bool events_read(Arena *arena, const Design *design, const char *const *paths, uint32_t n_paths, const EventsOptions *options, Events *out,
                 DiagList *diags)
{
    if (n_paths != design->inputs.n) {
        diag_error(diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--input"}, "give -i once per input, in the model's order",
                   "%u event files for %u inputs", n_paths, design->inputs.n);
        return false;
    }
    *out = (Events){.width = design->n_in};
    for (uint32_t i = 0; i < n_paths; i++) {
        NpyArray array;
        uint64_t n;
        if (!npy_read(arena, paths[i], &array, diags) || !check_array(&design->inputs.at[i], &array, paths[i], &n, diags))
            return false;
        if (options->most > 0 && n > options->most)
            n = options->most;
        if (i == 0) {
            out->n = n;
            if (n * out->width > EVENTS_MAX_BYTES / (sizeof(i128) + sizeof(double))) {
                diag_error(diags, DIAG_LIMIT, (Place){.file = paths[i]}, "split the file",
                           "%llu events of %u values are more than fit in memory here", (unsigned long long)n, out->width);
                return false;
            }
            out->raw = arena_array(arena, i128, n * out->width);
            out->real = options->raw ? NULL : arena_array(arena, double, n * out->width);
        } else if (n != out->n) {
            diag_error(diags, DIAG_EVENTS, (Place){.file = paths[i]}, NULL, "%llu events here, but %llu in the first file",
                       (unsigned long long)n, (unsigned long long)out->n);
            return false;
        }
        if (!options->raw)
            read_real(arena, &design->inputs.at[i], &array, options->scale, out);
        else if (!read_raw(&design->inputs.at[i], &array, paths[i], out, diags))
            return false;
    }
    report_counts(out, paths[0], diags);
    return true;
}

void events_random(Arena *arena, const Design *design, uint64_t seed, uint64_t n, Events *out)
{
    Rng rng = {seed};
    *out = (Events){.n = n, .width = design->n_in, .raw = arena_array(arena, i128, n * design->n_in)};
    for (uint64_t event = 0; event < n; event++)
        for (uint32_t p = 0; p < design->inputs.n; p++) {
            const DesignPort *port = &design->inputs.at[p];
            for (uint32_t k = 0; k < port->n; k++) {
                FixedType type = type_at(&port->type, port->shape, k);
                i128 random = fixed_wrap((i128)(((u128)rng_u64(&rng) << 64 | rng_u64(&rng)) >> 2), type);
                /* event 0: zeros, 1 and 2: the limits, every eighth: small values, as data mostly are */
                i128 raw = event == 0       ? 0
                           : event == 1     ? fixed_min(type)
                           : event == 2     ? fixed_max(type)
                           : event % 8 == 3 ? random / 64
                                            : random;
                out->raw[event * out->width + port->first + k] = raw;
            }
        }
}

static void softmax(double *x, uint32_t n)
{
    double largest = x[0], sum = 0;
    for (uint32_t i = 1; i < n; i++)
        largest = fmax(largest, x[i]);
    for (uint32_t i = 0; i < n; i++)
        sum += x[i] = exp(x[i] - largest);
    for (uint32_t i = 0; i < n; i++)
        x[i] /= sum;
}

void results_real(Arena *arena, const Design *design, Results *results)
{
    if (results->real != NULL)
        return;
    results->real = arena_array(arena, double, results->n * results->width);
    for (uint32_t p = 0; p < design->outputs.n; p++) {
        const DesignPort *port = &design->outputs.at[p];
        uint32_t last = port->shape.rank > 0 ? port->shape.dim[port->shape.rank - 1] : 1;
        Arena *scratch = arena_child(arena);
        for (uint64_t event = 0; event < results->n; event++) {
            double *real = results->real + event * results->width + port->first;
            for (uint32_t k = 0; k < port->n; k++)
                real[k] =
                    scale_real(scratch, &port->scale, &port->type, port->shape, k, results->raw[event * results->width + port->first + k]);
            for (uint32_t k = 0; port->post == POST_SOFTMAX && k < port->n; k += last)
                softmax(real + k, last);
            if (event % 1024 == 1023) {
                arena_destroy(scratch);
                scratch = arena_child(arena);
            }
        }
        arena_destroy(scratch);
    }
}

static bool write_port(Arena *arena, const DesignPort *port, const Results *results, const char *path, bool raw, DiagList *diags)
{
    uint64_t dim[SHAPE_MAX_RANK + 1] = {results->n};
    for (uint32_t i = 0; i < port->shape.rank; i++)
        dim[i + 1] = port->shape.dim[i];
    uint64_t n = results->n * port->n, misfits = 0;
    double *real = arena_array(arena, double, raw ? 0 : n);
    int64_t *integer = arena_array(arena, int64_t, raw ? n : 0);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = i / port->n * results->width + port->first + i % port->n;
        if (!raw) {
            real[i] = results->real[at];
            continue;
        }
        misfits += results->raw[at] > INT64_MAX || results->raw[at] < INT64_MIN;
        integer[i] = (int64_t)results->raw[at];
    }
    if (misfits > 0) {
        diag_error(diags, DIAG_WIDTH, (Place){.file = path, .layer = port->name, .kind = "output"},
                   "leave out --raw, or give the output a narrower --output-type", "%llu raw values do not fit in int64",
                   (unsigned long long)misfits);
        return false;
    }
    return raw ? npy_write_i64(arena, path, integer, dim, port->shape.rank + 1, diags)
               : npy_write_f64(arena, path, real, dim, port->shape.rank + 1, diags);
}

bool results_files_fit(const Design *design, uint32_t n_paths, DiagList *diags)
{
    if (n_paths != design->outputs.n)
        diag_error(diags, DIAG_USAGE, (Place){.file = "kaon", .part = "--output"}, "give -o once per output, in the model's order",
                   "%u result files for %u outputs", n_paths, design->outputs.n);
    return n_paths == design->outputs.n;
}

bool results_write(Arena *arena, const Design *design, const Results *results, const char *const *paths, uint32_t n_paths, bool raw,
                   DiagList *diags)
{
    if (!results_files_fit(design, n_paths, diags))
        return false;
    for (uint32_t i = 0; i < n_paths; i++)
        if (!write_port(arena, &design->outputs.at[i], results, paths[i], raw, diags))
            return false;
    return true;
}
