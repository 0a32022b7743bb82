/* Attention over the rows of one decoding step, and where keys and values of any rows take their place. */

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"
#include "pool.h"
#include "vector.h"

#define TOGETHER 4 /* query heads that read a key or a value once */

/* Turn a head in place: its halves are the two coordinates of each pair (RoFormer, arXiv 2104.09864). */
INLINE void turn(float *head, const float *cos, const float *sin, long dim) {
    for (long c = 0; c < dim / 2; c += LANES) {
        __m512 x = _mm512_loadu_ps(head + c), z = _mm512_loadu_ps(head + dim / 2 + c);
        __m512 cx = _mm512_loadu_ps(cos + c), cz = _mm512_loadu_ps(cos + dim / 2 + c);
        __m512 sx = _mm512_loadu_ps(sin + c), sz = _mm512_loadu_ps(sin + dim / 2 + c);
        _mm512_storeu_ps(head + c, _mm512_fmadd_ps(z, sx, _mm512_mul_ps(x, cx)));
        _mm512_storeu_ps(head + dim / 2 + c, _mm512_fmadd_ps(x, sz, _mm512_mul_ps(z, cz)));
    }
}

/* Where `n` new positions take their place behind `begin` old ones: biases added, heads turned, keys and
 * values written to theirs.
 *
 * `mixed` [n, heads + 2 kv_heads, dim]: queries, keys, values; changed in place. `bias`: as a row of it, or
 * NULL. `cos`, `sin` [n, dim]: turns, the first half of `sin` negated. `keys`, `values`
 * [kv_heads, capacity, dim]. `dim` is a multiple of 32. */
void midfill_place(float *mixed, const float *bias, const float *cos, const float *sin, long n, long heads,
                   long kv_heads, long dim, float *keys, float *values, long capacity, long begin) {
    long all = heads + 2 * kv_heads;
#pragma omp parallel for if (n > MAX_ROWS)
    for (long i = 0; i < n; i++)
        for (long h = 0; h < all; h++) {
            float *head = mixed + (i * all + h) * dim;
            if (bias)
                for (long c = 0; c < dim; c++) head[c] += bias[h * dim + c];
            if (h < heads + kv_heads) turn(head, cos + i * dim, sin + i * dim, dim);
            if (h < heads) continue;
            float *to = h < heads + kv_heads ? keys : values;
            memcpy(to + ((h - heads) % kv_heads * capacity + begin + i) * dim, head, dim * sizeof(float));
        }
}

/* The sums of four vectors' lanes. */
INLINE __m128 sums4(const __m512 *v) {
    __m256 h[4];
    for (int j = 0; j < 4; j++) h[j] = _mm256_add_ps(_mm512_castps512_ps256(v[j]), _mm512_extractf32x8_ps(v[j], 1));
    __m256 all = _mm256_hadd_ps(_mm256_hadd_ps(h[0], h[1]), _mm256_hadd_ps(h[2], h[3]));
    return _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
}

/* Each lane becomes the largest, or the sum, of the lanes of its head: every fourth. */
INLINE __m512 largest_of_head(__m512 v) {
    v = _mm512_max_ps(v, _mm512_shuffle_f32x4(v, v, 0x4e));
    return _mm512_max_ps(v, _mm512_shuffle_f32x4(v, v, 0xb1));
}

INLINE __m512 sum_of_head(__m512 v) {
    v = _mm512_add_ps(v, _mm512_shuffle_f32x4(v, v, 0x4e));
    return _mm512_add_ps(v, _mm512_shuffle_f32x4(v, v, 0xb1));
}

