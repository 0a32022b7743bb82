/* Matrix products with quantised weights, for x86-64 with AVX-512 VNNI.
 *
 * Weights are unsigned bytes or nibbles whose zero lies at 128 or 8; activations are rounded to int8 with a
 * scale for each group of a row, as llama.cpp's Q8_0 does. Products are summed as integers within a group
 * (vpdpbusd: four products a lane) and as floats over the groups, in the same order whatever the number of
 * rows: a row's result does not depend on which rows are computed with it.
 *
 * Layout: 16 weight rows make a tile, one lane each. A tile's group holds vectors of 64 bytes, of each lane
 * four neighbouring columns; with nibbles, the low halves come four columns before the high ones.
 * `pack.py` writes it. A tile is multiplied by up to 8 rows at once: 16 of the 32 registers are accumulators.
 * All floats are float32 unless said otherwise; matrices are row-major and dense.
 */

#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"
#include "pool.h"
#include "vector.h"

#define GROUP4 32
#define GROUP8 64
#define AHEAD 2048 /* bytes: with 4 rows and more a tile takes 15-25 % less time (measured, cold weights) */

/* Activations as int8: [n, k], and for each group its scale and its sum. */
typedef struct {
    int8_t *bytes;
    float *scales;
    int32_t *sums;
    size_t room;
} Activations;

static __thread Activations kept;

