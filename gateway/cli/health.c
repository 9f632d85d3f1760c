#include <getopt.h>
#include <stdio.h>
#include "gateway/cli/cli.h"
#include "gateway/cli/client.h"
#include "gateway/cli/help.h"

static int ask(const char *url)
{
    const struct client_request request = {
        .url = url, .method = "GET", .path = "/health/ready", .key = {"", 0}, .body = {"", 0}};
    struct client_answer answer;
    const char *error = client_ask(&request, &answer);

    if (error != NULL)
        (void)fprintf(stderr, "stompgate health: %s: %s\n", url, error);
    else
        (void)printf("%.*s\n", SLICE_FMT(answer.body));
    buf_dispose(&answer.buf);
    return error == NULL && answer.status == 200 ? CLI_OK : CLI_FAILURE;
}

int cli_health(int argc, char **argv)
{
    static const struct option options[] = {
        {"url", required_argument, NULL, 'u'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *url = CLIENT_DEFAULT_URL;
    int option;

    optind = 0; /* 0 makes glibc start afresh */
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (option) {
        case 'u':
            url = optarg;
            break;
        case 'h':
            return help_print("health");
        default:
            return help_usage_error("health", NULL);
        }
    }
    if (optind < argc)
        return help_usage_error("health", "the gateway is named by --url");
    return ask(url);
}
