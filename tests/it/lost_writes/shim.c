/* Notes what a process writes to the files of one folder, and what it has synced, so that a test
 * can say afterwards what a loss of power would have left of them.
 *
 * LOST_FOLDER: the folder; of its files those are left out that are memory shared by processes
 * (-shm). LOST_LOG: where it notes, in a folder elsewhere. LOST_LIES: a file; as long as it is there,
 * a sync of a file does nothing and succeeds, and nothing of it is noted. LOST_LIES_OF: how the
 * names of those files end; without it, all of them.
 *
 * What must stay true: a write is noted before it is done, and a sync after it was done, so that a
 * process that is killed in between has not synced more than was noted. All calls take turns, so
 * that the order of the notes is that of the calls. Each note is a head of four numbers of 64 bits
 * (kind, inode, place, length of what follows), and what follows. */
#include "../shims/calls.h"
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

static struct { char is_open; ino_t inode; char name[NAME_MAX + 1]; } watched[FILES];
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static struct stat folder;
static int notes = -1;

static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);

static void begin(void) {
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_rename = dlsym(RTLD_NEXT, "rename");
    const char *path = getenv("LOST_FOLDER"), *log = getenv("LOST_LOG");
    if (!path || !log || stat(path, &folder) != 0) return;
    notes = real_open(log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
}

static void note(char kind, ino_t inode, off_t place, const void *more, size_t length) {
    uint64_t head[4] = {(uint64_t)kind, inode, (uint64_t)place, length};
    struct iovec parts[2] = {{head, sizeof head}, {(void *)more, length}};
    if (writev(notes, parts, 2) != (ssize_t)(sizeof head + length)) abort();
}

/* The name of a file of the folder; none of any other. */
static const char *name_of(const char *path) {
    char parent[PATH_MAX];
    const char *name = strrchr(path, '/');
    if (notes < 0 || strlen(path) >= sizeof parent) return NULL;
    strcpy(parent, name ? path : ".");
    if (name) parent[name == path ? 1 : name - path] = 0;
    name = name ? name + 1 : path;
    struct stat about;
    size_t length = strlen(name);
    if (length > 4 && strcmp(name + length - 4, "-shm") == 0) return NULL;
    if (length > NAME_MAX || stat(parent, &about) != 0) return NULL;
    return about.st_dev == folder.st_dev && about.st_ino == folder.st_ino ? name : NULL;
}

static int opened(const char *path, int flags, mode_t mode) {
    const char *name = name_of(path);
    if (!name) return real_open(path, flags, mode);
    pthread_mutex_lock(&turn);
    struct stat about;
    int was_there = stat(path, &about) == 0;
    int fd = real_open(path, flags, mode);
    int error = errno;
    if (fd >= 0 && fd < FILES && fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        watched[fd].is_open = 1;
        watched[fd].inode = about.st_ino;
        strcpy(watched[fd].name, name);
        if (!was_there) note('n', about.st_ino, 0, name, strlen(name));
        else if (flags & O_TRUNC) note('t', about.st_ino, 0, NULL, 0);
    }
    pthread_mutex_unlock(&turn);
    errno = error;
    return fd;
}

static int is_watched(int fd) { return fd >= 0 && fd < FILES && watched[fd].is_open; }

static ssize_t written(int fd, const void *from, size_t count, off_t place) {
    if (!is_watched(fd)) return really_written(fd, from, count, place);
    pthread_mutex_lock(&turn);
    struct stat about;
    off_t at = place;
    if (at < 0) at = lseek(fd, 0, SEEK_CUR);
    if (place < 0 && (fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &about) == 0) at = about.st_size;
    note('w', watched[fd].inode, at, from, count);
    ssize_t done = really_written(fd, from, count, place);
    int error = errno;
    /* It is not as it was noted, and the test cannot go on. */
    if (done != (ssize_t)count) note('f', watched[fd].inode, at, NULL, 0);
    pthread_mutex_unlock(&turn);
    errno = error;
    return done;
}

static int shortened(int fd, off_t length) {
    if (!is_watched(fd)) return real_ftruncate(fd, length);
    pthread_mutex_lock(&turn);
    note('t', watched[fd].inode, length, NULL, 0);
    int done = real_ftruncate(fd, length), error = errno;
    if (done != 0) note('f', watched[fd].inode, length, NULL, 0);
    pthread_mutex_unlock(&turn);
    errno = error;
    return done;
}

static int lies(int fd) {
    const char *while_there = getenv("LOST_LIES"), *end = getenv("LOST_LIES_OF");
    if (!is_watched(fd) || !while_there || access(while_there, F_OK) != 0) return 0;
    size_t length = strlen(watched[fd].name), of = end ? strlen(end) : 0;
    return of <= length && strcmp(watched[fd].name + length - of, end ? end : "") == 0;
}

static int synced(int fd, int (*real)(int)) {
    struct stat about;
    int is_folder = notes >= 0 && !is_watched(fd) && fstat(fd, &about) == 0
        && about.st_dev == folder.st_dev && about.st_ino == folder.st_ino;
    if (!is_folder && !is_watched(fd)) return real(fd);
    pthread_mutex_lock(&turn);
    int done = 0, error = errno;
    if (!lies(fd)) {
        done = real(fd);
        error = errno;
        if (done == 0) note(is_folder ? 'd' : 's', is_folder ? 0 : watched[fd].inode, 0, NULL, 0);
    }
    pthread_mutex_unlock(&turn);
    errno = error;
    return done;
}

int unlink(const char *path) {
    const char *name = name_of(path);
    if (!name) return real_unlink(path);
    pthread_mutex_lock(&turn);
    int done = real_unlink(path), error = errno;
    if (done == 0) note('u', 0, 0, name, strlen(name));
    pthread_mutex_unlock(&turn);
    errno = error;
    return done;
}

int rename(const char *from, const char *to) {
    const char *old = name_of(from), *new = name_of(to);
    if (!old || !new) return real_rename(from, to);
    char names[2 * NAME_MAX + 2];
    int length = snprintf(names, sizeof names, "%s/%s", old, new);
    pthread_mutex_lock(&turn);
    int done = real_rename(from, to), error = errno;
    if (done == 0) note('r', 0, 0, names, (size_t)length);
    pthread_mutex_unlock(&turn);
    errno = error;
    return done;
}

static void closing(int fd) {
    if (fd >= 0 && fd < FILES) watched[fd].is_open = 0;
}
