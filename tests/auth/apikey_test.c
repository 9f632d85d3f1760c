#include "auth/apikey.h"

#include "tests/test.h"

/* FIPS 180-2, appendix B.1: SHA-256 of "abc". */
static void the_digest_is_sha_256(void **state)
{
    const unsigned char abc[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                   0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                   0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    struct auth_digest digest = auth_apikey_digest(slice_str("abc"));

    (void)state;
    assert_memory_equal(digest.bytes, abc, sizeof(abc));
}

static void a_key_is_found_wherever_it_stands(void **state)
{
    const char *names[] = {"first", "second", "third", ""};
    struct auth_digest digests[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        digests[i] = auth_apikey_digest(slice_str(names[i]));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(auth_apikey_find(digests, 4, slice_str(names[i])), (int)i);
    assert_int_equal(auth_apikey_find(digests, 4, slice_of(NULL, 0)), 3);
    assert_int_equal(auth_apikey_find(digests, 2, slice_str("third")), -1);
    assert_int_equal(auth_apikey_find(digests, 3, slice_str("thir")), -1);
    assert_int_equal(auth_apikey_find(digests, 3, slice_str("")), -1);
    assert_int_equal(auth_apikey_find(NULL, 0, slice_str("first")), -1);
}

static void every_bit_of_a_digest_counts(void **state)
{
    struct auth_digest right = auth_apikey_digest(slice_str("key"));

    (void)state;
    for (size_t bit = 0; bit < 256; bit++) {
        struct auth_digest digest = right;

        digest.bytes[bit / 8] ^= (unsigned char)(1U << (bit % 8));
        assert_int_equal(auth_apikey_find(&digest, 1, slice_str("key")), -1);
    }
    assert_int_equal(auth_apikey_find(&right, 1, slice_str("key")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_sha_256),
        cmocka_unit_test(a_key_is_found_wherever_it_stands),
        cmocka_unit_test(every_bit_of_a_digest_counts),
    };

    return cmocka_run_group_tests_name("auth/apikey", tests, NULL, NULL);
}