/* Four query heads of one key head over `length` positions. `scores` [length and up to 3 more, 4]. */
static void attend(const float *const *queries, const float *keys, const float *values, long length, long dim,
                   float *scores, float *const *outs) {
    const __m128 scale = _mm_set1_ps(1.0f / sqrtf((float)dim));
    for (long p = 0; p < length; p++) {
        __m512 sum[TOGETHER] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
        for (long c = 0; c < dim; c += LANES) {
            __m512 key = _mm512_loadu_ps(keys + p * dim + c);
            for (int h = 0; h < TOGETHER; h++) sum[h] = _mm512_fmadd_ps(_mm512_loadu_ps(queries[h] + c), key, sum[h]);
        }
        _mm_storeu_ps(scores + p * TOGETHER, _mm_mul_ps(sums4(sum), scale));
    }
    long end = (length * TOGETHER + LANES - 1) / LANES * LANES;
    for (long s = length * TOGETHER; s < end; s++) scores[s] = -INFINITY;
    __m512 most = _mm512_set1_ps(-INFINITY), total = _mm512_setzero_ps();
    for (long s = 0; s < end; s += LANES) most = _mm512_max_ps(most, _mm512_loadu_ps(scores + s));
    most = largest_of_head(most);
    for (long s = 0; s < end; s += LANES) {
        __m512 score = _mm512_loadu_ps(scores + s);
        __mmask16 real = _mm512_cmp_ps_mask(score, _mm512_set1_ps(-INFINITY), _CMP_NEQ_UQ);
        __m512 share = _mm512_maskz_mov_ps(real, exp512(_mm512_sub_ps(score, most)));
        total = _mm512_add_ps(total, share);
        _mm512_storeu_ps(scores + s, share);
    }
    float totals[LANES];
    _mm512_storeu_ps(totals, sum_of_head(total));
    for (long c = 0; c < dim; c += 2 * LANES) {
        __m512 low[TOGETHER], high[TOGETHER];
        for (int h = 0; h < TOGETHER; h++) low[h] = high[h] = _mm512_setzero_ps();
        for (long p = 0; p < length; p++) {
            __m512 first = _mm512_loadu_ps(values + p * dim + c), second = _mm512_loadu_ps(values + p * dim + c + LANES);
            for (int h = 0; h < TOGETHER; h++) {
                __m512 share = _mm512_set1_ps(scores[p * TOGETHER + h]);
                low[h] = _mm512_fmadd_ps(share, first, low[h]);
                high[h] = _mm512_fmadd_ps(share, second, high[h]);
            }
        }
        for (int h = 0; h < TOGETHER; h++) {
            __m512 each = _mm512_set1_ps(1.0f / totals[h]);
            _mm512_storeu_ps(outs[h] + c, _mm512_mul_ps(low[h], each));
            _mm512_storeu_ps(outs[h] + c + LANES, _mm512_mul_ps(high[h], each));
        }
    }
}

typedef struct {
    const float *mixed, *keys, *values;
    long heads, kv_heads, dim, capacity, begin, parts;
    float *scores, *out;
    long room; /* of scores, for a piece */
} Job;

/* One piece: up to four query heads of a key head, of one row. */
static void some_heads(void *of, long piece) {
    const Job *j = of;
    long part = piece % j->parts, kv = piece / j->parts % j->kv_heads, i = piece / (j->parts * j->kv_heads);
    long group = j->heads / j->kv_heads, all = j->heads + 2 * j->kv_heads;
    const float *queries[TOGETHER];
    float *outs[TOGETHER];
    for (long n = 0; n < TOGETHER; n++) {
        long last = group - 1, h = part * TOGETHER + n; /* too many: the last one again, to the same place */
        h = kv * group + (h < last ? h : last);
        queries[n] = j->mixed + (i * all + h) * j->dim;
        outs[n] = j->out + (i * j->heads + h) * j->dim;
    }
    long offset = kv * j->capacity * j->dim;
    attend(queries, j->keys + offset, j->values + offset, j->begin + i + 1, j->dim, j->scores + piece * j->room, outs);
}

/* Attention of the queries in `mixed` that were placed, each over the positions up to its own.
 * `out` [n, heads, dim]. Returns 0, or 1 where memory is short. */
int midfill_attend(const float *mixed, long n, long heads, long kv_heads, long dim, const float *keys,
                   const float *values, long capacity, long begin, float *out) {
    long parts = (heads / kv_heads + TOGETHER - 1) / TOGETHER, pieces = n * kv_heads * parts;
    long room = (begin + n + TOGETHER) * TOGETHER;
    float *scores = malloc(pieces * room * sizeof(float));
    if (!scores) return 1;
    Job job = {mixed, keys, values, heads, kv_heads, dim, capacity, begin, parts, scores, out, room};
    midfill_share(some_heads, &job, pieces, omp_get_max_threads());
    free(scores);
    return 0;
}
