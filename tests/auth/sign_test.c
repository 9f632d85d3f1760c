#include "auth/sign.h"

#include "auth/token.h"
#include "base/mem.h"
#include "tests/test.h"

#include "tests/auth/token_vectors.inc"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct auth_key *secret_key(void)
{
    char *error = NULL;
    struct auth_key *key = auth_key_from_secret(slice_str(secret), &error);

    assert_non_null(key);
    return key;
}

static struct auth_claims claims_of(const char *user)
{
    return (struct auth_claims){
        .user = slice_str(user), .issued_at_s = 1700000000, .lifetime_s = 3600};
}

static void a_signed_token_verifies(void **state)
{
    const struct slice chat = SLICE("chat");
    const struct auth_issuer issuer = {
        .issuer = SLICE("me"), .user_claim = SLICE("name"), .audiences = &chat, .n_audiences = 1};
    struct auth_claims claims = claims_of("\xc3\xa9 \"quoted\"");
    struct auth_keys *keys = auth_keys_new();
    struct auth_identity who = {0};
    struct auth_verifier *verifier;
    struct auth_key *key = secret_key();
    char *error = NULL, *token;

    (void)state;
    claims.issuer = slice_str("me");
    claims.audience = chat;
    claims.user_claim = slice_str("name");
    claims.extra = slice_str("{\"roles\":[\"a\",\"b\"],\"nbf\":1700000001}");
    token = auth_sign(key, &claims, &error);
    assert_non_null(token);
    auth_keys_add(keys, &issuer, key);
    verifier = auth_verifier_new(keys, &error);
    assert_non_null(verifier);
    assert_int_equal(auth_token_verify(verifier, slice_str(token), UINT64_C(1700000001000), &who),
                     AUTH_OK);
    assert_slice(who.user, "\xc3\xa9 \"quoted\"");
    assert_slice(who.issuer, "me");
    assert_true(who.expires_at_ms == UINT64_C(1700003600000));
    auth_identity_dispose(&who);
    assert_int_equal(auth_token_verify(verifier, slice_str(token), UINT64_C(1700000000999), &who),
                     AUTH_ERR_EARLY);
    mem_free(token);
    auth_verifier_free(verifier);
    auth_keys_free(keys);
}

/* The header has no member order of its own, so the whole text is what we expect. */
static void the_text_is_stable(void **state)
{
    struct auth_claims claims = claims_of("alice");
    struct auth_key *key = secret_key();
    char *error = NULL, *token = auth_sign(key, &claims, &error);

    (void)state;
    assert_non_null(token);
    /* {"alg":"HS256","typ":"JWT"}.{"sub":"alice","iat":1700000000,"exp":1700003600} */
    assert_true(slice_starts_with(
        slice_str(token),
        slice_str("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
                  "eyJzdWIiOiJhbGljZSIsImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAwfQ.")));
    mem_free(token);
    auth_key_free(key);
}

static void what_would_not_verify_is_not_signed(void **state)
{
    char *large = mem_printf("{\"x\":\"%*s\"}", AUTH_TOKEN_MAX, "");
    const struct {
        const char *user;
        const char *user_claim;
        const char *extra;
        uint64_t lifetime_s;
        const char *reason;
    } bad[] = {
        {"", "", "", 1, "user name"},
        {"a\nb", "", "", 1, "user name"},
        {"\xff", "", "", 1, "UTF-8"},
        {"a", "exp", "", 1, "another claim"},
        {"a", "", "{\"sub\":\"root\"}", 1, "other names"},
        {"a", "", "{\"a\":1,\"a\":2}", 1, "other names"},
        {"a", "", "[1]", 1, "other names"},
        {"a", "", "{", 1, "other names"},
        {"a", "", "", UINT64_MAX, "lifetime"},
        {"a", "", large, 1, "larger"},
    };
    struct auth_key *key = secret_key();

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct auth_claims claims = claims_of(bad[i].user);
        char *error = NULL;

        claims.user_claim = slice_str(bad[i].user_claim);
        claims.extra = slice_str(bad[i].extra);
        claims.lifetime_s = bad[i].lifetime_s;
        if (auth_sign(key, &claims, &error) != NULL || error == NULL ||
            strstr(error, bad[i].reason) == NULL)
            fail_msg("row %zu: %s", i, error == NULL ? "signed" : error);
        mem_free(error);
    }
    mem_free(large);
    auth_key_free(key);
}

static void a_public_key_cannot_sign(void **state)
{
    struct auth_claims claims = claims_of("alice");
    char *error = NULL;
    struct auth_key *key = auth_key_from_pem(slice_str(ec_public), &error);

    (void)state;
    assert_non_null(key);
    assert_null(auth_sign(key, &claims, &error));
    assert_non_null(strstr(error, "public"));
    mem_free(error);
    auth_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signed_token_verifies),
        cmocka_unit_test(the_text_is_stable),
        cmocka_unit_test(what_would_not_verify_is_not_signed),
        cmocka_unit_test(a_public_key_cannot_sign),
    };

    return cmocka_run_group_tests_name("auth/sign", tests, NULL, NULL);
}
