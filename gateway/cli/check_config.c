#include <getopt.h>
#include <stdio.h>
#include "gateway/cli/cli.h"
#include "gateway/cli/help.h"
#include "gateway/cli/source.h"
#include "gateway/config/load.h"

static int check(const struct cli_source *source)
{
    struct config *config = cli_source_load(source);

    if (config == NULL)
        return CLI_BAD_CONFIG;
    (void)printf("%s: no mistakes\n", source->path == NULL ? "configuration" : source->path);
    config_unref(config);
    return CLI_OK;
}

int cli_check_config(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct cli_source source = {.path = NULL};
    int option, code = -1;

    optind = 0; /* 0 makes glibc start afresh */
    while (code < 0 && (option = getopt_long(argc, argv, "c:s:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            source.path = optarg;
            break;
        case 's':
            cli_source_set(&source, optarg);
            break;
        case 'h':
            code = help_print("check-config");
            break;
        default:
            code = help_usage_error("check-config", NULL);
        }
    }
    if (code < 0 && optind < argc)
        code = help_usage_error("check-config", "the file is named by --config");
    if (code < 0)
        code = check(&source);
    cli_source_dispose(&source);
    return code;
}
