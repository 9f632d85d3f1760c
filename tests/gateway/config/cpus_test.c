#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "gateway/config/cpus.h"

static void a_quota_is_rounded_up(void **state)
{
    const struct {
        const char *line;
        unsigned cpus;
    } good[] = {{"100000 100000\n", 1}, {"150000 100000", 2}, {"50000 100000\n", 1},
                {"400000 100000", 4},   {"1 1", 1},           {"900000000 1000", 64}};
    const char *const bad[] = {"",         "max 100000\n", "max",       "100000",
                               "0 100000", "100000 0",     "-1 100000", "a b"};
    unsigned cpus = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(cpus_parse_max(slice_str(bad[i]), &cpus));
    assert_int_equal(cpus, 7);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(cpus_parse_max(slice_str(good[i].line), &cpus));
        assert_int_equal(cpus, good[i].cpus);
    }
}

static void the_cgroup_of_each_version_is_found(void **state)
{
    const struct slice both = SLICE("12:cpuset:/wrong\n4:cpuacct,cpu:/a\n0::/b/c\n");
    struct slice path;

    (void)state;
    assert_true(cpus_parse_cgroup(both, slice_str(""), &path));
    assert_slice(path, "/b/c");
    assert_true(cpus_parse_cgroup(both, slice_str("cpu"), &path));
    assert_slice(path, "/a");
    assert_false(cpus_parse_cgroup((struct slice)SLICE("0::/x"), slice_str("cpu"), &path));
    assert_false(cpus_parse_cgroup((struct slice)SLICE("4:cpu:/x"), slice_str(""), &path));
    assert_false(cpus_parse_cgroup((struct slice)SLICE("\n0:\n0::relative"), slice_str(""), &path));
    assert_slice(path, "/a");
}

/** A little /proc and /sys below a new folder. */
struct tree {
    char root[64];
};

static void tree_run(const struct tree *t, const char *command)
{
    char line[512];

    assert_true(snprintf(line, sizeof(line), "cd %s && %s", t->root, command) < (int)sizeof(line));
    assert_int_equal(system(line), 0); // NOLINT(cert-env33-c)
}

static struct tree tree_new(const char *cgroup)
{
    struct tree t = {"/tmp/stompgate-cpus-XXXXXX"};
    char path[128];
    FILE *file;

    assert_non_null(mkdtemp(t.root));
    tree_run(&t, "mkdir -p proc/self sys/fs/cgroup");
    (void)snprintf(path, sizeof(path), "%s/proc/self/cgroup", t.root);
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(cgroup, file);
    (void)fclose(file);
    return t;
}

static void tree_free(const struct tree *t)
{
    tree_run(t, "rm -r proc sys");
    assert_int_equal(rmdir(t->root), 0);
}

static void the_smallest_quota_up_to_the_root_counts(void **state)
{
    struct tree t = tree_new("0::/pod/container\n");

    (void)state;
    assert_int_equal(cpus_allowed_in(t.root, 8), 8);
    tree_run(&t, "mkdir -p sys/fs/cgroup/pod/container");
    tree_run(&t, "echo '600000 100000' > sys/fs/cgroup/pod/container/cpu.max");
    assert_int_equal(cpus_allowed_in(t.root, 8), 6);
    tree_run(&t, "echo '250000 100000' > sys/fs/cgroup/pod/cpu.max");
    assert_int_equal(cpus_allowed_in(t.root, 8), 3);
    tree_run(&t, "echo 'max 100000' > sys/fs/cgroup/pod/cpu.max");
    assert_int_equal(cpus_allowed_in(t.root, 8), 6);
    tree_run(&t, "echo '100000 100000' > sys/fs/cgroup/cpu.max");
    assert_int_equal(cpus_allowed_in(t.root, 8), 1);
    tree_free(&t);
}

static void version_one_has_its_quota_in_two_files(void **state)
{
    struct tree t = tree_new("3:cpu,cpuacct:/docker/host-path-not-mounted-here\n");

    (void)state;
    tree_run(&t, "mkdir -p sys/fs/cgroup/cpu");
    tree_run(&t, "cd sys/fs/cgroup/cpu && echo 200000 > cpu.cfs_quota_us");
    assert_int_equal(cpus_allowed_in(t.root, 8), 8);
    tree_run(&t, "cd sys/fs/cgroup/cpu && echo 100000 > cpu.cfs_period_us");
    assert_int_equal(cpus_allowed_in(t.root, 8), 2);
    tree_run(&t, "cd sys/fs/cgroup/cpu && echo -1 > cpu.cfs_quota_us");
    assert_int_equal(cpus_allowed_in(t.root, 8), 8);
    tree_free(&t);
}

static void the_number_stays_from_1_to_64(void **state)
{
    (void)state;
    assert_int_equal(cpus_allowed_in("/nonexistent", 0), 1);
    assert_int_equal(cpus_allowed_in("/nonexistent", 3), 3);
    assert_int_equal(cpus_allowed_in("/nonexistent", 500), 64);
    assert_in_range(cpus_allowed(), 1, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quota_is_rounded_up),
        cmocka_unit_test(the_cgroup_of_each_version_is_found),
        cmocka_unit_test(the_smallest_quota_up_to_the_root_counts),
        cmocka_unit_test(version_one_has_its_quota_in_two_files),
        cmocka_unit_test(the_number_stays_from_1_to_64),
    };

    return cmocka_run_group_tests_name("gateway/config/cpus", tests, NULL, NULL);
}
