/* All layers of a model over the rows of one decoding step, in one call: between a hundred products of 50 us,
 * Python's share of the time would be a tenth. */

#include <stdint.h>
#include <stdlib.h>

#include "functions.h"

/* As `Library.linear` takes it. */
typedef struct {
    int64_t bits;
    const uint8_t *numbers;
    const uint16_t *scales;
    int64_t rows, k;
} Linear;

/* `bias` may be NULL; `before` and `between` are the norms' weights. */
typedef struct {
    Linear qkv, o, gate_up, down;
    const float *bias, *before, *between;
} Layer;

/* Rows of one stream of tokens, one after another, behind the `begin` positions that it has. */
typedef struct {
    int64_t rows, begin;
} Span;

/* Where a layer keeps a stream's keys and values: see `midfill_place`. */
typedef struct {
    float *keys, *values;
    int64_t capacity;
} Kept;

/* What is the same for all layers. */
typedef struct {
    long n, heads, kv_heads, dim, streams;
    float epsilon;
    const float *cos, *sin;
    const Span *spans;
} Pass;

static int multiply(const Linear *w, const float *x, long n, const float *norm, float epsilon, int gated, float *y,
                    int add) {
    return midfill_linear((int)w->bits, w->numbers, w->scales, w->rows, w->k, x, n, norm, epsilon, gated, y, add);
}

/* Each stream's rows attend to its own positions; `kept` is where this layer has them. */
static int attend(const Pass *p, const Layer *l, const Kept *kept, float *mixed, float *seen) {
    long all = (p->heads + 2 * p->kv_heads) * p->dim, at = 0;
    for (long s = 0; s < p->streams; at += p->spans[s++].rows) {
        float *own = mixed + at * all;
        long rows = p->spans[s].rows, begin = p->spans[s].begin, capacity = kept[s].capacity;
        midfill_place(own, l->bias, p->cos + at * p->dim, p->sin + at * p->dim, rows, p->heads, p->kv_heads, p->dim,
                      kept[s].keys, kept[s].values, capacity, begin);
        if (midfill_attend(own, rows, p->heads, p->kv_heads, p->dim, kept[s].keys, kept[s].values, capacity, begin,
                           seen + at * p->heads * p->dim))
            return 1;
    }
    return 0;
}

static int one_layer(const Pass *p, const Layer *l, const Kept *kept, float *rows, float *mixed, float *seen,
                     float *wide) {
    return multiply(&l->qkv, rows, p->n, l->before, p->epsilon, 0, mixed, 0) || attend(p, l, kept, mixed, seen) ||
           multiply(&l->o, seen, p->n, NULL, 0, 0, rows, 1) ||
           multiply(&l->gate_up, rows, p->n, l->between, p->epsilon, 1, wide, 0) ||
           multiply(&l->down, wide, p->n, NULL, 0, 0, rows, 1);
}

/* `rows` [n, hidden], in place, through `count` layers: those of the first of `spans` [streams] first.
 * `kept` [count, streams]. Returns 0, or 1 where memory is short. */
int midfill_layers(const Layer *layers, long count, float *rows, long n, long heads, long kv_heads, long dim,
                   float epsilon, const float *cos, const float *sin, const Span *spans, long streams,
                   const Kept *kept) {
    if (count < 1) return 0;
    Pass pass = {n, heads, kv_heads, dim, streams, epsilon, cos, sin, spans};
    size_t mixed = (size_t)n * layers->qkv.rows, seen = (size_t)n * heads * dim;
    size_t wide = (size_t)n * layers->down.k;
    float *room = malloc((mixed + seen + wide) * sizeof(float));
    int failed = room == NULL;
    for (long i = 0; i < count && !failed; i++)
        failed = one_layer(&pass, layers + i, kept + i * streams, rows, room, room + mixed, room + mixed + seen);
    free(room);
    return failed;
}
