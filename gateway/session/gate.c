#include "gateway/session/gate.h"

#include <time.h>
#include "base/mem.h"

static int add_key(struct gate *gate, const struct config_issuer *issuer, struct auth_key *key,
                   char *error, const struct log *log)
{
    struct auth_issuer trusted = {
        .issuer = issuer->issuer,
        .user_claim = issuer->user_claim,
        .audiences = issuer->audience.items,
        .n_audiences = issuer->audience.n,
        .leeway_ms = issuer->leeway_ms,
    };

    if (key == NULL) {
        log_event(log, LOG_LEVEL_ERROR, "auth.bad_key", log_str("issuer", issuer->issuer),
                  log_str("public_key", issuer->public_key), log_cstr("error", error));
        mem_free(error);
        return -1;
    }
    if ((issuer->algorithms >> auth_key_algorithm(key) & 1) == 0) {
        log_event(log, LOG_LEVEL_ERROR, "auth.bad_key", log_str("issuer", issuer->issuer),
                  log_str("public_key", issuer->public_key),
                  log_cstr("error", "the key is for another algorithm than auth.issuers[]."
                                    "algorithms names"),
                  log_cstr("key_algorithm", auth_algorithm_name(auth_key_algorithm(key))));
        auth_key_free(key);
        return -1;
    }
    auth_keys_add(gate->keys, &trusted, key);
    return 0;
}

static int add_issuer(struct gate *gate, const struct config_issuer *issuer, const struct log *log)
{
    char *error = NULL;
    struct auth_key *key = issuer->public_key.len != 0
                               ? auth_key_from_file(issuer->public_key.base, &error)
                               : auth_key_from_secret(issuer->secret, &error);

    return add_key(gate, issuer, key, error, log);
}

static int make_access(struct gate *gate, const struct config *config, const struct log *log)
{
    struct auth_access_rule *rules = mem_calloc(config->n_access, sizeof(*rules));
    char *error = NULL;

    for (size_t i = 0; i < config->n_access; i++) {
        const struct config_access_rule *rule = &config->access[i];

        /* Both enumerations have the same order and bits. */
        rules[i] = (struct auth_access_rule){
            .operations = rule->operations,
            .destinations = rule->destinations.items,
            .n_destinations = rule->destinations.n,
            .allow = (enum auth_allow)rule->allow,
        };
    }
    gate->access = auth_access_new(rules, config->n_access, config->broker.path_separator, &error);
    mem_free(rules);
    if (gate->access == NULL) {
        log_event(log, LOG_LEVEL_ERROR, "auth.bad_access_rule", log_cstr("error", error));
        mem_free(error);
        return -1;
    }
    return 0;
}

_Static_assert((int)CONFIG_CONNECT == (int)AUTH_CONNECT && (int)CONFIG_SEND == (int)AUTH_SEND &&
                   (int)CONFIG_SUBSCRIBE == (int)AUTH_SUBSCRIBE,
               "operations are handed over as they are");
_Static_assert((int)CONFIG_ALLOW_ALL == (int)AUTH_ALLOW_ALL &&
                   (int)CONFIG_ALLOW_NONE == (int)AUTH_ALLOW_NONE &&
                   (int)CONFIG_ALLOW_AUTHENTICATED == (int)AUTH_ALLOW_AUTHENTICATED,
               "verdicts are handed over as they are");
_Static_assert((int)CONFIG_ALGORITHM_HS256 == (int)AUTH_HS256 &&
                   (int)CONFIG_ALGORITHM_RS256 == (int)AUTH_RS256 &&
                   (int)CONFIG_ALGORITHM_ES256 == (int)AUTH_ES256,
               "algorithms are handed over as they are");

int gate_init(struct gate *gate, const struct config *config, const struct log *log)
{
    *gate = (struct gate){.keys = auth_keys_new()};
    for (size_t i = 0; i < config->auth.n_issuers; i++) {
        if (add_issuer(gate, &config->auth.issuers[i], log) != 0)
            goto fail;
    }
    if (make_access(gate, config, log) != 0)
        goto fail;
    return 0;

fail:
    gate_dispose(gate);
    return -1;
}

void gate_dispose(struct gate *gate)
{
    auth_keys_free(gate->keys);
    auth_access_free(gate->access);
    *gate = (struct gate){.keys = NULL};
}

struct auth_identity *gate_check_token(struct auth_verifier *verifier, struct slice token,
                                       const char **why, enum auth_status *status)
{
    struct auth_identity *identity = mem_calloc(1, sizeof(*identity));
    struct timespec now;

    /* Tokens speak of wall-clock time; nothing else here does. */
    clock_gettime(CLOCK_REALTIME, &now);
    *status = auth_token_verify(
        verifier, token, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000, identity);
    if (*status == AUTH_OK)
        return identity;
    mem_free(identity);
    *why = auth_peer_text(*status);
    return NULL;
}

void gate_identity_free(struct auth_identity *identity)
{
    if (identity == NULL)
        return;
    auth_identity_dispose(identity);
    mem_free(identity);
}
