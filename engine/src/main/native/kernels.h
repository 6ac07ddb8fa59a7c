/*
 * Matrix kernels over block-quantised weights, and attention over cached keys and values: what the files of this library
 * share.
 *
 * A weight matrix of N rows and K columns is stored in panels of 16 rows, and a panel in tiles of 32 columns, so that a
 * kernel reads its weights front to back. Every code path reads the same packing (see tile.h) and gives the same bits:
 * dot products within a tile are exact integers, and the floating-point operations after them stand in one fixed order.
 * The payload and sign of a NaN are the one exception: processors differ in which operand's NaN they keep.
 */
#ifndef MERIDIAN_KERNELS_H
#define MERIDIAN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Rows of one panel, and so columns of Y that are computed together. */
#define LANES 16
/* Columns of one tile, which share a scale per row. */
#define BLOCK 32
/* Positions over which one softmax is taken; those of several chunks are merged in order. */
#define CHUNK 256

/* A packed weight matrix. The bytes belong to the caller and are never written. */
struct weights {
    const uint8_t *bytes;
    int64_t n;
    int64_t k;
    int bits;
    size_t blocks;      /* tiles of a panel */
    size_t panels;      /* of one matrix: ceil(n / 16) */
    size_t panel_bytes;
};

/*
 * Quantised rows of X. Row r's codes start at codes + r * blocks * 32 and the other two at r * blocks. An offset is the
 * sum of a block's codes times minus the weights' zero code: paths that multiply unsigned weight codes start from it.
 */
struct activations {
    int8_t *codes;
    float *scales;
    int32_t *offsets;
    size_t blocks;
};

/*
 * Attention over one chunk of positions: what a path implements (attend.h), for `count` queries of one key-value head.
 * Scores and weights have CHUNK floats a query, queries and results `dim`, a multiple of 16.
 */
struct attend_path {
    /* scores[q][j] = query q . key j, from +0 by fused operations in the dimensions' order, for j < 16 * blocks. */
    void (*score)(const uint16_t *keys, size_t dim, size_t blocks, const float *queries, size_t count, float *scores);
    /*
     * One query's scores, `length` > 0 of which count, become weights exp(score - greatest). A NaN is never the greatest.
     * The sum is that of 16 lanes, each in the positions' order.
     */
    void (*soften)(float *scores, size_t length, float *greatest, float *sum);
    /* out[q] = the sum of weights[q][j] * value j for j < lengths[q], in order; lengths are over 0 and ascend. */
    void (*weigh)(const uint16_t *values, size_t dim, const float *weights, const size_t *lengths, size_t count,
                  float *out);
    /* Adds the next chunk's result to that of those before. */
    void (*merge)(float *greatest, float *sum, float *values, float next_greatest, float next_sum,
                  const float *next_values, size_t dim);
};

/* One way to compute, chosen when the library is loaded. All functions are safe for any thread. */
struct kernel_path {
    const char *name;
    bool (*supported)(void);

    /* Quantises whole blocks: 32 floats to 32 codes, a scale and an offset each. */
    void (*quantize)(const float *x, size_t blocks, int zero, int8_t *codes, float *scales, int32_t *offsets);

    /* out[r * out_stride + lane] = initial[lane] + row r of a . row lane of the panel, for rows first..first+rows-1. */
    void (*panel4)(const uint8_t *panel, const struct activations *a, size_t first, size_t rows, const float *initial,
                   float *out, size_t out_stride);
    void (*panel8)(const uint8_t *panel, const struct activations *a, size_t first, size_t rows, const float *initial,
                   float *out, size_t out_stride);

    /*
     * Two neighbouring panels at once, for many rows: `initial` has 32 lanes, `right` is the second panel's out. NULL
     * where that is not faster than one after the other.
     */
    void (*pair4)(const uint8_t *panel, size_t panel_bytes, const struct activations *a, size_t first, size_t rows,
                  const float *initial, float *left, float *right, size_t out_stride);
    void (*pair8)(const uint8_t *panel, size_t panel_bytes, const struct activations *a, size_t first, size_t rows,
                  const float *initial, float *left, float *right, size_t out_stride);

    /* gate[i] = silu(gate[i]) * up[i]; count is a multiple of 16. */
    void (*silu_times)(float *gate, const float *up, size_t count);

    const struct attend_path *attend;
};

/* --- paths.c --- */

