/* The path for AVX-512 with VNNI: sixteen lanes are one register, and one instruction multiplies 64 pairs of codes. */
#include "paths.h"
#include "tile.h"
#include <immintrin.h>

/* Bytes ahead of the current tile that are asked for. Memory streams front to back at one row, where this counts. */
#define AHEAD 2304

static bool supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
           && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

static void quantize(const float *x, size_t blocks, int zero, int8_t *codes, float *scales, int32_t *offsets) {
    const __m512i magnitude_bits = _mm512_set1_epi32(MAGNITUDE_BITS);
    for (size_t b = 0; b < blocks; b++, x += BLOCK, codes += BLOCK) {
        __m512 low = _mm512_loadu_ps(x);
        __m512 high = _mm512_loadu_ps(x + 16);
        int32_t magnitude = _mm512_reduce_max_epi32(
            _mm512_max_epi32(_mm512_and_si512(_mm512_castps_si512(low), magnitude_bits),
                             _mm512_and_si512(_mm512_castps_si512(high), magnitude_bits)));
        float greatest = float_of_bits((uint32_t)magnitude);
        bool finite = magnitude < INFINITY_BITS;
        bool some = finite && greatest >= SMALLEST_MAGNITUDE;
        scales[b] = some ? greatest / CODE_MAX : finite ? 0.0f : float_of_bits(QUIET_NAN_BITS);
        __m512 inverse = _mm512_set1_ps(some ? CODE_MAX / greatest : 0.0f);
        __mmask16 keep = some ? 0xffff : 0;
        __m512i low_codes = _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(low, inverse));
        __m512i high_codes = _mm512_maskz_cvtps_epi32(keep, _mm512_mul_ps(high, inverse));
        _mm_storeu_si128((__m128i *)codes, _mm512_cvtepi32_epi8(low_codes));
        _mm_storeu_si128((__m128i *)(codes + 16), _mm512_cvtepi32_epi8(high_codes));
        offsets[b] = -zero * _mm512_reduce_add_epi32(_mm512_add_epi32(low_codes, high_codes));
    }
}

/* The unsigned codes of group g of eight, four columns a lane. */
static inline __attribute__((always_inline)) void unpack(int bits, const uint8_t *tile, __m512i w[8]) {
    const __m512i nibble = _mm512_set1_epi8(15);
    for (int g = 0; g < 8; g++) {
        if (bits == 8) {
            w[g] = _mm512_loadu_si512(tile + g * GROUP_BYTES);
        } else {
            __m512i pair = _mm512_loadu_si512(tile + g / 2 * GROUP_BYTES);
            w[g] = _mm512_and_si512(g % 2 == 0 ? pair : _mm512_srli_epi16(pair, 4), nibble);
        }
    }
}

/* A panel by `rows` rows, a constant, whose sums stay in registers. */
static inline __attribute__((always_inline)) void tile_rows(int bits, int rows, const uint8_t *tile,
                                                            const struct activations *a, size_t first,
                                                            const float *initial, float *out, size_t out_stride) {
    const size_t tile_bytes = bits == 4 ? TILE4_BYTES : TILE8_BYTES;
    const size_t scales_at = bits == 4 ? TILE4_SCALES : TILE8_SCALES;
    const size_t blocks = a->blocks;
    const int8_t *codes = a->codes + first * blocks * BLOCK;
    const float *scales = a->scales + first * blocks;
    const int32_t *offsets = a->offsets + first * blocks;
    __m512 sums[8];
    UNROLL
    for (int r = 0; r < rows; r++) {
        sums[r] = _mm512_loadu_ps(initial);
    }
    for (size_t b = 0; b < blocks; b++, tile += tile_bytes) {
        UNROLL
        for (size_t line = 0; line < tile_bytes; line += 64) {
            _mm_prefetch((const char *)((uintptr_t)tile + AHEAD + line), _MM_HINT_T0);
        }
        __m512i w[8];
        unpack(bits, tile, w);
        __m512 weight_scales = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(tile + scales_at)));
        UNROLL
        for (int r = 0; r < rows; r++) {
            const lane32 *x = (const lane32 *)(codes + ((size_t)r * blocks + b) * BLOCK);
            __m512i dot = _mm512_set1_epi32(offsets[(size_t)r * blocks + b]);
            UNROLL
            for (int g = 0; g < 8; g++) {
                dot = _mm512_dpbusd_epi32(dot, w[g], _mm512_set1_epi32(x[g]));
            }
            __m512 scale = _mm512_mul_ps(weight_scales, _mm512_set1_ps(scales[(size_t)r * blocks + b]));
            sums[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(dot), scale, sums[r]);
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        _mm512_storeu_ps(out + (size_t)r * out_stride, sums[r]);
    }
}

#define ROWS_CASE(bits, count) \
    case count: \
        tile_rows(bits, count, panel, a, first, initial, out, out_stride); \
        break

#define PANEL(name, bits) \
    static void name(const uint8_t *panel, const struct activations *a, size_t first, size_t rows, \
                     const float *initial, float *out, size_t out_stride) { \
        for (; rows >= 8; rows -= 8, first += 8, out += 8 * out_stride) { \
            tile_rows(bits, 8, panel, a, first, initial, out, out_stride); \
        } \
        switch (rows) { \
            ROWS_CASE(bits, 1); \
            ROWS_CASE(bits, 2); \
            ROWS_CASE(bits, 3); \
            ROWS_CASE(bits, 4); \
            ROWS_CASE(bits, 5); \
            ROWS_CASE(bits, 6); \
            ROWS_CASE(bits, 7); \
        default: \
            break; \
        } \
    }

