#include "gateway/cli/help.h"

#include <stdio.h>
#include <string.h>
#include "gateway/cli/cli.h"
#include "gateway/bench/options.h"

static const struct {
    const char *verb;
    const char *summary;
    const char *usage; /* NULL: made of the table of its options */
} verbs[] = {
    {"serve", "run the gateway",
     "Usage: stompgate serve [--config FILE] [--set NAME=VALUE]...\n"
     "\n"
     "Runs until SIGTERM or SIGINT, and logs to standard error.\n"
     "\n"
     "  -c, --config FILE      the configuration; without it the defaults and the environment\n"
     "  -s, --set NAME=VALUE   one setting, over file and environment; may be repeated\n"
     "\n"
     "Exit codes: 0 after a clean stop, 1 failure, 2 usage, 69 an address cannot be bound,\n"
     "78 the configuration is wrong.\n"},
    {"check-config", "print every mistake of a configuration",
     "Usage: stompgate check-config [--config FILE] [--set NAME=VALUE]...\n"
     "\n"
     "Reads the configuration as `serve` would, environment and all, and prints every mistake\n"
     "with its place. Exit codes: 0 when there is none, 78 when there is.\n"
     "\n"
     "  -c, --config FILE      the configuration\n"
     "  -s, --set NAME=VALUE   one setting, over file and environment; may be repeated\n"},
    {"gen-token", "make a token for trying out",
     "Usage: stompgate gen-token --user NAME (--secret TEXT | --secret-file FILE | --config FILE)\n"
     "                           [option]...\n"
     "\n"
     "Prints a JSON Web Token signed with HS256.\n"
     "\n"
     "  -u, --user NAME        whom the token is for\n"
     "      --secret TEXT      the issuer's secret, of at least 32 bytes\n"
     "      --secret-file FILE a file that holds it; a line break at its end does not count\n"
     "  -c, --config FILE      take secret, issuer, audience and user claim from the first issuer\n"
     "                         with a secret in this configuration\n"
     "  -s, --set NAME=VALUE   one setting of that configuration; may be repeated\n"
     "      --issuer TEXT      \"iss\"\n"
     "      --audience TEXT    \"aud\"\n"
     "      --expires TIME     for how long it is good: 30s, 15m, 1h (the default), 24h\n"
     "      --claim NAME=VALUE one member more; VALUE is JSON when it reads as JSON (42, true,\n"
     "                         [\"a\"]), else a string; may be repeated\n"},
    {"publish", "push one message",
     "Usage: stompgate publish [option]... DESTINATION [BODY]\n"
     "\n"
     "Pushes a message through the admin port and prints the answer, {\"deliveries\":N}. Without\n"
     "BODY, or with -, the body is what standard input holds.\n"
     "\n"
     "      --url URL          the admin port; http://127.0.0.1:9090 unless given\n"
     "      --key KEY          an API key with the role \"publish\"\n"
     "      --key-file FILE    a file that holds it; a line break at its end does not count\n"
     "  -j, --json             the body is JSON and goes out as application/json\n"
     "  -t, --content-type T   its type, text/plain;charset=UTF-8 unless given; a body that is "
     "not\n"
     "                         UTF-8 is application/octet-stream\n"
     "  -H, --header NAME=TEXT one STOMP header more; may be repeated\n"},
    {"health", "ask a gateway whether it is ready",
     "Usage: stompgate health [--url URL]\n"
     "\n"
     "Asks for /health/ready. Exit codes: 0 when it is, 1 when it is not or nobody answers.\n"
     "\n"
     "      --url URL          the admin port; http://127.0.0.1:9090 unless given\n"},
    {"bench", "put load on a server, to size a machine", NULL},
    {"version", "print the version", "Usage: stompgate version\n"},
    {"help", "print this, or a verb's options", "Usage: stompgate help [VERB]\n"},
};

enum { N_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

/* N_VERBS when there is none of that name. */
static size_t find(const char *verb)
{
    size_t i = 0;

    while (i < N_VERBS && strcmp(verb, verbs[i].verb) != 0)
        i++;
    return i;
}

int help_print(const char *verb)
{
    const char *usage = verbs[find(verb)].usage;

    if (usage == NULL)
        options_help(stdout, "stompgate bench");
    else
        (void)fputs(usage, stdout);
    return CLI_OK;
}

int help_usage_error(const char *verb, const char *problem)
{
    const char *space = verb == NULL ? "" : " ";

    if (verb == NULL)
        verb = "";
    if (problem != NULL)
        (void)fprintf(stderr, "stompgate%s%s: %s\n", space, verb, problem);
    (void)fprintf(stderr, "Try `stompgate help%s%s`.\n", space, verb);
    return CLI_USAGE;
}

int cli_version(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        return help_usage_error("version", "it takes no arguments");
    (void)printf("stompgate %s\n", STOMPGATE_VERSION);
    return CLI_OK;
}

int cli_help(int argc, char **argv)
{
    if (argc > 2)
        return help_usage_error("help", "one verb at a time");
    if (argc == 2 && find(argv[1]) == N_VERBS) {
        (void)fprintf(stderr, "stompgate help: there is no verb %s\n", argv[1]);
        return CLI_USAGE;
    }
    if (argc == 2)
        return help_print(argv[1]);
    (void)printf("stompgate %s: STOMP over WebSocket, compatible with Spring's clients\n\n"
                 "Usage: stompgate VERB [option]...\n\n",
                 STOMPGATE_VERSION);
    for (size_t i = 0; i < N_VERBS; i++)
        (void)printf("  %-13s %s\n", verbs[i].verb, verbs[i].summary);
    (void)printf("\nA first token, and a first message:\n\n"
                 "  stompgate gen-token --config FILE --user alice\n"
                 "  stompgate publish /topic/news 'hello, everybody'\n\n"
                 "`stompgate help VERB` says more of each.\n");
    return CLI_OK;
}
