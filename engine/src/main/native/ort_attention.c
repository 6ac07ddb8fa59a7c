/* The operator BlockAttention: its inputs, its checks, and the call that computes it. */
#include "kernels.h"
#include "ort_values.h"
#include <inttypes.h>
#include <stdlib.h>

#define NAME "BlockAttention"
#define REQUIRED_INPUTS 7
#define OUTPUTS 3

enum input { QUERY, PAST_KEY, PAST_VALUE, SLOTS, POSITIONS, COS, SIN, KEY, VALUE, INPUTS };

static const struct {
    const char *name;
    int type;
} INPUT[INPUTS] = {
    [QUERY] = {"query", ORT_FLOAT},         [PAST_KEY] = {"past_key", ORT_FLOAT16},
    [PAST_VALUE] = {"past_value", ORT_FLOAT16}, [SLOTS] = {"slots", ORT_INT32},
    [POSITIONS] = {"positions", ORT_INT32}, [COS] = {"cos", ORT_FLOAT},
    [SIN] = {"sin", ORT_FLOAT},             [KEY] = {"key", ORT_FLOAT},
    [VALUE] = {"value", ORT_FLOAT},
};

/* One node of a graph. Immutable once made, so that a session may run on several threads. */
struct kernel {
    const struct kernel_path *path;
    int64_t heads;
    int64_t kv_heads;
    int64_t dim;
};

static OrtStatus *create(const OrtCustomOp *op, const struct ort_api *api, const OrtKernelInfo *info, void **out) {
    (void)op;
    (void)api;
    struct kernel made = {.path = selected_path()};
    TRY(read_attribute(NAME, info, "heads", &made.heads));
    TRY(read_attribute(NAME, info, "kv_heads", &made.kv_heads));
    TRY(read_attribute(NAME, info, "head_dim", &made.dim));
    if (!possible_attention(made.heads, made.kv_heads, made.dim)) {
        return ort_refuse(ORT_INVALID_GRAPH,
                          NAME ": impossible attributes heads=%" PRId64 " kv_heads=%" PRId64 " head_dim=%" PRId64,
                          made.heads, made.kv_heads, made.dim);
    }
    struct kernel *kernel = malloc(sizeof *kernel);
    if (kernel == NULL) {
        return ort_refuse(ORT_FAIL, NAME ": no memory");
    }
    *kernel = made;
    scratch_user_added();
    *out = kernel;
    return NULL;
}

static void destroy(void *kernel) {
    free(kernel);
    scratch_user_removed();
}

/* --- Checks --- */

/* Reads all inputs; those of an absent key and value have no data and rank 0. */
static OrtStatus *read_inputs(const OrtKernelContext *context, struct tensor inputs[INPUTS], bool *packed) {
    size_t count = 0;
    TRY(ort.KernelContext_GetInputCount(context, &count));
    const OrtValue *given[2] = {NULL, NULL};
    for (size_t i = KEY; i <= VALUE; i++) {
        if (i < count) {
            TRY(ort.KernelContext_GetInput(context, i, &given[i - KEY]));
        }
    }
    if ((given[0] == NULL) != (given[1] == NULL)) {
        return ort_refuse(ORT_INVALID_ARGUMENT, NAME ": key and value must be both given or both absent");
    }
    *packed = given[0] == NULL;
    for (size_t i = 0; i < (*packed ? REQUIRED_INPUTS : INPUTS); i++) {
        TRY(read_input(NAME, context, i, INPUT[i].name, INPUT[i].type, &inputs[i]));
    }
    return NULL;
}

/* Rows of `width`: the product of all dimensions but the last. ONNX Runtime has seen to it that no product overflows. */
static OrtStatus *count_rows(enum input index, const struct tensor *tensor, int64_t width, size_t *rows) {
    if (tensor->rank == 0 || tensor->dims[tensor->rank - 1] != width) {
        return ort_refuse(ORT_INVALID_ARGUMENT, NAME ": %s has rank %zu and last dimension %" PRId64 ", needs %" PRId64,
                          INPUT[index].name, tensor->rank, tensor->rank == 0 ? 0 : tensor->dims[tensor->rank - 1],
                          width);
    }
    *rows = tensor->count / (size_t)width;
    return NULL;
}

