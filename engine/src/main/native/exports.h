/* The entry points of this library that are not ONNX Runtime's: see exports.c. Path names are those of meridian_paths. */
#ifndef MERIDIAN_EXPORTS_H
#define MERIDIAN_EXPORTS_H

#include <stdint.h>

#define MERIDIAN_EXPORT __attribute__((visibility("default")))

/* Paths that this processor can run, comma-separated, slowest first. */
MERIDIAN_EXPORT const char *meridian_paths(void);
/* The path that kernels created from now on get. */
MERIDIAN_EXPORT const char *meridian_path_name(void);
/* NULL, or what the environment variable MERIDIAN_KERNELS says where that is no path of this processor. */
MERIDIAN_EXPORT const char *meridian_refused_choice(void);
/* Changes it for the whole process; -1 and no change where this processor has no such path. */
MERIDIAN_EXPORT int32_t meridian_select_path(const char *path);
/* Bytes of a packed matrix of n rows and k columns, or -2. */
MERIDIAN_EXPORT int64_t meridian_weight_bytes(int64_t n, int64_t k, int32_t bits, int32_t gate_up);
/* Per row ceil(k / 32) blocks of 32 codes, and a scale and the codes' sum per block. */
MERIDIAN_EXPORT int32_t meridian_quantize_rows(const char *path, int64_t rows, int64_t k, const float *x, int8_t *codes,
                                               float *scales, int32_t *sums);
/* y[rows, n] = x[rows, k] . W^T + bias, which may be NULL. */
MERIDIAN_EXPORT int32_t meridian_gemm(const char *path, int32_t bits, int64_t rows, int64_t n, int64_t k, const float *x,
                                      const uint8_t *weights, const float *bias, float *y);
/* y[rows, n] = silu(x . gate^T) * (x . up^T). */
MERIDIAN_EXPORT int32_t meridian_gate_up(const char *path, int32_t bits, int64_t rows, int64_t n, int64_t k,
                                         const float *x, const uint8_t *weights, float *y);
/* y[count, k] = rows of W; an id outside 0..n-1 is -2. */
MERIDIAN_EXPORT int32_t meridian_embed(int32_t bits, int64_t count, int64_t n, int64_t k, const int64_t *ids,
                                       const uint8_t *weights, float *y);
/*
 * Attention as kernels.h describes it. Sizes: heads, kv_heads, dim, slots, capacity, turns, rows. Where key and value are
 * NULL a row of query holds the query heads, then the key heads, then the value heads.
 */
MERIDIAN_EXPORT int32_t meridian_attention(const char *path, const int64_t sizes[7], const float *query,
                                           const float *key, const float *value, uint16_t *cached_keys,
                                           uint16_t *cached_values, const int32_t *slots, const int32_t *positions,
                                           const float *cos, const float *sin, float *out);

#endif
