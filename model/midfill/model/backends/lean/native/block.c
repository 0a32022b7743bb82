/* Attention over the rows of a block, exact, in float32, a chunk of positions at a time: the running maximum
 * and sum of each row are corrected as chunks come (FlashAttention, arXiv 2205.14135, algorithm 1).
 *
 * Lanes are queries: heads that share a key head, of neighbouring rows, up to 48 at once. A key's or value's
 * number is read once for all of them, nothing is summed across lanes, and positions that no lane may see are
 * not computed.
 */

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"
#include "vector.h"

#define VECTORS 3  /* of queries: with them 24 of the 32 registers are sums */
#define TOGETHER 8 /* positions, or columns, whose sums are in registers */
#define CHUNK 64   /* positions: their values and shares stay in L1 */

typedef struct {
    const float *mixed, *keys, *values;
    long n, heads, kv_heads, dim, capacity, begin;
    float *out;
} Job;

/* What a piece keeps: numbers of a lane lie `width` apart. */
typedef struct {
    float *queries, *sums; /* [dim, width] */
    float *shares;         /* [CHUNK + TOGETHER, width] */
} Room;

static long room_size(long dim) { return (2 * dim + CHUNK + TOGETHER) * VECTORS * LANES; }

static Room in_room(float *numbers, long dim) {
    float *sums = numbers + dim * VECTORS * LANES;
    return (Room){numbers, sums, sums + dim * VECTORS * LANES};
}

/* Each lane's query times `count` keys, to `scores`. */
INLINE void score(const float *queries, const float *keys, long count, long dim, const int vectors, float *scores) {
    const long width = vectors * LANES;
    for (long p = 0; p < count; p += TOGETHER) {
        __m512 sum[TOGETHER][VECTORS];
        const float *key[TOGETHER];
        for (int r = 0; r < TOGETHER; r++) {
            key[r] = keys + (p + r < count ? p + r : count - 1) * dim;
            for (int v = 0; v < vectors; v++) sum[r][v] = _mm512_setzero_ps();
        }
        for (long c = 0; c < dim; c++) {
            __m512 query[VECTORS];
            for (int v = 0; v < vectors; v++) query[v] = _mm512_loadu_ps(queries + c * width + v * LANES);
            for (int r = 0; r < TOGETHER; r++) {
                __m512 number = _mm512_set1_ps(key[r][c]);
                for (int v = 0; v < vectors; v++) sum[r][v] = _mm512_fmadd_ps(number, query[v], sum[r][v]);
            }
        }
        for (int r = 0; r < TOGETHER; r++)
            for (int v = 0; v < vectors; v++) _mm512_storeu_ps(scores + (p + r) * width + v * LANES, sum[r][v]);
    }
}

/* `sums` times `shrink`, plus `count` values by their shares. */
INLINE void gather(const float *shares, const float *values, long count, long dim, const int vectors,
                   const __m512 *shrink, float *sums) {
    const long width = vectors * LANES;
    for (long c = 0; c < dim; c += TOGETHER) {
        __m512 sum[TOGETHER][VECTORS];
        for (int r = 0; r < TOGETHER; r++)
            for (int v = 0; v < vectors; v++)
                sum[r][v] = _mm512_mul_ps(_mm512_loadu_ps(sums + (c + r) * width + v * LANES), shrink[v]);
        for (long p = 0; p < count; p++) {
            __m512 share[VECTORS];
            for (int v = 0; v < vectors; v++) share[v] = _mm512_loadu_ps(shares + p * width + v * LANES);
            for (int r = 0; r < TOGETHER; r++) {
                __m512 number = _mm512_set1_ps(values[p * dim + c + r]);
                for (int v = 0; v < vectors; v++) sum[r][v] = _mm512_fmadd_ps(number, share[v], sum[r][v]);
            }
        }
        for (int r = 0; r < TOGETHER; r++)
            for (int v = 0; v < vectors; v++) _mm512_storeu_ps(sums + (c + r) * width + v * LANES, sum[r][v]);
    }
}