PANEL(panel4, 4)
PANEL(panel8, 8)

/*
 * Two neighbouring panels by `rows` rows, a constant of at most 4. A code of X is loaded once for both, and loads are what
 * bounds the kernel above once the weights are in a cache.
 */
static inline __attribute__((always_inline)) void tile_pair(int bits, int rows, const uint8_t *tile, size_t panel_bytes,
                                                            const struct activations *a, size_t first,
                                                            const float *initial, float *const out[2],
                                                            size_t out_stride) {
    const size_t tile_bytes = bits == 4 ? TILE4_BYTES : TILE8_BYTES;
    const size_t scales_at = bits == 4 ? TILE4_SCALES : TILE8_SCALES;
    const size_t blocks = a->blocks;
    const int8_t *codes = a->codes + first * blocks * BLOCK;
    const float *scales = a->scales + first * blocks;
    const int32_t *offsets = a->offsets + first * blocks;
    const uint8_t *other = tile + panel_bytes;
    __m512 sums[4][2];
    UNROLL
    for (int r = 0; r < rows; r++) {
        sums[r][0] = _mm512_loadu_ps(initial);
        sums[r][1] = _mm512_loadu_ps(initial + LANES);
    }
    for (size_t b = 0; b < blocks; b++, tile += tile_bytes, other += tile_bytes) {
        __m512i v[8];
        __m512i w[8];
        unpack(bits, tile, v);
        unpack(bits, other, w);
        __m512 v_scales = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(tile + scales_at)));
        __m512 w_scales = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(other + scales_at)));
        UNROLL
        for (int r = 0; r < rows; r++) {
            const lane32 *x = (const lane32 *)(codes + ((size_t)r * blocks + b) * BLOCK);
            __m512i v_dot = _mm512_set1_epi32(offsets[(size_t)r * blocks + b]);
            __m512i w_dot = v_dot;
            UNROLL
            for (int g = 0; g < 8; g++) {
                __m512i four = _mm512_set1_epi32(x[g]);
                v_dot = _mm512_dpbusd_epi32(v_dot, v[g], four);
                w_dot = _mm512_dpbusd_epi32(w_dot, w[g], four);
            }
            __m512 x_scale = _mm512_set1_ps(scales[(size_t)r * blocks + b]);
            sums[r][0] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(v_dot), _mm512_mul_ps(v_scales, x_scale), sums[r][0]);
            sums[r][1] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(w_dot), _mm512_mul_ps(w_scales, x_scale), sums[r][1]);
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        _mm512_storeu_ps(out[0] + (size_t)r * out_stride, sums[r][0]);
        _mm512_storeu_ps(out[1] + (size_t)r * out_stride, sums[r][1]);
    }
}

#define PAIR_CASE(bits, count) \
    case count: \
        tile_pair(bits, count, panel, panel_bytes, a, first, initial, out, out_stride); \
        break

#define PAIR(name, bits) \
    static void name(const uint8_t *panel, size_t panel_bytes, const struct activations *a, size_t first, size_t rows, \
                     const float *initial, float *left, float *right, size_t out_stride) { \
        float *out[2] = {left, right}; \
        for (; rows >= 4; rows -= 4, first += 4, out[0] += 4 * out_stride, out[1] += 4 * out_stride) { \
            tile_pair(bits, 4, panel, panel_bytes, a, first, initial, out, out_stride); \
        } \
        switch (rows) { \
            PAIR_CASE(bits, 1); \
            PAIR_CASE(bits, 2); \
            PAIR_CASE(bits, 3); \
        default: \
            break; \
        } \
    }

PAIR(pair4, 4)
PAIR(pair8, 8)

/* As in the portable path, operation by operation. */
static inline __m512 exponential(__m512 x) {
    x = _mm512_min_ps(x, _mm512_set1_ps(EXP_MAX));
    x = _mm512_max_ps(x, _mm512_set1_ps(EXP_MIN));
    const __m512 rounder = _mm512_set1_ps(ROUNDER);
    __m512 n = _mm512_sub_ps(_mm512_add_ps(_mm512_mul_ps(x, _mm512_set1_ps(LOG2_E)), rounder), rounder);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(LN2_HIGH), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(LN2_LOW), r);
    __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(EXP_C7), r, _mm512_set1_ps(EXP_C6));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(EXP_C5));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(EXP_C4));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(EXP_C3));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(EXP_C2));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
    return _mm512_mul_ps(p, _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23)));
}

static void silu_times(float *gate, const float *up, size_t count) {
    const __m512i sign = _mm512_set1_epi32(INT32_MIN);
    for (size_t i = 0; i < count; i += 16) {
        __m512 g = _mm512_loadu_ps(gate + i);
        __m512 negative = _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(g), sign));
        __m512 silu = _mm512_div_ps(g, _mm512_add_ps(_mm512_set1_ps(1.0f), exponential(negative)));
        _mm512_storeu_ps(gate + i, _mm512_mul_ps(silu, _mm512_loadu_ps(up + i)));
    }
}

const struct kernel_path AVX512_VNNI = {"avx512vnni", supported, quantize, panel4, panel8, pair4, pair8, silu_times,
                                       &ATTEND_AVX512};
