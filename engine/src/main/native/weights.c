/* The size of packed weights, and reading one row of them back. */
#include "tile.h"

size_t describe_weights(int64_t n, int64_t k, int64_t bits, bool gate_up, struct weights *w) {
    /* Within 31 bits each, so that rounding up and products of two of them cannot overflow. */
    if (n < 1 || n > INT32_MAX || k < 1 || k > INT32_MAX || (bits != 4 && bits != 8)) {
        return 0;
    }
    w->bytes = NULL;
    w->n = n;
    w->k = k;
    w->bits = (int)bits;
    w->blocks = ((size_t)k + BLOCK - 1) / BLOCK;
    w->panels = ((size_t)n + LANES - 1) / LANES;
    w->panel_bytes = w->blocks * (bits == 4 ? TILE4_BYTES : TILE8_BYTES);
    size_t total;
    if (__builtin_mul_overflow(w->panel_bytes, w->panels * (gate_up ? 2 : 1), &total)) {
        return 0;
    }
    return total;
}

void dequantize_row(const struct weights *w, int64_t id, float *y) {
    const uint8_t *panel = w->bytes + (size_t)(id / LANES) * w->panel_bytes;
    const size_t lane = (size_t)(id % LANES);
    for (size_t b = 0; b < w->blocks; b++, y += BLOCK) {
        const size_t left = (size_t)w->k - b * BLOCK;
        const size_t columns = left < BLOCK ? left : BLOCK;
        if (w->bits == 4) {
            const uint8_t *tile = panel + b * TILE4_BYTES;
            const float scale = float_of_half(tile + TILE4_SCALES + 2 * lane);
            for (size_t c = 0; c < columns; c++) {
                uint8_t pair = tile[c / 8 * GROUP_BYTES + lane * 4 + c % 4];
                y[c] = scale * (float)((c / 4 % 2 == 0 ? pair & 15 : pair >> 4) - ZERO4);
            }
        } else {
            const uint8_t *tile = panel + b * TILE8_BYTES;
            const float scale = float_of_half(tile + TILE8_SCALES + 2 * lane);
            for (size_t c = 0; c < columns; c++) {
                y[c] = scale * (float)(tile[c / 4 * GROUP_BYTES + lane * 4 + c % 4] - ZERO8);
            }
        }
    }
}
