/*
 * The path for AVX2, FMA and F16C. Compiled twice: with MERIDIAN_PATH_AVX_VNNI for processors that have VNNI's dot product
 * at 256 bits, which takes the place of three instructions and cannot saturate.
 */
#include "paths.h"
#include "tile.h"
#include <cpuid.h>
#include <immintrin.h>

#define AHEAD 2304
/* Rows that share an unpacking: with their sums this is what sixteen registers carry without much spilling. */
#define ROWS 4

static bool supported(void) {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    /* The built-in functions know whether the operating system saves the registers; not all know F16C. */
    bool base = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __get_cpuid(1, &a, &b, &c, &d)
                && (c >> 29 & 1) != 0;
#if defined(MERIDIAN_PATH_AVX_VNNI)
    return base && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1) != 0;
#else
    return base;
#endif
}

static inline int32_t greatest_of(__m256i v) {
    __m128i m = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0x4e));
    m = _mm_max_epi32(m, _mm_shuffle_epi32(m, 0xb1));
    return _mm_cvtsi128_si32(m);
}

static inline int32_t sum_of(__m256i v) {
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    return _mm_cvtsi128_si32(s);
}

static void quantize_block(const float *x, float inverse, int zero, int8_t *codes, int32_t *offset) {
    __m256i c[4];
    for (int i = 0; i < 4; i++) {
        c[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), _mm256_set1_ps(inverse)));
    }
    /* Packing works on halves of 128 bits, so four columns each come out of order and are put back. */
    __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(c[0], c[1]), _mm256_packs_epi32(c[2], c[3]));
    packed = _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_storeu_si256((__m256i *)codes, packed);
    *offset = -zero * sum_of(_mm256_add_epi32(_mm256_add_epi32(c[0], c[1]), _mm256_add_epi32(c[2], c[3])));
}

static void quantize(const float *x, size_t blocks, int zero, int8_t *codes, float *scales, int32_t *offsets) {
    const __m256i magnitude_bits = _mm256_set1_epi32(MAGNITUDE_BITS);
    for (size_t b = 0; b < blocks; b++, x += BLOCK, codes += BLOCK) {
        __m256i m = _mm256_setzero_si256();
        for (int i = 0; i < 4; i++) {
            __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(x + 8 * i));
            m = _mm256_max_epi32(m, _mm256_and_si256(bits, magnitude_bits));
        }
        int32_t magnitude = greatest_of(m);
        float greatest = float_of_bits((uint32_t)magnitude);
        if (magnitude < INFINITY_BITS && greatest >= SMALLEST_MAGNITUDE) {
            scales[b] = greatest / CODE_MAX;
            quantize_block(x, CODE_MAX / greatest, zero, codes, offsets + b);
        } else {
            scales[b] = magnitude < INFINITY_BITS ? 0.0f : float_of_bits(QUIET_NAN_BITS);
            offsets[b] = 0;
            memset(codes, 0, BLOCK);
        }
    }
}

/* The unsigned codes of group g of eight for one half of the lanes. */
static inline __attribute__((always_inline)) __m256i codes_of(int bits, const uint8_t *half_tile, int g) {
    if (bits == 8) {
        return _mm256_loadu_si256((const __m256i *)(half_tile + g * GROUP_BYTES));
    }
    __m256i pair = _mm256_loadu_si256((const __m256i *)(half_tile + g / 2 * GROUP_BYTES));
    return _mm256_and_si256(g % 2 == 0 ? pair : _mm256_srli_epi16(pair, 4), _mm256_set1_epi8(15));
}

/*
 * Adds group g to a dot product that is kept in `dot`. Without VNNI that is, for 4 bits, sums of 16 bits: at most
 * 8 * 2 * 15 * 127 = 30480, so that they cannot saturate. For 8 bits magnitudes of weights (at most 128) meet codes that
 * take over the weights' signs: 2 * 128 * 127 = 32512 fits 16 bits, and is widened at once.
 */
