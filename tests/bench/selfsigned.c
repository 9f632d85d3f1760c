#include "tests/bench/selfsigned.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include "tests/test.h"

enum { VALID_S = 24 * 60 * 60 };

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static X509 *sign_itself(EVP_PKEY *key)
{
    X509 *certificate = X509_new();

    assert_non_null(certificate);
    assert_int_equal(X509_set_version(certificate, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(certificate), -VALID_S));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_S));
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

SSL_CTX *selfsigned_new(const char *path)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate;
    FILE *out = fopen(path, "w");

    assert_non_null(context);
    assert_non_null(key);
    assert_non_null(out);
    certificate = sign_itself(key);
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    assert_int_equal(PEM_write_X509(out, certificate), 1);
    assert_int_equal(fclose(out), 0);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}
