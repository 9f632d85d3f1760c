#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "auth/sign.h"
#include "base/mem.h"
#include "gateway/cli/cli.h"
#include "gateway/cli/help.h"
#include "gateway/cli/source.h"
#include "gateway/config/file.h"
#include "gateway/config/load.h"
#include "gateway/config/value.h"

enum {
    GEN_TOKEN_SECRET_MAX = 64 * 1024,
    GEN_TOKEN_LIFETIME_MS = 60 * 60 * 1000,
};

/* What the command line says. Texts are borrowed from argv. */
struct gen_token {
    struct cli_source source;
    const char *user;
    const char *secret;
    const char *secret_file;
    const char *issuer;
    const char *audience;
    uint64_t lifetime_ms;
    json_t *claims; /* an object */
};

/* Where the secret comes from, and what goes with it. */
struct gen_token_key {
    struct slice secret;
    struct slice file;     /* of --secret-file; the secret is a part of it */
    struct config *config; /* of --config; the issuer is a part of it */
    const struct config_issuer *issuer;
};

static int complain(const char *what, const char *about)
{
    (void)fprintf(stderr, "stompgate gen-token: %s%s%s\n", about, about[0] == '\0' ? "" : ": ",
                  what);
    return CLI_FAILURE;
}

static const struct config_issuer *find_issuer(const struct config *config)
{
    for (size_t i = 0; i < config->auth.n_issuers; i++) {
        if (config->auth.issuers[i].secret.len != 0)
            return &config->auth.issuers[i];
    }
    return NULL;
}

/** Returns CLI_OK, or an exit code with the reason printed. `*key` ends with key_dispose. */
static int key_find(const struct gen_token *args, struct gen_token_key *key)
{
    *key = (struct gen_token_key){.issuer = NULL};
    if (args->secret != NULL) {
        key->secret = slice_str(args->secret);
    } else if (args->secret_file != NULL) {
        const char *error = file_read(args->secret_file, GEN_TOKEN_SECRET_MAX, &key->file);

        if (error != NULL)
            return complain(error, args->secret_file);
        key->secret = key->file;
        if (slice_ends_with(key->secret, (struct slice)SLICE("\n")))
            key->secret.len--;
    } else {
        key->config = cli_source_load(&args->source);
        if (key->config == NULL)
            return CLI_BAD_CONFIG;
        key->issuer = find_issuer(key->config);
        if (key->issuer == NULL)
            return complain("no issuer of the configuration has a secret", "");
        key->secret = key->issuer->secret;
    }
    return CLI_OK;
}

static void key_dispose(struct gen_token_key *key)
{
    if (key->file.base != NULL)
        file_wipe(key->file);
    config_unref(key->config);
}

static struct slice or_else(const char *given, struct slice otherwise)
{
    return given == NULL ? otherwise : slice_str(given);
}

static int print_token(const struct gen_token *args, const struct gen_token_key *from)
{
    static const struct config_issuer nobody;
    const struct config_issuer *issuer = from->issuer == NULL ? &nobody : from->issuer;
    struct slice audience = issuer->audience.n == 0 ? slice_of("", 0) : issuer->audience.items[0];
    char *extra = json_dumps(args->claims, JSON_COMPACT), *error = NULL, *token = NULL;
    const struct auth_claims claims = {
        .user = slice_str(args->user),
        .user_claim = issuer->user_claim,
        .issuer = or_else(args->issuer, issuer->issuer),
        .audience = or_else(args->audience, audience),
        .issued_at_s = (uint64_t)time(NULL),
        .lifetime_s = args->lifetime_ms / 1000,
        .extra = slice_str(extra),
    };
    struct auth_key *key = auth_key_from_secret(from->secret, &error);

    if (key != NULL)
        token = auth_sign(key, &claims, &error);
    if (token != NULL)
        (void)puts(token);
    else
        (void)complain(error, "");
    mem_free(error);
    mem_free(token);
    auth_key_free(key);
    free(extra);
    return token == NULL ? CLI_FAILURE : CLI_OK;
}

