#include "tests/test.h"
#include "base/template.h"

struct values {
    const char *name;
    struct slice value;
};

/* Of the name in the context, and of no other. */
static const struct slice *lookup(const void *ctx, struct slice name)
{
    const struct values *values = ctx;

    return slice_eq(name, slice_str(values->name)) ? &values->value : NULL;
}

static void every_place_gets_its_value(void **state)
{
    const struct {
        const char *template, *filled;
    } rows[] = {
        {"", ""},
        {"/topic/a", "/topic/a"},
        {"{a}", "VALUE"},
        {"/topic/{a}.{a}", "/topic/VALUE.VALUE"},
        {"{b}{a}{b}x", "VALUEx"}, /* b has no value */
        {"{ a}", ""},
        {"}{a}}", "}VALUE}"},
    };
    const struct values values = {"a", SLICE("VALUE")};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out;

        buf_init(&out, 64);
        assert_true(buf_append(&out, slice_str("before ")));
        assert_true(template_fill(slice_str(rows[i].template), lookup, &values, &out));
        assert_true(slice_eq(slice_skip(buf_slice(&out), 7), slice_str(rows[i].filled)));
        buf_dispose(&out);
    }
}

static void a_value_is_never_read_as_a_place(void **state)
{
    const struct values values = {"a", SLICE("{a}{b")};
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    assert_true(template_fill(slice_str("{a}"), lookup, &values, &out));
    assert_slice(buf_slice(&out), "{a}{b");
    buf_dispose(&out);
}

static void what_passes_the_ceiling_is_not_begun(void **state)
{
    const struct values values = {"a", SLICE("VALUE")};
    struct buf out;

    (void)state;
    buf_init(&out, 9);
    assert_true(buf_append(&out, slice_str("xy")));
    assert_false(template_fill(slice_str("{a}123"), lookup, &values, &out));
    assert_slice(buf_slice(&out), "xy");
    assert_true(template_fill(slice_str("{a}12"), lookup, &values, &out));
    assert_slice(buf_slice(&out), "xyVALUE12");
    buf_dispose(&out);
}

static void pieces_come_in_order(void **state)
{
    struct slice rest = SLICE("a{b}{c}d");
    const struct {
        const char *text;
        bool is_place;
    } rows[] = {{"a", false}, {"b", true}, {"c", true}, {"d", false}};
    struct template_piece piece;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(template_next(&rest, &piece), TEMPLATE_OK);
        assert_true(slice_eq(piece.text, slice_str(rows[i].text)));
        assert_int_equal(piece.is_place, rows[i].is_place);
    }
    assert_int_equal(template_next(&rest, &piece), TEMPLATE_END);
    assert_int_equal(template_next(&rest, &piece), TEMPLATE_END);
}

static void broken_places_are_told_apart(void **state)
{
    const struct {
        const char *template;
        enum template_status status;
    } rows[] = {
        {"{", TEMPLATE_ERR_OPEN},     {"{a", TEMPLATE_ERR_OPEN},    {"{a{b}", TEMPLATE_ERR_OPEN},
        {"{{a}}", TEMPLATE_ERR_OPEN}, {"{}", TEMPLATE_ERR_NO_NAME}, {"{}{", TEMPLATE_ERR_NO_NAME},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice rest = slice_str(rows[i].template);
        struct template_piece piece = {.text = SLICE("untouched")};

        assert_int_equal(template_next(&rest, &piece), rows[i].status);
        assert_true(slice_eq(rest, slice_str(rows[i].template)));
        assert_slice(piece.text, "untouched");
        assert_true(strlen(template_strstatus(rows[i].status)) > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_gets_its_value),
        cmocka_unit_test(a_value_is_never_read_as_a_place),
        cmocka_unit_test(what_passes_the_ceiling_is_not_begun),
        cmocka_unit_test(pieces_come_in_order),
        cmocka_unit_test(broken_places_are_told_apart),
    };

    return cmocka_run_group_tests_name("base/template", tests, NULL, NULL);
}
