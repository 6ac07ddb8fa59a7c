/*
 * Plain entry points, for tests and for whoever asks which path is in use. They run on the caller's thread and trust
 * their pointers; sizes and names are checked. Results below 0: -1 unknown path, -2 impossible numbers, -3 no memory.
 */
#include "exports.h"
#include "tile.h"

#define UNKNOWN_PATH (-1)
#define IMPOSSIBLE (-2)
#define NO_MEMORY (-3)

const char *meridian_paths(void) {
    return supported_paths();
}

const char *meridian_path_name(void) {
    return selected_path()->name;
}

const char *meridian_refused_choice(void) {
    return refused_choice();
}

int32_t meridian_select_path(const char *path) {
    return select_path(path) ? 0 : UNKNOWN_PATH;
}

int64_t meridian_weight_bytes(int64_t n, int64_t k, int32_t bits, int32_t gate_up) {
    struct weights w;
    size_t bytes = describe_weights(n, k, bits, gate_up != 0, &w);
    return bytes == 0 || bytes > INT64_MAX ? IMPOSSIBLE : (int64_t)bytes;
}

int32_t meridian_quantize_rows(const char *path, int64_t rows, int64_t k, const float *x, int8_t *codes, float *scales,
                               int32_t *sums) {
    const struct kernel_path *found = find_path(path);
    if (found == NULL) {
        return UNKNOWN_PATH;
    }
    if (rows < 0 || k < 1 || k > INT32_MAX) {
        return IMPOSSIBLE;
    }
    struct activations a = {codes, scales, sums, ((size_t)k + BLOCK - 1) / BLOCK};
    /* With a zero code of -1 the offsets are the sums. */
    quantize_rows(found, x, (size_t)k, -1, 0, (size_t)rows, &a);
    return 0;
}

static int32_t compute(bool gate_up, const char *path, int32_t bits, int64_t rows, int64_t n, int64_t k, const float *x,
                       const uint8_t *weights, const float *bias, float *y) {
    const struct kernel_path *found = find_path(path);
    if (found == NULL) {
        return UNKNOWN_PATH;
    }
    struct weights w;
    if (rows < 0 || describe_weights(n, k, bits, gate_up, &w) == 0) {
        return IMPOSSIBLE;
    }
    w.bytes = weights;
    enum compute_result result = gate_up ? compute_gate_up(found, &w, x, (size_t)rows, y, &ON_THIS_THREAD)
                                         : compute_gemm(found, &w, x, (size_t)rows, bias, y, &ON_THIS_THREAD);
    return result == COMPUTED ? 0 : NO_MEMORY;
}

int32_t meridian_gemm(const char *path, int32_t bits, int64_t rows, int64_t n, int64_t k, const float *x,
                      const uint8_t *weights, const float *bias, float *y) {
    return compute(false, path, bits, rows, n, k, x, weights, bias, y);
}

int32_t meridian_gate_up(const char *path, int32_t bits, int64_t rows, int64_t n, int64_t k, const float *x,
                         const uint8_t *weights, float *y) {
    return compute(true, path, bits, rows, n, k, x, weights, NULL, y);
}

int32_t meridian_embed(int32_t bits, int64_t count, int64_t n, int64_t k, const int64_t *ids, const uint8_t *weights,
                       float *y) {
    struct weights w;
    if (count < 0 || describe_weights(n, k, bits, false, &w) == 0) {
        return IMPOSSIBLE;
    }
    w.bytes = weights;
    for (int64_t i = 0; i < count; i++) {
        if (ids[i] < 0 || ids[i] >= n) {
            return IMPOSSIBLE;
        }
        dequantize_row(&w, ids[i], y + i * k);
    }
    return 0;
}

int32_t meridian_attention(const char *path, const int64_t sizes[7], const float *query, const float *key,
                           const float *value, uint16_t *cached_keys, uint16_t *cached_values, const int32_t *slots,
                           const int32_t *positions, const float *cos, const float *sin, float *out) {
    const struct kernel_path *found = find_path(path);
    if (found == NULL) {
        return UNKNOWN_PATH;
    }
    for (int i = 3; i < 7; i++) {
        if (sizes[i] < 0 || sizes[i] > INT32_MAX) {
            return IMPOSSIBLE;
        }
    }
    if (!possible_attention(sizes[0], sizes[1], sizes[2]) || sizes[4] % LANES != 0) {
        return IMPOSSIBLE;
    }
    const size_t own = (size_t)(sizes[0] * sizes[2]);
    const size_t cached = (size_t)(sizes[1] * sizes[2]);
    const bool packed = key == NULL;
    const struct attention a = {
        .heads = (size_t)sizes[0],
        .kv_heads = (size_t)sizes[1],
        .dim = (size_t)sizes[2],
        .slots = (size_t)sizes[3],
        .capacity = (size_t)sizes[4],
        .turns = (size_t)sizes[5],
        .rows = (size_t)sizes[6],
        .query = query,
        .query_stride = packed ? own + 2 * cached : own,
        .key = packed ? query + own : key,
        .value = packed ? query + own + cached : value,
        .key_stride = packed ? own + 2 * cached : cached,
        .cached_keys = cached_keys,
        .cached_values = cached_values,
        .slot = slots,
        .position = positions,
        .cos = cos,
        .sin = sin,
        .out = out,
    };
    if (row_outside(&a) < a.rows) {
        return IMPOSSIBLE;
    }
    return compute_attention(found, &a, &ON_THIS_THREAD) == COMPUTED ? 0 : NO_MEMORY;
}