/* Lanes [first, first + count) of key head `kv`; lane l is head l % group of row l / group. */
INLINE void attend(const Job *j, long kv, long first, long count, const int vectors, const Room *room) {
    const long width = vectors * LANES, dim = j->dim, group = j->heads / j->kv_heads;
    const long all = j->heads + 2 * j->kv_heads;
    const float *keys = j->keys + kv * j->capacity * dim, *values = j->values + kv * j->capacity * dim;
    const float scale = 1.0f / sqrtf((float)dim);
    int32_t limits[VECTORS * LANES];
    memset(room->queries, 0, dim * width * sizeof(float));
    memset(room->sums, 0, dim * width * sizeof(float));
    for (long l = 0; l < width; l++) {
        long at = first + (l < count ? l : count - 1), row = at / group;
        limits[l] = (int32_t)(j->begin + row + 1);
        const float *query = j->mixed + (row * all + kv * group + at % group) * dim;
        for (long c = 0; c < dim; c++) room->queries[c * width + l] = query[c] * scale;
    }
    __m512 most[VECTORS], total[VECTORS], shrink[VECTORS];
    for (int v = 0; v < vectors; v++) most[v] = _mm512_set1_ps(-INFINITY), total[v] = _mm512_setzero_ps();
    for (long begin = 0, end = limits[width - 1]; begin < end; begin += CHUNK) {
        long chunk = end - begin < CHUNK ? end - begin : CHUNK;
        score(room->queries, keys + begin * dim, chunk, dim, vectors, room->shares);
        for (int v = 0; v < vectors; v++) {
            float *shares = room->shares + v * LANES;
            __m512i limit = _mm512_loadu_si512(limits + v * LANES);
            __m512 before = most[v];
            for (long p = 0; p < chunk; p++) {
                __mmask16 seen = _mm512_cmpgt_epi32_mask(limit, _mm512_set1_epi32((int32_t)(begin + p)));
                most[v] = _mm512_mask_max_ps(most[v], seen, most[v], _mm512_loadu_ps(shares + p * width));
            }
            shrink[v] = exp512(_mm512_sub_ps(before, most[v]));
            total[v] = _mm512_mul_ps(total[v], shrink[v]);
            for (long p = 0; p < chunk; p++) {
                __mmask16 seen = _mm512_cmpgt_epi32_mask(limit, _mm512_set1_epi32((int32_t)(begin + p)));
                __m512 score = _mm512_loadu_ps(shares + p * width);
                __m512 share = _mm512_maskz_mov_ps(seen, exp512(_mm512_sub_ps(score, most[v])));
                total[v] = _mm512_add_ps(total[v], share);
                _mm512_storeu_ps(shares + p * width, share);
            }
        }
        gather(room->shares, values + begin * dim, chunk, dim, vectors, shrink, room->sums);
    }
    float totals[VECTORS * LANES];
    for (int v = 0; v < vectors; v++) _mm512_storeu_ps(totals + v * LANES, total[v]);
    for (long l = 0; l < count; l++) {
        long row = (first + l) / group, head = kv * group + (first + l) % group;
        float *out = j->out + (row * j->heads + head) * dim;
        for (long c = 0; c < dim; c++) out[c] = room->sums[c * width + l] / totals[l];
    }
}

static void some_lanes(const Job *j, long piece, float *numbers) {
    const long most = VECTORS * LANES, lanes = j->n * (j->heads / j->kv_heads);
    long kv = piece % j->kv_heads, first = piece / j->kv_heads * most;
    long count = lanes - first < most ? lanes - first : most;
    const Room room = in_room(numbers, j->dim);
    switch ((count + LANES - 1) / LANES) {
    case 1: attend(j, kv, first, count, 1, &room); break;
    case 2: attend(j, kv, first, count, 2, &room); break;
    default: attend(j, kv, first, count, 3, &room); break;
    }
}

/* As `midfill_attend`, for the rows of a block, on OpenMP's threads. */
int midfill_attend_block(const float *mixed, long n, long heads, long kv_heads, long dim, const float *keys,
                         const float *values, long capacity, long begin, float *out) {
    long lanes = n * (heads / kv_heads), size = room_size(dim);
    long pieces = (lanes + VECTORS * LANES - 1) / (VECTORS * LANES) * kv_heads;
    float *room = aligned_alloc(64, omp_get_max_threads() * size * sizeof(float));
    if (!room) return 1;
    const Job job = {mixed, keys, values, n, heads, kv_heads, dim, capacity, begin, out};
#pragma omp parallel for schedule(dynamic, 1)
    for (long piece = pieces - 1; piece >= 0; piece--) some_lanes(&job, piece, room + omp_get_thread_num() * size);
    free(room);
    return 0;
}
