/* The operators BlockGemm, BlockGateUp and BlockEmbed: their shapes, their checks, and the calls that compute them. */
#include "kernels.h"
#include "ort_values.h"
#include <inttypes.h>
#include <stdlib.h>

enum kind { GEMM, GATE_UP, EMBED };

struct op {
    OrtCustomOp base;
    const char *name;
    enum kind kind;
    size_t inputs;
};

/* One node of a graph. Immutable once made, so that a session may run on several threads. */
struct kernel {
    const struct op *op;
    const struct kernel_path *path;
    struct weights w;
};

/* --- Creation --- */

static OrtStatus *read_weights(const struct op *op, const OrtKernelInfo *info, struct weights *w) {
    int64_t n = 0;
    int64_t k = 0;
    int64_t bits = 0;
    TRY(read_attribute(op->name, info, "N", &n));
    TRY(read_attribute(op->name, info, "K", &k));
    TRY(read_attribute(op->name, info, "bits", &bits));
    size_t bytes = describe_weights(n, k, bits, op->kind == GATE_UP, w);
    if (bytes == 0) {
        return ort_refuse(ORT_INVALID_GRAPH, "%s: impossible attributes N=%" PRId64 " K=%" PRId64 " bits=%" PRId64,
                          op->name, n, k, bits);
    }
    size_t inputs = 0;
    TRY(ort.KernelInfo_GetInputCount(info, &inputs));
    if (inputs < 2 || inputs > op->inputs) {
        return ort_refuse(ORT_INVALID_GRAPH, "%s: %zu inputs, needs 2 to %zu", op->name, inputs, op->inputs);
    }
    int constant = 0;
    const OrtValue *value = NULL;
    TRY(ort.KernelInfoGetConstantInput_tensor(info, 1, &constant, &value));
    if (!constant || value == NULL) {
        return ort_refuse(ORT_INVALID_GRAPH, "%s: W is not a constant initializer", op->name);
    }
    struct tensor tensor = {0};
    TRY(read_tensor(op->name, "W", value, ORT_UINT8, &tensor));
    if (tensor.rank != 1 || tensor.count != bytes) {
        return ort_refuse(ORT_INVALID_GRAPH,
                          "%s: W has rank %zu and %zu bytes, N=%" PRId64 " K=%" PRId64 " bits=%" PRId64
                          " needs rank 1 and %zu bytes",
                          op->name, tensor.rank, tensor.count, n, k, bits, bytes);
    }
    w->bytes = tensor.data;
    return NULL;
}

/* The initializer lives as long as the session, and so longer than its kernels. */
static OrtStatus *create(const OrtCustomOp *base, const struct ort_api *api, const OrtKernelInfo *info, void **out) {
    (void)api;
    const struct op *op = (const struct op *)base;
    struct weights w;
    TRY(read_weights(op, info, &w));
    struct kernel *kernel = malloc(sizeof *kernel);
    if (kernel == NULL) {
        return ort_refuse(ORT_FAIL, "%s: no memory", op->name);
    }
    kernel->op = op;
    kernel->path = selected_path();
    kernel->w = w;
    scratch_user_added();
    *out = kernel;
    return NULL;
}

static void destroy(void *kernel) {
    free(kernel);
    scratch_user_removed();
}

/* --- Computation --- */

static OrtStatus *read_bias(const struct kernel *kernel, const OrtKernelContext *context, const float **bias) {
    *bias = NULL;
    size_t inputs = 0;
    TRY(ort.KernelContext_GetInputCount(context, &inputs));
    const OrtValue *value = NULL;
    if (kernel->op->kind == GEMM && inputs > 2) {
        TRY(ort.KernelContext_GetInput(context, 2, &value));
    }
    if (value == NULL) {
        return NULL;
    }
    struct tensor tensor = {0};
    TRY(read_tensor(kernel->op->name, "bias", value, ORT_FLOAT, &tensor));
    if (tensor.rank != 1 || tensor.count != (size_t)kernel->w.n) {
        return ort_refuse(ORT_INVALID_ARGUMENT, "%s: bias has rank %zu and %zu elements, needs rank 1 and N=%" PRId64,
                          kernel->op->name, tensor.rank, tensor.count, kernel->w.n);
    }
    *bias = tensor.data;
    return NULL;
}

