#include "auth/token.h"

#include <pthread.h>
#include <openssl/err.h>
#include "base/mem.h"
#include "tests/test.h"

#include "tests/auth/token_vectors.inc"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NOW_MS (UINT64_C(1700000000) * 1000)

/** A set of keys and a verifier over it. */
struct fixture {
    struct auth_keys *keys;
    struct auth_verifier *verifier;
};

static struct auth_key *pem_key(const char *pem)
{
    char *error = NULL;
    struct auth_key *key = auth_key_from_pem(slice_str(pem), &error);

    assert_non_null(key);
    return key;
}

static struct auth_key *secret_key(struct slice bytes)
{
    char *error = NULL;
    struct auth_key *key = auth_key_from_secret(bytes, &error);

    assert_non_null(key);
    return key;
}

static void open_verifier(struct fixture *f)
{
    char *error = NULL;

    f->verifier = auth_verifier_new(f->keys, &error);
    assert_non_null(f->verifier);
}

static void close_verifier(struct fixture *f)
{
    auth_verifier_free(f->verifier);
    auth_keys_free(f->keys);
}

static const struct slice chat[] = {SLICE("phone"), SLICE("chat")};

static struct auth_issuer issuer_of(const char *name)
{
    return (struct auth_issuer){.issuer = slice_str(name), .audiences = chat, .n_audiences = 2};
}

/** Three issuers, one for each algorithm; the first with HMAC, as most of the vectors are. */
static void open_all(struct fixture *f)
{
    struct auth_issuer hmac = issuer_of("https://issuer.example");
    struct auth_issuer rsa = issuer_of("https://rsa.example");
    struct auth_issuer ec = issuer_of("https://ec.example");

    f->keys = auth_keys_new();
    auth_keys_add(f->keys, &hmac, secret_key(slice_str(secret)));
    auth_keys_add(f->keys, &rsa, pem_key(rsa_public));
    auth_keys_add(f->keys, &ec, pem_key(ec_public));
    open_verifier(f);
}

/** One issuer that may be anybody. */
static void open_one(struct fixture *f, struct auth_key *key, struct auth_issuer issuer)
{
    f->keys = auth_keys_new();
    auth_keys_add(f->keys, &issuer, key);
    open_verifier(f);
}

static enum auth_status verify_at(struct fixture *f, const char *token, uint64_t now_ms)
{
    struct auth_identity who = {0};
    enum auth_status status = auth_token_verify(f->verifier, slice_str(token), now_ms, &who);

    auth_identity_dispose(&who);
    return status;
}

static void good_tokens_name_their_user(void **state)
{
    struct fixture f;

    (void)state;
    open_all(&f);
    for (size_t i = 0; i < COUNT(good_tokens); i++) {
        struct auth_identity who = {0};
        enum auth_status status = auth_token_verify(f.verifier, good_tokens[i].token, NOW_MS, &who);

        if (status != AUTH_OK)
            fail_msg("%s: %s", good_tokens[i].what, auth_strstatus(status));
        assert_true(slice_eq(who.user, good_tokens[i].user));
        assert_true(slice_starts_with(who.issuer, slice_str("https://")));
        assert_int_equal(who.user.base[who.user.len], 0);
        assert_true(who.expires_at_ms == NOW_MS + 3600000);
        auth_identity_dispose(&who);
        auth_identity_dispose(&who);
    }
    close_verifier(&f);
}

static void bad_tokens_are_refused_for_their_reason(void **state)
{
    struct fixture f;

    (void)state;
    open_all(&f);
    for (size_t i = 0; i < COUNT(bad_tokens); i++) {
        struct auth_identity who = {.expires_at_ms = 7};
        enum auth_status status = auth_token_verify(f.verifier, bad_tokens[i].token, NOW_MS, &who);

        if (status != bad_tokens[i].status)
            fail_msg("%s: \"%s\", expected \"%s\"", bad_tokens[i].what, auth_strstatus(status),
                     auth_strstatus(bad_tokens[i].status));
        assert_int_equal(who.expires_at_ms, 7);
        assert_null(who.user.base);
        /* What is left there, TLS would take for its own. */
        assert_int_equal(ERR_peek_error(), 0);
    }
    /* And it still knows a good one: no check leaves anything behind. */
    assert_int_equal(verify_at(&f, token_hs256, NOW_MS), AUTH_OK);
    close_verifier(&f);
}

