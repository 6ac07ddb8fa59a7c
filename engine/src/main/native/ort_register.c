/* What ONNX Runtime calls when it loads this library: RegisterCustomOps. */
#include "exports.h"
#include "kernels.h"
#include "ort_abi.h"
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#define DOMAIN_NAME "dev.meridian"
#define MESSAGE_BYTES 512

struct ort ort;

#define BIND(name) \
    do { \
        ort_function function = api->slots[SLOT_##name]; \
        if (function == NULL) { \
            return #name; \
        } \
        ort.name = (__typeof__(ort.name))function; \
    } while (0)

const char *ort_bind(const struct ort_api *api) {
    BIND(CreateStatus);
    BIND(CreateCustomOpDomain);
    BIND(CustomOpDomain_Add);
    BIND(AddCustomOpDomain);
    BIND(GetTensorMutableData);
    BIND(GetTensorElementType);
    BIND(GetDimensionsCount);
    BIND(GetDimensions);
    BIND(GetTensorShapeElementCount);
    BIND(GetTensorTypeAndShape);
    BIND(KernelInfoGetAttribute_int64);
    BIND(KernelContext_GetInputCount);
    BIND(KernelContext_GetInput);
    BIND(KernelContext_GetOutput);
    BIND(ReleaseStatus);
    BIND(ReleaseTensorTypeAndShapeInfo);
    BIND(ReleaseCustomOpDomain);
    BIND(KernelInfo_GetInputCount);
    BIND(KernelInfoGetConstantInput_tensor);
    BIND(KernelContext_ParallelFor);
    return NULL;
}

OrtStatus *ort_refuse(int code, const char *format, ...) {
    char message[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return ort.CreateStatus(code, message);
}

/* One domain serves all sessions, and is never released: ONNX Runtime keeps pointers to it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static OrtCustomOpDomain *domain;

static OrtStatus *make_domain(void) {
    OrtCustomOpDomain *made = NULL;
    OrtStatus *status = ort.CreateCustomOpDomain(DOMAIN_NAME, &made);
    for (int i = 0; status == NULL && i < OP_COUNT; i++) {
        status = ort.CustomOpDomain_Add(made, block_op(i));
    }
    if (status == NULL) {
        domain = made;
    } else if (made != NULL) {
        ort.ReleaseCustomOpDomain(made);
    }
    return status;
}

/* Binding writes the same pointers each time, and before the first time no operator exists that would read them. */
static OrtStatus *register_ops(OrtSessionOptions *options, const OrtApiBase *base) {
    if (domain == NULL) {
        const struct ort_api *api = base->get_api(ORT_VERSION_ASKED);
        if (api == NULL) {
            /* No table, no way to make a status. Asking for the first version's always works, and it has this slot. */
            api = base->get_api(1);
            if (api == NULL) {
                return NULL;
            }
            ort.CreateStatus = (__typeof__(ort.CreateStatus))api->slots[SLOT_CreateStatus];
            return ort_refuse(ORT_NOT_IMPLEMENTED, DOMAIN_NAME ": ONNX Runtime %s is older than API version %d",
                              base->get_version_string(), ORT_VERSION_ASKED);
        }
        const char *missing = ort_bind(api);
        if (missing != NULL) {
            ort.CreateStatus = (__typeof__(ort.CreateStatus))api->slots[SLOT_CreateStatus];
            return ort_refuse(ORT_NOT_IMPLEMENTED, DOMAIN_NAME ": ONNX Runtime %s has no %s",
                              base->get_version_string(), missing);
        }
    }
    if (refused_choice() != NULL) {
        return ort_refuse(ORT_INVALID_ARGUMENT,
                          DOMAIN_NAME ": " PATH_VARIABLE "=%s is not a path of this processor, which has %s",
                          refused_choice(), supported_paths());
    }
    OrtStatus *status = domain == NULL ? make_domain() : NULL;
    return status != NULL ? status : ort.AddCustomOpDomain(options, domain);
}

MERIDIAN_EXPORT OrtStatus *RegisterCustomOps(OrtSessionOptions *options, const OrtApiBase *base);

OrtStatus *RegisterCustomOps(OrtSessionOptions *options, const OrtApiBase *base) {
    pthread_mutex_lock(&lock);
    OrtStatus *status = register_ops(options, base);
    pthread_mutex_unlock(&lock);
    return status;
}
