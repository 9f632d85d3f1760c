#include "tests/test.h"

#include <stdlib.h>
#include "base/mem.h"
#include "gateway/config/file.h"
#include "gateway/config/reference.h"
#include "gateway/config/settings.h"

static char *print(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    config_print_reference(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void the_committed_page_is_not_stale(void **state)
{
    char *text = print();
    struct slice page;

    (void)state;
    assert_null(file_read(SOURCE_DIR "/docs/configuration.md", 1 << 20, &page));
    if (!slice_eq(page, slice_str(text))) {
        print_error("docs/configuration.md is not what the table of settings says; make it anew:\n"
                    "    cmake --build --preset debug --target reference\n");
        fail();
    }
    file_wipe(page);
    free(text);
}

static void every_setting_is_on_the_page_once(void **state)
{
    size_t n;
    const struct setting *all = setting_all(&n);
    char *text = print();

    (void)state;
    for (size_t i = 0; i < n; i++) {
        char *heading = mem_printf("\n### `%s`\n", all[i].name);
        const char *at = strstr(text, heading);

        assert_non_null(at);
        assert_null(strstr(at + 1, heading));
        mem_free(heading);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_committed_page_is_not_stale),
        cmocka_unit_test(every_setting_is_on_the_page_once),
    };

    return cmocka_run_group_tests_name("gateway/config/reference", tests, NULL, NULL);
}
