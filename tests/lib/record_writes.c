/* Records, in one file, every write and every sync of files below a folder, in the order they were asked for.
 *
 * Preloaded into a database or the daemon: RECORD_ROOT is the folder, RECORD_FILE the file to append to. A write is
 * recorded before it is done, a sync before (B) and after (E): what was written before B is on the disk at E. Records of
 * several threads and processes keep their order, since each is one append. tests/lib/durable.py reads them.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#pragma pack(push, 1)
struct head {
    char magic[2];
    char kind; /* W write, T truncate, X extend, Z zeroes, B sync begins, E sync ended, R rename, U unlink */
    uint16_t path, second;
    uint64_t number, offset, size;
};
#pragma pack(pop)

static uint64_t syncs;

static int record_file(void) {
    static int fd = -2;
    if (fd == -2) {
        const char *name = getenv("RECORD_FILE");
        fd = name ? (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666) : -1;
    }
    return fd;
}

static int watched(const char *path) {
    const char *root = getenv("RECORD_ROOT");
    return root && strncmp(path, root, strlen(root)) == 0 && !strstr(path, " (deleted)");
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return watched(path);
}

static void record(char kind, const char *path, const char *second, uint64_t number, uint64_t offset,
                   const struct iovec *data, int pieces, uint64_t size) {
    int saved = errno;
    struct head head = {{'r', 'w'}, kind, (uint16_t)strlen(path), (uint16_t)(second ? strlen(second) : 0), number, offset, size};
    struct iovec parts[3 + 64];
    int count = 0;
    parts[count++] = (struct iovec){&head, sizeof head};
    parts[count++] = (struct iovec){(void *)path, head.path};
    if (second) parts[count++] = (struct iovec){(void *)second, head.second};
    for (int i = 0; i < pieces && count < 67; i++) parts[count++] = data[i];
    int fd = record_file();
    if (fd >= 0 && syscall(SYS_writev, fd, parts, count) < 0) _exit(99);
    errno = saved;
}

static void record_data(int fd, const struct iovec *data, int pieces, off64_t offset) {
    char path[PATH_MAX];
    if (!path_of(fd, path)) return;
    uint64_t size = 0;
    for (int i = 0; i < pieces; i++) size += data[i].iov_len;
    if (offset < 0) {
        struct stat st;
        int flags = fcntl(fd, F_GETFL);
        offset = (flags & O_APPEND) && fstat(fd, &st) == 0 ? st.st_size : lseek(fd, 0, SEEK_CUR);
    }
    record('W', path, NULL, 0, (uint64_t)offset, data, pieces, size);
}

#define NEXT(type, name, ...) \
    static type (*next)(__VA_ARGS__); \
    if (!next) next = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name);

ssize_t write(int fd, const void *data, size_t size) {
    NEXT(ssize_t, "write", int, const void *, size_t)
    if (fd > 2) record_data(fd, &(struct iovec){(void *)data, size}, 1, -1);
    return next(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *data, int pieces) {
    NEXT(ssize_t, "writev", int, const struct iovec *, int)
    record_data(fd, data, pieces, -1);
    return next(fd, data, pieces);
}

#define PWRITE(name) \
    ssize_t name(int fd, const void *data, size_t size, off64_t offset) { \
        NEXT(ssize_t, #name, int, const void *, size_t, off64_t) \
        record_data(fd, &(struct iovec){(void *)data, size}, 1, offset); \
        return next(fd, data, size, offset); \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define PWRITEV(name) \
    ssize_t name(int fd, const struct iovec *data, int pieces, off64_t offset) { \
        NEXT(ssize_t, #name, int, const struct iovec *, int, off64_t) \
        record_data(fd, data, pieces, offset); \
        return next(fd, data, pieces, offset); \
    }
PWRITEV(pwritev)
PWRITEV(pwritev64)

#define SYNC(name) \
    int name(int fd) { \
        NEXT(int, #name, int) \
        char path[PATH_MAX]; \
        int mine = path_of(fd, path); \
        uint64_t number = 0; \
        if (mine) { \
            number = (uint64_t)getpid() << 32 | __atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST); \
            record('B', path, NULL, number, 0, NULL, 0, 0); \
        } \
        int result = next(fd); \
        if (mine && result == 0) record('E', path, NULL, number, 0, NULL, 0, 0); \
        return result; \
    }
SYNC(fsync)
SYNC(fdatasync)

#define TRUNCATE(name) \
    int name(int fd, off64_t size) { \
        NEXT(int, #name, int, off64_t) \
        char path[PATH_MAX]; \
        if (path_of(fd, path)) record('T', path, NULL, 0, (uint64_t)size, NULL, 0, 0); \
        return next(fd, size); \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define ALLOCATE(name) \
    int name(int fd, off64_t offset, off64_t size) { \
        NEXT(int, #name, int, off64_t, off64_t) \
        char path[PATH_MAX]; \
        if (path_of(fd, path)) record('X', path, NULL, 0, (uint64_t)(offset + size), NULL, 0, 0); \
        return next(fd, offset, size); \
    }
ALLOCATE(posix_fallocate)
ALLOCATE(posix_fallocate64)

#define FALLOCATE(name) \
    int name(int fd, int mode, off64_t offset, off64_t size) { \
        NEXT(int, #name, int, int, off64_t, off64_t) \
        char path[PATH_MAX]; \
        if (path_of(fd, path)) { \
            if (mode & (FALLOC_FL_ZERO_RANGE | FALLOC_FL_PUNCH_HOLE)) \
                record('Z', path, NULL, (uint64_t)size, (uint64_t)offset, NULL, 0, 0); \
            if (!(mode & FALLOC_FL_KEEP_SIZE)) \
                record('X', path, NULL, 0, (uint64_t)(offset + size), NULL, 0, 0); \
        } \
        return next(fd, mode, offset, size); \
    }
FALLOCATE(fallocate)
FALLOCATE(fallocate64)

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        NEXT(int, #name, const char *, int, ...) \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = va_arg(more, mode_t); \
        va_end(more); \
        int fd = next(path, flags, mode); \
        char full[PATH_MAX]; \
        if (fd >= 0 && (flags & O_TRUNC) && path_of(fd, full)) record('T', full, NULL, 0, 0, NULL, 0, 0); \
        return fd; \
    }
OPEN(open)
OPEN(open64)

int rename(const char *from, const char *to) {
    NEXT(int, "rename", const char *, const char *)
    char first[PATH_MAX], second[PATH_MAX];
    int mine = realpath(from, first) && watched(first);
    int result = next(from, to);
    if (mine && result == 0 && realpath(to, second)) record('R', first, second, 0, 0, NULL, 0, 0);
    return result;
}

int unlink(const char *path) {
    NEXT(int, "unlink", const char *)
    char full[PATH_MAX];
    int mine = realpath(path, full) && watched(full);
    int result = next(path);
    if (mine && result == 0) record('U', full, NULL, 0, 0, NULL, 0, 0);
    return result;
}
