/* Attention for AVX-512: sixteen lanes are one register. */
#include "paths.h"
#include "tile.h"
#include <immintrin.h>

/* Fourteen queries by two registers, two operands and a factor are 31 of the 32 registers. */
#define MOST_WIDTH 2
#define MOST_COUNT 14

typedef __m512 lanes;

static inline lanes lanes_set(float x) {
    return _mm512_set1_ps(x);
}

static inline lanes lanes_load(const float *from) {
    return _mm512_loadu_ps(from);
}

static inline void lanes_store(float *to, lanes a) {
    _mm512_storeu_ps(to, a);
}

static inline lanes lanes_halves(const uint16_t *from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)from));
}

static inline lanes lanes_fma(lanes a, lanes b, lanes c) {
    return _mm512_fmadd_ps(a, b, c);
}

static inline lanes lanes_add(lanes a, lanes b) {
    return _mm512_add_ps(a, b);
}

static inline lanes lanes_mul(lanes a, lanes b) {
    return _mm512_mul_ps(a, b);
}

/* The instruction gives its second operand where one is NaN. */
static inline lanes lanes_max(lanes a, lanes b) {
    return _mm512_max_ps(a, b);
}

static inline lanes lanes_power(lanes n) {
    __m512i exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
    return _mm512_castsi512_ps(_mm512_slli_epi32(exponent, 23));
}

static inline __m256 high_half(__m512 a) {
    return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1));
}

static inline float lanes_sum(lanes a) {
    __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a), high_half(a));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

static inline float lanes_greatest(lanes a) {
    __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(a), high_half(a));
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

#include "attend.h"

const struct attend_path ATTEND_AVX512 = ATTEND_PATH;
