/* Matrix products with quantised weights, for x86-64 with AVX-512 VNNI.
 *
 * Weights are unsigned bytes or nibbles whose zero lies at 128 or 8; activations are int8 (`activations.h`).
 * Products are summed as integers within a group (vpdpbusd: four products a lane) and as floats over the
 * groups, in the same order whatever the number of rows: a row's result does not depend on which rows are
 * computed with it.
 *
 * Layout: 16 weight rows make a tile, one lane each. A tile's group holds vectors of 64 bytes, of each lane
 * four neighbouring columns; with nibbles, the low halves come four columns before the high ones.
 * `pack.py` writes it. A tile is multiplied by up to 8 rows at once: 16 of the 32 registers are accumulators.
 * All floats are float32 unless said otherwise; matrices are row-major and dense.
 */

#include <omp.h>
#include <string.h>

#include "activations.h"
#include "functions.h"
#include "pool.h"

#define AHEAD 2048 /* bytes: with 4 rows and more a tile takes 15-25 % less time (measured, cold weights) */
#define STRIP 64   /* rows by which a gate's tile is multiplied before its partner's: both stay in L1 */

/* A weight: `numbers` as above, `scales` in bfloat16 [tiles, groups, 2, 16] (scale, zero) for nibbles, in
 * float16 [tiles, groups, 16] for bytes. */
typedef struct {
    int bits;
    const uint8_t *numbers;
    const uint16_t *scales;
    long rows, k;
} Weight;

/* A tile's products: `count` rows of 16, `stride` floats apart; added to what is there with `add`. */
typedef struct {
    float *to;
    long stride;
    int add;
} Out;

INLINE void put(const Out *out, int r, __m512 value) {
    float *to = out->to + r * out->stride;
    _mm512_storeu_ps(to, out->add ? _mm512_add_ps(_mm512_loadu_ps(to), value) : value);
}

INLINE __m512i four(const int8_t *bytes) {
    int32_t word;
    memcpy(&word, bytes, 4);
    return _mm512_set1_epi32(word);
}

INLINE __m512 from_bfloat16(const uint16_t *from) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

/* Tile `t` by rows [i, i + count): each nibble q stands for (q - 8) * scale + zero. */
INLINE void tile4(const Weight *w, long t, const Activations *a, long i, const int count, const Out *out) {
    long groups = w->k / GROUP4;
    const int8_t *bytes = a->bytes + i * w->k;
    const float *by = a->scales + i * groups;
    const int32_t *sums = a->sums + i * groups;
    const uint8_t *numbers = w->numbers + t * groups * GROUP4 * LANES / 2;
    const uint16_t *scales = w->scales + t * groups * 2 * LANES;
    const __m512i low = _mm512_set1_epi8(15);
    __m512 sum[MAX_ROWS];
    for (int r = 0; r < count; r++) sum[r] = _mm512_setzero_ps();
    for (long g = 0; g < groups; g++, numbers += GROUP4 * LANES / 2, scales += 2 * LANES, by += count, sums += count) {
        __m512i whole[MAX_ROWS];
        for (int r = 0; r < count; r++) whole[r] = _mm512_set1_epi32(sums[r]);
        for (int j = 0; j < GROUP4 / 8; j++, bytes += 8 * count) {
            _mm_prefetch((const char *)numbers + j * 64 + AHEAD, _MM_HINT_T0);
            __m512i both = _mm512_loadu_si512(numbers + j * 64);
            __m512i first = _mm512_and_si512(both, low);
            __m512i second = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
            for (int r = 0; r < count; r++) {
                whole[r] = _mm512_dpbusd_epi32(whole[r], first, four(bytes + r * 4));
                whole[r] = _mm512_dpbusd_epi32(whole[r], second, four(bytes + (count + r) * 4));
            }
        }
        __m512 scale = from_bfloat16(scales);
        __m512 zero = _mm512_mul_ps(from_bfloat16(scales + LANES), _mm512_set1_ps(-1.0f / ZERO4));
        for (int r = 0; r < count; r++) {
            __m512 part = _mm512_mul_ps(_mm512_cvtepi32_ps(whole[r]), scale);
            part = _mm512_fmadd_ps(zero, _mm512_set1_ps((float)sums[r]), part);
            sum[r] = _mm512_fmadd_ps(part, _mm512_set1_ps(by[r]), sum[r]);
        }
    }
    for (int r = 0; r < count; r++) put(out, r, sum[r]);
}

/* Tile `t` by rows [i, i + count): each byte q stands for (q - 128) * scale. */
INLINE void tile8(const Weight *w, long t, const Activations *a, long i, const int count, const Out *out) {
    long groups = w->k / GROUP8;
    const int8_t *bytes = a->bytes + i * w->k;
    const float *by = a->scales + i * groups;
    const int32_t *sums = a->sums + i * groups;
    const uint8_t *numbers = w->numbers + t * groups * GROUP8 * LANES;
    const uint16_t *scales = w->scales + t * groups * LANES;
    __m512 sum[MAX_ROWS];
    for (int r = 0; r < count; r++) sum[r] = _mm512_setzero_ps();
    for (long g = 0; g < groups; g++, numbers += GROUP8 * LANES, scales += LANES, by += count, sums += count) {
        __m512i whole[MAX_ROWS];
        for (int r = 0; r < count; r++) whole[r] = _mm512_set1_epi32(sums[r]);
        for (int j = 0; j < GROUP8 / 4; j++, bytes += 4 * count) {
            _mm_prefetch((const char *)numbers + j * 64 + AHEAD, _MM_HINT_T0);
            __m512i four_columns = _mm512_loadu_si512(numbers + j * 64);
            for (int r = 0; r < count; r++)
                whole[r] = _mm512_dpbusd_epi32(whole[r], four_columns, four(bytes + r * 4));
        }
        __m512 scale = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)scales));
        for (int r = 0; r < count; r++) {
            __m512 s = _mm512_mul_ps(scale, _mm512_set1_ps(by[r]));
            sum[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole[r]), s, sum[r]);
        }
    }
    for (int r = 0; r < count; r++) put(out, r, sum[r]);
}

