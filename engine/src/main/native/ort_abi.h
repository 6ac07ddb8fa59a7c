/*
 * The part of ONNX Runtime's C interface that a library of custom operators needs.
 *
 * OrtApi is a table of functions that grows at its end only, so a function never changes its slot; the slots here are
 * those of onnxruntime_c_api.h. Functions are copied to typed pointers once (ort_bind), which refuses a table that lacks
 * one of them. Every function that returns an OrtStatus gives NULL for success, and the caller owns what it gives
 * otherwise.
 */
#ifndef MERIDIAN_ORT_ABI_H
#define MERIDIAN_ORT_ABI_H

#include <stddef.h>
#include <stdint.h>

typedef struct OrtStatus OrtStatus;
typedef struct OrtValue OrtValue;
typedef struct OrtTensorTypeAndShapeInfo OrtTensorTypeAndShapeInfo;
typedef struct OrtKernelInfo OrtKernelInfo;
typedef struct OrtKernelContext OrtKernelContext;
typedef struct OrtCustomOpDomain OrtCustomOpDomain;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtCustomOp OrtCustomOp;

/* The first version whose table has every slot used here: KernelContext_ParallelFor came with 1.17. */
#define ORT_VERSION_ASKED 17

enum { ORT_FAIL = 1, ORT_INVALID_ARGUMENT = 2, ORT_NOT_IMPLEMENTED = 9, ORT_INVALID_GRAPH = 10 };
enum { ORT_FLOAT = 1, ORT_UINT8 = 2, ORT_INT32 = 6, ORT_INT64 = 7, ORT_FLOAT16 = 10 };
enum { ORT_REQUIRED = 0, ORT_OPTIONAL = 1 };

enum ort_slot {
    SLOT_CreateStatus = 0,
    SLOT_CreateCustomOpDomain = 26,
    SLOT_CustomOpDomain_Add = 27,
    SLOT_AddCustomOpDomain = 28,
    SLOT_GetTensorMutableData = 51,
    SLOT_GetTensorElementType = 60,
    SLOT_GetDimensionsCount = 61,
    SLOT_GetDimensions = 62,
    SLOT_GetTensorShapeElementCount = 64,
    SLOT_GetTensorTypeAndShape = 65,
    SLOT_KernelInfoGetAttribute_int64 = 86,
    SLOT_KernelContext_GetInputCount = 88,
    SLOT_KernelContext_GetInput = 90,
    SLOT_KernelContext_GetOutput = 91,
    SLOT_ReleaseStatus = 93,
    SLOT_ReleaseTensorTypeAndShapeInfo = 99,
    SLOT_ReleaseCustomOpDomain = 101,
    SLOT_KernelInfo_GetInputCount = 230,
    SLOT_KernelInfoGetConstantInput_tensor = 249,
    SLOT_KernelContext_ParallelFor = 274,
    SLOTS_NEEDED = 275
};

typedef void (*ort_function)(void);

struct ort_api {
    ort_function slots[SLOTS_NEEDED];
};

typedef struct OrtApiBase {
    const struct ort_api *(*get_api)(uint32_t version);
    const char *(*get_version_string)(void);
} OrtApiBase;