/* The path that new kernels get. Until somebody chooses it is the fastest that this processor has. */
const struct kernel_path *selected_path(void);
/* NULL where this build or this processor has no path of that name. */
const struct kernel_path *find_path(const char *name);
/* Supported names, comma-separated, slowest first. The text lives for ever. */
const char *supported_paths(void);
/* False where there is no such path; then nothing changes. */
bool select_path(const char *name);
/* Names a path for the process, read once; meant for tests and for finding faults. */
#define PATH_VARIABLE "MERIDIAN_KERNELS"
/* What that variable says where it is none of the supported paths, else NULL. */
const char *refused_choice(void);

/* --- weights.c --- */

/*
 * Describes a matrix of n x k. With gate_up the bytes hold two of them, panel by panel in turns. Returns the bytes that
 * the packing takes, or 0 where the numbers are impossible.
 */
size_t describe_weights(int64_t n, int64_t k, int64_t bits, bool gate_up, struct weights *w);
/* y[0..k) = row id of the matrix; id must be within 0..n-1. */
void dequantize_row(const struct weights *w, int64_t id, float *y);

/* --- compute.c --- */

/* Runs call(argument) on some threads at once and returns when all have ended; false if it could not. */
struct parallel {
    bool (*run)(void *context, void (*call)(void *argument, size_t index), size_t calls, void *argument);
    void *context;
};

/* Runs on the caller's thread alone. */
extern const struct parallel ON_THIS_THREAD;

enum compute_result { COMPUTED, OUT_OF_MEMORY, PARALLEL_FAILED };

/* Y[rows, n] = X[rows, k] . W^T + bias; a NULL bias is 0. */
enum compute_result compute_gemm(const struct kernel_path *path, const struct weights *w, const float *x, size_t rows,
                                 const float *bias, float *y, const struct parallel *parallel);
/* Y[rows, n] = silu(X . gate^T) * (X . up^T). */
enum compute_result compute_gate_up(const struct kernel_path *path, const struct weights *w, const float *x, size_t rows,
                                    float *y, const struct parallel *parallel);
/* Quantises rows first..last-1 of X, each of k floats; a row's last block is filled up with zeros. */
void quantize_rows(const struct kernel_path *path, const float *x, size_t k, int zero, size_t first, size_t last,
                   struct activations *a);

/* --- attention.c --- */

#define MOST_DIM 512
#define MOST_HEADS ((size_t)1 << 20)

/*
 * Causal attention of rows of any sequences over a cache of float16, which the rows' own keys and values are written to
 * first. A cache is `slots` times `kv_heads` times a head of `capacity` positions, a multiple of 16. A head of values is
 * [capacity][dim]; one of keys is [capacity / 16][dim][16], so that sixteen positions are one vector.
 */
struct attention {
    size_t heads;    /* of queries; a multiple of kv_heads, at most MOST_HEADS */
    size_t kv_heads;
    size_t dim;      /* a multiple of 16, at most MOST_DIM */
    size_t slots;
    size_t capacity;
    size_t turns;    /* rows of cos and sin, of dim / 2 floats each */
    size_t rows;
    const float *query; /* a row's heads follow one another, rows begin query_stride floats apart; so below */
    size_t query_stride;
    const float *key;
    const float *value;
    size_t key_stride;
    uint16_t *cached_keys;
    uint16_t *cached_values;
    const int32_t *slot;     /* of each row */
    const int32_t *position; /* of each row in its sequence */
    const float *cos;
    const float *sin;
    float *out; /* [rows][heads * dim] */
};

/* Whether such numbers of heads and dimensions are supported. */
bool possible_attention(int64_t heads, int64_t kv_heads, int64_t dim);
/* The first row whose slot or position is outside the cache or the table of turns; a->rows where there is none. */
size_t row_outside(const struct attention *a);
/*
 * Computes it; every row must be inside. A row's result depends on the row, its sequence and its position alone. Two rows
 * of one position and slot give no particular result.
 */
enum compute_result compute_attention(const struct kernel_path *path, const struct attention *a,
                                      const struct parallel *parallel);

/* --- cache.c --- */

/* y = x turned; the two parts of a rotation are half a vector apart, not neighbours. */
void rotate(const float *restrict x, const float *restrict cos, const float *restrict sin, size_t half,
            float *restrict y);
/* Where a head begins in either cache. */
size_t head_of_cache(const struct attention *a, size_t slot, size_t kv_head);
/* Writes a row's keys, rotated, and values. */
void write_to_cache(const struct attention *a, size_t row);

/* --- scratch.c --- */

/* Memory for one computation, aligned to 64 bytes, its content undefined; NULL where there is none. */
void *take_scratch(size_t bytes);
void give_scratch(void *memory);
/* Kernels alive: when the last has gone the kept memory is freed. */
void scratch_user_added(void);
void scratch_user_removed(void);

#endif
