/* cmvm/cache.c: solutions on disk, by the hash of everything they depend on: the problem, the part's delays, and the sources of this
 * library.
 *
 *     FOLDER/<sha256 of the problem>.cmvm :  "kaoncmvm", key, numbers (64 bits each, little-endian), sha256 of all that
 *
 * Files are written under another name and renamed, so a reader finds a whole one or none, whoever else is writing. Nothing that is read is
 * believed: length, hash, key and every number are checked, then the solution is multiplied out; what fails is told, found anew and
 * replaced. So the worst that a forged file can do is to be a dearer graph of the same matrix.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/sha256.h"
#include "cmvm/engine.h"
#include "cmvm_sources.h"

#define MAGIC      "kaoncmvm"
#define HEAD       (sizeof MAGIC - 1 + 32)
#define MOST_SHIFT 126
#define N_NUMBERS  6
#define NODE_BYTES 24
#define QUOTE(x)   #x
#define TEXT(x)    QUOTE(x)

typedef struct Out {
    Arena *arena;
    struct OutBytes {
        VEC(uint8_t) at;
    } bytes;
} Out;

static void put(Out *out, uint64_t value)
{
    vec_reserve(out->arena, &out->bytes.at, 8);
    for (uint32_t i = 0; i < 8; i++)
        out->bytes.at.at[out->bytes.at.n++] = (uint8_t)(value >> (8 * i));
}

static void put_bytes(Out *out, const void *at, size_t n)
{
    vec_reserve(out->arena, &out->bytes.at, n);
    memcpy(out->bytes.at.at + out->bytes.at.n, at, n);
    out->bytes.at.n += (uint32_t)n;
}

static void put_i128(Out *out, i128 value)
{
    put(out, (uint64_t)value);
    put(out, (uint64_t)((u128)value >> 64));
}

/* ---- the key ---- */
static void put_part(Out *out, const PartModel *part)
{
    put(out, part != NULL);
    for (uint32_t bits = 1; part != NULL && bits <= CMVM_WIDEST; bits++) {
        put(out, part_price(part, (PartQuery){.operation = PART_ADD, .bits = bits}).delay_ps);
        put(out, part_price(part, (PartQuery){.operation = PART_ADD3, .bits = bits}).delay_ps);
    }
}

void cmvm_cache_key(Arena *scratch, const CmvmProblem *p, char key[65])
{
    Arena *own = arena_child(scratch);
    Out out = {.arena = own};
    put_bytes(&out, TEXT(CMVM_SOURCES), sizeof TEXT(CMVM_SOURCES));
    const uint64_t numbers[] = {
        p->n_in,   p->n_out,      (uint64_t)p->weight_step_log2, p->work, p->seed, p->effort, p->max_depth, p->depth_extra, p->objective,
        p->adders, p->out != NULL};
    for (uint32_t i = 0; i < COUNT_OF(numbers); i++)
        put(&out, numbers[i]);
    for (size_t i = 0; i < (size_t)p->n_in * p->n_out; i++)
        put(&out, (uint64_t)p->weight[i]);
    for (uint32_t i = 0; i < p->n_in; i++) {
        put_i128(&out, p->in[i].range.lo);
        put_i128(&out, p->in[i].range.hi);
        put(&out, p->in[i].range.zeros);
        put(&out, (uint64_t)p->in[i].step_log2);
        put(&out, (uint64_t)p->in[i].arrival_ps);
    }
    for (uint32_t j = 0; p->out != NULL && j < p->n_out; j++) {
        put(&out, (uint64_t)p->out[j].lowest_log2);
        put(&out, (uint64_t)p->out[j].highest_log2);
        put(&out, (uint64_t)p->out[j].deadline_ps);
    }
    put_part(&out, p->part);
    sha256_hex(out.bytes.at.at, out.bytes.at.n, key);
    arena_destroy(own);
}

static const char *path_of(Arena *scratch, const char *folder, const char *key)
{
    return path_join(scratch, folder, fmt(scratch, "%s.cmvm", key));
}

