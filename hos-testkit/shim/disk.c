/* Between a program and its disk: put before the C library with LD_PRELOAD, by tests alone (`hos-testkit/tests/crash/shim.rs`).
 *
 * Whatever changes a file below HOS_DISK_ROOT passes here. With HOS_DISK_LOG it is written down, in the one order in which it
 * happened, whoever did it: `hos-testkit/tests/crash/record.rs` tells the format. With HOS_DISK_FAIL some of it fails.
 *
 *   HOS_DISK_ROOT   the directory that is watched, absolute and without symbolic links
 *   HOS_DISK_LOG    where it is written down; several processes append to one file
 *   HOS_DISK_TOLD   what is written to the file of this name is what the program has told its callers, and stands in the log as such
 *   HOS_DISK_KILL   n: the process is killed in place of its n-th sync
 *   HOS_DISK_SWALLOW suffix: syncs of files whose names end so are answered with a yes and not done (in the log they are absent);
 *                   `keys/`: those of the files in it; `/`: those of directories
 *   HOS_DISK_FAIL   first:many:errno:how: of this process's operations, counted from 1, these fail. how: f fails; s writes half, and
 *                   fails from the next one on; l lies, says yes and does nothing (writes, cuts, syncs; others are done)
 *   HOS_DISK_SEEN   a file to which each operation's number, name and path are written (with FAIL: those that failed)
 *
 * What the log has no word for (fallocate, a writable mapping, copy_file_range, …) is written down as such, and the reader of the
 * log refuses it: nothing passes unseen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS 4096

enum watch { STRANGE = 0, FILE_OF_ROOT, DIRECTORY_OF_ROOT, TOLD };

static struct {
    int watch;
    uint64_t inode;
    char path[256];
} fds[FDS];

static char root[PATH_MAX], told[PATH_MAX], swallow[64];
static size_t root_len;
static int log_fd = -1, seen_fd = -1;
static long kill_at, syncs;
static long fail_first, fail_many, fail_errno, operations;
static char fail_how;
static int half_written;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static int raw_open(const char *path, int flags) { return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600); }

/* Beyond the descriptors that a program counts on. */
static int high(int fd) {
    if (fd < 0) return fd;
    int other = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 900);
    syscall(SYS_close, fd);
    return other;
}

static void begin(void) {
    const char *word = getenv("HOS_DISK_ROOT");
    if (!word) return;
    snprintf(root, sizeof root, "%s", word);
    root_len = strlen(root);
    if ((word = getenv("HOS_DISK_TOLD"))) snprintf(told, sizeof told, "%s", word);
    if ((word = getenv("HOS_DISK_SWALLOW"))) snprintf(swallow, sizeof swallow, "%s", word);
    if ((word = getenv("HOS_DISK_KILL"))) kill_at = atol(word);
    if ((word = getenv("HOS_DISK_FAIL"))) sscanf(word, "%ld:%ld:%ld:%c", &fail_first, &fail_many, &fail_errno, &fail_how);
    if ((word = getenv("HOS_DISK_LOG"))) log_fd = high(raw_open(word, O_WRONLY | O_APPEND | O_CREAT));
    if ((word = getenv("HOS_DISK_SEEN"))) seen_fd = high(raw_open(word, O_WRONLY | O_APPEND | O_CREAT));
}

static void ready(void) { pthread_once(&once, begin); }

/* One at a time, in all processes that write this log. A killed one's lock goes with it. */
static void enter(void) {
    pthread_mutex_lock(&mutex);
    if (log_fd >= 0) syscall(SYS_flock, log_fd, LOCK_EX);
}

static void leave(void) {
    if (log_fd >= 0) syscall(SYS_flock, log_fd, LOCK_UN);
    pthread_mutex_unlock(&mutex);
}

static void put(const void *bytes, size_t len) {
    const char *at = bytes;
    while (len > 0) {
        long n = syscall(SYS_write, log_fd, at, len);
        if (n <= 0) abort();
        at += n;
        len -= (size_t)n;
    }
}

/* kind, process, inode, offset, two lengths, two strings of bytes; all numbers little-endian. */
static void note(char kind, uint64_t inode, uint64_t offset, const void *a, size_t a_len, const void *b, size_t b_len) {
    if (log_fd < 0) return;
    unsigned char head[29];
    uint32_t pid = (uint32_t)getpid(), lens[2] = {(uint32_t)a_len, (uint32_t)b_len};
    head[0] = (unsigned char)kind;
    memcpy(head + 1, &pid, 4);
    memcpy(head + 5, &inode, 8);
    memcpy(head + 13, &offset, 8);
    memcpy(head + 21, lens, 8);
    put(head, sizeof head);
    put(a, a_len);
    put(b, b_len);
}

