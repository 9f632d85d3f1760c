#include "gateway/cli/source.h"

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>
#include "base/mem.h"
#include "gateway/cli/help.h"
#include "gateway/config/load.h"

void cli_source_set(struct cli_source *source, const char *override)
{
    size_t n = source->n_overrides + 1;

    source->overrides = mem_realloc(source->overrides, n * sizeof(*source->overrides));
    source->overrides[n - 1] = override;
    source->n_overrides = n;
}

struct config *cli_source_load(const struct cli_source *source)
{
    const struct config_source from = {
        .path = source->path,
        .envp = (const char *const *)environ,
        .overrides = source->overrides,
        .n_overrides = source->n_overrides,
    };
    struct config_errors errors;
    struct config *config;

    config_errors_init(&errors);
    config = config_load(&from, &errors);
    config_errors_print(&errors, stderr);
    config_errors_dispose(&errors);
    return config;
}

void cli_source_dispose(struct cli_source *source)
{
    mem_free(source->overrides);
    *source = (struct cli_source){.path = NULL};
}

int cli_source_parse(struct cli_source *source, int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    optind = 0; /* 0 makes glibc start afresh */
    while ((option = getopt_long(argc, argv, "c:s:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            source->path = optarg;
            break;
        case 's':
            cli_source_set(source, optarg);
            break;
        case 'h':
            return help_print(argv[0]);
        default:
            return help_usage_error(argv[0], NULL);
        }
    }
    return optind < argc ? help_usage_error(argv[0], "the file is named by --config") : -1;
}
