#include "gateway/bench/process.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { SPARE_DESCRIPTORS = 64 };

int process_pin(const struct options *options, size_t turn)
{
    cpu_set_t set;
    uint64_t cpu = 0;

    if (options->cpus.n_items == 0)
        return 0;
    (void)slice_to_u64(slice_str(options->cpus.items[turn % options->cpus.n_items]),
                       CPU_SETSIZE - 1, &cpu);
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0) {
        fprintf(stderr, "load: cannot run on CPU %llu: %s\n", (unsigned long long)cpu,
                strerror(errno));
        return -1;
    }
    return 0;
}

int process_find_capacity(size_t *out)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > SPARE_DESCRIPTORS) {
            *out = limit.rlim_cur - SPARE_DESCRIPTORS;
            return 0;
        }
    }
    fprintf(stderr, "load: too few descriptors may be open\n");
    return -1;
}
