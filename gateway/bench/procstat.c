#include "gateway/bench/procstat.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int procstat_add_cpu(struct procstat *stat, pid_t pid)
{
    struct timespec used;
    clockid_t clock;
    int error = clock_getcpuclockid(pid, &clock);

    if (error == 0 && clock_gettime(clock, &used) != 0)
        error = errno;
    if (error != 0) {
        fprintf(stderr, "load: no CPU time of process %d: %s\n", (int)pid, strerror(error));
        return -1;
    }
    stat->cpu_ns += (uint64_t)used.tv_sec * 1000000000U + (uint64_t)used.tv_nsec;
    return 0;
}

/* A line is "Name:      123 kB". */
static bool find_kb(struct slice text, struct slice name, uint64_t *out_bytes)
{
    struct slice line, key, value, number, unit;
    uint64_t kb;

    while (slice_cut(text, '\n', &line, &text)) {
        if (!slice_cut(line, ':', &key, &value) || !slice_eq(key, name))
            continue;
        if (!slice_cut(slice_trim(value), ' ', &number, &unit) ||
            !slice_to_u64(number, UINT64_MAX / 1024, &kb))
            return false;
        *out_bytes = kb * 1024;
        return true;
    }
    return false;
}

bool procstat_parse_memory(struct procstat *stat, struct slice text)
{
    uint64_t rss, pss, anonymous;

    if (!find_kb(text, (struct slice)SLICE("Rss"), &rss) ||
        !find_kb(text, (struct slice)SLICE("Pss"), &pss) ||
        !find_kb(text, (struct slice)SLICE("Anonymous"), &anonymous))
        return false;
    stat->rss_bytes += rss;
    stat->pss_bytes += pss;
    stat->anonymous_bytes += anonymous;
    return true;
}

int procstat_add_memory(struct procstat *stat, pid_t pid)
{
    char path[64], text[4096];
    size_t len = 0;
    ssize_t n = 0;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd != -1) {
        while (len < sizeof(text) && (n = read(fd, text + len, sizeof(text) - len)) > 0)
            len += (size_t)n;
        (void)close(fd);
    }
    if (fd == -1 || n < 0 || !procstat_parse_memory(stat, slice_of(text, len))) {
        fprintf(stderr, "load: cannot read %s\n", path);
        return -1;
    }
    return 0;
}
