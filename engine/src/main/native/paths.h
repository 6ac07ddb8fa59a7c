/* The paths that this build has; which of them run here is for paths.c to find out. */
#ifndef MERIDIAN_PATHS_H
#define MERIDIAN_PATHS_H

#include "kernels.h"

extern const struct attend_path ATTEND_PORTABLE;
#if defined(__x86_64__)
extern const struct attend_path ATTEND_AVX2;
extern const struct attend_path ATTEND_AVX512;
#elif defined(__aarch64__)
extern const struct attend_path ATTEND_NEON;
#endif

extern const struct kernel_path PORTABLE;
#if defined(__x86_64__)
extern const struct kernel_path AVX2;
extern const struct kernel_path AVX512_VNNI;
#if defined(MERIDIAN_AVX_VNNI)
extern const struct kernel_path AVX_VNNI;
#endif
#elif defined(__aarch64__)
extern const struct kernel_path NEON;
#endif

#endif
