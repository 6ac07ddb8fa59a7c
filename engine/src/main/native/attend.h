/*
 * Attention over one chunk of cached positions, written once over sixteen lanes. A file of a path defines `lanes`, which
 * are sixteen floats, how many queries (MOST_COUNT, up to 14) by how many operands (MOST_WIDTH, 1 or 2) have their sums
 * in registers, and the operations below. Then it includes this, and exports the table ATTEND_PATH.
 *
 *   lanes_set(x)        x in every lane          lanes_load(p), lanes_store(p, a)   unaligned
 *   lanes_halves(p)     16 float16               lanes_fma(a, b, c)                 a * b + c, rounded once
 *   lanes_add, lanes_mul                         lanes_max(a, b)                    a > b ? a : b, so b for a NaN
 *   lanes_sum(a)        of lanes i and i + 8, then of i and i + 4 of that, i + 2 and i + 1
 *   lanes_greatest(a)   of lanes of which none is NaN
 *   lanes_power(n)      2^n, n whole in -126..0; anything else gives any value, but is defined
 *
 * Every order of operations here is part of the result's definition (kernels.h) but the tiling, which changes no bit.
 */
#include "tile.h"
#include <math.h>

/* Bytes ahead of a step that are asked for: within a key-value head keys and values follow one another in memory. */
#define AHEAD 8192

#define INLINE static inline __attribute__((always_inline))

/*
 * out[q][v] (+)= the sum over steps t, in order, of factors[q][t] * the 16 halves at t * step + v * across; fresh sums
 * start from 0. `count` and `width` are constants. Both products of attention are this one.
 */
INLINE void multiply(int count, int width, size_t steps, const float *factors, size_t factor_stride,
                     const uint16_t *halves, size_t step, size_t across, size_t ahead, bool fresh, float *out,
                     size_t out_stride) {
    lanes sums[MOST_COUNT][MOST_WIDTH];
    UNROLL
    for (int q = 0; q < count; q++) {
        UNROLL
        for (int v = 0; v < width; v++) {
            sums[q][v] = fresh ? lanes_set(0.0f) : lanes_load(out + (size_t)q * out_stride + (size_t)v * LANES);
        }
    }
    for (size_t t = 0; t < steps; t++, halves += step) {
        lanes operand[MOST_WIDTH];
        UNROLL
        for (int v = 0; v < width; v++) {
            operand[v] = lanes_halves(halves + (size_t)v * across);
            __builtin_prefetch((const void *)((uintptr_t)(halves + (size_t)v * across) + ahead));
        }
        UNROLL
        for (int q = 0; q < count; q++) {
            lanes factor = lanes_set(factors[(size_t)q * factor_stride + t]);
            UNROLL
            for (int v = 0; v < width; v++) {
                sums[q][v] = lanes_fma(factor, operand[v], sums[q][v]);
            }
        }
    }
    UNROLL
    for (int q = 0; q < count; q++) {
        UNROLL
        for (int v = 0; v < width; v++) {
            lanes_store(out + (size_t)q * out_stride + (size_t)v * LANES, sums[q][v]);
        }
    }
}

/* A constant condition, so that no code is made for what a path does not use. */
#define COUNT_CASE(count, width) \
    case count: \
        if (count <= MOST_COUNT) { \
            multiply(count, width, steps, factors, factor_stride, halves, step, across, ahead, fresh, out, \
                     out_stride); \
        } \
        break

#define WIDTH(width) \
    static void multiply##width(size_t count, size_t steps, const float *factors, size_t factor_stride, \
                                const uint16_t *halves, size_t step, size_t across, size_t ahead, bool fresh, \
                                float *out, size_t out_stride) { \
        switch (count) { \
            COUNT_CASE(1, width); \
            COUNT_CASE(2, width); \
            COUNT_CASE(3, width); \
            COUNT_CASE(4, width); \
            COUNT_CASE(5, width); \
            COUNT_CASE(6, width); \
            COUNT_CASE(7, width); \
            COUNT_CASE(8, width); \
            COUNT_CASE(9, width); \
            COUNT_CASE(10, width); \
            COUNT_CASE(11, width); \
            COUNT_CASE(12, width); \
            COUNT_CASE(13, width); \
            COUNT_CASE(14, width); \
        default: \
            break; \
        } \
    }

WIDTH(1)
#if MOST_WIDTH >= 2
WIDTH(2)
#endif

static size_t width_of(size_t left) {
    return left < MOST_WIDTH ? left : MOST_WIDTH;
}

/* How many of `left` queries go together: as few parts as can be, of about one size, for few sums leave units idle. */
static size_t count_of(size_t left) {
    const size_t parts = (left + MOST_COUNT - 1) / MOST_COUNT;
    return (left + parts - 1) / parts;
}

