/* The path in plain C: what any processor can run, and what the other paths are compared with. */
#include "paths.h"
#include "tile.h"
#include <math.h>

static bool supported(void) {
    return true;
}

static void quantize_block(const float *x, int zero, int8_t *codes, float *scale, int32_t *offset) {
    int32_t magnitude = 0;
    for (int i = 0; i < BLOCK; i++) {
        int32_t bits = (int32_t)(bits_of_float(x[i]) & MAGNITUDE_BITS);
        magnitude = bits > magnitude ? bits : magnitude;
    }
    *offset = 0;
    memset(codes, 0, BLOCK);
    if (magnitude >= INFINITY_BITS) {
        *scale = float_of_bits(QUIET_NAN_BITS);
        return;
    }
    float greatest = float_of_bits((uint32_t)magnitude);
    if (greatest < SMALLEST_MAGNITUDE) {
        *scale = 0.0f;
        return;
    }
    *scale = greatest / CODE_MAX;
    float inverse = CODE_MAX / greatest;
    int32_t sum = 0;
    for (int i = 0; i < BLOCK; i++) {
        float rounded = x[i] * inverse + ROUNDER - ROUNDER;
        codes[i] = (int8_t)rounded;
        sum += codes[i];
    }
    *offset = -zero * sum;
}

static void quantize(const float *x, size_t blocks, int zero, int8_t *codes, float *scales, int32_t *offsets) {
    for (size_t b = 0; b < blocks; b++) {
        quantize_block(x + b * BLOCK, zero, codes + b * BLOCK, scales + b, offsets + b);
    }
}

/* Rows of a tile that share an unpacking of its codes. */
#define ROWS 8

/* A tile's codes less the zero code, 32 columns a lane. */
static void unpack4(const uint8_t *tile, int8_t codes[LANES][BLOCK]) {
    for (int byte = 0; byte < TILE4_SCALES; byte++) {
        int column = byte / GROUP_BYTES * 8 + byte % 4;
        int lane = byte % GROUP_BYTES / 4;
        codes[lane][column] = (int8_t)((tile[byte] & 15) - ZERO4);
        codes[lane][column + 4] = (int8_t)((tile[byte] >> 4) - ZERO4);
    }
}

static void unpack8(const uint8_t *tile, int8_t codes[LANES][BLOCK]) {
    for (int byte = 0; byte < TILE8_SCALES; byte++) {
        codes[byte % GROUP_BYTES / 4][byte / GROUP_BYTES * 4 + byte % 4] = (int8_t)(tile[byte] - ZERO8);
    }
}

static int32_t dot(const int8_t *x, const int8_t *w) {
    int32_t sum = 0;
    for (int i = 0; i < BLOCK; i++) {
        sum += x[i] * w[i];
    }
    return sum;
}

static inline void panel(int bits, const uint8_t *bytes, const struct activations *a, size_t first, size_t rows,
                         const float *initial, float *out, size_t out_stride) {
    size_t tile_bytes = bits == 4 ? TILE4_BYTES : TILE8_BYTES;
    size_t scales_at = bits == 4 ? TILE4_SCALES : TILE8_SCALES;
    for (size_t row = 0; row < rows; row += ROWS) {
        size_t end = row + ROWS < rows ? row + ROWS : rows;
        float sums[ROWS][LANES];
        for (size_t r = row; r < end; r++) {
            memcpy(sums[r - row], initial, sizeof sums[0]);
        }
        for (size_t b = 0; b < a->blocks; b++) {
            const uint8_t *tile = bytes + b * tile_bytes;
            int8_t codes[LANES][BLOCK];
            if (bits == 4) {
                unpack4(tile, codes);
            } else {
                unpack8(tile, codes);
            }
            for (int lane = 0; lane < LANES; lane++) {
                float weight_scale = float_of_half(tile + scales_at + 2 * lane);
                for (size_t r = row; r < end; r++) {
                    size_t block = (first + r) * a->blocks + b;
                    float product = (float)dot(a->codes + block * BLOCK, codes[lane]);
                    float *sum = &sums[r - row][lane];
                    *sum = fmaf(product, weight_scale * a->scales[block], *sum);
                }
            }
        }
        for (size_t r = row; r < end; r++) {
            memcpy(out + r * out_stride, sums[r - row], sizeof sums[0]);
        }
    }
}

static void panel4(const uint8_t *bytes, const struct activations *a, size_t first, size_t rows, const float *initial,
                   float *out, size_t out_stride) {
    panel(4, bytes, a, first, rows, initial, out, out_stride);
}

static void panel8(const uint8_t *bytes, const struct activations *a, size_t first, size_t rows, const float *initial,
                   float *out, size_t out_stride) {
    panel(8, bytes, a, first, rows, initial, out, out_stride);
}

/* The comparisons let a NaN become the bound, as the minimum instructions of x86 do; the division brings it back. */
static float exponential(float x) {
    x = x < EXP_MAX ? x : EXP_MAX;
    x = x > EXP_MIN ? x : EXP_MIN;
    float n = x * LOG2_E + ROUNDER - ROUNDER;
    float r = fmaf(-n, LN2_HIGH, x);
    r = fmaf(-n, LN2_LOW, r);
    float p = fmaf(EXP_C7, r, EXP_C6);
    p = fmaf(p, r, EXP_C5);
    p = fmaf(p, r, EXP_C4);
    p = fmaf(p, r, EXP_C3);
    p = fmaf(p, r, EXP_C2);
    p = fmaf(p, r, 1.0f);
    p = fmaf(p, r, 1.0f);
    return p * float_of_bits((uint32_t)((int32_t)n + 127) << 23);
}

static void silu_times(float *gate, const float *up, size_t count) {
    for (size_t i = 0; i < count; i++) {
        gate[i] = gate[i] / (1.0f + exponential(-gate[i])) * up[i];
    }
}

const struct kernel_path PORTABLE = {"portable", supported, quantize, panel4, panel8, NULL, NULL, silu_times,
                                     &ATTEND_PORTABLE};