struct ort {
    OrtStatus *(*CreateStatus)(int code, const char *message);
    OrtStatus *(*CreateCustomOpDomain)(const char *domain, OrtCustomOpDomain **out);
    OrtStatus *(*CustomOpDomain_Add)(OrtCustomOpDomain *domain, const OrtCustomOp *op);
    OrtStatus *(*AddCustomOpDomain)(OrtSessionOptions *options, OrtCustomOpDomain *domain);
    OrtStatus *(*GetTensorMutableData)(OrtValue *value, void **out);
    OrtStatus *(*GetTensorElementType)(const OrtTensorTypeAndShapeInfo *info, int *out);
    OrtStatus *(*GetDimensionsCount)(const OrtTensorTypeAndShapeInfo *info, size_t *out);
    OrtStatus *(*GetDimensions)(const OrtTensorTypeAndShapeInfo *info, int64_t *dims, size_t count);
    OrtStatus *(*GetTensorShapeElementCount)(const OrtTensorTypeAndShapeInfo *info, size_t *out);
    OrtStatus *(*GetTensorTypeAndShape)(const OrtValue *value, OrtTensorTypeAndShapeInfo **out);
    OrtStatus *(*KernelInfoGetAttribute_int64)(const OrtKernelInfo *info, const char *name, int64_t *out);
    OrtStatus *(*KernelContext_GetInputCount)(const OrtKernelContext *context, size_t *out);
    OrtStatus *(*KernelContext_GetInput)(const OrtKernelContext *context, size_t index, const OrtValue **out);
    OrtStatus *(*KernelContext_GetOutput)(OrtKernelContext *context, size_t index, const int64_t *dims, size_t count,
                                          OrtValue **out);
    void (*ReleaseStatus)(OrtStatus *status);
    void (*ReleaseTensorTypeAndShapeInfo)(OrtTensorTypeAndShapeInfo *info);
    void (*ReleaseCustomOpDomain)(OrtCustomOpDomain *domain);
    OrtStatus *(*KernelInfo_GetInputCount)(const OrtKernelInfo *info, size_t *out);
    OrtStatus *(*KernelInfoGetConstantInput_tensor)(const OrtKernelInfo *info, size_t index, int *is_constant,
                                                    const OrtValue **out);
    OrtStatus *(*KernelContext_ParallelFor)(const OrtKernelContext *context, void (*call)(void *argument, size_t index),
                                            size_t total, size_t batches, void *argument);
};

/* An operator as ONNX Runtime reads it. Functions that come after the asked version's, or that are not needed, are NULL. */
struct OrtCustomOp {
    uint32_t version;
    ort_function create_kernel;
    const char *(*get_name)(const OrtCustomOp *op);
    const char *(*get_execution_provider)(const OrtCustomOp *op);
    int (*get_input_type)(const OrtCustomOp *op, size_t index);
    size_t (*get_input_count)(const OrtCustomOp *op);
    int (*get_output_type)(const OrtCustomOp *op, size_t index);
    size_t (*get_output_count)(const OrtCustomOp *op);
    ort_function kernel_compute;
    void (*kernel_destroy)(void *kernel);
    int (*get_input_characteristic)(const OrtCustomOp *op, size_t index);
    int (*get_output_characteristic)(const OrtCustomOp *op, size_t index);
    int (*get_input_memory)(const OrtCustomOp *op, size_t index);
    int (*get_variadic_input_min)(const OrtCustomOp *op);
    int (*get_variadic_input_homogeneity)(const OrtCustomOp *op);
    int (*get_variadic_output_min)(const OrtCustomOp *op);
    int (*get_variadic_output_homogeneity)(const OrtCustomOp *op);
    OrtStatus *(*create_kernel_v2)(const OrtCustomOp *op, const struct ort_api *api, const OrtKernelInfo *info,
                                   void **kernel);
    OrtStatus *(*kernel_compute_v2)(void *kernel, OrtKernelContext *context);
    ort_function infer_output_shape;
    int (*get_start_version)(const OrtCustomOp *op);
    int (*get_end_version)(const OrtCustomOp *op);
    ort_function get_may_inplace;
    ort_function release_may_inplace;
    ort_function get_alias_map;
    ort_function release_alias_map;
};

/* The functions of the runtime that loaded this library; set before any operator can be created. */
extern struct ort ort;

/* Fills `ort`. Returns NULL, or the name of the function that the table lacks. */
const char *ort_bind(const struct ort_api *api);

/* A status with a message made as by printf. */
OrtStatus *ort_refuse(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The operators, which live as long as the library. */
#define OP_COUNT 4
const OrtCustomOp *block_op(int index);
const OrtCustomOp *attention_op(void);

#endif