/** "name=value". Returns NULL or what is wrong. */
static const char *add_claim(json_t *claims, const char *text)
{
    const char *equals = strchr(text, '=');
    json_t *value;

    if (equals == NULL || equals == text)
        return "--claim: expected NAME=VALUE";
    value = json_loads(equals + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (value == NULL)
        value = json_string(equals + 1);
    if (json_object_getn(claims, text, (size_t)(equals - text)) != NULL) {
        json_decref(value);
        return "--claim: the same name twice";
    }
    if (json_object_setn_new(claims, text, (size_t)(equals - text), value) != 0)
        return "--claim: not UTF-8";
    return NULL;
}

static const char *read_lifetime(const char *text, uint64_t *out)
{
    if (!value_duration(slice_str(text), out) || *out < 1000)
        return "--expires: expected a time of a second or more, such as 30s, 15m or 1h";
    return NULL;
}

/** Returns NULL or what the arguments lack. */
static const char *find_lack(const struct gen_token *args)
{
    bool has_config = args->source.path != NULL || args->source.n_overrides != 0;

    if (args->user == NULL)
        return "--user is missing";
    if ((args->secret != NULL) + (args->secret_file != NULL) + has_config != 1)
        return "expected one of --secret, --secret-file and --config";
    return NULL;
}

enum {
    OPTION_SECRET = 256,
    OPTION_SECRET_FILE,
    OPTION_ISSUER,
    OPTION_AUDIENCE,
    OPTION_EXPIRES,
    OPTION_CLAIM
};

/** Returns -1 to go on, or an exit code. */
static int read_options(int argc, char **argv, struct gen_token *args)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"set", required_argument, NULL, 's'},
        {"user", required_argument, NULL, 'u'},
        {"secret", required_argument, NULL, OPTION_SECRET},
        {"secret-file", required_argument, NULL, OPTION_SECRET_FILE},
        {"issuer", required_argument, NULL, OPTION_ISSUER},
        {"audience", required_argument, NULL, OPTION_AUDIENCE},
        {"expires", required_argument, NULL, OPTION_EXPIRES},
        {"claim", required_argument, NULL, OPTION_CLAIM},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *wrong = NULL;
    int option;

    optind = 0; /* 0 makes glibc start afresh */
    while (wrong == NULL && (option = getopt_long(argc, argv, "c:s:u:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            args->source.path = optarg;
            break;
        case 's':
            cli_source_set(&args->source, optarg);
            break;
        case 'u':
            args->user = optarg;
            break;
        case OPTION_SECRET:
            args->secret = optarg;
            break;
        case OPTION_SECRET_FILE:
            args->secret_file = optarg;
            break;
        case OPTION_ISSUER:
            args->issuer = optarg;
            break;
        case OPTION_AUDIENCE:
            args->audience = optarg;
            break;
        case OPTION_EXPIRES:
            wrong = read_lifetime(optarg, &args->lifetime_ms);
            break;
        case OPTION_CLAIM:
            wrong = add_claim(args->claims, optarg);
            break;
        case 'h':
            return help_print("gen-token");
        default:
            return help_usage_error("gen-token", NULL);
        }
    }
    if (wrong == NULL && optind < argc)
        wrong = "there is nothing but options; the user is named by --user";
    if (wrong == NULL)
        wrong = find_lack(args);
    return wrong == NULL ? -1 : help_usage_error("gen-token", wrong);
}

int cli_gen_token(int argc, char **argv)
{
    struct gen_token args = {.lifetime_ms = GEN_TOKEN_LIFETIME_MS, .claims = json_object()};
    int code = read_options(argc, argv, &args);
    struct gen_token_key key;

    if (code < 0) {
        code = key_find(&args, &key);
        if (code == CLI_OK)
            code = print_token(&args, &key);
        key_dispose(&key);
    }
    cli_source_dispose(&args.source);
    json_decref(args.claims);
    return code;
}
