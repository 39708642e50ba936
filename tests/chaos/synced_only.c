/* What a power cut leaves: beside every file under SYNCED_ROOT, a copy below SYNCED_SHADOW that holds only what was
   synced. Loaded with LD_PRELOAD; built by f03_power_cut.

   Writes are remembered and reach the copy when their file is synced by the process that wrote; a new file counts
   once its folder was synced too (until then it is called NAME.unlisted); a removed one is gone at once. Stricter than
   most file systems, which keep more. Changes through mmap are not seen: SQLite makes them to
   -shm files only, which it rebuilds. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 4096
struct change { off_t at; size_t size; int truncates; struct change *next; char data[]; };
struct file { char *path; struct change *first, *last; };
static struct file files[MOST];         /* by path, in the order first met; never given back */
static struct file *by_handle[MOST];
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP; /* our own calls come through here too */
#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int ours(const char *path) {
    const char *root = getenv("SYNCED_ROOT");
    return root && path && !strncmp(path, root, strlen(root));
}

static struct file *file_of(const char *path) {
    for (int i = 0; i < MOST; i++) {
        if (!files[i].path) files[i].path = strdup(path);
        if (!strcmp(files[i].path, path)) return &files[i];
    }
    abort();
}

static struct file *handled(int fd) { return fd >= 0 && fd < MOST ? by_handle[fd] : NULL; }

static void shadow_of(const char *path, char *out, size_t size) {
    snprintf(out, size, "%s%s", getenv("SYNCED_SHADOW"), path + strlen(getenv("SYNCED_ROOT")));
}

static int shadow_open(const char *path) {
    char name[4096], part[4096];
    shadow_of(path, name, sizeof name - 16);
    for (char *slash = name + 1; (slash = strchr(slash, '/')); slash++) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
        mkdir(part, 0700);
    }
    int fd = open(name, O_RDWR | O_CLOEXEC);
    return fd >= 0 ? fd : open(strcat(name, ".unlisted"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

static void remember(struct file *file, const void *data, size_t size, off_t at, int truncates) {
    struct change *c = malloc(sizeof *c + size);
    c->at = at; c->size = size; c->truncates = truncates; c->next = NULL;
    if (size) memcpy(c->data, data, size);
    if (file->last) file->last->next = c; else file->first = c;
    file->last = c;
}

static void forget(struct file *file) {
    for (struct change *c = file->first, *next; c; c = next) { next = c->next; free(c); }
    file->first = file->last = NULL;
}

static void apply(struct file *file) {
    int shadow = shadow_open(file->path);
    if (shadow < 0) abort();
    for (struct change *c = file->first, *next; c; c = next) {
        next = c->next;
        if (c->truncates) { if (ftruncate(shadow, c->at)) abort(); }
        else if (pwrite(shadow, c->data, c->size, c->at) != (ssize_t)c->size) abort();
        free(c);
    }
    file->first = file->last = NULL;
    close(shadow);
}

static void apply_folder(const char *folder) {
    char name[4000], unlisted[4096];
    for (int i = 0; i < MOST && files[i].path; i++) {
        if (strncmp(files[i].path, folder, strlen(folder)) || access(files[i].path, F_OK)) continue;
        shadow_of(files[i].path, name, sizeof name);
        snprintf(unlisted, sizeof unlisted, "%s.unlisted", name);
        rename(unlisted, name);
    }
}

static void opened(int fd, const char *path, int flags) {
    if (fd < 0 || fd >= MOST) return;
    pthread_mutex_lock(&lock);
    by_handle[fd] = ours(path) ? file_of(path) : NULL;
    if (by_handle[fd] && (flags & O_TRUNC)) remember(by_handle[fd], NULL, 0, 0, 1);
    pthread_mutex_unlock(&lock);
}

#define OPEN(name)                                                                    \
    int name(const char *path, int flags, ...) {                                      \
        REAL(name);                                                                   \
        va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more); \
        int fd = real(path, flags, mode);                                             \
        opened(fd, path, flags);                                                      \
        return fd;                                                                    \
    }
OPEN(open)
OPEN(open64)

#define PWRITE(name, offset)                                                          \
    ssize_t name(int fd, const void *data, size_t size, offset at) {                  \
        REAL(name);                                                                   \
        ssize_t done = real(fd, data, size, at);                                      \
        pthread_mutex_lock(&lock);                                                    \
        if (done > 0 && handled(fd)) remember(handled(fd), data, (size_t)done, at, 0);                        \
        pthread_mutex_unlock(&lock);                                                  \
        return done;                                                                  \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    struct file *known = handled(fd);
    off_t at = known ? lseek(fd, 0, SEEK_CUR) : 0;
    ssize_t done = real(fd, data, size);
    if (known && done > 0) {
        pthread_mutex_lock(&lock);
        remember(known, data, (size_t)done, at, 0);
        pthread_mutex_unlock(&lock);
    }
    return done;
}

#define TRUNCATE(name, offset)                                                        \
    int name(int fd, offset size) {                                                   \
        REAL(name);                                                                   \
        int code = real(fd, size);                                                    \
        pthread_mutex_lock(&lock);                                                    \
        if (!code && handled(fd)) remember(handled(fd), NULL, 0, size, 1);                                    \
        pthread_mutex_unlock(&lock);                                                  \
        return code;                                                                  \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

#define SYNC(name)                                                                    \
    int name(int fd) {                                                                \
        REAL(name);                                                                   \
        int code = real(fd);                                                          \
        struct stat what;                                                             \
        if (!code && handled(fd) && !fstat(fd, &what)) {                              \
            pthread_mutex_lock(&lock);                                                \
            if (S_ISDIR(what.st_mode)) apply_folder(handled(fd)->path); else apply(handled(fd)); \
            pthread_mutex_unlock(&lock);                                              \
        }                                                                             \
        return code;                                                                  \
    }
SYNC(fsync)
SYNC(fdatasync)

int close(int fd) {
    REAL(close);
    if (handled(fd)) by_handle[fd] = NULL; /* what was not synced stays so; another descriptor of the file may sync it */
    return real(fd);
}

/* Gone at once: were it only with the folder's sync, another process might have made the file anew by then. */
int unlink(const char *path) {
    REAL(unlink);
    int code = real(path);
    if (!code && ours(path)) {
        char name[4000], unlisted[4096];
        shadow_of(path, name, sizeof name);
        snprintf(unlisted, sizeof unlisted, "%s.unlisted", name);
        pthread_mutex_lock(&lock);
        forget(file_of(path));
        pthread_mutex_unlock(&lock);
        real(name);
        real(unlisted);
    }
    return code;
}
