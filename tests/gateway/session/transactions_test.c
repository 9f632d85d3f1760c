#include "gateway/session/transactions.h"

#include "tests/test.h"
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct transactions_limits roomy = {8, 100, 100000};

static void begin(struct transactions **set, const char *name)
{
    assert_int_equal(transactions_begin(set, &roomy, slice_str(name)), TRANSACTIONS_OK);
}

/* A SEND whose body says which one it is. */
static enum transactions_status add_limited(struct transactions *set,
                                            const struct transactions_limits *limits,
                                            const char *name, const char *body)
{
    const struct stomp_header header = {SLICE("destination"), SLICE("/topic/a")};
    struct stomp_frame frame = {
        .command = STOMP_SEND, .headers = &header, .n_headers = 1, .body = slice_str(body)};

    return transactions_add(set, limits, slice_str(name), &frame);
}

static void add(struct transactions *set, const char *name, const char *body)
{
    assert_int_equal(add_limited(set, &roomy, name, body), TRANSACTIONS_OK);
}

/* Commits, and compares the bodies, each with a space behind it. */
static void assert_take(struct transactions **set, const char *name, const char *bodies)
{
    struct transactions_frame *frame = NULL;
    char got[256] = "";

    assert_int_equal(transactions_take(set, slice_str(name), &frame), TRANSACTIONS_OK);
    while (frame != NULL) {
        size_t len = strlen(got);

        snprintf(got + len, sizeof(got) - len, "%.*s ", SLICE_FMT(frame->frame.body));
        frame = transactions_frame_free(frame);
    }
    assert_string_equal(got, bodies);
}

static void frames_come_back_in_order_and_by_name(void **state)
{
    struct transactions *set = NULL;

    (void)state;
    begin(&set, "t1");
    begin(&set, "t2");
    begin(&set, "");
    add(set, "t1", "a");
    add(set, "t2", "b");
    add(set, "t1", "c");
    add(set, "", "d");
    add(set, "t1", "e");
    assert_int_equal(transactions_count(set), 3);
    assert_take(&set, "t1", "a c e ");
    assert_take(&set, "", "d ");
    add(set, "t2", "f");
    assert_take(&set, "t2", "b f ");
    assert_null(set);
}

static void a_frame_is_copied_whole(void **state)
{
    char text[] = "destination:/topic/a|x:1\n2|x:second|empty:|body\0of it";
    struct stomp_header headers[] = {
        {slice_of(text, 11), slice_of(text + 12, 8)},
        {slice_of(text + 21, 1), slice_of(text + 23, 3)},
        {slice_of(text + 27, 1), slice_of(text + 29, 6)},
        {slice_of(text + 36, 5), slice_of(NULL, 0)},
    };
    struct stomp_frame frame = {.command = STOMP_SEND,
                                .headers = headers,
                                .n_headers = COUNT(headers),
                                .body = slice_of(text + 43, 10)};
    struct transactions *set = NULL;
    struct transactions_frame *taken = NULL;
    struct slice value;

    (void)state;
    begin(&set, "t");
    assert_int_equal(transactions_add(set, &roomy, slice_str("t"), &frame), TRANSACTIONS_OK);
    frame = (struct stomp_frame){.command = STOMP_ACK};
    assert_int_equal(transactions_add(set, &roomy, slice_str("t"), &frame), TRANSACTIONS_OK);
    memset(text, '?', sizeof(text));
    memset(headers, 0, sizeof(headers));

    assert_int_equal(transactions_take(&set, slice_str("t"), &taken), TRANSACTIONS_OK);
    assert_int_equal(taken->frame.command, STOMP_SEND);
    assert_int_equal(taken->frame.n_headers, 4);
    assert_true(stomp_frame_header(&taken->frame, slice_str("destination"), &value));
    assert_slice(value, "/topic/a");
    assert_true(stomp_frame_header(&taken->frame, slice_str("x"), &value));
    assert_slice(value, "1\n2");
    assert_slice(taken->frame.headers[2].name, "x");
    assert_slice(taken->frame.headers[2].value, "second");
    assert_true(stomp_frame_header(&taken->frame, slice_str("empty"), &value));
    assert_slice(value, "");
    assert_slice(taken->frame.body, "body\0of it");

    taken = transactions_frame_free(taken);
    assert_int_equal(taken->frame.command, STOMP_ACK);
    assert_int_equal(taken->frame.n_headers, 0);
    assert_int_equal(taken->frame.body.len, 0);
    assert_null(transactions_frame_free(taken));
}

