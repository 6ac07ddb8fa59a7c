/* Reading attributes and tensors, outputs, and threads. */
#include "ort_values.h"
#include <limits.h>

OrtStatus *read_attribute(const char *op, const OrtKernelInfo *info, const char *name, int64_t *value) {
    OrtStatus *status = ort.KernelInfoGetAttribute_int64(info, name, value);
    if (status == NULL) {
        return NULL;
    }
    ort.ReleaseStatus(status);
    return ort_refuse(ORT_INVALID_GRAPH, "%s: the attribute %s is missing or no integer", op, name);
}

static OrtStatus *read_shape(const char *op, const char *what, const OrtTensorTypeAndShapeInfo *info,
                             struct tensor *tensor) {
    TRY(ort.GetTensorElementType(info, &tensor->type));
    TRY(ort.GetDimensionsCount(info, &tensor->rank));
    TRY(ort.GetTensorShapeElementCount(info, &tensor->count));
    if (tensor->rank > MOST_DIMENSIONS) {
        return ort_refuse(ORT_INVALID_ARGUMENT, "%s: %s has %zu dimensions, at most %d are supported", op, what,
                          tensor->rank, MOST_DIMENSIONS);
    }
    return ort.GetDimensions(info, tensor->dims, tensor->rank);
}

OrtStatus *read_tensor(const char *op, const char *what, const OrtValue *value, int type, struct tensor *tensor) {
    if (value == NULL) {
        return ort_refuse(ORT_INVALID_ARGUMENT, "%s: %s is missing", op, what);
    }
    OrtTensorTypeAndShapeInfo *info = NULL;
    TRY(ort.GetTensorTypeAndShape(value, &info));
    OrtStatus *status = read_shape(op, what, info, tensor);
    ort.ReleaseTensorTypeAndShapeInfo(info);
    TRY(status);
    if (tensor->type != type) {
        return ort_refuse(ORT_INVALID_ARGUMENT, "%s: %s has element type %d instead of %d", op, what, tensor->type,
                          type);
    }
    /* The interface has no reading twin of this function. */
    return ort.GetTensorMutableData((OrtValue *)value, &tensor->data);
}

OrtStatus *read_input(const char *op, const OrtKernelContext *context, size_t index, const char *what, int type,
                      struct tensor *tensor) {
    const OrtValue *value = NULL;
    TRY(ort.KernelContext_GetInput(context, index, &value));
    return read_tensor(op, what, value, type, tensor);
}

OrtStatus *make_output(OrtKernelContext *context, size_t index, const int64_t *dims, size_t rank, void **data) {
    OrtValue *value = NULL;
    *data = NULL;
    TRY(ort.KernelContext_GetOutput(context, index, dims, rank, &value));
    return value == NULL ? NULL : ort.GetTensorMutableData(value, data);
}

/* Zero batches leave it to ONNX Runtime, which makes as many as it has threads. */
bool run_in_pool(void *context, void (*call)(void *, size_t), size_t calls, void *argument) {
    struct pool *pool = context;
    pool->status = ort.KernelContext_ParallelFor(pool->context, call, calls, 0, argument);
    return pool->status == NULL;
}

const char *cpu_provider(const OrtCustomOp *op) {
    (void)op;
    return "CPUExecutionProvider";
}

int required_output(const OrtCustomOp *op, size_t index) {
    (void)op;
    (void)index;
    return ORT_REQUIRED;
}

int plain_memory(const OrtCustomOp *op, size_t index) {
    (void)op;
    (void)index;
    return 0;
}

int first_version(const OrtCustomOp *op) {
    (void)op;
    return 1;
}

int last_version(const OrtCustomOp *op) {
    (void)op;
    return INT_MAX;
}
