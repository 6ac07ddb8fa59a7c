/* Which paths this processor can run, and which one kernels get. */
#include "paths.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Slowest first. */
static const struct kernel_path *const BUILT[] = {
    &PORTABLE,
#if defined(__x86_64__)
    &AVX2,
#if defined(MERIDIAN_AVX_VNNI)
    &AVX_VNNI,
#endif
    &AVX512_VNNI,
#elif defined(__aarch64__)
    &NEON,
#endif
};

#define BUILT_COUNT (sizeof BUILT / sizeof BUILT[0])

static pthread_once_t detected = PTHREAD_ONCE_INIT;
static const struct kernel_path *supported[BUILT_COUNT];
static size_t supported_count;
static char supported_names[128];
static _Atomic(const struct kernel_path *) selected;
static char refused[64];

/* What the environment says; a choice that this processor cannot follow is kept, to be told. */
static void choose(const char *name) {
    if (name == NULL || name[0] == 0) {
        return;
    }
    for (size_t i = 0; i < supported_count; i++) {
        if (strcmp(supported[i]->name, name) == 0) {
            atomic_store(&selected, supported[i]);
            return;
        }
    }
    strncat(refused, name, sizeof refused - 1);
}

static void detect(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    for (size_t i = 0; i < BUILT_COUNT; i++) {
        if (!BUILT[i]->supported()) {
            continue;
        }
        if (supported_count > 0) {
            strncat(supported_names, ",", sizeof supported_names - strlen(supported_names) - 1);
        }
        strncat(supported_names, BUILT[i]->name, sizeof supported_names - strlen(supported_names) - 1);
        supported[supported_count++] = BUILT[i];
    }
    atomic_store(&selected, supported[supported_count - 1]);
    choose(getenv(PATH_VARIABLE));
}

const struct kernel_path *find_path(const char *name) {
    pthread_once(&detected, detect);
    for (size_t i = 0; name != NULL && i < supported_count; i++) {
        if (strcmp(supported[i]->name, name) == 0) {
            return supported[i];
        }
    }
    return NULL;
}

const struct kernel_path *selected_path(void) {
    pthread_once(&detected, detect);
    return atomic_load(&selected);
}

const char *supported_paths(void) {
    pthread_once(&detected, detect);
    return supported_names;
}

const char *refused_choice(void) {
    pthread_once(&detected, detect);
    return refused[0] == 0 ? NULL : refused;
}

bool select_path(const char *name) {
    const struct kernel_path *path = find_path(name);
    if (path != NULL) {
        atomic_store(&selected, path);
    }
    return path != NULL;
}