/* Room for `n` rows of `k`; 0 where memory is short. */
static int make_room(long n, long k) {
    size_t groups = (size_t)n * (k / GROUP4), wanted = (size_t)n * k + groups * 8 + 64;
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

/* What becomes of an input before it is multiplied. */
typedef struct {
    const float *rows; /* [n, k], or with `gated` [n, 2 k]: gate, then up */
    const float *norm; /* RMSNorm's weight [k], or NULL */
    float epsilon;
    int gated; /* silu(gate) * up: SwiGLU, arXiv 2002.05202 */
} Input;

/* Row `i` of the input as it is multiplied, sixteen columns from `c` on. */
INLINE __m512 column(const Input *in, long i, long k, long c, __m512 factor) {
    if (in->gated) {
        const float *row = in->rows + i * 2 * k;
        __m512 gate = _mm512_loadu_ps(row + c), up = _mm512_loadu_ps(row + k + c);
        __m512 below = _mm512_add_ps(_mm512_set1_ps(1.0f), exp512(_mm512_sub_ps(_mm512_setzero_ps(), gate)));
        return _mm512_mul_ps(_mm512_div_ps(gate, below), up);
    }
    __m512 x = _mm512_loadu_ps(in->rows + i * k + c);
    return in->norm ? _mm512_mul_ps(_mm512_mul_ps(x, factor), _mm512_loadu_ps(in->norm + c)) : x;
}

static __m512 norm_factor(const Input *in, long i, long k) {
    if (!in->norm) return _mm512_set1_ps(1.0f);
    __m512 squares = _mm512_setzero_ps();
    for (long c = 0; c < k; c += LANES) {
        __m512 x = _mm512_loadu_ps(in->rows + i * k + c);
        squares = _mm512_fmadd_ps(x, x, squares);
    }
    return _mm512_set1_ps(1.0f / sqrtf(_mm512_reduce_add_ps(squares) / (float)k + in->epsilon));
}

/* Round row `i` to int8 by groups of `group` columns. */
INLINE void quantise_row(const Input *in, long i, long k, const int group, const Activations *to) {
    __m512 factor = norm_factor(in, i, k);
    long groups = k / group;
    for (long g = 0; g < groups; g++) {
        __m512 x[GROUP8 / LANES], most = _mm512_setzero_ps();
        for (int j = 0; j < group / LANES; j++) {
            x[j] = column(in, i, k, g * group + j * LANES, factor);
            most = _mm512_max_ps(most, _mm512_abs_ps(x[j]));
        }
        float scale = _mm512_reduce_max_ps(most) / 127.0f;
        __m512 inverse = _mm512_set1_ps(scale > 0 ? 1.0f / scale : 0.0f);
        __m512i sum = _mm512_setzero_si512();
        for (int j = 0; j < group / LANES; j++) {
            __m512i whole = _mm512_cvtps_epi32(_mm512_mul_ps(x[j], inverse));
            sum = _mm512_add_epi32(sum, whole);
            _mm_store_si128((__m128i *)(to->bytes + i * k + g * group + j * LANES), _mm512_cvtsepi32_epi8(whole));
        }
        to->scales[i * groups + g] = scale;
        to->sums[i * groups + g] = _mm512_reduce_add_epi32(sum);
    }
}

INLINE __m512i four(const int8_t *bytes) {
    int32_t word;
    memcpy(&word, bytes, 4);
    return _mm512_set1_epi32(word);
}

INLINE void put(float *out, __m512 value, int add) {
    _mm512_storeu_ps(out, add ? _mm512_add_ps(_mm512_loadu_ps(out), value) : value);
}

/* A weight: `numbers` as above, `scales` in bfloat16 [tiles, groups, 2, 16] (scale, zero) for nibbles, in
 * float16 [tiles, groups, 16] for bytes. */
typedef struct {
    const uint8_t *numbers;
    const uint16_t *scales;
    long rows, k;
} Weight;

INLINE __m512 from_bfloat16(const uint16_t *from) {
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

/* Tile `t` by rows [i, i + count): each nibble q stands for (q - 8) * scale + zero. */
INLINE void tile4(const Weight *w, long t, const Activations *a, long i, const int count, float *y, int add) {
    long groups = w->k / GROUP4;
    const uint8_t *numbers = w->numbers + t * groups * GROUP4 * LANES / 2;
    const uint16_t *scales = w->scales + t * groups * 2 * LANES;
    const __m512i low = _mm512_set1_epi8(15);
    __m512 sum[MAX_ROWS];
    for (int r = 0; r < count; r++) sum[r] = _mm512_setzero_ps();
    for (long g = 0; g < groups; g++, numbers += GROUP4 * LANES / 2, scales += 2 * LANES) {
        __m512i whole[MAX_ROWS];
        for (int r = 0; r < count; r++) whole[r] = _mm512_set1_epi32(-8 * a->sums[(i + r) * groups + g]);
        for (int j = 0; j < GROUP4 / 8; j++) {
            _mm_prefetch((const char *)numbers + j * 64 + AHEAD, _MM_HINT_T0);
            __m512i both = _mm512_loadu_si512(numbers + j * 64);
            __m512i first = _mm512_and_si512(both, low);
            __m512i second = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
            for (int r = 0; r < count; r++) {
                const int8_t *bytes = a->bytes + (i + r) * w->k + g * GROUP4 + j * 8;
                whole[r] = _mm512_dpbusd_epi32(whole[r], first, four(bytes));
                whole[r] = _mm512_dpbusd_epi32(whole[r], second, four(bytes + 4));
            }
        }
        __m512 scale = from_bfloat16(scales), zero = from_bfloat16(scales + LANES);
        for (int r = 0; r < count; r++) {
            float s = a->scales[(i + r) * groups + g];
            __m512 part = _mm512_mul_ps(_mm512_cvtepi32_ps(whole[r]), scale);
            part = _mm512_fmadd_ps(zero, _mm512_set1_ps((float)a->sums[(i + r) * groups + g]), part);
            sum[r] = _mm512_fmadd_ps(part, _mm512_set1_ps(s), sum[r]);
        }
    }
    for (int r = 0; r < count; r++) put(y + (i + r) * w->rows + t * LANES, sum[r], add);
}

/* Tile `t` by rows [i, i + count): each byte q stands for (q - 128) * scale. */
INLINE void tile8(const Weight *w, long t, const Activations *a, long i, const int count, float *y, int add) {
    long groups = w->k / GROUP8;
    const uint8_t *numbers = w->numbers + t * groups * GROUP8 * LANES;
    const uint16_t *scales = w->scales + t * groups * LANES;
    __m512 sum[MAX_ROWS];
    for (int r = 0; r < count; r++) sum[r] = _mm512_setzero_ps();
    for (long g = 0; g < groups; g++, numbers += GROUP8 * LANES, scales += LANES) {
        __m512i whole[MAX_ROWS];
        for (int r = 0; r < count; r++) whole[r] = _mm512_set1_epi32(-128 * a->sums[(i + r) * groups + g]);
        for (int j = 0; j < GROUP8 / 4; j++) {
            _mm_prefetch((const char *)numbers + j * 64 + AHEAD, _MM_HINT_T0);
            __m512i bytes = _mm512_loadu_si512(numbers + j * 64);
            for (int r = 0; r < count; r++)
                whole[r] =
                    _mm512_dpbusd_epi32(whole[r], bytes, four(a->bytes + (i + r) * w->k + g * GROUP8 + j * 4));
        }
        __m512 scale = _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)scales));
        for (int r = 0; r < count; r++) {
            __m512 s = _mm512_mul_ps(scale, _mm512_set1_ps(a->scales[(i + r) * groups + g]));
            sum[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(whole[r]), s, sum[r]);
        }
    }
    for (int r = 0; r < count; r++) put(y + (i + r) * w->rows + t * LANES, sum[r], add);
}

