#include "gateway/cli/cli.h"
#include "gateway/cli/help.h"
#include "gateway/bench/coordinator.h"
#include "gateway/bench/floor.h"
#include "gateway/bench/options.h"

int cli_bench(int argc, char **argv)
{
    struct options options;
    char error[256];

    switch (options_parse(argc, argv, &options, error, sizeof(error))) {
    case OPTIONS_HELP:
        return help_print("bench");
    case OPTIONS_WRONG:
        return help_usage_error("bench", error);
    case OPTIONS_RUN:
        break;
    }
    /* Both return 0 or 1: CLI_OK or CLI_FAILURE. */
    return options.mode == OPTIONS_FLOOR ? floor_run(&options) : coordinator_run(&options);
}
