/* The path for 64-bit ARM with the dot product extension: four lanes a register, sixteen lanes are four of them. */
#include "paths.h"
#include "tile.h"
#include <arm_neon.h>
#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

#define AHEAD 2304
/* Rows that share an unpacking: 4 x 4 sums and 4 x 4 dot products would be all 32 registers, hence two. */
#define ROWS 2

static bool supported(void) {
#if defined(__linux__)
    /* HWCAP_ASIMDDP of asm/hwcap.h, which old headers lack. */
    return (getauxval(AT_HWCAP) >> 20 & 1) != 0;
#elif defined(__APPLE__)
    int has = 0;
    size_t bytes = sizeof has;
    return sysctlbyname("hw.optional.arm.FEAT_DotProd", &has, &bytes, NULL, 0) == 0 && has != 0;
#else
    return false;
#endif
}

static void quantize_block(const float *x, float inverse, int zero, int8_t *codes, int32_t *offset) {
    int32_t sum = 0;
    for (int i = 0; i < BLOCK; i += 16) {
        int32x4_t c[4];
        for (int j = 0; j < 4; j++) {
            c[j] = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + i + 4 * j), inverse));
        }
        int16x8_t low = vcombine_s16(vmovn_s32(c[0]), vmovn_s32(c[1]));
        int16x8_t high = vcombine_s16(vmovn_s32(c[2]), vmovn_s32(c[3]));
        vst1q_s8(codes + i, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
        sum += vaddvq_s32(vaddq_s32(vaddq_s32(c[0], c[1]), vaddq_s32(c[2], c[3])));
    }
    *offset = -zero * sum;
}

static void quantize(const float *x, size_t blocks, int zero, int8_t *codes, float *scales, int32_t *offsets) {
    for (size_t b = 0; b < blocks; b++, x += BLOCK, codes += BLOCK) {
        int32x4_t m = vdupq_n_s32(0);
        for (int i = 0; i < BLOCK; i += 4) {
            m = vmaxq_s32(m, vandq_s32(vreinterpretq_s32_f32(vld1q_f32(x + i)), vdupq_n_s32(MAGNITUDE_BITS)));
        }
        int32_t magnitude = vmaxvq_s32(m);
        float greatest = float_of_bits((uint32_t)magnitude);
        if (magnitude < INFINITY_BITS && greatest >= SMALLEST_MAGNITUDE) {
            scales[b] = greatest / CODE_MAX;
            quantize_block(x, CODE_MAX / greatest, zero, codes, offsets + b);
        } else {
            scales[b] = magnitude < INFINITY_BITS ? 0.0f : float_of_bits(QUIET_NAN_BITS);
            offsets[b] = 0;
            memset(codes, 0, BLOCK);
        }
    }
}

/* Four scales, lanes 4 * quarter and following. */
static inline float32x4_t scales_of(const uint8_t *half_floats, int quarter) {
    return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(half_floats + 8 * quarter)));
}

/* Adds group g, of which the codes of four columns are lane `g % 4` of the row's codes x[g / 4]. */
#define ADD_GROUP(dot, w, x, g) \
    ((g) % 4 == 0   ? vdotq_laneq_s32(dot, w, (x)[(g) / 4], 0) \
     : (g) % 4 == 1 ? vdotq_laneq_s32(dot, w, (x)[(g) / 4], 1) \
     : (g) % 4 == 2 ? vdotq_laneq_s32(dot, w, (x)[(g) / 4], 2) \
                    : vdotq_laneq_s32(dot, w, (x)[(g) / 4], 3))

/* The signed codes of group g of eight for lanes 4 * quarter and following. */
static inline __attribute__((always_inline)) int8x16_t codes_of(int bits, const uint8_t *tile, int g, int quarter) {
    if (bits == 8) {
        uint8x16_t w = vld1q_u8(tile + g * GROUP_BYTES + 16 * quarter);
        return vreinterpretq_s8_u8(veorq_u8(w, vdupq_n_u8(ZERO8)));
    }
    uint8x16_t pair = vld1q_u8(tile + g / 2 * GROUP_BYTES + 16 * quarter);
    uint8x16_t w = g % 2 == 0 ? vandq_u8(pair, vdupq_n_u8(15)) : vshrq_n_u8(pair, 4);
    return vsubq_s8(vreinterpretq_s8_u8(w), vdupq_n_s8(ZERO4));
}

