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

/* `bias` may be NULL; `before` and `between` are the norms' weights. `keys`, `values`: see `midfill_place`. */
typedef struct {
    Linear qkv, o, gate_up, down;
    const float *bias, *before, *between;
    float *keys, *values;
    int64_t capacity;
} Layer;

static int multiply(const Linear *w, const float *x, long n, const float *norm, float epsilon, int gated, float *y,
                    int add) {
    return midfill_linear((int)w->bits, w->numbers, w->scales, w->rows, w->k, x, n, norm, epsilon, gated, y, add);
}

static int one_layer(const Layer *l, float *rows, long n, long heads, long kv_heads, long dim, float epsilon,
                     const float *cos, const float *sin, long begin, float *mixed, float *seen, float *wide) {
    if (multiply(&l->qkv, rows, n, l->before, epsilon, 0, mixed, 0)) return 1;
    midfill_place(mixed, l->bias, cos, sin, n, heads, kv_heads, dim, l->keys, l->values, l->capacity, begin);
    return midfill_attend(mixed, n, heads, kv_heads, dim, l->keys, l->values, l->capacity, begin, seen) ||
           multiply(&l->o, seen, n, NULL, 0, 0, rows, 1) ||
           multiply(&l->gate_up, rows, n, l->between, epsilon, 1, wide, 0) ||
           multiply(&l->down, wide, n, NULL, 0, 0, rows, 1);
}

/* `rows` [n, hidden], in place, through `count` layers. Returns 0, or 1 where memory is short. */
int midfill_layers(const Layer *layers, long count, float *rows, long n, long heads, long kv_heads, long dim,
                   float epsilon, const float *cos, const float *sin, long begin) {
    if (count < 1) return 0;
    size_t mixed = (size_t)n * layers->qkv.rows, seen = (size_t)n * heads * dim;
    size_t wide = (size_t)n * layers->down.k;
    float *room = malloc((mixed + seen + wide) * sizeof(float));
    int failed = room == NULL;
    for (long i = 0; i < count && !failed; i++)
        failed = one_layer(layers + i, rows, n, heads, kv_heads, dim, epsilon, cos, sin, begin, room, room + mixed,
                           room + mixed + seen);
    free(room);
    return failed;
}
