#include "gateway/config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"

/** Opens what has bytes to read. Returns -1, with `*problem` set, when it cannot. */
static int open_file(const char *path, int flags, const char **problem)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

    if (fd == -1) {
        *problem = strerror(errno);
        return -1;
    }
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        (void)close(fd);
        *problem = strerror(EISDIR);
        return -1;
    }
    return fd;
}

const char *file_read(const char *path, size_t max, struct slice *out)
{
    const char *problem = NULL;
    int fd = open_file(path, 0, &problem);
    char *bytes;
    size_t n = 0;

    if (fd == -1)
        return problem;
    /* One byte more than is allowed shows that there is one; and one for the NUL. */
    bytes = mem_alloc(max + 2);
    while (n <= max) {
        ssize_t got = read(fd, bytes + n, max + 1 - n);

        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1)
            problem = strerror(errno);
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    (void)close(fd);
    if (n > max)
        problem = strerror(EFBIG);
    if (problem != NULL) {
        file_wipe(slice_of(bytes, n));
        return problem;
    }
    bytes[n] = '\0';
    *out = slice_of(bytes, n);
    return NULL;
}

void file_wipe(struct slice bytes)
{
    if (bytes.base != NULL)
        explicit_bzero((char *)bytes.base, bytes.len);
    mem_free((char *)bytes.base);
}

const char *file_check(const char *path)
{
    const char *problem = NULL;
    int fd = open_file(path, O_NONBLOCK, &problem);

    if (fd != -1)
        (void)close(fd);
    return problem;
}