static inline __attribute__((always_inline)) void tile_rows(int bits, int rows, const uint8_t *tile,
                                                            const struct activations *a, size_t first,
                                                            const float *initial, float *out, size_t out_stride) {
    const size_t tile_bytes = bits == 4 ? TILE4_BYTES : TILE8_BYTES;
    const size_t scales_at = bits == 4 ? TILE4_SCALES : TILE8_SCALES;
    const size_t blocks = a->blocks;
    float32x4_t sums[ROWS][4];
    for (int r = 0; r < rows; r++) {
        for (int quarter = 0; quarter < 4; quarter++) {
            sums[r][quarter] = vld1q_f32(initial + 4 * quarter);
        }
    }
    for (size_t b = 0; b < blocks; b++, tile += tile_bytes) {
        for (size_t line = 0; line < tile_bytes; line += 64) {
            __builtin_prefetch((const void *)((uintptr_t)tile + AHEAD + line));
        }
        int8x16_t x[ROWS][2];
        for (int r = 0; r < rows; r++) {
            const int8_t *codes = a->codes + ((first + (size_t)r) * blocks + b) * BLOCK;
            x[r][0] = vld1q_s8(codes);
            x[r][1] = vld1q_s8(codes + 16);
        }
        for (int quarter = 0; quarter < 4; quarter++) {
            int32x4_t dots[ROWS];
            for (int r = 0; r < rows; r++) {
                dots[r] = vdupq_n_s32(0);
            }
            UNROLL
            for (int g = 0; g < 8; g++) {
                int8x16_t w = codes_of(bits, tile, g, quarter);
                for (int r = 0; r < rows; r++) {
                    dots[r] = ADD_GROUP(dots[r], w, x[r], g);
                }
            }
            float32x4_t weight_scales = scales_of(tile + scales_at, quarter);
            for (int r = 0; r < rows; r++) {
                float32x4_t scale = vmulq_n_f32(weight_scales, a->scales[(first + (size_t)r) * blocks + b]);
                sums[r][quarter] = vfmaq_f32(sums[r][quarter], vcvtq_f32_s32(dots[r]), scale);
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int quarter = 0; quarter < 4; quarter++) {
            vst1q_f32(out + (size_t)r * out_stride + 4 * quarter, sums[r][quarter]);
        }
    }
}

#define PANEL(name, bits) \
    static void name(const uint8_t *panel, const struct activations *a, size_t first, size_t rows, \
                     const float *initial, float *out, size_t out_stride) { \
        for (; rows >= ROWS; rows -= ROWS, first += ROWS, out += ROWS * out_stride) { \
            tile_rows(bits, ROWS, panel, a, first, initial, out, out_stride); \
        } \
        if (rows == 1) { \
            tile_rows(bits, 1, panel, a, first, initial, out, out_stride); \
        } \
    }

PANEL(panel4, 4)
PANEL(panel8, 8)

/* As in the portable path, operation by operation; the selections keep its treatment of NaN. */
static inline float32x4_t exponential(float32x4_t x) {
    const float32x4_t most = vdupq_n_f32(EXP_MAX);
    const float32x4_t least = vdupq_n_f32(EXP_MIN);
    x = vbslq_f32(vcltq_f32(x, most), x, most);
    x = vbslq_f32(vcgtq_f32(x, least), x, least);
    const float32x4_t rounder = vdupq_n_f32(ROUNDER);
    float32x4_t n = vsubq_f32(vaddq_f32(vmulq_n_f32(x, LOG2_E), rounder), rounder);
    float32x4_t r = vfmsq_f32(x, n, vdupq_n_f32(LN2_HIGH));
    r = vfmsq_f32(r, n, vdupq_n_f32(LN2_LOW));
    float32x4_t p = vfmaq_f32(vdupq_n_f32(EXP_C6), vdupq_n_f32(EXP_C7), r);
    p = vfmaq_f32(vdupq_n_f32(EXP_C5), p, r);
    p = vfmaq_f32(vdupq_n_f32(EXP_C4), p, r);
    p = vfmaq_f32(vdupq_n_f32(EXP_C3), p, r);
    p = vfmaq_f32(vdupq_n_f32(EXP_C2), p, r);
    p = vfmaq_f32(vdupq_n_f32(1.0f), p, r);
    p = vfmaq_f32(vdupq_n_f32(1.0f), p, r);
    int32x4_t exponent = vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127));
    return vmulq_f32(p, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)));
}

static void silu_times(float *gate, const float *up, size_t count) {
    for (size_t i = 0; i < count; i += 4) {
        float32x4_t g = vld1q_f32(gate + i);
        float32x4_t silu = vdivq_f32(g, vaddq_f32(vdupq_n_f32(1.0f), exponential(vnegq_f32(g))));
        vst1q_f32(gate + i, vmulq_f32(silu, vld1q_f32(up + i)));
    }
}

const struct kernel_path NEON = {"neon", supported, quantize, panel4, panel8, NULL, NULL, silu_times, &ATTEND_NEON};
