#include "tests/test.h"
#include "gateway/push/problem.h"

static void a_problem_names_status_detail_and_field(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    problem_print(400, "expected a \"string\"", "headers.x", &out);
    assert_slice(buf_slice(&out),
                 "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
                 "\"detail\":\"expected a \\\"string\\\"\",\"field\":\"headers.x\"}");
    buf_dispose(&out);
}

static void what_is_empty_is_left_out(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    problem_print(404, NULL, "", &out);
    assert_slice(buf_slice(&out),
                 "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}");
    buf_dispose(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_problem_names_status_detail_and_field),
        cmocka_unit_test(what_is_empty_is_left_out),
    };

    return cmocka_run_group_tests_name("gateway/push/problem", tests, NULL, NULL);
}
