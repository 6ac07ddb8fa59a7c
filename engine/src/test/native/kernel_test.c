/*
 * Runs every path of the kernel library over random and hostile inputs under the address and undefined-behaviour
 * sanitizers. Every buffer is exactly as large as its content, so a read or write past it stops the program. Results are
 * compared with the portable path's bits; what they must be is for the Java tests to say.
 */
#include "exports.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASES 160
#define MOST_ROWS 70

static uint64_t state;

/* splitmix64 */
static uint64_t next(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int64_t below(int64_t bound) {
    return (int64_t)(next() % (uint64_t)bound);
}

static void *exactly(size_t bytes) {
    void *memory = malloc(bytes);
    if (memory == NULL && bytes > 0) {
        abort();
    }
    return memory;
}

static void fail(const char *what, uint64_t seed, const char *path) {
    fprintf(stderr, "%s differs: seed %" PRIu64 ", path %s\n", what, seed, path);
    exit(1);
}

/* Mostly ordinary values; with `hostile` any bits. */
static float *random_floats(size_t count, int hostile) {
    float *values = exactly(count * sizeof(float));
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)next();
        if (hostile && bits % 64 == 0) {
            bits = (uint32_t)next();
            memcpy(values + i, &bits, sizeof bits);
        } else {
            values[i] = (float)((double)bits / 4294967296.0 - 0.5) * 8;
        }
    }
    return values;
}

static uint8_t *random_bytes(size_t count) {
    uint8_t *bytes = exactly(count);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (uint8_t)next();
    }
    return bytes;
}

/* Equal bits, or both NaN. */
static int same(const float *a, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (memcmp(a + i, b + i, sizeof(float)) != 0 && !(isnan(a[i]) && isnan(b[i]))) {
            return 0;
        }
    }
    return 1;
}

struct shape {
    int32_t bits;
    int64_t rows, n, k;
};

static void test_quantize(const char *path, struct shape s, const float *x, uint64_t seed) {
    const size_t blocks = (size_t)(s.rows * ((s.k + 31) / 32));
    int8_t *codes[2];
    float *scales[2];
    int32_t *sums[2];
    const char *paths[2] = {"portable", path};
    for (int i = 0; i < 2; i++) {
        codes[i] = exactly(blocks * 32);
        scales[i] = exactly(blocks * sizeof(float));
        sums[i] = exactly(blocks * sizeof(int32_t));
        if (meridian_quantize_rows(paths[i], s.rows, s.k, x, codes[i], scales[i], sums[i]) != 0) {
            fail("status of quantize_rows", seed, path);
        }
    }
    if (memcmp(codes[0], codes[1], blocks * 32) != 0 || !same(scales[0], scales[1], blocks)
        || memcmp(sums[0], sums[1], blocks * sizeof(int32_t)) != 0) {
        fail("quantize_rows", seed, path);
    }
    for (int i = 0; i < 2; i++) {
        free(codes[i]);
        free(scales[i]);
        free(sums[i]);
    }
}

static void test_product(const char *path, struct shape s, const float *x, int gate_up, uint64_t seed) {
    const size_t count = (size_t)(s.rows * s.n);
    uint8_t *weights = random_bytes((size_t)meridian_weight_bytes(s.n, s.k, s.bits, gate_up));
    float *bias = gate_up || below(2) == 0 ? NULL : random_floats((size_t)s.n, 0);
    const char *paths[2] = {"portable", path};
    float *y[2];
    for (int i = 0; i < 2; i++) {
        y[i] = exactly(count * sizeof(float));
        int32_t status = gate_up ? meridian_gate_up(paths[i], s.bits, s.rows, s.n, s.k, x, weights, y[i])
                                 : meridian_gemm(paths[i], s.bits, s.rows, s.n, s.k, x, weights, bias, y[i]);
        if (status != 0) {
            fail("status of a product", seed, path);
        }
    }
    if (!same(y[0], y[1], count)) {
        fail(gate_up ? "gate_up" : "gemm", seed, path);
    }
    free(y[0]);
    free(y[1]);
    free(bias);
    free(weights);
}

static void test_embed(struct shape s, uint64_t seed) {
    uint8_t *weights = random_bytes((size_t)meridian_weight_bytes(s.n, s.k, s.bits, 0));
    int64_t *ids = exactly((size_t)s.rows * sizeof(int64_t));
    float *y = exactly((size_t)(s.rows * s.k) * sizeof(float));
    for (int64_t i = 0; i < s.rows; i++) {
        ids[i] = below(s.n);
    }
    ids[below(s.rows)] = s.n - 1;
    if (meridian_embed(s.bits, s.rows, s.n, s.k, ids, weights, y) != 0) {
        fail("status of embed", seed, "all");
    }
    ids[0] = below(2) == 0 ? s.n : -1;
    if (meridian_embed(s.bits, s.rows, s.n, s.k, ids, weights, y) == 0) {
        fail("refusal of embed", seed, "all");
    }
    free(y);
    free(ids);
    free(weights);
}

