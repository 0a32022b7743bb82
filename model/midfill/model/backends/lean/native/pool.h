/* Threads for work that takes microseconds, where the caller never waits for a thread that has not begun.
 *
 * A product over few rows takes 50 us, and a token a hundred of them. OpenMP's threads meet at the end of each,
 * so that one which another program keeps from its core holds up all: 200 ms a token were seen instead of 20.
 * Here whoever is awake takes the next piece, and the caller, which always is, waits for pieces alone.
 */

#ifndef MIDFILL_POOL_H
#define MIDFILL_POOL_H

typedef void (*Work)(void *job, long piece);

/* Do the pieces 0 to `pieces` - 1 of `job`, on at most `threads` threads, the caller's among them. */
void midfill_share(Work work, void *job, long pieces, int threads);

#endif
