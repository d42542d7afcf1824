/* Makes the n-th call of one kind on a ledger's files fail. It is loaded before the C library
 * (LD_PRELOAD), so that the program and SQLite in it are those that are served.
 *
 * FAULT_KIND: open, read, write or sync. FAULT_NTH: which call fails, from 1; those after it are
 * good again. FAULT_ERRNO: with what. FAULT_FROM: a file; calls are counted from when it is there.
 * FAULT_MARK: a file that is made when the call has failed. FAULT_WHILE, in place of FAULT_NTH: a
 * file; as long as it is there, every call of the kind fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define FILES 4096
static atomic_char is_ledger[FILES];
static atomic_long seen;
static atomic_char has_begun;

static int (*real_open)(const char *, int, ...);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_close)(int);

__attribute__((constructor)) static void find(void) {
    real_open = dlsym(RTLD_NEXT, "open");
    real_read = dlsym(RTLD_NEXT, "read");
    real_pread = dlsym(RTLD_NEXT, "pread64");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_close = dlsym(RTLD_NEXT, "close");
}

/* Whether this call is the one that fails. */
static int fails(const char *kind) {
    const char *wanted = getenv("FAULT_KIND"), *nth = getenv("FAULT_NTH");
    const char *from = getenv("FAULT_FROM"), *mark = getenv("FAULT_MARK");
    const char *number = getenv("FAULT_ERRNO"), *lasting = getenv("FAULT_WHILE");
    if (!wanted || !(nth || lasting) || strcmp(wanted, kind) != 0) return 0;
    if (lasting) {
        if (access(lasting, F_OK) != 0) return 0;
        errno = number ? atoi(number) : EIO;
        return 1;
    }
    if (!has_begun) {
        if (from && access(from, F_OK) != 0) return 0;
        has_begun = 1;
    }
    if (atomic_fetch_add(&seen, 1) + 1 != atol(nth)) return 0;
    if (mark) {
        int made = real_open(mark, O_CREAT | O_WRONLY, 0600);
        if (made >= 0) real_close(made);
    }
    errno = number ? atoi(number) : EIO;
    return 1;
}

static int watched(int fd) { return fd >= 0 && fd < FILES && is_ledger[fd]; }

static int opened(const char *path, int flags, mode_t mode) {
    int named = strstr(path, "ledger.db") != NULL && strstr(path, ".lock") == NULL;
    if (named && fails("open")) return -1;
    int fd = real_open(path, flags, mode);
    if (fd >= 0 && fd < FILES) is_ledger[fd] = named;
    return fd;
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

ssize_t read(int fd, void *to, size_t count) {
    return watched(fd) && fails("read") ? -1 : real_read(fd, to, count);
}
ssize_t pread(int fd, void *to, size_t count, off_t at) {
    return watched(fd) && fails("read") ? -1 : real_pread(fd, to, count, at);
}
ssize_t pread64(int fd, void *to, size_t count, off_t at) {
    return watched(fd) && fails("read") ? -1 : real_pread(fd, to, count, at);
}
ssize_t write(int fd, const void *from, size_t count) {
    return watched(fd) && fails("write") ? -1 : real_write(fd, from, count);
}
ssize_t pwrite(int fd, const void *from, size_t count, off_t at) {
    return watched(fd) && fails("write") ? -1 : real_pwrite(fd, from, count, at);
}
ssize_t pwrite64(int fd, const void *from, size_t count, off_t at) {
    return watched(fd) && fails("write") ? -1 : real_pwrite(fd, from, count, at);
}
int ftruncate(int fd, off_t length) {
    return watched(fd) && fails("write") ? -1 : real_ftruncate(fd, length);
}
int ftruncate64(int fd, off_t length) {
    return watched(fd) && fails("write") ? -1 : real_ftruncate(fd, length);
}
int fsync(int fd) { return watched(fd) && fails("sync") ? -1 : real_fsync(fd); }
int fdatasync(int fd) { return watched(fd) && fails("sync") ? -1 : real_fdatasync(fd); }
int close(int fd) {
    if (fd >= 0 && fd < FILES) is_ledger[fd] = 0;
    return real_close(fd);
}