static void signatures_have_the_one_form_of_their_algorithm(void **state)
{
    struct fixture rsa, ec;

    (void)state;
    open_one(&rsa, pem_key(rsa_certificate), issuer_of(""));
    open_one(&ec, pem_key(ec_certificate), issuer_of(""));
    for (size_t i = 0; i < COUNT(bad_rs256); i++) {
        struct auth_identity who;

        if (auth_token_verify(rsa.verifier, bad_rs256[i].token, NOW_MS, &who) !=
            bad_rs256[i].status)
            fail_msg("RS256, %s", bad_rs256[i].what);
        assert_int_equal(ERR_peek_error(), 0);
        assert_int_equal(verify_at(&rsa, token_rs256, NOW_MS), AUTH_OK);
    }
    for (size_t i = 0; i < COUNT(bad_es256); i++) {
        struct auth_identity who;

        if (auth_token_verify(ec.verifier, bad_es256[i].token, NOW_MS, &who) != bad_es256[i].status)
            fail_msg("ES256, %s", bad_es256[i].what);
        assert_int_equal(ERR_peek_error(), 0);
        assert_int_equal(verify_at(&ec, token_es256, NOW_MS), AUTH_OK);
    }
    close_verifier(&rsa);
    close_verifier(&ec);
}

static void every_byte_of_a_token_counts(void **state)
{
    const char *tokens[] = {token_hs256, token_rs256, token_es256};
    struct fixture f;

    (void)state;
    f.keys = auth_keys_new();
    auth_keys_add(f.keys, &(struct auth_issuer){0}, secret_key(slice_str(secret)));
    auth_keys_add(f.keys, &(struct auth_issuer){0}, pem_key(rsa_public));
    auth_keys_add(f.keys, &(struct auth_issuer){0}, pem_key(ec_public));
    open_verifier(&f);
    for (size_t i = 0; i < COUNT(tokens); i++) {
        char *copy = mem_strdup(tokens[i]);

        assert_int_equal(verify_at(&f, copy, NOW_MS), AUTH_OK);
        for (size_t k = 0; k < strlen(copy); k++) {
            char was = copy[k];

            copy[k] = was == 'A' ? 'B' : 'A';
            assert_int_not_equal(verify_at(&f, copy, NOW_MS), AUTH_OK);
            copy[k] = was;
        }
        mem_free(copy);
    }
    close_verifier(&f);
}

static void the_examples_of_rfc_7515_verify(void **state)
{
    const uint64_t then_ms = UINT64_C(1300819379) * 1000;
    const struct auth_issuer joe = {.issuer = SLICE("joe"), .user_claim = SLICE("iss")};
    struct fixture f;

    (void)state;
    open_one(&f, secret_key(slice_of(rfc_secret, sizeof(rfc_secret) - 1)), joe);
    assert_int_equal(verify_at(&f, rfc_a1, then_ms), AUTH_OK);
    assert_int_equal(verify_at(&f, rfc_a1, then_ms + 1000), AUTH_ERR_EXPIRED);
    assert_int_equal(verify_at(&f, rfc_a2, then_ms), AUTH_ERR_ALGORITHM);
    assert_int_equal(verify_at(&f, rfc_a5, then_ms), AUTH_ERR_ALGORITHM);
    close_verifier(&f);
    open_one(&f, pem_key(rfc_rsa), joe);
    assert_int_equal(verify_at(&f, rfc_a2, then_ms), AUTH_OK);
    assert_int_equal(verify_at(&f, rfc_a5, then_ms), AUTH_ERR_ALGORITHM);
    close_verifier(&f);
    open_one(&f, pem_key(rfc_ec), joe);
    assert_int_equal(verify_at(&f, rfc_a3, then_ms), AUTH_OK);
    close_verifier(&f);
}