static void a_name_is_open_once(void **state)
{
    struct transactions *set = NULL;

    (void)state;
    begin(&set, "t");
    add(set, "t", "a");
    assert_int_equal(transactions_begin(&set, &roomy, slice_str("t")), TRANSACTIONS_ERR_EXISTS);
    assert_take(&set, "t", "a ");
    begin(&set, "t");
    assert_take(&set, "t", "");
}

static void what_is_not_open_is_unknown(void **state)
{
    struct transactions *set = NULL;
    struct transactions_frame *frames = (struct transactions_frame *)&set;

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(add_limited(set, &roomy, "t", "a"), TRANSACTIONS_ERR_UNKNOWN);
        assert_int_equal(transactions_take(&set, slice_str("t"), &frames),
                         TRANSACTIONS_ERR_UNKNOWN);
        assert_ptr_equal(frames, &set);
        assert_int_equal(transactions_drop(&set, slice_str("t")), TRANSACTIONS_ERR_UNKNOWN);
        if (i == 0)
            begin(&set, "T");
    }
    assert_int_equal(transactions_drop(&set, slice_str("T")), TRANSACTIONS_OK);
}

static void a_dropped_one_is_gone(void **state)
{
    struct transactions *set = NULL;

    (void)state;
    begin(&set, "t1");
    begin(&set, "t2");
    add(set, "t1", "a");
    add(set, "t2", "b");
    assert_int_equal(transactions_drop(&set, slice_str("t1")), TRANSACTIONS_OK);
    assert_int_equal(transactions_drop(&set, slice_str("t1")), TRANSACTIONS_ERR_UNKNOWN);
    begin(&set, "t1");
    assert_take(&set, "t1", "");
    assert_take(&set, "t2", "b ");
}

static void the_session_s_end_drops_all(void **state)
{
    struct transactions *set = NULL;

    (void)state;
    transactions_dispose(&set);
    begin(&set, "t1");
    begin(&set, "t2");
    add(set, "t1", "a");
    add(set, "t1", "b");
    transactions_dispose(&set);
    assert_null(set);
    assert_int_equal(transactions_count(set), 0);
}

static void open_ones_have_a_limit(void **state)
{
    const struct transactions_limits limits = {2, 100, 100000}, none = {0, 100, 100000};
    struct transactions *set = NULL;

    (void)state;
    assert_int_equal(transactions_begin(&set, &none, slice_str("t1")), TRANSACTIONS_ERR_COUNT);
    assert_null(set);
    assert_int_equal(transactions_begin(&set, &limits, slice_str("t1")), TRANSACTIONS_OK);
    assert_int_equal(transactions_begin(&set, &limits, slice_str("t2")), TRANSACTIONS_OK);
    assert_int_equal(transactions_begin(&set, &limits, slice_str("t3")), TRANSACTIONS_ERR_COUNT);
    assert_int_equal(transactions_drop(&set, slice_str("t1")), TRANSACTIONS_OK);
    assert_int_equal(transactions_begin(&set, &limits, slice_str("t3")), TRANSACTIONS_OK);
    transactions_dispose(&set);
}

