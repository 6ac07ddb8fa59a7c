/* Attention for AVX-512: sixteen lanes are one register. */
#include "paths.h"
#include "tile.h"
#include <immintrin.h>

/* Six queries by four registers, four operands and a factor are 29 of the 32 registers. */
#define MOST_WIDTH 4

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

#include "attend.h"

const struct attend_path ATTEND_AVX512 = ATTEND_PATH;