/* The classical mistake: a public key that everybody knows, used as the secret of an HMAC. */
static void a_public_key_is_never_a_secret(void **state)
{
    struct fixture f;

    (void)state;
    open_one(&f, pem_key(rsa_public), (struct auth_issuer){0});
    assert_int_equal(verify_at(&f, token_hs256, NOW_MS), AUTH_ERR_ALGORITHM);
    close_verifier(&f);
}

static void leeway_moves_each_end(void **state)
{
    struct auth_issuer issuer = issuer_of("");
    struct auth_identity who = {0};
    struct fixture f;

    (void)state;
    issuer.leeway_ms = 5000;
    open_one(&f, secret_key(slice_str(secret)), issuer);
    /* iat is NOW, exp an hour later. */
    assert_int_equal(verify_at(&f, token_hs256, NOW_MS - 5001), AUTH_ERR_EARLY);
    assert_int_equal(verify_at(&f, token_hs256, NOW_MS - 5000), AUTH_OK);
    assert_int_equal(verify_at(&f, token_hs256, NOW_MS + 3604999), AUTH_OK);
    assert_int_equal(verify_at(&f, token_hs256, NOW_MS + 3605000), AUTH_ERR_EXPIRED);
    assert_int_equal(verify_at(&f, token_hs256, UINT64_MAX), AUTH_ERR_EXPIRED);
    assert_int_equal(verify_at(&f, token_hs256, 0), AUTH_ERR_EARLY);
    assert_int_equal(auth_token_verify(f.verifier, slice_str(token_hs256), NOW_MS, &who), AUTH_OK);
    assert_true(who.expires_at_ms == NOW_MS + 3605000);
    auth_identity_dispose(&who);
    close_verifier(&f);
}

static void an_issuer_may_have_two_keys(void **state)
{
    const struct slice old_secret = SLICE("the-secret-before-of-32-bytes-or-so");
    struct auth_issuer issuer = issuer_of("https://issuer.example");
    struct fixture f;

    (void)state;
    f.keys = auth_keys_new();
    auth_keys_add(f.keys, &issuer, secret_key(old_secret));
    auth_keys_add(f.keys, &issuer, pem_key(rsa_public));
    auth_keys_add(f.keys, &issuer, secret_key(slice_str(secret)));
    open_verifier(&f);
    assert_int_equal(verify_at(&f, token_hs256, NOW_MS), AUTH_OK);
    assert_int_equal(verify_at(&f, token_rs256, NOW_MS), AUTH_OK);
    assert_int_equal(verify_at(&f, token_es256, NOW_MS), AUTH_ERR_ALGORITHM);
    close_verifier(&f);
}

struct worker {
    const struct auth_keys *keys;
    size_t n_good;
};

/* No assertions here: cmocka's belong to the main thread. */
static void *check_many(void *arg)
{
    struct worker *worker = arg;
    const char *tokens[] = {token_hs256, token_rs256, token_es256, rfc_a1};
    char *error = NULL;
    struct auth_verifier *verifier = auth_verifier_new(worker->keys, &error);

    for (size_t i = 0; verifier != NULL && i < 200; i++) {
        struct auth_identity who = {0};

        if (auth_token_verify(verifier, slice_str(tokens[i % 4]), NOW_MS, &who) == AUTH_OK)
            worker->n_good++;
        auth_identity_dispose(&who);
    }
    auth_verifier_free(verifier);
    return NULL;
}

static void workers_share_keys(void **state)
{
    struct auth_keys *keys = auth_keys_new();
    struct worker workers[4];
    pthread_t threads[4];

    (void)state;
    auth_keys_add(keys, &(struct auth_issuer){0}, secret_key(slice_str(secret)));
    auth_keys_add(keys, &(struct auth_issuer){0}, pem_key(rsa_public));
    auth_keys_add(keys, &(struct auth_issuer){0}, pem_key(ec_public));
    for (size_t i = 0; i < COUNT(threads); i++) {
        workers[i] = (struct worker){.keys = keys};
        assert_int_equal(pthread_create(&threads[i], NULL, check_many, &workers[i]), 0);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].n_good, 150);
    }
    auth_keys_free(keys);
}