static uint16_t *copy_of(const uint16_t *halves, size_t count) {
    uint16_t *copy = exactly(count * sizeof(uint16_t));
    memcpy(copy, halves, count * sizeof(uint16_t));
    return copy;
}

/* Rows of two slots over the whole of a cache of any bits. A cache ends with its last position. */
static void test_attention(const char *path, uint64_t seed) {
    const int64_t kv_heads = 1 + below(2);
    const int64_t heads = kv_heads * (1 + below(seed % 40 == 0 ? 80 : 9));
    const int64_t dim = 16 * (1 + below(seed % 40 == 1 ? 32 : 5));
    const int64_t capacity = 16 * (1 + below(seed % 8 == 2 ? 36 : 3));
    const int64_t first = below(capacity);
    const int64_t rows = (capacity - first < 12 ? capacity - first : 12) + 1;
    const int64_t sizes[7] = {heads, kv_heads, dim, 2, capacity, capacity, rows};
    const size_t width = (size_t)((heads + 2 * kv_heads) * dim);
    const size_t cached = (size_t)(2 * kv_heads * capacity * dim);
    const size_t count = (size_t)(rows * heads * dim);
    int32_t *slots = exactly((size_t)rows * sizeof(int32_t));
    int32_t *positions = exactly((size_t)rows * sizeof(int32_t));
    for (int32_t row = 0; row < rows; row++) {
        slots[row] = 1;
        positions[row] = (int32_t)first + row;
    }
    slots[rows - 1] = 0;
    positions[rows - 1] = (int32_t)capacity - 1;
    float *x = random_floats((size_t)rows * width, (int)below(2));
    float *turns[2] = {random_floats((size_t)(capacity * dim / 2), 0), random_floats((size_t)(capacity * dim / 2), 0)};
    uint16_t *any[2] = {(uint16_t *)(void *)random_bytes(2 * cached), (uint16_t *)(void *)random_bytes(2 * cached)};
    uint16_t *keys[2];
    uint16_t *values[2];
    float *out[2];
    const char *paths[2] = {"portable", path};
    for (int i = 0; i < 2; i++) {
        keys[i] = copy_of(any[0], cached);
        values[i] = copy_of(any[1], cached);
        out[i] = exactly(count * sizeof(float));
        if (meridian_attention(paths[i], sizes, x, NULL, NULL, keys[i], values[i], slots, positions, turns[0], turns[1],
                               out[i]) != 0) {
            fail("status of attention", seed, path);
        }
    }
    if (!same(out[0], out[1], count) || memcmp(keys[0], keys[1], 2 * cached) != 0
        || memcmp(values[0], values[1], 2 * cached) != 0) {
        fail("attention", seed, path);
    }
    positions[below(rows)] = below(2) == 0 ? (int32_t)capacity : -1;
    if (meridian_attention(path, sizes, x, NULL, NULL, keys[0], values[0], slots, positions, turns[0], turns[1], out[0])
        != -2) {
        fail("refusal of attention", seed, path);
    }
    for (int i = 0; i < 2; i++) {
        free(any[i]);
        free(keys[i]);
        free(values[i]);
        free(turns[i]);
        free(out[i]);
    }
    free(x);
    free(positions);
    free(slots);
}

static void test_case(const char *path, uint64_t seed) {
    state = seed;
    struct shape s = {below(2) == 0 ? 4 : 8, 1 + below(MOST_ROWS), 1 + below(70), 1 + below(200)};
    float *x = random_floats((size_t)(s.rows * s.k), (int)below(2));
    test_quantize(path, s, x, seed);
    test_product(path, s, x, 0, seed);
    test_product(path, s, x, 1, seed);
    test_embed(s, seed);
    test_attention(path, seed);
    free(x);
}

static void test_refusals(void) {
    float value = 0;
    if (meridian_gemm("none", 4, 1, 1, 1, &value, NULL, NULL, &value) != -1 || meridian_select_path("none") != -1
        || meridian_weight_bytes(0, 1, 4, 0) != -2 || meridian_weight_bytes(1, 1, 5, 0) != -2
        || meridian_weight_bytes(INT64_MAX, INT64_MAX, 8, 1) != -2
        || meridian_weight_bytes(INT32_MAX, INT32_MAX, 8, 0) < 0) {
        fail("refusal", 0, "all");
    }
}

int main(void) {
    char paths[128];
    snprintf(paths, sizeof paths, "%s", meridian_paths());
    for (char *path = strtok(paths, ","); path != NULL; path = strtok(NULL, ",")) {
        for (uint64_t seed = 1; seed <= CASES; seed++) {
            test_case(path, seed);
        }
    }
    test_refusals();
    printf("kernels: %s hold over %d cases each\n", meridian_paths(), CASES);
    return 0;
}
