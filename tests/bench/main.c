#include <stdio.h>
#include "gateway/bench/coordinator.h"
#include "gateway/bench/floor.h"
#include "gateway/bench/options.h"

int main(int argc, char **argv)
{
    struct options options;
    char error[256];

    switch (options_parse(argc, argv, &options, error, sizeof(error))) {
    case OPTIONS_HELP:
        options_help(stdout, "stompload");
        return 0;
    case OPTIONS_WRONG:
        fprintf(stderr, "stompload: %s\nTry 'stompload --help'.\n", error);
        return 2;
    case OPTIONS_RUN:
        break;
    }
    return options.mode == OPTIONS_FLOOR ? floor_run(&options) : coordinator_run(&options);
}