static int below(const char *path) {
    return root_len && path && !strncmp(path, root, root_len) && (path[root_len] == '/' || path[root_len] == 0);
}

static const char *inside(const char *path) { return path[root_len] ? path + root_len + 1 : ""; }

static int watched(int fd) { return fd >= 0 && fd < FDS && fds[fd].watch && fds[fd].watch != TOLD; }

static int ends(const char *path, const char *with) {
    size_t a = strlen(path), b = strlen(with);
    return b && a >= b && !strcmp(path + a - b, with);
}

static int swallowed(const char *path) {
    size_t len = strlen(swallow);
    return len > 1 && swallow[len - 1] == '/' ? !strncmp(path, swallow, len) : ends(path, swallow);
}

/* Whether this operation fails. Called once for each, before anything of it is done. 1: fails, errno is set; 2: half; 3: a lie. */
static int failing(const char *name, const char *path) {
    if (!fail_how && seen_fd < 0) return 0;
    pthread_mutex_lock(&mutex);
    long n = ++operations;
    int fails = fail_how && n >= fail_first && n - fail_first < fail_many;
    int verdict = 0;
    int is_write = !strcmp(name, "write");
    if (fails && fail_how == 'f') verdict = 1;
    if (fails && fail_how == 'l' && (is_write || !strcmp(name, "sync") || !strcmp(name, "cut"))) verdict = 3;
    if (fails && fail_how == 's') verdict = half_written ? 1 : is_write ? 2 : 0;
    if (verdict == 2) half_written = 1;
    if (seen_fd >= 0 && (verdict || !fail_how)) {
        char line[400];
        int len = snprintf(line, sizeof line, "%ld %s %s\n", n, name, path);
        if (len > 0) syscall(SYS_write, seen_fd, line, (size_t)len);
    }
    pthread_mutex_unlock(&mutex);
    if (verdict == 1) errno = (int)fail_errno;
    return verdict;
}

static void learn(int fd, const char *path, int existed, int flags) {
    struct stat st;
    if (fd < 0 || fd >= FDS || syscall(SYS_fstat, fd, &st)) return;
    fds[fd].watch = S_ISDIR(st.st_mode) ? DIRECTORY_OF_ROOT : FILE_OF_ROOT;
    fds[fd].inode = st.st_ino;
    snprintf(fds[fd].path, sizeof fds[fd].path, "%s", inside(path));
    const char *at = inside(path);
    if (!existed && S_ISREG(st.st_mode)) note('C', st.st_ino, 0, at, strlen(at), "", 0);
    else note('O', st.st_ino, S_ISDIR(st.st_mode), at, strlen(at), "", 0);
    if ((flags & O_TRUNC) && existed) note('T', st.st_ino, 0, "", 0, "", 0);
}

static int open_watched(int (*go)(const char *, int, mode_t), const char *path, int flags, mode_t mode) {
    ready();
    if (told[0] && path && !strcmp(path, told)) {
        int fd = go(path, flags, mode);
        if (fd >= 0 && fd < FDS) fds[fd].watch = TOLD;
        return fd;
    }
    if (!below(path)) {
        int fd = go(path, flags, mode);
        if (fd >= 0 && fd < FDS) fds[fd].watch = STRANGE;
        return fd;
    }
    if (failing((flags & O_CREAT) ? "create" : "open", inside(path)) == 1) return -1;
    enter();
    struct stat st;
    int existed = syscall(SYS_newfstatat, AT_FDCWD, path, &st, 0) == 0;
    int fd = go(path, flags, mode);
    int saved = errno;
    if (fd >= 0) learn(fd, path, existed, flags);
    leave();
    errno = saved;
    return fd;
}

static int go_open(const char *path, int flags, mode_t mode) { return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode); }

#define MODE_OF(flags) ({ mode_t m = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list l; va_start(l, flags); m = (mode_t)va_arg(l, int); va_end(l); } m; })

int open(const char *path, int flags, ...) { return open_watched(go_open, path, flags, MODE_OF(flags)); }
int open64(const char *path, int flags, ...) { return open_watched(go_open, path, flags, MODE_OF(flags)); }
int openat(int dir, const char *path, int flags, ...) {
    mode_t mode = MODE_OF(flags);
    if (path[0] == '/') return open_watched(go_open, path, flags, mode);
    ready();
    int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    if (fd >= 0 && fd < FDS) fds[fd].watch = STRANGE;
    if (watched(dir) && (flags & (O_WRONLY | O_RDWR | O_CREAT))) note('?', 0, 0, "openat", 6, path, strlen(path));
    return fd;
}
int openat64(int dir, const char *path, int flags, ...) { return openat(dir, path, flags, MODE_OF(flags)); }

int close(int fd) {
    if (fd >= 0 && fd < FDS) fds[fd].watch = STRANGE;
    return (int)syscall(SYS_close, fd);
}

