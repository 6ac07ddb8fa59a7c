/* The operators BlockGemm, BlockGateUp and BlockEmbed: their shapes, their checks, and the calls that compute them. */
#include "kernels.h"
#include "ort_abi.h"
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#define MOST_DIMENSIONS 8

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

/* A tensor as far as it is used here. */
struct tensor {
    void *data;
    int type;
    size_t rank;
    size_t count;
    int64_t dims[MOST_DIMENSIONS + 1]; /* one more than read, for an output of higher rank */
};

#define TRY(call) \
    do { \
        OrtStatus *status_ = (call); \
        if (status_ != NULL) { \
            return status_; \
        } \
    } while (0)

static OrtStatus *read_shape(const struct op *op, const char *what, const OrtTensorTypeAndShapeInfo *info,
                             struct tensor *tensor) {
    TRY(ort.GetTensorElementType(info, &tensor->type));
    TRY(ort.GetDimensionsCount(info, &tensor->rank));
    TRY(ort.GetTensorShapeElementCount(info, &tensor->count));
    if (tensor->rank > MOST_DIMENSIONS) {
        return ort_refuse(ORT_INVALID_ARGUMENT, "%s: %s has %zu dimensions, at most %d are supported", op->name, what,
                          tensor->rank, MOST_DIMENSIONS);
    }
    return ort.GetDimensions(info, tensor->dims, tensor->rank);
}

static OrtStatus *read_tensor(const struct op *op, const char *what, const OrtValue *value, int type,
                              struct tensor *tensor) {
    if (value == NULL) {
        return ort_refuse(ORT_INVALID_ARGUMENT, "%s: %s is missing", op->name, what);
    }
    OrtTensorTypeAndShapeInfo *info = NULL;
    TRY(ort.GetTensorTypeAndShape(value, &info));
    OrtStatus *status = read_shape(op, what, info, tensor);
    ort.ReleaseTensorTypeAndShapeInfo(info);
    TRY(status);
    if (tensor->type != type) {
        return ort_refuse(ORT_INVALID_ARGUMENT, "%s: %s has element type %d instead of %d", op->name, what,
                          tensor->type, type);
    }
    /* The interface has no reading twin of this function; inputs are not written. */
    return ort.GetTensorMutableData((OrtValue *)value, &tensor->data);
}

static OrtStatus *read_input(const struct kernel *kernel, const OrtKernelContext *context, size_t index,
                             const char *what, int type, struct tensor *tensor) {
    const OrtValue *value = NULL;
    TRY(ort.KernelContext_GetInput(context, index, &value));
    return read_tensor(kernel->op, what, value, type, tensor);
}

/* --- Creation --- */

static OrtStatus *read_attribute(const struct op *op, const OrtKernelInfo *info, const char *name, int64_t *value) {
    OrtStatus *status = ort.KernelInfoGetAttribute_int64(info, name, value);
    if (status == NULL) {
        return NULL;
    }
    ort.ReleaseStatus(status);
    return ort_refuse(ORT_INVALID_GRAPH, "%s: the attribute %s is missing or no integer", op->name, name);
}