#define ROWS(TILE)                                                                                        \
    switch (n - i < MAX_ROWS ? n - i : MAX_ROWS) {                                                        \
    case 1: TILE(w, t, a, i, 1, y, add); break;                                                           \
    case 2: TILE(w, t, a, i, 2, y, add); break;                                                           \
    case 3: TILE(w, t, a, i, 3, y, add); break;                                                           \
    case 4: TILE(w, t, a, i, 4, y, add); break;                                                           \
    case 5: TILE(w, t, a, i, 5, y, add); break;                                                           \
    case 6: TILE(w, t, a, i, 6, y, add); break;                                                           \
    case 7: TILE(w, t, a, i, 7, y, add); break;                                                           \
    default: TILE(w, t, a, i, 8, y, add); break;                                                          \
    }

static void all_rows4(const Weight *w, long t, const Activations *a, long n, float *y, int add) {
    for (long i = 0; i < n; i += MAX_ROWS) ROWS(tile4)
}

static void all_rows8(const Weight *w, long t, const Activations *a, long n, float *y, int add) {
    for (long i = 0; i < n; i += MAX_ROWS) ROWS(tile8)
}

typedef struct {
    Weight weight;
    Activations activations;
    int bits;
    long n, chunk;
    float *y;
    int add;
} Job;

static void some_tiles(void *of, long piece) {
    const Job *job = of;
    const Weight *w = &job->weight;
    long end = (piece + 1) * job->chunk, tiles = w->rows / LANES;
    for (long t = piece * job->chunk; t < end && t < tiles; t++) {
        if (job->bits == 4) all_rows4(w, t, &job->activations, job->n, job->y, job->add);
        else all_rows8(w, t, &job->activations, job->n, job->y, job->add);
    }
}

/* y [n, rows] = input [n, k] times weight, or += with `add`. `bits`: 4 or 8. As many threads as OpenMP has; a
 * block runs on its, like what torch computes between two of them, few rows on the pool's.
 * `k` is a multiple of the group, `rows` of 16. Returns 0, or 1 where memory is short. */
int midfill_linear(int bits, const uint8_t *numbers, const uint16_t *scales, long rows, long k, const float *x,
                   long n, const float *norm, float epsilon, int gated, float *y, int add) {
    if (!make_room(n, k)) return 1;
    const Input in = {x, norm, epsilon, gated};
    long tiles = rows / LANES, chunk = tiles / 64 + 1, pieces = (tiles + chunk - 1) / chunk;
    Job job = {{numbers, scales, rows, k}, kept, bits, n, chunk, y, add};
    const Activations *a = &job.activations;
#pragma omp parallel for if (n > MAX_ROWS)
    for (long i = 0; i < n; i++) {
        if (bits == 4) quantise_row(&in, i, k, GROUP4, a);
        else quantise_row(&in, i, k, GROUP8, a);
    }
    if (n <= MAX_ROWS) {
        midfill_share(some_tiles, &job, pieces, omp_get_max_threads());
        return 0;
    }
#pragma omp parallel for schedule(dynamic, 1)
    for (long piece = 0; piece < pieces; piece++) some_tiles(&job, piece);
    return 0;
}
