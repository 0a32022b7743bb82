/* See pool.h. */

#include "pool.h"

#include <immintrin.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

#define MOST 64                /* threads */
#define SPINS 4000             /* about 50 us: longer than between two products, shorter than between tokens */
#define BITS 20                /* of a count of pieces */
#define MASK ((1ull << BITS) - 1)

/* Which piece comes next: in one word a number of the job, how many pieces it has, and the next one. So
 * whoever adds one to it knows whether the piece is its own, even where the job has changed meanwhile. */
static _Atomic uint64_t ticket;
static _Atomic long done;
static _Atomic int sleeping;
static Work work_now;
static void *job_now;
static pthread_mutex_t in_use = PTHREAD_MUTEX_INITIALIZER, bed = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int started;

static int is_open(uint64_t t) { return (t & MASK) < (t >> BITS & MASK); }

/* Do a piece, if there is one. The job cannot change under it: it ends when all its pieces are done. */
static int take(void) {
    if (!is_open(atomic_load(&ticket))) return 0;
    uint64_t mine = atomic_fetch_add(&ticket, 1);
    if (!is_open(mine)) return 0;
    work_now(job_now, (long)(mine & MASK));
    atomic_fetch_add(&done, 1);
    return 1;
}

static void *helper(void *unused) {
    for (int idle = 0;;) {
        if (take()) {
            idle = 0;
        } else if (++idle < SPINS) {
            _mm_pause();
        } else {
            pthread_mutex_lock(&bed);
            atomic_fetch_add(&sleeping, 1);
            while (!is_open(atomic_load(&ticket))) pthread_cond_wait(&wake, &bed);
            atomic_fetch_sub(&sleeping, 1);
            pthread_mutex_unlock(&bed);
            idle = 0;
        }
    }
    return unused;
}

static void start(int threads) {
    for (; started < threads - 1 && started < MOST; started++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, helper, NULL)) return; /* then with those there are */
        pthread_detach(thread);
    }
}

void midfill_share(Work work, void *job, long pieces, int threads) {
    if (threads < 2 || pieces < 2 || pieces > (long)MASK - 2 * MOST || pthread_mutex_trylock(&in_use)) {
        for (long piece = 0; piece < pieces; piece++) work(job, piece);
        return;
    }
    start(threads);
    work_now = work;
    job_now = job;
    atomic_store(&done, 0);
    uint64_t number = (atomic_load(&ticket) >> 2 * BITS) + 1;
    atomic_store(&ticket, number << 2 * BITS | (uint64_t)pieces << BITS);
    if (atomic_load(&sleeping)) {
        pthread_mutex_lock(&bed);
        pthread_cond_broadcast(&wake);
        pthread_mutex_unlock(&bed);
    }
    while (take()) {}
    for (int waited = 0; atomic_load(&done) < pieces; waited++) {
        if (waited < SPINS) _mm_pause();
        else sched_yield(); /* whoever has a piece was kept from its core */
    }
    pthread_mutex_unlock(&in_use);
}
