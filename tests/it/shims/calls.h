/* The calls on files that a shim stands in for. It is loaded before the C library (LD_PRELOAD), so
 * that the program and SQLite in it are those that are served.
 *
 * A shim includes this first, and defines what it makes of each kind of call; the C library's own
 * are `real_*` and `really_written`. What is written where the file is, and not at a place of its
 * own, has a place below zero. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* How many descriptors are looked at. */
#define FILES 4096

static int (*real_open)(const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_close)(int);

/* Called once, when the C library's own are known. */
static void begin(void);
static int opened(const char *path, int flags, mode_t mode);
static ssize_t written(int fd, const void *from, size_t count, off_t place);
static int shortened(int fd, off_t length);
static int synced(int fd, int (*real)(int));
static void closing(int fd);

__attribute__((constructor)) static void find(void) {
    real_open = dlsym(RTLD_NEXT, "open");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_close = dlsym(RTLD_NEXT, "close");
    begin();
}

static ssize_t really_written(int fd, const void *from, size_t count, off_t place) {
    return place < 0 ? real_write(fd, from, count) : real_pwrite(fd, from, count, place);
}

#define OPEN(name)                                         \
    int name(const char *path, int flags, ...) {           \
        va_list rest;                                      \
        va_start(rest, flags);                             \
        mode_t mode = va_arg(rest, mode_t);                \
        va_end(rest);                                      \
        return opened(path, flags, mode);                  \
    }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *from, size_t count) { return written(fd, from, count, -1); }
ssize_t pwrite(int fd, const void *from, size_t count, off_t at) {
    return written(fd, from, count, at);
}
ssize_t pwrite64(int fd, const void *from, size_t count, off_t at) {
    return written(fd, from, count, at);
}
int ftruncate(int fd, off_t length) { return shortened(fd, length); }
int ftruncate64(int fd, off_t length) { return shortened(fd, length); }
int fsync(int fd) { return synced(fd, real_fsync); }
int fdatasync(int fd) { return synced(fd, real_fdatasync); }
int close(int fd) {
    closing(fd);
    return real_close(fd);
}
