/* Attention for 64-bit ARM: sixteen lanes are four registers. */
#include "paths.h"
#include "tile.h"
#include <arm_neon.h>

/* Six queries by four registers, four operands and a factor are 29 of the 32 registers. */
#define MOST_WIDTH 1
#define MOST_COUNT 6

typedef struct {
    float32x4_t at[4];
} lanes;

#define EACH_QUARTER(expression) \
    lanes result; \
    UNROLL \
    for (int i = 0; i < 4; i++) { \
        result.at[i] = expression; \
    } \
    return result

static inline lanes lanes_set(float x) {
    EACH_QUARTER(vdupq_n_f32(x));
}

static inline lanes lanes_load(const float *from) {
    EACH_QUARTER(vld1q_f32(from + 4 * i));
}

static inline void lanes_store(float *to, lanes a) {
    UNROLL
    for (int i = 0; i < 4; i++) {
        vst1q_f32(to + 4 * i, a.at[i]);
    }
}

static inline lanes lanes_halves(const uint16_t *from) {
    EACH_QUARTER(vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + 4 * i))));
}

static inline lanes lanes_fma(lanes a, lanes b, lanes c) {
    EACH_QUARTER(vfmaq_f32(c.at[i], a.at[i], b.at[i]));
}

static inline lanes lanes_add(lanes a, lanes b) {
    EACH_QUARTER(vaddq_f32(a.at[i], b.at[i]));
}

static inline lanes lanes_mul(lanes a, lanes b) {
    EACH_QUARTER(vmulq_f32(a.at[i], b.at[i]));
}

/* Not the maximum instruction, which gives NaN where one operand is. */
static inline lanes lanes_max(lanes a, lanes b) {
    EACH_QUARTER(vbslq_f32(vcgtq_f32(a.at[i], b.at[i]), a.at[i], b.at[i]));
}

/* The conversion makes 0 of NaN. */
static inline lanes lanes_power(lanes n) {
    EACH_QUARTER(vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vcvtnq_s32_f32(n.at[i]), vdupq_n_s32(127)), 23)));
}

static inline float lanes_sum(lanes a) {
    float32x4_t four = vaddq_f32(vaddq_f32(a.at[0], a.at[2]), vaddq_f32(a.at[1], a.at[3]));
    float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

/* No lane is NaN here, so the maximum instruction does. */
static inline float lanes_greatest(lanes a) {
    return vmaxvq_f32(vmaxq_f32(vmaxq_f32(a.at[0], a.at[1]), vmaxq_f32(a.at[2], a.at[3])));
}

#include "attend.h"

const struct attend_path ATTEND_NEON = ATTEND_PATH;