static OrtStatus *read_weights(const struct op *op, const OrtKernelInfo *info, struct weights *w) {
    int64_t n = 0;
    int64_t k = 0;
    int64_t bits = 0;
    TRY(read_attribute(op, info, "N", &n));
    TRY(read_attribute(op, info, "K", &k));
    TRY(read_attribute(op, info, "bits", &bits));
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
    TRY(read_tensor(op, "W", value, ORT_UINT8, &tensor));
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

struct pool {
    const OrtKernelContext *context;
    OrtStatus *status;
};

/* Zero batches leave it to ONNX Runtime, which makes as many as it has threads. */
static bool run_in_pool(void *context, void (*call)(void *, size_t), size_t calls, void *argument) {
    struct pool *pool = context;
    pool->status = ort.KernelContext_ParallelFor(pool->context, call, calls, 0, argument);
    return pool->status == NULL;
}

/* An output with the input's leading dimensions. */
static OrtStatus *make_output(OrtKernelContext *context, const int64_t *dims, size_t rank, float **y) {
    OrtValue *value = NULL;
    void *data = NULL;
    TRY(ort.KernelContext_GetOutput(context, 0, dims, rank, &value));
    TRY(ort.GetTensorMutableData(value, &data));
    *y = data;
    return NULL;
}

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
    TRY(read_tensor(kernel->op, "bias", value, ORT_FLOAT, &tensor));
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
    float *y = NULL;
    TRY(read_input(kernel, context, 0, "X", ORT_FLOAT, &x));
    if (x.rank == 0 || x.dims[x.rank - 1] != w->k) {
        return ort_refuse(ORT_INVALID_ARGUMENT, "%s: X has rank %zu and last dimension %" PRId64 ", needs K=%" PRId64,
                          kernel->op->name, x.rank, x.rank == 0 ? 0 : x.dims[x.rank - 1], w->k);
    }
    TRY(read_bias(kernel, context, &bias));
    x.dims[x.rank - 1] = w->n;
    TRY(make_output(context, x.dims, x.rank, &y));

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
    float *y = NULL;
    TRY(read_input(kernel, context, 0, "ids", ORT_INT64, &ids));
    const int64_t *id = ids.data;
    for (size_t i = 0; i < ids.count; i++) {
        if (id[i] < 0 || id[i] >= w->n) {
            return ort_refuse(ORT_INVALID_ARGUMENT, "%s: id %" PRId64 " at %zu is not in 0..%" PRId64,
                              kernel->op->name, id[i], i, w->n - 1);
        }
    }
    ids.dims[ids.rank] = w->k;
    TRY(make_output(context, ids.dims, ids.rank + 1, &y));
    for (size_t i = 0; i < ids.count; i++) {
        dequantize_row(w, id[i], y + i * (size_t)w->k);
    }
    return NULL;
}

/* --- Description --- */

static const char *get_name(const OrtCustomOp *op) {
    return ((const struct op *)op)->name;
}

static const char *get_provider(const OrtCustomOp *op) {
    (void)op;
    return "CPUExecutionProvider";
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

static int get_output_characteristic(const OrtCustomOp *op, size_t index) {
    (void)op;
    (void)index;
    return ORT_REQUIRED;
}

static int get_memory(const OrtCustomOp *op, size_t index) {
    (void)op;
    (void)index;
    return 0;
}

static int get_start_version(const OrtCustomOp *op) {
    (void)op;
    return 1;
}

static int get_end_version(const OrtCustomOp *op) {
    (void)op;
    return INT_MAX;
}

#define OP(op_name, op_kind, op_inputs, op_compute) \
    { \
        .base = {.version = ORT_VERSION_ASKED, \
                 .get_name = get_name, \
                 .get_execution_provider = get_provider, \
                 .get_input_type = get_input_type, \
                 .get_input_count = get_input_count, \
                 .get_output_type = get_output_type, \
                 .get_output_count = get_output_count, \
                 .kernel_destroy = destroy, \
                 .get_input_characteristic = get_input_characteristic, \
                 .get_output_characteristic = get_output_characteristic, \
                 .get_input_memory = get_memory, \
                 .create_kernel_v2 = create, \
                 .kernel_compute_v2 = op_compute, \
                 .get_start_version = get_start_version, \
                 .get_end_version = get_end_version}, \
        .name = op_name, .kind = op_kind, .inputs = op_inputs \
    }

static const struct op OPS[OP_COUNT] = {
    OP("BlockGemm", GEMM, 3, compute_product),
    OP("BlockGateUp", GATE_UP, 2, compute_product),
    OP("BlockEmbed", EMBED, 2, compute_embed),
};

const OrtCustomOp *block_op(int index) {
    return &OPS[index].base;
}