#define ROWS(TILE)                               \
    switch (count) {                             \
    case 1: TILE(w, t, a, i, 1, out); break;     \
    case 2: TILE(w, t, a, i, 2, out); break;     \
    case 3: TILE(w, t, a, i, 3, out); break;     \
    case 4: TILE(w, t, a, i, 4, out); break;     \
    case 5: TILE(w, t, a, i, 5, out); break;     \
    case 6: TILE(w, t, a, i, 6, out); break;     \
    case 7: TILE(w, t, a, i, 7, out); break;     \
    default: TILE(w, t, a, i, 8, out); break;    \
    }

static void rows4(const Weight *w, long t, const Activations *a, long i, long count, const Out *out) { ROWS(tile4) }

static void rows8(const Weight *w, long t, const Activations *a, long i, long count, const Out *out) { ROWS(tile8) }

typedef struct {
    Weight weight;
    Activations activations;
    long n, tiles, chunk; /* tiles: of the result */
    float *y;
    int gated, add;
} Job;

/* The part of tile `t` that is to be in the cache when rows [i, i + 8) of the tile before it are done: a block
 * multiplies faster than memory delivers, so that tiles are fetched while the one before is multiplied. */
INLINE void fetch_part(const Job *job, long t, long i) {
    long size = job->weight.k * LANES * job->weight.bits / 8, part = size / job->n * MAX_ROWS;
    const char *from = (const char *)job->weight.numbers + t * size + size / job->n * i;
    for (long at = 0; at < part; at += 64) _mm_prefetch(from + at, _MM_HINT_T1);
}

/* Tile `t` by rows [i, end), to `to`. */
static void tile(const Job *job, long t, long i, long end, float *to, long stride, int add) {
    for (; i < end; i += MAX_ROWS, to += MAX_ROWS * stride) {
        const Out out = {to, stride, add};
        long count = end - i < MAX_ROWS ? end - i : MAX_ROWS;
        if (job->n > MAX_ROWS) fetch_part(job, t + 1, i);
        if (job->weight.bits == 4) rows4(&job->weight, t, &job->activations, i, count, &out);
        else rows8(&job->weight, t, &job->activations, i, count, &out);
    }
}

/* Tile `t` of silu(gate) * up (SwiGLU, arXiv 2002.05202): the weight's upper half by its lower one. */
static void gated_tile(const Job *job, long t) {
    float gates[STRIP * LANES], ups[STRIP * LANES];
    const __m512 one = _mm512_set1_ps(1.0f);
    for (long i = 0; i < job->n; i += STRIP) {
        long end = i + STRIP < job->n ? i + STRIP : job->n;
        tile(job, t, i, end, gates, LANES, 0);
        tile(job, job->tiles + t, i, end, ups, LANES, 0);
        for (long r = 0; r < end - i; r++) {
            __m512 gate = _mm512_loadu_ps(gates + r * LANES), up = _mm512_loadu_ps(ups + r * LANES);
            __m512 below = _mm512_add_ps(one, exp512(_mm512_sub_ps(_mm512_setzero_ps(), gate)));
            const Out out = {job->y + ((i + r) * job->tiles + t) * LANES, 0, job->add};
            put(&out, 0, _mm512_mul_ps(_mm512_div_ps(gate, below), up));
        }
    }
}

static void some_tiles(void *of, long piece) {
    const Job *job = of;
    long end = (piece + 1) * job->chunk;
    for (long t = piece * job->chunk; t < end && t < job->tiles; t++) {
        if (job->gated) gated_tile(job, t);
        else tile(job, t, 0, job->n, job->y + t * LANES, job->tiles * LANES, job->add);
    }
}

/* y [n, rows] = x [n, k] times weight, x first normed where there is a `norm` (see `Input`); with `gated`
 * y [n, rows / 2] = silu(its left half) * its right half; with `add` added to what is there. `bits`: 4 or 8.
 * As many threads as OpenMP has; a block runs on its, like what torch computes between two of them, few rows
 * on the pool's. `k` is a multiple of the group, `rows` of 16, of 32 if `gated`. Returns 0, or 1 where memory
 * is short. */
int midfill_linear(int bits, const uint8_t *numbers, const uint16_t *scales, long rows, long k, const float *x,
                   long n, const float *norm, float epsilon, int gated, float *y, int add) {
    if (!make_room(n, k)) return 1;
    const Input in = {x, norm, epsilon};
    long tiles = rows / LANES / (gated ? 2 : 1), chunk = tiles / 64 + 1, pieces = (tiles + chunk - 1) / chunk;
    Job job = {{bits, numbers, scales, rows, k}, kept, n, tiles, chunk, y, gated, add};
    const Activations *a = &job.activations;
#pragma omp parallel for if (n > MAX_ROWS)
    for (long i = 0; i < n; i++) {
        if (bits == 4) quantise_row(&in, i, n, k, GROUP4, -ZERO4, a);
        else quantise_row(&in, i, n, k, GROUP8, -ZERO8, a);
    }
    if (n <= MAX_ROWS) {
        midfill_share(some_tiles, &job, pieces, omp_get_max_threads());
        return 0;
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (long piece = 0; piece < pieces; piece++) some_tiles(&job, piece);
    return 0;
}