/* ---- writing ---- */
void cmvm_cache_write(Arena *scratch, const char *folder, const char *key, const CmvmProblem *problem, const CmvmSolution *s,
                      DiagList *diags)
{
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        diag_warning(diags, DIAG_FILE, (Place){.file = folder}, NULL, "the cache cannot be written: %s", strerror(errno));
        return;
    }
    Arena *own = arena_child(scratch);
    Out out = {.arena = own};
    put_bytes(&out, MAGIC, sizeof MAGIC - 1);
    uint8_t hash[32];
    sha256(key, 64, hash);
    put_bytes(&out, hash, sizeof hash);
    const uint64_t numbers[N_NUMBERS] = {s->n_nodes, s->cost_bits, s->luts, s->n_threes, s->depth, s->work};
    for (uint32_t i = 0; i < N_NUMBERS; i++)
        put(&out, numbers[i]);
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        const CmvmNode *node = &s->node[i];
        put(&out, (uint64_t)node->a << 32 | node->b);
        put(&out, (uint64_t)node->c << 32 | (uint64_t)node->shift_a);
        put(&out, (uint64_t)node->shift_b << 33 | (uint64_t)node->negate_b << 32 | (uint64_t)node->shift_c << 1 | node->negate_c);
    }
    for (uint32_t j = 0; j < problem->n_out; j++)
        put(&out,
            (uint64_t)s->out[j].source << 32 | (uint64_t)((int64_t)s->out[j].shift - problem->weight_step_log2) << 1 | s->out[j].negate);
    sha256(out.bytes.at.at, out.bytes.at.n, hash);
    put_bytes(&out, hash, sizeof hash);
    DiagList errors = diag_init(own);
    if (!file_write(path_of(own, folder, key), out.bytes.at.at, out.bytes.at.n, &errors))
        diag_warning(diags, DIAG_FILE, (Place){.file = folder}, NULL, "the cache cannot be written: %s",
                     errors.list.n > 0 ? errors.list.at[0].text : "no reason is known");
    arena_destroy(own);
}

/* ---- reading ---- */
static uint64_t get(const uint8_t **at)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < 8; i++)
        value |= (uint64_t) * (*at)++ << (8 * i);
    return value;
}

static bool is_whole(const Bytes *bytes, const char *key, uint32_t n_out, uint64_t *n_nodes)
{
    uint8_t hash[32];
    const size_t fixed = HEAD + N_NUMBERS * 8 + (size_t)n_out * 8 + 32;
    if (bytes->n < fixed || (bytes->n - fixed) % NODE_BYTES != 0 || memcmp(bytes->at, MAGIC, sizeof MAGIC - 1) != 0)
        return false;
    sha256(key, 64, hash);
    if (memcmp(bytes->at + sizeof MAGIC - 1, hash, 32) != 0)
        return false;
    sha256(bytes->at, bytes->n - 32, hash);
    const uint8_t *at = bytes->at + HEAD;
    *n_nodes = get(&at);
    return memcmp(bytes->at + bytes->n - 32, hash, 32) == 0 && *n_nodes == (bytes->n - fixed) / NODE_BYTES;
}

static bool read_solution(Arena *arena, const uint8_t *at, const CmvmProblem *problem, uint64_t n_nodes, CmvmSolution *s)
{
    bool sound = true;
    *s = (CmvmSolution){.n_nodes = (uint32_t)n_nodes};
    get(&at);
    s->cost_bits = get(&at);
    s->luts = get(&at);
    s->n_threes = (uint32_t)get(&at);
    s->depth = (uint32_t)get(&at);
    s->work = get(&at);
    s->node = arena_array(arena, CmvmNode, s->n_nodes);
    s->out = arena_array(arena, CmvmResult, problem->n_out);
    for (uint32_t i = 0; i < s->n_nodes; i++) {
        uint64_t operands = get(&at), third = get(&at), shifts = get(&at);
        sound &= (uint32_t)third <= MOST_SHIFT && shifts >> 33 <= MOST_SHIFT && (uint32_t)shifts >> 1 <= MOST_SHIFT;
        s->node[i].a = (uint32_t)(operands >> 32);
        s->node[i].b = (uint32_t)operands;
        s->node[i].c = (uint32_t)(third >> 32);
        s->node[i].shift_a = (int32_t)(third & 127);
        s->node[i].shift_b = (int32_t)(shifts >> 33 & 127);
        s->node[i].shift_c = (int32_t)(shifts >> 1 & 127);
        s->node[i].negate_b = shifts >> 32 & 1;
        s->node[i].negate_c = shifts & 1;
    }
    for (uint32_t j = 0; j < problem->n_out; j++) {
        uint64_t number = get(&at);
        sound &= (uint32_t)number >> 1 <= MOST_SHIFT;
        s->out[j].source = (uint32_t)(number >> 32);
        s->out[j].shift = s->out[j].source == CMVM_ZERO ? 0 : (int32_t)(number >> 1 & 127) + problem->weight_step_log2;
        s->out[j].negate = number & 1;
    }
    return sound && cmvm_verify(arena, problem, s);
}

bool cmvm_cache_read(Arena *arena, const char *folder, const char *key, const CmvmProblem *problem, CmvmSolution *solution, DiagList *diags)
{
    Arena *scratch = arena_child(arena);
    const char *path = path_of(scratch, folder, key);
    DiagList errors = diag_init(scratch);
    Bytes bytes;
    uint64_t n_nodes = 0;
    bool there = file_exists(path), sound = there && file_read(scratch, path, FILE_LIMIT_MODEL, &bytes, &errors) &&
                                            is_whole(&bytes, key, problem->n_out, &n_nodes) &&
                                            read_solution(arena, bytes.at + HEAD, problem, n_nodes, solution);
    if (there && !sound)
        diag_warning(diags, DIAG_FILE, (Place){.file = path}, "it is found anew, and the file replaced",
                     "a solution in the cache is damaged, or none of this matrix");
    arena_destroy(scratch);
    return sound;
}