static OrtStatus *compute_product(void *state, OrtKernelContext *context) {
    const struct kernel *kernel = state;
    const struct weights *w = &kernel->w;
    struct tensor x = {0};
    const float *bias = NULL;
    void *y = NULL;
    TRY(read_input(kernel->op->name, context, 0, "X", ORT_FLOAT, &x));
    if (x.rank == 0 || x.dims[x.rank - 1] != w->k) {
        return ort_refuse(ORT_INVALID_ARGUMENT, "%s: X has rank %zu and last dimension %" PRId64 ", needs K=%" PRId64,
                          kernel->op->name, x.rank, x.rank == 0 ? 0 : x.dims[x.rank - 1], w->k);
    }
    TRY(read_bias(kernel, context, &bias));
    x.dims[x.rank - 1] = w->n;
    TRY(make_output(context, 0, x.dims, x.rank, &y));

    struct pool pool = {context, NULL};
    const struct parallel parallel = {run_in_pool, &pool};
    const size_t rows = x.count / (size_t)w->k;
    enum compute_result result = kernel->op->kind == GEMM
                                     ? compute_gemm(kernel->path, w, x.data, rows, bias, y, &parallel)
                                     : compute_gate_up(kernel->path, w, x.data, rows, y, &parallel);
    if (result == OUT_OF_MEMORY) {
        return ort_refuse(ORT_FAIL, "%s: no memory for %zu rows of K=%" PRId64, kernel->op->name, rows, w->k);
    }
    return pool.status;
}

static OrtStatus *compute_embed(void *state, OrtKernelContext *context) {
    const struct kernel *kernel = state;
    const struct weights *w = &kernel->w;
    struct tensor ids = {0};
    void *y = NULL;
    TRY(read_input(kernel->op->name, context, 0, "ids", ORT_INT64, &ids));
    const int64_t *id = ids.data;
    for (size_t i = 0; i < ids.count; i++) {
        if (id[i] < 0 || id[i] >= w->n) {
            return ort_refuse(ORT_INVALID_ARGUMENT, "%s: id %" PRId64 " at %zu is not in 0..%" PRId64,
                              kernel->op->name, id[i], i, w->n - 1);
        }
    }
    ids.dims[ids.rank] = w->k;
    TRY(make_output(context, 0, ids.dims, ids.rank + 1, &y));
    for (size_t i = 0; i < ids.count; i++) {
        dequantize_row(w, id[i], (float *)y + i * (size_t)w->k);
    }
    return NULL;
}

/* --- Description --- */

static const char *get_name(const OrtCustomOp *op) {
    return ((const struct op *)op)->name;
}

static size_t get_input_count(const OrtCustomOp *op) {
    return ((const struct op *)op)->inputs;
}

static size_t get_output_count(const OrtCustomOp *op) {
    (void)op;
    return 1;
}

static int get_input_type(const OrtCustomOp *op, size_t index) {
    if (index == 1) {
        return ORT_UINT8;
    }
    return ((const struct op *)op)->kind == EMBED ? ORT_INT64 : ORT_FLOAT;
}

static int get_output_type(const OrtCustomOp *op, size_t index) {
    (void)op;
    (void)index;
    return ORT_FLOAT;
}

static int get_input_characteristic(const OrtCustomOp *op, size_t index) {
    (void)op;
    return index == 2 ? ORT_OPTIONAL : ORT_REQUIRED;
}

#define OP(op_name, op_kind, op_inputs, op_compute) \
    { \
        .base = {.version = ORT_VERSION_ASKED, \
                 .get_name = get_name, \
                 .get_execution_provider = cpu_provider, \
                 .get_input_type = get_input_type, \
                 .get_input_count = get_input_count, \
                 .get_output_type = get_output_type, \
                 .get_output_count = get_output_count, \
                 .kernel_destroy = destroy, \
                 .get_input_characteristic = get_input_characteristic, \
                 .get_output_characteristic = required_output, \
                 .get_input_memory = plain_memory, \
                 .create_kernel_v2 = create, \
                 .kernel_compute_v2 = op_compute, \
                 .get_start_version = first_version, \
                 .get_end_version = last_version}, \
        .name = op_name, .kind = op_kind, .inputs = op_inputs \
    }

static const struct op OPS[] = {
    OP("BlockGemm", GEMM, 3, compute_product),
    OP("BlockGateUp", GATE_UP, 2, compute_product),
    OP("BlockEmbed", EMBED, 2, compute_embed),
};

const OrtCustomOp *block_op(int index) {
    return index < OP_COUNT - 1 ? &OPS[index].base : attention_op();
}
