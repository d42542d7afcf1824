/* Lets fsync and fdatasync take FSYNC_US microseconds and do nothing else: preloaded before libc
   by the benchmarks, for ledgers in memory. */
#include <stdlib.h>
#include <time.h>

static int take_the_time(void) {
    static long sync_us = -1;
    if (sync_us < 0) {
        const char *text = getenv("FSYNC_US");
        sync_us = text ? atol(text) : 0;
    }
    if (sync_us > 0) {
        struct timespec left = {sync_us / 1000000, sync_us % 1000000 * 1000};
        while (nanosleep(&left, &left) != 0) {
        }
    }
    return 0;
}

int fsync(int file) { (void)file; return take_the_time(); }
int fdatasync(int file) { (void)file; return take_the_time(); }