static void multiply_any(size_t width, size_t count, size_t steps, const float *factors, size_t factor_stride,
                         const uint16_t *halves, size_t step, size_t across, size_t ahead, bool fresh, float *out,
                         size_t out_stride) {
#if MOST_WIDTH >= 2
    if (width == 2) {
        multiply2(count, steps, factors, factor_stride, halves, step, across, ahead, fresh, out, out_stride);
        return;
    }
#endif
    (void)width;
    multiply1(count, steps, factors, factor_stride, halves, step, across, ahead, fresh, out, out_stride);
}

static void score(const uint16_t *keys, size_t dim, size_t blocks, const float *queries, size_t count, float *scores) {
    size_t width;
    size_t some;
    for (size_t block = 0; block < blocks; block += width) {
        width = width_of(blocks - block);
        for (size_t q = 0; q < count; q += some) {
            some = count_of(count - q);
            multiply_any(width, some, dim, queries + q * dim, dim, keys + block * LANES * dim, LANES, LANES * dim,
                         q == 0 ? AHEAD : 0, true, scores + q * CHUNK + block * LANES, CHUNK);
        }
    }
}

/* The exponential of tile.h for x <= 0; NaN stays NaN. */
INLINE lanes exponential(lanes x) {
    x = lanes_max(lanes_set(EXP_MIN), x);
    lanes n = lanes_add(lanes_mul(x, lanes_set(LOG2_E)), lanes_set(ROUNDER));
    n = lanes_add(n, lanes_set(-ROUNDER));
    lanes r = lanes_fma(n, lanes_set(-LN2_HIGH), x);
    r = lanes_fma(n, lanes_set(-LN2_LOW), r);
    lanes p = lanes_fma(lanes_set(EXP_C7), r, lanes_set(EXP_C6));
    p = lanes_fma(p, r, lanes_set(EXP_C5));
    p = lanes_fma(p, r, lanes_set(EXP_C4));
    p = lanes_fma(p, r, lanes_set(EXP_C3));
    p = lanes_fma(p, r, lanes_set(EXP_C2));
    p = lanes_fma(p, r, lanes_set(1.0f));
    p = lanes_fma(p, r, lanes_set(1.0f));
    return lanes_mul(p, lanes_power(n));
}

static void soften(float *scores, size_t length, float *greatest, float *sum) {
    const size_t whole = length / LANES * LANES;
    const size_t end = (length + LANES - 1) / LANES * LANES;
    for (size_t j = length; j < end; j++) {
        scores[j] = -INFINITY;
    }
    lanes most = lanes_set(-INFINITY);
    for (size_t j = 0; j < end; j += LANES) {
        most = lanes_max(lanes_load(scores + j), most);
    }
    *greatest = lanes_greatest(most);
    const lanes minus = lanes_set(-*greatest);
    lanes sums = lanes_set(0.0f);
    for (size_t j = 0; j < whole; j += LANES) {
        lanes weight = exponential(lanes_add(lanes_load(scores + j), minus));
        lanes_store(scores + j, weight);
        sums = lanes_add(sums, weight);
    }
    if (whole < end) {
        lanes_store(scores + whole, exponential(lanes_add(lanes_load(scores + whole), minus)));
        /* Added as 0 these change no sum. */
        for (size_t j = length; j < end; j++) {
            scores[j] = 0.0f;
        }
        sums = lanes_add(sums, lanes_load(scores + whole));
    }
    *sum = lanes_sum(sums);
}

/* Each query sees its own number of positions and none beyond, not even times 0: they may be infinite. */
static void weigh(const uint16_t *values, size_t dim, const float *weights, const size_t *lengths, size_t count,
                  float *out) {
    size_t width;
    size_t some;
    for (size_t d = 0; d < dim; d += width * LANES) {
        width = width_of((dim - d) / LANES);
        for (size_t first = 0; first < count; first += some) {
            some = count_of(count - first);
            size_t done = 0;
            for (size_t q = first; q < first + some; q++) {
                if (lengths[q] > done) {
                    multiply_any(width, first + some - q, lengths[q] - done, weights + q * CHUNK + done, CHUNK,
                                 values + done * dim + d, dim, LANES, first == 0 ? AHEAD : 0, done == 0,
                                 out + q * dim + d, dim);
                    done = lengths[q];
                }
            }
        }
    }
}

static void merge(float *greatest, float *sum, float *values, float next_greatest, float next_sum,
                  const float *next_values, size_t dim) {
    const float most = next_greatest > *greatest ? next_greatest : *greatest;
    float factors[2 * LANES];
    lanes_store(factors, exponential(lanes_set(*greatest - most)));
    lanes_store(factors + LANES, exponential(lanes_set(next_greatest - most)));
    const lanes old = lanes_set(factors[0]);
    const lanes new = lanes_set(factors[LANES]);
    float sums[LANES];
    lanes_store(sums, lanes_fma(lanes_set(next_sum), new, lanes_mul(lanes_set(*sum), old)));
    *sum = sums[0];
    *greatest = most;
    for (size_t d = 0; d < dim; d += LANES) {
        lanes kept = lanes_mul(lanes_load(values + d), old);
        lanes_store(values + d, lanes_fma(lanes_load(next_values + d), new, kept));
    }
}

#define ATTEND_PATH {score, soften, weigh, merge}
