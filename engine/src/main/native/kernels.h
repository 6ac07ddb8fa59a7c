/*
 * Matrix kernels over block-quantised weights: what the files of this library share.
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

/* --- scratch.c --- */

/* Memory for one computation, aligned to 64 bytes, its content undefined; NULL where there is none. */
void *take_scratch(size_t bytes);
void give_scratch(void *memory);
/* Kernels alive: when the last has gone the kept memory is freed. */
void scratch_user_added(void);
void scratch_user_removed(void);

#endif
