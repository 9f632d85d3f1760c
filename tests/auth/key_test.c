#include "auth/key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/mem.h"
#include "tests/test.h"

#include "tests/auth/token_vectors.inc"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void a_public_key_is_pinned_to_its_algorithm(void **state)
{
    const struct {
        const char *pem;
        enum auth_algorithm algorithm;
    } good[] = {
        {rsa_public, AUTH_RS256}, {rsa_certificate, AUTH_RS256}, {rfc_rsa, AUTH_RS256},
        {ec_public, AUTH_ES256},  {ec_certificate, AUTH_ES256},  {rfc_ec, AUTH_ES256},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        char *error = NULL;
        struct auth_key *key = auth_key_from_pem(slice_str(good[i].pem), &error);

        if (key == NULL)
            fail_msg("row %zu: %s", i, error);
        assert_null(error);
        assert_int_equal(auth_key_algorithm(key), good[i].algorithm);
        assert_non_null(auth_key_public(key));
        assert_int_equal(auth_key_secret(key).len, 0);
        auth_key_free(key);
    }
    auth_key_free(NULL);
}

static void what_is_no_fit_public_key_is_refused_with_its_reason(void **state)
{
    const struct {
        const char *pem;
        const char *reason;
    } bad[] = {
        {"", "not PEM"},
        {"secret", "not PEM"},
        {"-----BEGIN PUBLIC KEY-----\nAAAA\n", "not PEM"},
        {"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "OpenSSL can read"},
        {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "OpenSSL can read"},
        {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "a private key"},
        {"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "a private key"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
         "a private key"},
        {rsa_small, "1024 bits"},
        {ec_p384, "P-256"},
        {ed25519_public, "neither RSA"},
        {rsa_pkcs1, "\"RSA PUBLIC KEY\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        char *error = NULL;

        assert_null(auth_key_from_pem(slice_str(bad[i].pem), &error));
        assert_non_null(error);
        if (strstr(error, bad[i].reason) == NULL)
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, error, bad[i].reason);
        mem_free(error);
    }
}

static void a_secret_has_at_least_32_bytes(void **state)
{
    char bytes[AUTH_SECRET_MIN] = {0};
    char *error = NULL;
    struct auth_key *key = auth_key_from_secret(slice_of(bytes, sizeof(bytes)), &error);

    (void)state;
    assert_non_null(key);
    assert_int_equal(auth_key_algorithm(key), AUTH_HS256);
    assert_true(slice_eq(auth_key_secret(key), slice_of(bytes, sizeof(bytes))));
    assert_null(auth_key_public(key));
    auth_key_free(key);
    assert_null(auth_key_from_secret(slice_of(bytes, sizeof(bytes) - 1), &error));
    assert_non_null(strstr(error, "31 bytes"));
    mem_free(error);
}

static void a_key_comes_from_a_file_too(void **state)
{
    char path[] = "/tmp/stompgate-key-XXXXXX";
    char *error = NULL;
    int fd = mkstemp(path);
    struct auth_key *key;
    FILE *file = fdopen(fd, "w");

    (void)state;
    assert_non_null(file);
    assert_true(fputs(ec_public, file) >= 0);
    assert_int_equal(fclose(file), 0);
    key = auth_key_from_file(path, &error);
    assert_non_null(key);
    assert_int_equal(auth_key_algorithm(key), AUTH_ES256);
    auth_key_free(key);
    assert_int_equal(truncate(path, 64 * 1024 + 1), 0);
    assert_null(auth_key_from_file(path, &error));
    assert_non_null(strstr(error, "larger"));
    mem_free(error);
    assert_int_equal(unlink(path), 0);
    assert_null(auth_key_from_file(path, &error));
    assert_non_null(strstr(error, "No such file"));
    mem_free(error);
    assert_null(auth_key_from_file("/", &error));
    assert_non_null(strstr(error, "directory"));
    mem_free(error);
}

static void algorithms_have_exact_names(void **state)
{
    const struct slice bad[] = {SLICE("none"), SLICE("hs256"),   SLICE("HS384"), SLICE(""),
                                SLICE("HS25"), SLICE("HS256\0"), SLICE("PS256"), SLICE("EdDSA")};
    enum auth_algorithm algorithm = AUTH_RS256;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(auth_algorithm_parse(bad[i], &algorithm), AUTH_ERR_ALGORITHM);
    assert_int_equal(algorithm, AUTH_RS256);
    for (int i = AUTH_HS256; i <= AUTH_ES256; i++) {
        const char *name = auth_algorithm_name((enum auth_algorithm)i);

        assert_int_equal(auth_algorithm_parse(slice_str(name), &algorithm), AUTH_OK);
        assert_int_equal(algorithm, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_public_key_is_pinned_to_its_algorithm),
        cmocka_unit_test(what_is_no_fit_public_key_is_refused_with_its_reason),
        cmocka_unit_test(a_secret_has_at_least_32_bytes),
        cmocka_unit_test(a_key_comes_from_a_file_too),
        cmocka_unit_test(algorithms_have_exact_names),
    };

    return cmocka_run_group_tests_name("auth/key", tests, NULL, NULL);
}
