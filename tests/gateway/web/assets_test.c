#include "tests/test.h"
#include <openssl/evp.h>
#include <stdlib.h>
#include <zlib.h>
#include "gateway/web/assets.h"
#include "gateway/web/table.h"

static bool contains(struct slice hay, const char *needle)
{
    size_t len = strlen(needle);

    for (size_t i = 0; i + len <= hay.len; i++) {
        if (memcmp(hay.base + i, needle, len) == 0)
            return true;
    }
    return false;
}

static const struct web_asset *find(const char *path)
{
    const struct web_asset *asset = web_asset_find(slice_str(path));

    assert_non_null(asset);
    return asset;
}

static void the_root_is_the_demo_page(void **state)
{
    const struct web_asset *page = find("/");

    (void)state;
    assert_slice(page->content_type, "text/html;charset=utf-8");
    assert_true(slice_starts_with(page->body, (struct slice)SLICE("<!doctype html>")));
}

static void each_type_of_file_has_its_content_type(void **state)
{
    (void)state;
    assert_slice(find("/demo/demo.js")->content_type, "text/javascript;charset=utf-8");
    assert_slice(find("/demo/demo.css")->content_type, "text/css;charset=utf-8");
    assert_slice(find("/demo/icon.svg")->content_type, "image/svg+xml");
    assert_true(contains(find("/demo/stomp.umd.min.js")->body, "StompJs"));
}

static void a_path_is_matched_whole(void **state)
{
    const char *const unknown[] = {"",
                                   "/demo",
                                   "/demo/",
                                   "/index.html",
                                   "/demo/demo.js/",
                                   "/demo/demo.j",
                                   "//",
                                   "/demo/../demo/demo.js"};

    (void)state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        assert_null(web_asset_find(slice_str(unknown[i])));
}

/* The header field must be in the form of RFC 9110, 8.8.3, and change with the content. */
static void an_etag_is_a_quoted_prefix_of_the_content_hash(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_web_assets; i++) {
        const struct web_asset *asset = &web_assets[i];
        unsigned char hash[32];
        char expected[2 * 16 + 3];
        size_t len = 0;

        assert_int_equal(
            EVP_Digest(asset->body.base, asset->body.len, hash, NULL, EVP_sha256(), NULL), 1);
        expected[len++] = '"';
        for (size_t k = 0; k < 16; k++, len += 2)
            snprintf(expected + len, 3, "%02x", hash[k]);
        expected[len++] = '"';
        assert_true(slice_eq(asset->etag, slice_of(expected, len)));
        assert_false(slice_eq(asset->etag, asset->gzip_etag));
    }
}

static void the_gzip_form_unpacks_to_the_body_and_is_smaller(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_web_assets; i++) {
        const struct web_asset *asset = &web_assets[i];
        unsigned char *out = malloc(asset->body.len + 1);
        z_stream z = {0};

        assert_non_null(out);
        assert_true(asset->gzip.len != 0 && asset->gzip.len < asset->body.len);
        assert_int_equal(inflateInit2(&z, 16 + MAX_WBITS), Z_OK);
        z.next_in = (unsigned char *)(uintptr_t)asset->gzip.base;
        z.avail_in = (unsigned)asset->gzip.len;
        z.next_out = out;
        z.avail_out = (unsigned)asset->body.len + 1;
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.total_out, asset->body.len);
        assert_memory_equal(out, asset->body.base, asset->body.len);
        inflateEnd(&z);
        free(out);
    }
}

/* So that the content security policy can forbid both. */
static void the_page_has_no_inline_script_or_style_and_loads_only_what_we_serve(void **state)
{
    const char *const forbidden[] = {
        "<script>", "<style", " style=", " onclick=", " onload=", "//cdn", "https://"};
    struct slice rest = find("/")->body;

    (void)state;
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        assert_false(contains(rest, forbidden[i]));
    for (const char *const *attribute = (const char *const[]){"src=\"", "href=\"", NULL};
         *attribute != NULL; attribute++) {
        size_t len = strlen(*attribute), n_found = 0;

        for (size_t i = 0; i + len < rest.len; i++) {
            struct slice path = slice_skip(rest, i + len);

            if (memcmp(rest.base + i, *attribute, len) != 0)
                continue;
            path = slice_take(path, slice_find(path, '"'));
            assert_non_null(web_asset_find(path));
            n_found++;
        }
        assert_true(n_found >= 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_is_the_demo_page),
        cmocka_unit_test(each_type_of_file_has_its_content_type),
        cmocka_unit_test(a_path_is_matched_whole),
        cmocka_unit_test(an_etag_is_a_quoted_prefix_of_the_content_hash),
        cmocka_unit_test(the_gzip_form_unpacks_to_the_body_and_is_smaller),
        cmocka_unit_test(the_page_has_no_inline_script_or_style_and_loads_only_what_we_serve),
    };

    return cmocka_run_group_tests_name("gateway/web/assets", tests, NULL, NULL);
}
