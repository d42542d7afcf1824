/* Makes the n-th call of one kind on a ledger's files fail.
 *
 * FAULT_KIND: open, read, write or sync. FAULT_NTH: which call fails, from 1; those after it are
 * good again. FAULT_ERRNO: with what. FAULT_FROM: a file; calls are counted from when it is there.
 * FAULT_MARK: a file that is made when the call has failed. FAULT_WHILE, in place of FAULT_NTH: a
 * file; as long as it is there, every call of the kind fails. FAULT_BEYOND: of writes only those fail
 * that would make a file longer than this many bytes. */
#include "../shims/calls.h"
#include <stdatomic.h>

static atomic_char is_ledger[FILES];
static atomic_long seen;
static atomic_char has_begun;

static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);

static void begin(void) {
    real_read = dlsym(RTLD_NEXT, "read");
    real_pread = dlsym(RTLD_NEXT, "pread64");
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

ssize_t read(int fd, void *to, size_t count) {
    return watched(fd) && fails("read") ? -1 : real_read(fd, to, count);
}
ssize_t pread(int fd, void *to, size_t count, off_t at) {
    return watched(fd) && fails("read") ? -1 : real_pread(fd, to, count, at);
}
ssize_t pread64(int fd, void *to, size_t count, off_t at) {
    return watched(fd) && fails("read") ? -1 : real_pread(fd, to, count, at);
}

/* Whether a write is one of those that may fail. */
static int is_beyond(off_t place, size_t count) {
    const char *beyond = getenv("FAULT_BEYOND");
    return !beyond || place + (off_t)count > atol(beyond);
}

static ssize_t written(int fd, const void *from, size_t count, off_t place) {
    int may_fail = watched(fd) && is_beyond(place, count);
    return may_fail && fails("write") ? -1 : really_written(fd, from, count, place);
}
static int shortened(int fd, off_t length) {
    return watched(fd) && fails("write") ? -1 : real_ftruncate(fd, length);
}
static int synced(int fd, int (*real)(int)) {
    return watched(fd) && fails("sync") ? -1 : real(fd);
}
static void closing(int fd) {
    if (fd >= 0 && fd < FILES) is_ledger[fd] = 0;
}
