#include <stdio.h>
#include <string.h>
#include "gateway/cli/cli.h"
#include "gateway/cli/help.h"
#include "gateway/serve.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"serve", cli_serve},
    {"check-config", cli_check_config},
    {"gen-token", cli_gen_token},
    {"publish", cli_publish},
    {"health", cli_health},
    {"bench", cli_bench},
    {"version", cli_version},
    {"--version", cli_version},
    {"help", cli_help},
    {"--help", cli_help},
    {"-h", cli_help},
};

int main(int argc, char **argv)
{
    if (argc < 2)
        return help_usage_error(NULL, "a verb is missing");
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    }
    return help_usage_error(NULL, "no such verb");
}