static void no_issuer_means_no_trust(void **state)
{
    struct fixture f = {.keys = auth_keys_new()};

    (void)state;
    open_verifier(&f);
    assert_int_equal(verify_at(&f, token_hs256, NOW_MS), AUTH_ERR_ISSUER);
    close_verifier(&f);
    auth_verifier_free(NULL);
    auth_keys_free(NULL);
}

static void audience_and_user_claim_are_the_issuers_choice(void **state)
{
    struct auth_issuer issuer = {.user_claim = SLICE("aud")};
    struct auth_identity who = {0};
    struct fixture f;

    (void)state;
    open_one(&f, secret_key(slice_str(secret)), issuer);
    assert_int_equal(auth_token_verify(f.verifier, slice_str(token_hs256), NOW_MS, &who), AUTH_OK);
    assert_slice(who.user, "chat");
    auth_identity_dispose(&who);
    close_verifier(&f);
    issuer = issuer_of("");
    issuer.n_audiences = 1;
    open_one(&f, secret_key(slice_str(secret)), issuer);
    assert_int_equal(verify_at(&f, token_hs256, NOW_MS), AUTH_ERR_AUDIENCE);
    close_verifier(&f);
}

static void a_token_has_a_largest_size(void **state)
{
    static char text[AUTH_TOKEN_MAX + 1];
    struct auth_identity who;
    struct fixture f;

    (void)state;
    open_all(&f);
    memset(text, 'A', sizeof(text));
    assert_int_equal(auth_token_verify(f.verifier, slice_of(text, sizeof(text)), NOW_MS, &who),
                     AUTH_ERR_LARGE);
    assert_int_equal(auth_token_verify(f.verifier, slice_of(text, sizeof(text) - 1), NOW_MS, &who),
                     AUTH_ERR_FORM);
    /* One part that is as large as can be, in each place, fits where it is decoded. */
    for (size_t i = 0; i < 3; i++) {
        memset(text, 'A', sizeof(text));
        text[i == 0 ? AUTH_TOKEN_MAX - 2 : 0] = '.';
        text[i == 2 ? 1 : AUTH_TOKEN_MAX - 1] = '.';
        assert_int_not_equal(
            auth_token_verify(f.verifier, slice_of(text, AUTH_TOKEN_MAX), NOW_MS, &who), AUTH_OK);
    }
    assert_int_equal(auth_token_verify(f.verifier, slice_of(NULL, 0), NOW_MS, &who), AUTH_ERR_FORM);
    close_verifier(&f);
}

static void statuses_have_texts_and_the_peer_learns_little(void **state)
{
    (void)state;
    for (int i = AUTH_OK; i <= AUTH_ERR_USER; i++) {
        assert_string_not_equal(auth_strstatus((enum auth_status)i), "unknown status");
        assert_null(strstr(auth_peer_text((enum auth_status)i), "key"));
        assert_null(strstr(auth_peer_text((enum auth_status)i), "issuer"));
    }
    assert_string_equal(auth_peer_text(AUTH_ERR_SIGNATURE), auth_peer_text(AUTH_ERR_ISSUER));
    assert_string_equal(auth_peer_text(AUTH_ERR_EXPIRED), "The token has expired");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_tokens_name_their_user),
        cmocka_unit_test(bad_tokens_are_refused_for_their_reason),
        cmocka_unit_test(signatures_have_the_one_form_of_their_algorithm),
        cmocka_unit_test(every_byte_of_a_token_counts),
        cmocka_unit_test(the_examples_of_rfc_7515_verify),
        cmocka_unit_test(a_public_key_is_never_a_secret),
        cmocka_unit_test(leeway_moves_each_end),
        cmocka_unit_test(an_issuer_may_have_two_keys),
        cmocka_unit_test(workers_share_keys),
        cmocka_unit_test(no_issuer_means_no_trust),
        cmocka_unit_test(audience_and_user_claim_are_the_issuers_choice),
        cmocka_unit_test(a_token_has_a_largest_size),
        cmocka_unit_test(statuses_have_texts_and_the_peer_learns_little),
    };

    return cmocka_run_group_tests_name("auth/token", tests, NULL, NULL);
}