static OrtStatus *check_rows(enum input index, size_t rows, size_t needed) {
    return rows == needed ? NULL
                          : ort_refuse(ORT_INVALID_ARGUMENT, NAME ": %s has %zu rows, query has %zu", INPUT[index].name,
                                       rows, needed);
}

static OrtStatus *check_cache(const struct kernel *kernel, const struct tensor *keys, const struct tensor *values) {
    if (keys->rank != 4 || keys->dims[1] != kernel->kv_heads || keys->dims[3] != kernel->dim
        || keys->dims[2] % LANES != 0) {
        return ort_refuse(ORT_INVALID_ARGUMENT,
                          NAME ": past_key of rank %zu is not [slots, kv_heads=%" PRId64
                               ", a multiple of %d, head_dim=%" PRId64 "]: [%" PRId64 ", %" PRId64 ", %" PRId64
                               ", %" PRId64 "]",
                          keys->rank, kernel->kv_heads, LANES, kernel->dim, keys->dims[0], keys->dims[1], keys->dims[2],
                          keys->dims[3]);
    }
    if (values->rank != 4) {
        return ort_refuse(ORT_INVALID_ARGUMENT, NAME ": past_value has rank %zu, past_key 4", values->rank);
    }
    for (int i = 0; i < 4; i++) {
        if (values->dims[i] != keys->dims[i]) {
            return ort_refuse(ORT_INVALID_ARGUMENT,
                              NAME ": dimension %d of past_value is %" PRId64 ", of past_key %" PRId64, i,
                              values->dims[i], keys->dims[i]);
        }
    }
    return NULL;
}

static OrtStatus *check_turns(const struct kernel *kernel, const struct tensor *cos, const struct tensor *sin) {
    if (cos->rank != 2 || cos->dims[1] != kernel->dim / 2) {
        return ort_refuse(ORT_INVALID_ARGUMENT,
                          NAME ": cos has rank %zu and last dimension %" PRId64 ", needs 2 and %" PRId64, cos->rank,
                          cos->rank == 0 ? 0 : cos->dims[cos->rank - 1], kernel->dim / 2);
    }
    if (sin->rank != 2 || sin->dims[0] != cos->dims[0] || sin->dims[1] != cos->dims[1]) {
        return ort_refuse(ORT_INVALID_ARGUMENT,
                          NAME ": sin has rank %zu and %zu elements, needs cos's [%" PRId64 ", %" PRId64 "]", sin->rank,
                          sin->count, cos->dims[0], cos->dims[1]);
    }
    return NULL;
}

/* Fills in all but the output. */
static OrtStatus *describe(const struct kernel *kernel, const struct tensor inputs[INPUTS], bool packed,
                           struct attention *a) {
    const int64_t own = kernel->heads * kernel->dim;
    const int64_t cached = kernel->kv_heads * kernel->dim;
    const int64_t width = packed ? own + 2 * cached : own;
    size_t rows = 0;
    TRY(count_rows(QUERY, &inputs[QUERY], width, &a->rows));
    if (!packed) {
        TRY(count_rows(KEY, &inputs[KEY], cached, &rows));
        TRY(check_rows(KEY, rows, a->rows));
        TRY(count_rows(VALUE, &inputs[VALUE], cached, &rows));
        TRY(check_rows(VALUE, rows, a->rows));
    }
    TRY(check_rows(SLOTS, inputs[SLOTS].count, a->rows));
    TRY(check_rows(POSITIONS, inputs[POSITIONS].count, a->rows));
    TRY(check_cache(kernel, &inputs[PAST_KEY], &inputs[PAST_VALUE]));
    TRY(check_turns(kernel, &inputs[COS], &inputs[SIN]));
    a->heads = (size_t)kernel->heads;
    a->kv_heads = (size_t)kernel->kv_heads;
    a->dim = (size_t)kernel->dim;
    a->slots = (size_t)inputs[PAST_KEY].dims[0];
    a->capacity = (size_t)inputs[PAST_KEY].dims[2];
    a->turns = (size_t)inputs[COS].dims[0];
    a->query = inputs[QUERY].data;
    a->query_stride = (size_t)width;
    /* Without rows there may be no memory to point into. */
    a->key = packed && a->rows > 0 ? a->query + own : inputs[KEY].data;
    a->value = packed && a->rows > 0 ? a->query + own + cached : inputs[VALUE].data;
    a->key_stride = (size_t)(packed ? width : cached);
    a->cached_keys = inputs[PAST_KEY].data;
    a->cached_values = inputs[PAST_VALUE].data;
    a->slot = inputs[SLOTS].data;
    a->position = inputs[POSITIONS].data;
    a->cos = inputs[COS].data;
    a->sin = inputs[SIN].data;
    size_t row = row_outside(a);
    if (row < a->rows) {
        return ort_refuse(ORT_INVALID_ARGUMENT,
                          NAME ": slot %" PRId32 " and position %" PRId32
                               " of row %zu are not within %zu slots, %zu cached positions and %zu rows of cos",
                          a->slot[row], a->position[row], row, a->slots, a->capacity, a->turns);
    }
    return NULL;
}