static void frames_have_a_limit_over_all(void **state)
{
    const struct transactions_limits limits = {8, 3, 100000};
    struct transactions *set = NULL;

    (void)state;
    begin(&set, "t1");
    begin(&set, "t2");
    assert_int_equal(add_limited(set, &limits, "t1", "a"), TRANSACTIONS_OK);
    assert_int_equal(add_limited(set, &limits, "t2", "b"), TRANSACTIONS_OK);
    assert_int_equal(add_limited(set, &limits, "t2", "c"), TRANSACTIONS_OK);
    assert_int_equal(add_limited(set, &limits, "t1", "d"), TRANSACTIONS_ERR_FRAMES);
    assert_take(&set, "t2", "b c ");
    assert_int_equal(add_limited(set, &limits, "t1", "e"), TRANSACTIONS_OK);
    assert_int_equal(add_limited(set, &limits, "t1", "f"), TRANSACTIONS_OK);
    assert_int_equal(add_limited(set, &limits, "t1", "g"), TRANSACTIONS_ERR_FRAMES);
    assert_take(&set, "t1", "a e f ");
}

/* The smallest max_bytes with which these go in. */
static size_t cost(size_t n_transactions, size_t n_frames, size_t body_len)
{
    char body[256];

    memset(body, 'x', sizeof(body));
    body[body_len] = '\0';
    for (struct transactions_limits limits = {8, 100, 0};; limits.max_bytes++) {
        enum transactions_status status = TRANSACTIONS_OK;
        struct transactions *set = NULL;

        for (size_t i = 0; i < n_transactions && status == TRANSACTIONS_OK; i++)
            status = transactions_begin(&set, &limits, slice_of(&"abc"[i], 1));
        for (size_t i = 0; i < n_frames && status == TRANSACTIONS_OK; i++)
            status = add_limited(set, &limits, "a", body);
        transactions_dispose(&set);
        if (status == TRANSACTIONS_OK)
            return limits.max_bytes;
        assert_int_equal(status, TRANSACTIONS_ERR_BYTES);
    }
}

static void bytes_have_a_limit_over_all(void **state)
{
    size_t one = cost(1, 1, 100), frame = cost(1, 2, 100) - one;

    (void)state;
    assert_in_range(frame, 100 + strlen("destination/topic/a"), 300);
    assert_int_equal(cost(1, 3, 100), one + 2 * frame);
    assert_int_equal(cost(1, 1, 101), one + 1);
    assert_int_equal(cost(2, 0, 0), 2 * cost(1, 0, 0));
}

static void bytes_are_given_back(void **state)
{
    const struct transactions_limits limits = {8, 100, cost(2, 1, 100)};
    struct transactions *set = NULL;
    char body[101];

    (void)state;
    memset(body, 'x', sizeof(body) - 1);
    body[sizeof(body) - 1] = '\0';
    assert_int_equal(transactions_begin(&set, &limits, slice_str("a")), TRANSACTIONS_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(transactions_begin(&set, &limits, slice_str("b")), TRANSACTIONS_OK);
        assert_int_equal(add_limited(set, &limits, "b", body), TRANSACTIONS_OK);
        assert_int_equal(add_limited(set, &limits, "a", ""), TRANSACTIONS_ERR_BYTES);
        assert_int_equal(transactions_begin(&set, &limits, slice_str("c")), TRANSACTIONS_ERR_BYTES);
        assert_int_equal(transactions_drop(&set, slice_str("b")), TRANSACTIONS_OK);
    }
    transactions_dispose(&set);
}

static void every_status_has_a_text(void **state)
{
    (void)state;
    for (int i = TRANSACTIONS_OK; i <= TRANSACTIONS_ERR_BYTES; i++)
        assert_string_not_equal(transactions_strstatus((enum transactions_status)i), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_back_in_order_and_by_name),
        cmocka_unit_test(a_frame_is_copied_whole),
        cmocka_unit_test(a_name_is_open_once),
        cmocka_unit_test(what_is_not_open_is_unknown),
        cmocka_unit_test(a_dropped_one_is_gone),
        cmocka_unit_test(the_session_s_end_drops_all),
        cmocka_unit_test(open_ones_have_a_limit),
        cmocka_unit_test(frames_have_a_limit_over_all),
        cmocka_unit_test(bytes_have_a_limit_over_all),
        cmocka_unit_test(bytes_are_given_back),
        cmocka_unit_test(every_status_has_a_text),
    };

    return cmocka_run_group_tests_name("gateway/session/transactions", tests, NULL, NULL);
}
