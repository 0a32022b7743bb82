/* Activations rounded to int8 by groups of a row, as llama.cpp's Q8_0 does: what `linear.c` multiplies. */

#ifndef MIDFILL_ACTIVATIONS_H
#define MIDFILL_ACTIVATIONS_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vector.h"

#define GROUP4 32
#define GROUP8 64
#define ZERO4 8
#define ZERO8 128

/* Rows of `k` as int8, by blocks of eight, the last one of what is left, so that a block is read from end to end:
 * bytes [block][k / 4, rows of it, 4]. For each group its scale, and its sum times minus the zero of the weights,
 * by which their products come out too large: [block][groups, rows of it]. */
typedef struct {
    int8_t *bytes;
    float *scales;
    int32_t *sums;
    size_t room;
} Activations;

static __thread Activations kept;

/* Room for `n` rows of `k`; 0 where memory is short. */
static int make_room(long n, long k) {
    size_t groups = (size_t)n * (k / GROUP4);
    size_t wanted = (size_t)n * k + groups * (sizeof(float) + sizeof(int32_t));
    if (wanted > kept.room) {
        free(kept.bytes);
        kept.bytes = aligned_alloc(64, (wanted + 63) / 64 * 64);
        kept.room = kept.bytes ? wanted : 0;
        if (!kept.bytes) return 0;
    }
    kept.scales = (float *)(kept.bytes + (size_t)n * k);
    kept.sums = (int32_t *)(kept.scales + groups);
    return 1;
}

/* What is multiplied: rows [n, k], or RMSNorm of them where `norm`, its weight [k], is not NULL. */
typedef struct {
    const float *rows, *norm;
    float epsilon;
} Input;

static __m512 norm_factor(const Input *in, long i, long k) {
    if (!in->norm) return _mm512_set1_ps(1.0f);
    __m512 squares = _mm512_setzero_ps();
    for (long c = 0; c < k; c += LANES) {
        __m512 x = _mm512_loadu_ps(in->rows + i * k + c);
        squares = _mm512_fmadd_ps(x, x, squares);
    }
    return _mm512_set1_ps(1.0f / sqrtf(_mm512_reduce_add_ps(squares) / (float)k + in->epsilon));
}

/* Round row `i` of `n` to int8 by groups of `group` columns, for weights whose zero lies at minus `zero`. */
INLINE void quantise_row(const Input *in, long i, long n, long k, const int group, const int zero,
                         const Activations *to) {
    __m512 factor = norm_factor(in, i, k);
    long groups = k / group, first = i / MAX_ROWS * MAX_ROWS, width = n - first < MAX_ROWS ? n - first : MAX_ROWS;
    int8_t *bytes = to->bytes + first * k + (i - first) * 4;
    for (long g = 0; g < groups; g++) {
        __m512 x[GROUP8 / LANES];
        __m512i most = _mm512_setzero_si512(); /* as integers: NaN is larger than all numbers, and stays */
        for (int j = 0; j < group / LANES; j++) {
            long c = g * group + j * LANES;
            x[j] = _mm512_loadu_ps(in->rows + i * k + c);
            if (in->norm) x[j] = _mm512_mul_ps(_mm512_mul_ps(x[j], factor), _mm512_loadu_ps(in->norm + c));
            most = _mm512_max_epi32(most, _mm512_castps_si512(_mm512_abs_ps(x[j])));
        }
        int32_t largest = _mm512_reduce_max_epi32(most);
        float scale;
        memcpy(&scale, &largest, sizeof(scale));
        scale /= 127.0f;
        __m512 inverse = _mm512_set1_ps(scale > 0 ? 1.0f / scale : 0.0f);
        __m512i sum = _mm512_setzero_si512();
        for (int j = 0; j < group / LANES; j++) {
            __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(x[j], inverse));
            int32_t fours[LANES / 4];
            sum = _mm512_add_epi32(sum, whole);
            _mm_storeu_si128((__m128i *)fours, _mm512_cvtsepi32_epi8(whole));
            for (int q = 0; q < LANES / 4; q++, bytes += 4 * width) memcpy(bytes, fours + q, 4);
        }
        long at = first * groups + g * width + i - first;
        to->scales[at] = scale;
        /* Without a sign: of what is no number the sum may overflow, and does not matter. */
        to->sums[at] = (int32_t)((uint32_t)zero * (uint32_t)_mm512_reduce_add_epi32(sum));
    }
}

#endif