/* --- Computation --- */

/* Before the first byte of the cache is written: else a graph that copies it would compute, and lose, what it writes. */
static OrtStatus *check_present(OrtKernelContext *context, size_t index, const char *name, const struct tensor *past) {
    void *data = NULL;
    TRY(make_output(context, index, past->dims, past->rank, &data));
    return past->count == 0 || data == past->data
               ? NULL
               : ort_refuse(ORT_INVALID_ARGUMENT, NAME ": %s must be past's own memory", name);
}

static OrtStatus *compute(void *state, OrtKernelContext *context) {
    const struct kernel *kernel = state;
    struct tensor inputs[INPUTS] = {0};
    struct attention a = {0};
    bool packed = false;
    void *out = NULL;
    TRY(read_inputs(context, inputs, &packed));
    TRY(describe(kernel, inputs, packed, &a));
    TRY(check_present(context, 1, "present_key", &inputs[PAST_KEY]));
    TRY(check_present(context, 2, "present_value", &inputs[PAST_VALUE]));
    inputs[QUERY].dims[inputs[QUERY].rank - 1] = kernel->heads * kernel->dim;
    TRY(make_output(context, 0, inputs[QUERY].dims, inputs[QUERY].rank, &out));
    if (out == NULL && a.rows > 0) {
        return ort_refuse(ORT_INVALID_GRAPH, NAME ": out is missing");
    }
    a.out = out;
    struct pool pool = {context, NULL};
    const struct parallel parallel = {run_in_pool, &pool};
    if (compute_attention(kernel->path, &a, &parallel) == OUT_OF_MEMORY) {
        return ort_refuse(ORT_FAIL, NAME ": no memory for %zu rows of heads=%" PRId64 " head_dim=%" PRId64, a.rows,
                          kernel->heads, kernel->dim);
    }
    return pool.status;
}

/* --- Description --- */

static const char *get_name(const OrtCustomOp *op) {
    (void)op;
    return NAME;
}

static size_t get_input_count(const OrtCustomOp *op) {
    (void)op;
    return INPUTS;
}

static size_t get_output_count(const OrtCustomOp *op) {
    (void)op;
    return OUTPUTS;
}

static int get_input_type(const OrtCustomOp *op, size_t index) {
    (void)op;
    return INPUT[index].type;
}

static int get_output_type(const OrtCustomOp *op, size_t index) {
    (void)op;
    return index == 0 ? ORT_FLOAT : ORT_FLOAT16;
}

static int get_input_characteristic(const OrtCustomOp *op, size_t index) {
    (void)op;
    return index < REQUIRED_INPUTS ? ORT_REQUIRED : ORT_OPTIONAL;
}

static const OrtCustomOp OP = {
    .version = ORT_VERSION_ASKED,
    .get_name = get_name,
    .get_execution_provider = cpu_provider,
    .get_input_type = get_input_type,
    .get_input_count = get_input_count,
    .get_output_type = get_output_type,
    .get_output_count = get_output_count,
    .kernel_destroy = destroy,
    .get_input_characteristic = get_input_characteristic,
    .get_output_characteristic = required_output,
    .get_input_memory = plain_memory,
    .create_kernel_v2 = create,
    .kernel_compute_v2 = compute,
    .get_start_version = first_version,
    .get_end_version = last_version,
};

const OrtCustomOp *attention_op(void) {
    return &OP;
}
