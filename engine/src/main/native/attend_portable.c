/* Attention in plain C: sixteen lanes are an array. */
#include "paths.h"
#include "tile.h"
#include <math.h>

#define MOST_WIDTH 1
#define MOST_COUNT 2

typedef struct {
    float at[LANES];
} lanes;

#define EACH_LANE(expression) \
    lanes result; \
    for (int i = 0; i < LANES; i++) { \
        result.at[i] = expression; \
    } \
    return result

static inline lanes lanes_set(float x) {
    EACH_LANE(x);
}

static inline lanes lanes_load(const float *from) {
    EACH_LANE(from[i]);
}

static inline void lanes_store(float *to, lanes a) {
    memcpy(to, a.at, sizeof a.at);
}

static inline lanes lanes_halves(const uint16_t *from) {
    EACH_LANE(float_of_half((const uint8_t *)(from + i)));
}

static inline lanes lanes_fma(lanes a, lanes b, lanes c) {
    EACH_LANE(fmaf(a.at[i], b.at[i], c.at[i]));
}

static inline lanes lanes_add(lanes a, lanes b) {
    EACH_LANE(a.at[i] + b.at[i]);
}

static inline lanes lanes_mul(lanes a, lanes b) {
    EACH_LANE(a.at[i] * b.at[i]);
}

static inline lanes lanes_max(lanes a, lanes b) {
    EACH_LANE(a.at[i] > b.at[i] ? a.at[i] : b.at[i]);
}

/* Only numbers of this range can be converted; the comparison is false for NaN. */
static inline lanes lanes_power(lanes n) {
    EACH_LANE(n.at[i] >= -126.0f && n.at[i] <= 0.0f ? float_of_bits((uint32_t)((int32_t)n.at[i] + 127) << 23) : 0.0f);
}

static inline float lanes_sum(lanes a) {
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            a.at[i] += a.at[i + half];
        }
    }
    return a.at[0];
}

static inline float lanes_greatest(lanes a) {
    float greatest = a.at[0];
    for (int i = 1; i < LANES; i++) {
        greatest = a.at[i] > greatest ? a.at[i] : greatest;
    }
    return greatest;
}

#include "attend.h"

const struct attend_path ATTEND_PORTABLE = ATTEND_PATH;
