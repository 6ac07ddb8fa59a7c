/*
 * What attention does to one row: the rotation of its queries and keys, and the way of its key and value to the cache.
 * Compiled here alone, and without contraction of products, so all paths have these bits.
 */
#include "tile.h"

void rotate(const float *restrict x, const float *restrict cos, const float *restrict sin, size_t half,
            float *restrict y) {
    for (size_t i = 0; i < half; i++) {
        y[i] = x[i] * cos[i] - x[i + half] * sin[i];
        y[i + half] = x[i + half] * cos[i] + x[i] * sin[i];
    }
}

#define HALF_GREATEST_BITS 0x477fe000 /* 65504 */
#define HALF_NORMAL_BITS 0x38800000   /* 2^-14 */

/* To float16, nearest even. What is finite stays finite; every NaN is the same. Without branches, for vectors. */
static inline uint16_t half_of_float(float x) {
    const uint32_t bits = bits_of_float(x);
    const int32_t magnitude = (int32_t)(bits & MAGNITUDE_BITS);
    const int32_t kept = magnitude < HALF_GREATEST_BITS ? magnitude : HALF_GREATEST_BITS;
    const int32_t normal = (kept + 0xfff + (kept >> 13 & 1)) >> 13;
    /* The last place of 0.5 is that of subnormal float16. */
    const float above = float_of_bits((uint32_t)kept) + 0.5f;
    const int32_t subnormal = (int32_t)(bits_of_float(above) - bits_of_float(0.5f));
    int32_t half = kept < HALF_NORMAL_BITS ? subnormal : normal - (112 << 10);
    half = magnitude == INFINITY_BITS ? 0x7c00 : half;
    const uint32_t sign = magnitude > INFINITY_BITS ? 0 : bits >> 16 & 0x8000u;
    half = magnitude > INFINITY_BITS ? 0x7e00 : half;
    return (uint16_t)((uint32_t)half | sign);
}

static void to_halves(const float *restrict x, size_t count, uint16_t *restrict halves) {
    for (size_t i = 0; i < count; i++) {
        halves[i] = half_of_float(x[i]);
    }
}

size_t head_of_cache(const struct attention *a, size_t slot, size_t kv_head) {
    return (slot * a->kv_heads + kv_head) * a->capacity * a->dim;
}

void write_to_cache(const struct attention *a, size_t row) {
    const size_t dim = a->dim;
    const size_t position = (size_t)a->position[row];
    const size_t turn = position * (dim / 2);
    for (size_t head = 0; head < a->kv_heads; head++) {
        const size_t at = head_of_cache(a, (size_t)a->slot[row], head);
        const size_t from = row * a->key_stride + head * dim;
        float rotated[MOST_DIM];
        uint16_t halves[MOST_DIM];
        rotate(a->key + from, a->cos + turn, a->sin + turn, dim / 2, rotated);
        to_halves(rotated, dim, halves);
        uint16_t *keys = a->cached_keys + at + position / LANES * LANES * dim + position % LANES;
        for (size_t d = 0; d < dim; d++) {
            keys[d * LANES] = halves[d];
        }
        to_halves(a->value + from, dim, a->cached_values + at + position * dim);
    }
}
