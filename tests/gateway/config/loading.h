#ifndef TESTS_GATEWAY_CONFIG_LOADING_H
#define TESTS_GATEWAY_CONFIG_LOADING_H

/* Loading from texts, and what errors look like when they are printed. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "gateway/config/load.h"

struct loaded {
    struct config *config;
    struct config_errors errors;
    char printed[32768]; /* the errors */
};

static inline struct loaded *load(const char *yaml, const char *const *envp,
                                  const char *const *overrides, size_t n_overrides)
{
    struct loaded *l = calloc(1, sizeof(*l));
    const struct config_source source = {
        .path = "f.yaml",
        .bytes = slice_str(yaml),
        .envp = envp,
        .overrides = overrides,
        .n_overrides = n_overrides,
    };
    FILE *out;

    assert_non_null(l);
    config_errors_init(&l->errors);
    l->config = config_load(&source, &l->errors);
    out = fmemopen(l->printed, sizeof(l->printed), "w");
    assert_non_null(out);
    config_errors_print(&l->errors, out);
    (void)fclose(out);
    return l;
}

static inline void unload(struct loaded *l)
{
    config_unref(l->config);
    config_errors_dispose(&l->errors);
    free(l);
}

/** Loads what must be right; ends with unload. */
#define load_good(yaml, envp) load_good_((yaml), (envp), __FILE__, __LINE__)

static inline struct loaded *load_good_(const char *yaml, const char *const *envp, const char *file,
                                        int line)
{
    struct loaded *l = load(yaml, envp, NULL, 0);

    if (l->config == NULL) {
        print_error("unexpected errors:\n%s", l->printed);
        _fail(file, line);
    }
    return l;
}

/** The errors of what must be wrong are exactly these lines. */
#define assert_errors(yaml, envp, expected)                                                        \
    assert_errors_((yaml), (envp), (expected), __FILE__, __LINE__)

static inline void assert_errors_(const char *yaml, const char *const *envp, const char *expected,
                                  const char *file, int line)
{
    struct loaded *l = load(yaml, envp, NULL, 0);

    if (strcmp(l->printed, expected) != 0 || l->config != NULL) {
        print_error("%s\ngot errors:\n%sexpected:\n%s", yaml, l->printed, expected);
        _fail(file, line);
    }
    unload(l);
}

/** A temporary file; the path is the caller's to unlink and free. */
static inline char *temporary_file(struct slice bytes)
{
    char *path = strdup("/tmp/stompgate-config-XXXXXX");
    int fd;

    assert_non_null(path);
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.base, bytes.len), bytes.len);
    (void)close(fd);
    return path;
}

static inline void remove_file(char *path)
{
    (void)unlink(path);
    free(path);
}

/** So that nothing but the setting in question is wrong. */
#define OPEN "auth: {anonymous: true}\n"

#endif
