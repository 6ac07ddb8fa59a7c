/*
 * The packing of a tile (16 rows x 32 columns) and the constants of the arithmetic, for the files that compute.
 *
 * 4 bits: 4 groups of 64 bytes, then 16 float16 scales. Byte g*64 + lane*4 + i holds the codes of columns 8g + i (low
 * nibble) and 8g + 4 + i (high nibble) of row `lane`. 8 bits: 8 groups of 64 bytes, byte g*64 + lane*4 + i the code of
 * column 4g + i, then the scales. Four neighbouring columns of a row are thus one 32-bit lane, which is what the dot
 * product instructions of all processors take. A weight is its scale times (code - zero code).
 */
#ifndef MERIDIAN_TILE_H
#define MERIDIAN_TILE_H

#include "kernels.h"
#include <string.h>

#define GROUP_BYTES 64
#define TILE4_SCALES 256
#define TILE4_BYTES 288
#define TILE8_SCALES 512
#define TILE8_BYTES 544
#define ZERO4 8
#define ZERO8 128

/* A block whose greatest magnitude is below this counts as zero: 127 / magnitude must not overflow. */
#define SMALLEST_MAGNITUDE 1e-30f
#define CODE_MAX 127.0f
/* Bits of infinity; the bits of finite magnitudes are below, in the order of their values. */
#define INFINITY_BITS 0x7f800000
#define MAGNITUDE_BITS 0x7fffffff
#define QUIET_NAN_BITS 0x7fc00000

/*
 * exp(x) for x in [-87, 88], others clamped, within 2 units in the last place: x = n ln 2 + r with |r| <= ln 2 / 2, exp(r)
 * by its Taylor series to r^7, and 2^n by the exponent. ln 2 stands in two parts, the first with trailing zeros, so that
 * n times it is exact.
 */
#define EXP_MIN (-87.0f)
#define EXP_MAX 88.0f
#define LOG2_E 1.44269504f
#define LN2_HIGH 0.693145752f
#define LN2_LOW 1.42860677e-6f
#define EXP_C7 (1.0f / 5040.0f)
#define EXP_C6 (1.0f / 720.0f)
#define EXP_C5 (1.0f / 120.0f)
#define EXP_C4 (1.0f / 24.0f)
#define EXP_C3 (1.0f / 6.0f)
#define EXP_C2 0.5f
/* Adding and subtracting 1.5 * 2^23 rounds to the nearest integer, ties to even, for magnitudes below 2^22. */
#define ROUNDER 12582912.0f

/* Asks for a loop of a few steps to be unrolled, so that arrays which it indexes can live in registers. */
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Four codes as one lane; codes are bytes elsewhere, hence may_alias. */
typedef int32_t __attribute__((may_alias)) lane32;

static inline float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* IEEE 754 binary16, little endian, to float32: exact for every finite value. */
static inline float float_of_half(const uint8_t *half) {
    uint32_t bits = (uint32_t)half[0] | (uint32_t)half[1] << 8;
    uint32_t sign = (bits & 0x8000u) << 16;
    uint32_t exponent = bits >> 10 & 31;
    uint32_t fraction = bits & 0x3ffu;
    if (exponent == 31) {
        return float_of_bits(sign | INFINITY_BITS | (fraction != 0 ? 0x400000u : 0) | fraction << 13);
    }
    if (exponent == 0) {
        float magnitude = (float)fraction * 0x1p-24f;
        return sign != 0 ? -magnitude : magnitude;
    }
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

#endif