static int copied(int from, int to) {
    if (from >= 0 && from < FDS && to >= 0 && to < FDS) fds[to] = fds[from];
    return to;
}
int dup(int fd) { return copied(fd, (int)syscall(SYS_dup, fd)); }
int dup2(int fd, int to) { return fd == to ? to : copied(fd, (int)syscall(SYS_dup3, fd, to, 0)); }
int dup3(int fd, int to, int flags) { return copied(fd, (int)syscall(SYS_dup3, fd, to, flags)); }

static int control(int fd, int command, void *argument) {
    ready();
    /* Giving a lock back fails on no local disk, and SQLite does not look whether it did. */
    int back = (command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK) && ((struct flock *)argument)->l_type == F_UNLCK;
    int locks = command == F_SETLK || command == F_SETLKW || command == F_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW
                || command == F_OFD_GETLK;
    if (locks && !back && watched(fd) && failing("lock", fds[fd].path) == 1) return -1;
    int answer = (int)syscall(SYS_fcntl, fd, command, argument);
    if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && answer >= 0) copied(fd, answer);
    return answer;
}
#define ARGUMENT(last) ({ va_list l; va_start(l, last); void *a = va_arg(l, void *); va_end(l); a; })
int fcntl(int fd, int command, ...) { return control(fd, command, ARGUMENT(command)); }
int fcntl64(int fd, int command, ...) { return control(fd, command, ARGUMENT(command)); }
int flock(int fd, int how) {
    ready();
    if (watched(fd) && failing("lock", fds[fd].path) == 1) return -1;
    return (int)syscall(SYS_flock, fd, how);
}