static inline __attribute__((always_inline)) __m256i add_group(int bits, __m256i dot, __m256i w, __m256i x) {
#if defined(MERIDIAN_PATH_AVX_VNNI)
    (void)bits;
    return _mm256_dpbusd_avx_epi32(dot, w, x);
#else
    if (bits == 4) {
        return _mm256_add_epi16(dot, _mm256_maddubs_epi16(w, x));
    }
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
    return _mm256_add_epi32(dot, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
#endif
}

/* Where dot products start, and what is left to do at their end. */
static inline __attribute__((always_inline)) __m256i first_dot(int bits, int32_t offset) {
#if defined(MERIDIAN_PATH_AVX_VNNI)
    (void)bits;
    return _mm256_set1_epi32(offset);
#else
    (void)bits;
    (void)offset;
    return _mm256_setzero_si256();
#endif
}

static inline __attribute__((always_inline)) __m256i last_dot(int bits, __m256i dot, int32_t offset) {
#if defined(MERIDIAN_PATH_AVX_VNNI)
    (void)bits;
    (void)offset;
    return dot;
#else
    if (bits == 8) {
        return dot;
    }
    return _mm256_add_epi32(_mm256_madd_epi16(dot, _mm256_set1_epi16(1)), _mm256_set1_epi32(offset));
#endif
}

/* The codes as the dot product takes them: signed for 8 bits without VNNI. */
static inline __attribute__((always_inline)) __m256i operand_of(int bits, const uint8_t *half_tile, int g) {
    __m256i w = codes_of(bits, half_tile, g);
#if !defined(MERIDIAN_PATH_AVX_VNNI)
    if (bits == 8) {
        return _mm256_xor_si256(w, _mm256_set1_epi8((char)0x80));
    }
#endif
    return w;
}

static inline __attribute__((always_inline)) void tile_rows(int bits, int rows, const uint8_t *tile,
                                                            const struct activations *a, size_t first,
                                                            const float *initial, float *out, size_t out_stride) {
    const size_t tile_bytes = bits == 4 ? TILE4_BYTES : TILE8_BYTES;
    const size_t scales_at = bits == 4 ? TILE4_SCALES : TILE8_SCALES;
    const size_t blocks = a->blocks;
    const int8_t *codes = a->codes + first * blocks * BLOCK;
    const float *scales = a->scales + first * blocks;
    const int32_t *offsets = a->offsets + first * blocks;
    __m256 sums[ROWS][2];
    UNROLL
    for (int r = 0; r < rows; r++) {
        sums[r][0] = _mm256_loadu_ps(initial);
        sums[r][1] = _mm256_loadu_ps(initial + 8);
    }
    for (size_t b = 0; b < blocks; b++, tile += tile_bytes) {
        UNROLL
        for (size_t line = 0; line < tile_bytes; line += 64) {
            _mm_prefetch((const char *)((uintptr_t)tile + AHEAD + line), _MM_HINT_T0);
        }
        UNROLL
        for (int half = 0; half < 2; half++) {
            /* Has the codes of several rows loaded for each half anew: kept for the other half they would be spilled. */
            if (rows > 1) {
                __asm__ volatile("" ::: "memory");
            }
            __m256i dots[ROWS];
            UNROLL
            for (int r = 0; r < rows; r++) {
                dots[r] = first_dot(bits, offsets[(size_t)r * blocks + b]);
            }
            UNROLL
            for (int g = 0; g < 8; g++) {
                __m256i w = operand_of(bits, tile + 32 * half, g);
                UNROLL
                for (int r = 0; r < rows; r++) {
                    const lane32 *x = (const lane32 *)(codes + ((size_t)r * blocks + b) * BLOCK);
                    dots[r] = add_group(bits, dots[r], w, _mm256_set1_epi32(x[g]));
                }
            }
            __m256 weight_scales =
                _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(tile + scales_at + 16 * half)));
            UNROLL
            for (int r = 0; r < rows; r++) {
                size_t at = (size_t)r * blocks + b;
                __m256 dot = _mm256_cvtepi32_ps(last_dot(bits, dots[r], offsets[at]));
                __m256 scale = _mm256_mul_ps(weight_scales, _mm256_set1_ps(scales[at]));
                sums[r][half] = _mm256_fmadd_ps(dot, scale, sums[r][half]);
            }
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        _mm256_storeu_ps(out + (size_t)r * out_stride, sums[r][0]);
        _mm256_storeu_ps(out + (size_t)r * out_stride + 8, sums[r][1]);
    }
}

#define PANEL(name, bits) \
    static void name(const uint8_t *panel, const struct activations *a, size_t first, size_t rows, \
                     const float *initial, float *out, size_t out_stride) { \
        for (; rows >= ROWS; rows -= ROWS, first += ROWS, out += ROWS * out_stride) { \
            tile_rows(bits, ROWS, panel, a, first, initial, out, out_stride); \
        } \
        if (rows == 1) { \
            tile_rows(bits, 1, panel, a, first, initial, out, out_stride); \
        } else if (rows == 2) { \
            tile_rows(bits, 2, panel, a, first, initial, out, out_stride); \
        } else if (rows == 3) { \
            tile_rows(bits, 3, panel, a, first, initial, out, out_stride); \
        } \
    }

PANEL(panel4, 4)
PANEL(panel8, 8)

/* As in the portable path, operation by operation. */
static inline __m256 exponential(__m256 x) {
    x = _mm256_min_ps(x, _mm256_set1_ps(EXP_MAX));
    x = _mm256_max_ps(x, _mm256_set1_ps(EXP_MIN));
    const __m256 rounder = _mm256_set1_ps(ROUNDER);
    __m256 n = _mm256_sub_ps(_mm256_add_ps(_mm256_mul_ps(x, _mm256_set1_ps(LOG2_E)), rounder), rounder);
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(LN2_HIGH), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(LN2_LOW), r);
    __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(EXP_C7), r, _mm256_set1_ps(EXP_C6));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(EXP_C5));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(EXP_C4));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(EXP_C3));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(EXP_C2));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f));
    __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
}

static void silu_times(float *gate, const float *up, size_t count) {
    for (size_t i = 0; i < count; i += 8) {
        __m256 g = _mm256_loadu_ps(gate + i);
        __m256 negative = _mm256_xor_ps(g, _mm256_set1_ps(-0.0f));
        __m256 silu = _mm256_div_ps(g, _mm256_add_ps(_mm256_set1_ps(1.0f), exponential(negative)));
        _mm256_storeu_ps(gate + i, _mm256_mul_ps(silu, _mm256_loadu_ps(up + i)));
    }
}

#if defined(MERIDIAN_PATH_AVX_VNNI)
const struct kernel_path AVX_VNNI = {"avxvnni", supported, quantize, panel4, panel8, NULL, NULL, silu_times,
                                     &ATTEND_AVX2};
#else
const struct kernel_path AVX2 = {"avx2", supported, quantize, panel4, panel8, NULL, NULL, silu_times, &ATTEND_AVX2};
#endif
