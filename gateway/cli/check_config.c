#include <stdio.h>
#include "gateway/cli/cli.h"
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
    struct cli_source source = {.path = NULL};
    int code = cli_source_parse(&source, argc, argv);

    if (code < 0)
        code = check(&source);
    cli_source_dispose(&source);
    return code;
}