static ssize_t write_watched(int fd, const void *bytes, size_t len, off_t at, int placed) {
    ready();
    if (fd >= 0 && fd < FDS && fds[fd].watch == TOLD) {
        enter();
        note('A', 0, 0, bytes, len, "", 0);
        ssize_t n = syscall(SYS_write, fd, bytes, len);
        leave();
        return n;
    }
    if (watched(fd)) {
        int verdict = failing("write", fds[fd].path);
        /* Half of it is written, which is no error; whoever writes the rest meets that. */
        if (verdict == 1) return -1;
        if (verdict == 3) {
            if (!placed) syscall(SYS_lseek, fd, (off_t)len, SEEK_CUR);
            return (ssize_t)len;
        }
        if (verdict == 2 && len > 1) len /= 2;
        if (log_fd >= 0) {
            enter();
            if (!placed) {
                at = (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
                if (syscall(SYS_fcntl, fd, F_GETFL) & O_APPEND) note('?', 0, 0, "append", 6, fds[fd].path, strlen(fds[fd].path));
            }
            /* The line and the write in one turn, for which the kill at a sync waits. */
            note('W', fds[fd].inode, (uint64_t)at, bytes, len, "", 0);
            ssize_t n = placed ? syscall(SYS_pwrite64, fd, bytes, len, at) : syscall(SYS_write, fd, bytes, len);
            if (n != (ssize_t)len) abort();
            leave();
            return n;
        }
    }
    return placed ? syscall(SYS_pwrite64, fd, bytes, len, at) : syscall(SYS_write, fd, bytes, len);
}
ssize_t write(int fd, const void *bytes, size_t len) { return write_watched(fd, bytes, len, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t len, off_t at) { return write_watched(fd, bytes, len, at, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t at) { return write_watched(fd, bytes, len, at, 1); }

static ssize_t read_watched(int fd, void *bytes, size_t len, off_t at, int placed) {
    ready();
    if (watched(fd) && failing("read", fds[fd].path) == 1) return -1;
    return placed ? syscall(SYS_pread64, fd, bytes, len, at) : syscall(SYS_read, fd, bytes, len);
}
ssize_t read(int fd, void *bytes, size_t len) { return read_watched(fd, bytes, len, 0, 0); }
ssize_t pread(int fd, void *bytes, size_t len, off_t at) { return read_watched(fd, bytes, len, at, 1); }
ssize_t pread64(int fd, void *bytes, size_t len, off64_t at) { return read_watched(fd, bytes, len, at, 1); }

static int sync_watched(int fd, long number) {
    ready();
    if (!watched(fd)) return (int)syscall(number, fd);
    int is_dir = fds[fd].watch == DIRECTORY_OF_ROOT;
    if (kill_at && __atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST) == kill_at) {
        /* Not while another thread is in the middle of a line of the record. */
        enter();
        kill(getpid(), SIGKILL);
    }
    if (is_dir ? !strcmp(swallow, "/") : swallowed(fds[fd].path)) return 0;
    int verdict = failing("sync", fds[fd].path);
    if (verdict == 1) return -1;
    if (verdict == 3) return 0;
    /* Others go on meanwhile: what is written between the two lines may be missing from what is durable after them. */
    uint64_t inode = fds[fd].inode;
    enter();
    note('S', inode, is_dir, fds[fd].path, strlen(fds[fd].path), "", 0);
    leave();
    int answer = (int)syscall(number, fd);
    if (answer == 0) {
        enter();
        note('E', inode, is_dir, "", 0, "", 0);
        leave();
    }
    return answer;
}
int fsync(int fd) { return sync_watched(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_watched(fd, SYS_fdatasync); }

static int cut(int fd, off_t len) {
    ready();
    if (!watched(fd)) return (int)syscall(SYS_ftruncate, fd, len);
    int verdict = failing("cut", fds[fd].path);
    if (verdict == 1) return -1;
    if (verdict == 3) return 0;
    enter();
    note('T', fds[fd].inode, (uint64_t)len, "", 0, "", 0);
    int answer = (int)syscall(SYS_ftruncate, fd, len);
    int saved = errno;
    leave();
    errno = saved;
    return answer;
}
int ftruncate(int fd, off_t len) { return cut(fd, len); }
int ftruncate64(int fd, off64_t len) { return cut(fd, len); }

/* Names. Written down when done: one that failed changed nothing. */
static int renamed(const char *from, const char *to, unsigned flags) {
    ready();
    if (below(from) && failing("rename", inside(from)) == 1) return -1;
    enter();
    int answer = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
    int saved = errno;
    if (!answer && (below(from) || below(to))) {
        if (below(from) && below(to)) note('R', 0, flags, inside(from), strlen(inside(from)), inside(to), strlen(inside(to)));
        else note('?', 0, 0, "rename", 6, to, strlen(to));
    }
    leave();
    errno = saved;
    return answer;
}
int rename(const char *from, const char *to) { return renamed(from, to, 0); }
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    if (from_dir != AT_FDCWD || to_dir != AT_FDCWD) return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    return renamed(from, to, flags);
}
int renameat(int from_dir, const char *from, int to_dir, const char *to) { return renameat2(from_dir, from, to_dir, to, 0); }

static int unlinked(const char *path, int flags) {
    ready();
    if (below(path) && failing("unlink", inside(path)) == 1) return -1;
    enter();
    int answer = (int)syscall(SYS_unlinkat, AT_FDCWD, path, flags);
    int saved = errno;
    if (!answer && below(path)) note('U', 0, 0, inside(path), strlen(inside(path)), "", 0);
    leave();
    errno = saved;
    return answer;
}
int unlink(const char *path) { return unlinked(path, 0); }
int unlinkat(int dir, const char *path, int flags) {
    if (dir != AT_FDCWD && path[0] != '/') return (int)syscall(SYS_unlinkat, dir, path, flags);
    return unlinked(path, flags);
}
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    ready();
    if (below(to) && failing("link", inside(to)) == 1) return -1;
    enter();
    int answer = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    int saved = errno;
    if (!answer && below(to)) note('L', 0, 0, inside(from), strlen(inside(from)), inside(to), strlen(inside(to)));
    leave();
    errno = saved;
    return answer;
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

/* What the log has no word for. */
#define STRANGE_TO(name, fd) \
    do { \
        ready(); \
        if (watched(fd)) { \
            enter(); \
            note('?', 0, 0, name, strlen(name), fds[fd].path, strlen(fds[fd].path)); \
            leave(); \
        } \
    } while (0)

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t from) {
    if ((flags & MAP_SHARED) && (prot & PROT_WRITE) && watched(fd) && !ends(fds[fd].path, "-shm")) STRANGE_TO("mmap", fd);
    return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, from);
}
void *mmap64(void *at, size_t len, int prot, int flags, int fd, off64_t from) { return mmap(at, len, prot, flags, fd, from); }
int fallocate(int fd, int mode, off_t at, off_t len) { STRANGE_TO("fallocate", fd); return (int)syscall(SYS_fallocate, fd, mode, at, len); }
int posix_fallocate(int fd, off_t at, off_t len) { STRANGE_TO("posix_fallocate", fd); return syscall(SYS_fallocate, fd, 0, at, len) ? errno : 0; }
ssize_t writev(int fd, const struct iovec *v, int n) { STRANGE_TO("writev", fd); return syscall(SYS_writev, fd, v, n); }
ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t len, unsigned flags) {
    STRANGE_TO("copy_file_range", to);
    return syscall(SYS_copy_file_range, from, a, to, b, len, flags);
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t len) { STRANGE_TO("sendfile", to); return syscall(SYS_sendfile, to, from, at, len); }
int sync_file_range(int fd, off64_t at, off64_t len, unsigned flags) { STRANGE_TO("sync_file_range", fd); return (int)syscall(SYS_sync_file_range, fd, at, len, flags); }
