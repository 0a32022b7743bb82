/* What the parts of the library call of each other, and what Python calls. Each is told of where it is defined. */

#ifndef MIDFILL_FUNCTIONS_H
#define MIDFILL_FUNCTIONS_H

#include <stdint.h>

int midfill_linear(int bits, const uint8_t *numbers, const uint16_t *scales, long rows, long k, const float *x,
                   long n, const float *norm, float epsilon, int gated, float *y, int add);
void midfill_place(float *mixed, const float *bias, const float *cos, const float *sin, long n, long heads,
                   long kv_heads, long dim, float *keys, float *values, long capacity, long begin);
int midfill_attend(const float *mixed, long n, long heads, long kv_heads, long dim, const float *keys,
                   const float *values, long capacity, long begin, float *out);
int midfill_attend_block(const float *mixed, long n, long heads, long kv_heads, long dim, const float *keys,
                         const float *values, long capacity, long begin, float *out);

#endif
