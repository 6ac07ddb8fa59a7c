/* What the operators share: reading attributes and tensors, outputs, threads, and what they all say of themselves. */
#ifndef MERIDIAN_ORT_VALUES_H
#define MERIDIAN_ORT_VALUES_H

#include "ort_abi.h"
#include <stdbool.h>

#define MOST_DIMENSIONS 8

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

/* `op` is the operator's name, for messages, and `what` the tensor's. */
OrtStatus *read_attribute(const char *op, const OrtKernelInfo *info, const char *name, int64_t *value);
OrtStatus *read_tensor(const char *op, const char *what, const OrtValue *value, int type, struct tensor *tensor);
OrtStatus *read_input(const char *op, const OrtKernelContext *context, size_t index, const char *what, int type,
                      struct tensor *tensor);
/* An output of these dimensions; its data are NULL where nobody asked for it. */
OrtStatus *make_output(OrtKernelContext *context, size_t index, const int64_t *dims, size_t rank, void **data);

struct pool {
    const OrtKernelContext *context;
    OrtStatus *status;
};

/* For struct parallel, whose context is a struct pool. */
bool run_in_pool(void *context, void (*call)(void *, size_t), size_t calls, void *argument);

const char *cpu_provider(const OrtCustomOp *op);
int required_output(const OrtCustomOp *op, size_t index);
int plain_memory(const OrtCustomOp *op, size_t index);
int first_version(const OrtCustomOp *op);
int last_version(const OrtCustomOp *op);

#endif
