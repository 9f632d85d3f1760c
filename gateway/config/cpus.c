#include "gateway/config/cpus.h"

#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "gateway/config/file.h"

enum { PROC_MAX_BYTES = 65536 };

static bool quota_to_cpus(struct slice quota, struct slice period, unsigned *out)
{
    uint64_t used, of, n;

    /* A microsecond count above this is no quota that a kernel gives. */
    if (!slice_to_u64(quota, UINT64_C(1) << 50, &used) ||
        !slice_to_u64(period, UINT64_C(1) << 50, &of) || used == 0 || of == 0)
        return false;
    n = (used + of - 1) / of;
    *out = n > CPUS_MAX ? CPUS_MAX : (unsigned)n;
    return true;
}

static struct slice first_line(struct slice text)
{
    return slice_trim(slice_take(text, slice_find(text, '\n')));
}

bool cpus_parse_max(struct slice line, unsigned *out)
{
    struct slice quota, period;

    return slice_cut(first_line(line), ' ', &quota, &period) && quota_to_cpus(quota, period, out);
}

static bool has_controller(struct slice controllers, struct slice wanted)
{
    while (controllers.len != 0) {
        size_t end = slice_find(controllers, ',');

        if (slice_eq(slice_take(controllers, end), wanted))
            return true;
        controllers = slice_skip(controllers, end + 1);
    }
    return false;
}

bool cpus_parse_cgroup(struct slice text, struct slice controller, struct slice *path)
{
    while (text.len != 0) {
        size_t end = slice_find(text, '\n');
        struct slice id, rest, controllers, found;
        bool is_it;

        if (slice_cut(slice_take(text, end), ':', &id, &rest) &&
            slice_cut(rest, ':', &controllers, &found)) {
            is_it = controller.len == 0
                        ? slice_eq(id, (struct slice)SLICE("0")) && controllers.len == 0
                        : has_controller(controllers, controller);
            if (is_it && found.len != 0 && found.base[0] == '/') {
                *path = found;
                return true;
            }
        }
        text = slice_skip(text, end + 1);
    }
    return false;
}

/** The first line of a small file, as a copy to be wiped; false when it cannot be read. */
static bool read_line(const char *mount, struct slice path, const char *name, struct slice *out)
{
    char *file = mem_printf("%s%.*s/%s", mount, SLICE_FMT(path), name);
    bool is_read = file_read(file, PROC_MAX_BYTES, out) == NULL;

    mem_free(file);
    return is_read;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned limit_v2(const char *mount, struct slice path, unsigned n)
{
    struct slice text;
    unsigned quota;

    if (!read_line(mount, path, "cpu.max", &text))
        return n;
    if (cpus_parse_max(text, &quota))
        n = least(n, quota);
    file_wipe(text);
    return n;
}

static unsigned limit_v1(const char *mount, struct slice path, unsigned n)
{
    struct slice quota, period;
    unsigned cpus;

    if (!read_line(mount, path, "cpu.cfs_quota_us", &quota))
        return n;
    if (read_line(mount, path, "cpu.cfs_period_us", &period)) {
        /* -1 is "no limit" and no number here. */
        if (quota_to_cpus(first_line(quota), first_line(period), &cpus))
            n = least(n, cpus);
        file_wipe(period);
    }
    file_wipe(quota);
    return n;
}

/**
 * The own cgroup and all above it. In a container the path may be the host's, while the mount shows
 * the container's part only: what does not exist is passed over, and the mount's root is looked at.
 */
static unsigned limit_upwards(unsigned (*limit)(const char *, struct slice, unsigned),
                              const char *mount, struct slice path, unsigned n)
{
    while (path.len != 0 && path.base[path.len - 1] == '/')
        path.len--;
    for (;;) {
        n = limit(mount, path, n);
        if (path.len == 0)
            return n;
        while (path.len != 0 && path.base[path.len - 1] != '/')
            path.len--;
        while (path.len != 0 && path.base[path.len - 1] == '/')
            path.len--;
    }
}

unsigned cpus_allowed_in(const char *root, unsigned n_affinity)
{
    char *proc = mem_printf("%s/proc/self/cgroup", root);
    char *v2 = mem_printf("%s/sys/fs/cgroup", root);
    char *v1 = mem_printf("%s/sys/fs/cgroup/cpu", root);
    unsigned n = n_affinity;
    struct slice text, path;

    if (file_read(proc, PROC_MAX_BYTES, &text) == NULL) {
        if (cpus_parse_cgroup(text, slice_str(NULL), &path))
            n = limit_upwards(limit_v2, v2, path, n);
        if (cpus_parse_cgroup(text, slice_str("cpu"), &path))
            n = limit_upwards(limit_v1, v1, path, n);
        file_wipe(text);
    }
    mem_free(proc);
    mem_free(v2);
    mem_free(v1);
    return n == 0 ? 1 : least(n, CPUS_MAX);
}

/** CPUs in the affinity mask; the call fails while the set is smaller than the kernel's. */
static unsigned count_affinity(void)
{
    for (size_t n_bits = 1024; n_bits <= (size_t)1 << 20; n_bits *= 2) {
        size_t size = CPU_ALLOC_SIZE(n_bits);
        cpu_set_t *set = mem_calloc(1, size);
        int n = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;

        mem_free(set);
        if (n > 0)
            return (unsigned)n;
    }
    return 1;
}

unsigned cpus_allowed(void)
{
    return cpus_allowed_in("", count_affinity());
}
