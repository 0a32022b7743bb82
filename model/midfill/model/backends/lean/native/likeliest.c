/* The likeliest token of logits, without waking threads that would then be in the way of the next product. */

#include <math.h>
#include <omp.h>

#include "pool.h"
#include "vector.h"

typedef struct {
    const float *logits;
    long n;
    int *tokens;
    float *logprobs;
} Job;

/* Of one row: the first of the largest, and its log-probability; NaN where one of the logits is none. */
static void one_row(void *of, long row) {
    const Job *job = of;
    const float *x = job->logits + row * job->n;
    long whole = job->n / LANES * LANES;
    __m512 most = _mm512_set1_ps(-INFINITY), sum = _mm512_setzero_ps();
    __mmask16 odd = 0;
    for (long i = 0; i < whole; i += LANES) {
        __m512 v = _mm512_loadu_ps(x + i);
        most = _mm512_max_ps(most, v);
        odd |= _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
    }
    float largest = _mm512_reduce_max_ps(most), total;
    for (long i = whole; i < job->n; i++) {
        largest = x[i] > largest ? x[i] : largest;
        odd |= isnan(x[i]);
    }
    const __m512 base = _mm512_set1_ps(largest);
    for (long i = 0; i < whole; i += LANES) sum = _mm512_add_ps(sum, exp512(_mm512_sub_ps(_mm512_loadu_ps(x + i), base)));
    total = _mm512_reduce_add_ps(sum);
    for (long i = whole; i < job->n; i++) total += expf(x[i] - largest);
    long at = 0;
    while (at < job->n && x[at] != largest) at++;
    job->tokens[row] = at < job->n ? (int)at : 0;
    job->logprobs[row] = odd ? NAN : -logf(total);
}

/* `logits` [rows, n] to `tokens` and `logprobs` [rows]. */
void midfill_likeliest(const float *logits, long rows, long n, int *tokens, float *logprobs) {
    Job job = {logits, n, tokens, logprobs};
    midfill_share(one_row, &job, rows, omp_get_max_threads());
}
