#include "tests/test.h"
#include <pthread.h>
#include "base/mem.h"
#include "gateway/router/msg.h"

static void a_message_is_its_headers_its_id_its_length_its_body_and_a_nul(void **state)
{
    const struct {
        struct msg_header headers[3];
        size_t n_headers;
        struct slice id, body, head, tail;
    } rows[] = {
        {{{SLICE("destination"), SLICE("/topic/a")}},
         1,
         SLICE("s-0-1"),
         SLICE("hello"),
         SLICE("MESSAGE\ndestination:/topic/a\n"),
         SLICE("message-id:s-0-1\ncontent-length:5\n\nhello\0")},
        {{{SLICE("b"), SLICE("1")}, {SLICE("destination"), SLICE("/d")}, {SLICE("a"), SLICE("")}},
         3,
         SLICE("x"),
         {NULL, 0},
         SLICE("MESSAGE\nb:1\ndestination:/d\na:\n"),
         SLICE("message-id:x\ncontent-length:0\n\n\0")},
        {{{SLICE("k:\\"), SLICE("one\ntwo\r:\\")}},
         1,
         SLICE("x"),
         SLICE("a\0b"),
         SLICE("MESSAGE\nk\\c\\\\:one\\ntwo\\r\\c\\\\\n"),
         SLICE("message-id:x\ncontent-length:3\n\na\0b\0")},
        {{{SLICE(""), SLICE("")}},
         0,
         SLICE("x"),
         SLICE("b"),
         SLICE("MESSAGE\n"),
         SLICE("message-id:x\ncontent-length:1\n\nb\0")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct msg *msg = msg_new((struct slice)SLICE("/d"), rows[i].headers, rows[i].n_headers,
                                  rows[i].id, rows[i].body, i % 2 == 1);

        assert_slice(msg->destination, "/d");
        assert_true(slice_eq(msg->head, rows[i].head));
        assert_true(slice_eq(msg->tail, rows[i].tail));
        assert_true(slice_eq(msg->id, rows[i].id));
        assert_true(slice_eq(msg->body, rows[i].body));
        assert_int_equal(msg->is_binary, i % 2 == 1);
        assert_int_equal(msg_bytes(msg), sizeof(*msg) + 2 + rows[i].head.len + rows[i].tail.len);
        msg_unref(msg);
    }
}

static void a_message_keeps_nothing_of_what_it_was_made_from(void **state)
{
    char bytes[] = "/topic/a k v id body";
    struct msg_header header = {slice_of(bytes + 9, 1), slice_of(bytes + 11, 1)};
    struct msg *msg = msg_new(slice_of(bytes, 8), &header, 1, slice_of(bytes + 13, 2),
                              slice_of(bytes + 16, 4), false);

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    assert_slice(msg->destination, "/topic/a");
    assert_slice(msg->head, "MESSAGE\nk:v\n");
    assert_slice(msg->id, "id");
    assert_slice(msg->body, "body");
    msg_unref(msg);
}

static void a_large_body_has_its_length_written_out(void **state)
{
    enum { LEN = 3000000 };
    char *body = mem_calloc(1, LEN);
    struct msg *msg = msg_new(slice_str("/d"), NULL, 0, slice_str("i"), slice_of(body, LEN), true);

    (void)state;
    assert_true(slice_starts_with(
        msg->tail, (struct slice)SLICE("message-id:i\ncontent-length:3000000\n\n\0\0")));
    assert_int_equal(msg->body.len, LEN);
    msg_unref(msg);
    mem_free(body);
}

static struct msg *sample(void)
{
    static const struct msg_header headers[] = {
        {SLICE("destination"), SLICE("/topic/a")},
        {SLICE("k:1"), SLICE("a\nb\\c:d")},
        {SLICE("twice"), SLICE("one")},
        {SLICE("twice"), SLICE("two")},
        {SLICE("empty"), SLICE("")},
    };

    return msg_new(slice_str("/topic/a"), headers, 5, slice_str("id-7"), slice_str("body"), true);
}

static void headers_are_found_unescaped_and_the_first_of_a_name(void **state)
{
    static const struct {
        const char *name, *value;
    } rows[] = {
        {"destination", "/topic/a"},
        {"k:1", "a\nb\\c:d"},
        {"twice", "one"},
        {"empty", ""},
        {"k", NULL},
        {"Twice", NULL},
        {"message-id", NULL},
        {"", NULL},
    };
    struct msg *msg = sample();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice value;
        char *owned;

        assert_int_equal(msg_find_header(msg, slice_str(rows[i].name), &value, &owned),
                         rows[i].value != NULL);
        if (rows[i].value != NULL)
            assert_true(slice_eq(value, slice_str(rows[i].value)));
        mem_free(owned);
    }
    msg_unref(msg);
}

static void copies_differ_in_what_they_were_made_for_only(void **state)
{
    struct msg *msg = sample(), *bound = msg_new_bound(msg, slice_str("/topic/a-user1"));
    struct msg *more = msg_new_with_lines(msg, slice_str("x-seq:1\n"));
    struct msg *shown = msg_new_shown(msg, slice_str("/app/a:b"));

    (void)state;
    assert_false(msg->is_bound);
    assert_true(bound->is_bound);
    assert_slice(bound->destination, "/topic/a-user1");
    assert_true(slice_eq(bound->head, msg->head));
    assert_true(slice_eq(bound->tail, msg->tail));
    assert_false(more->is_bound);
    assert_true(slice_starts_with(more->head, msg->head));
    assert_true(slice_ends_with(more->head, slice_str("empty:\nx-seq:1\n")));
    assert_slice(shown->destination, "/topic/a");
    assert_slice(shown->head, "MESSAGE\ndestination:/app/a\\cb\nk\\c1:a\\nb\\\\c\\cd\ntwice:one\n"
                              "twice:two\nempty:\n");
    for (int i = 0; i < 3; i++) {
        struct msg *copy = i == 0 ? bound : i == 1 ? more : shown;

        assert_slice(copy->id, "id-7");
        assert_slice(copy->body, "body");
        assert_true(copy->is_binary);
        msg_unref(copy);
    }
    msg_unref(msg);
}

static void *read_and_unref(void *arg)
{
    struct msg *msg = arg;

    for (int i = 0; i < 20000; i++)
        msg_unref(msg_ref(msg));
    assert_slice(msg->body, "shared");
    msg_unref(msg);
    return NULL;
}

static void the_last_reference_ends_a_message_on_whichever_thread(void **state)
{
    enum { N_ROUNDS = 20, N_THREADS = 2 };

    (void)state;
    for (int round = 0; round < N_ROUNDS; round++) {
        struct msg *msg =
            msg_new(slice_str("/d"), NULL, 0, slice_str("i"), slice_str("shared"), false);
        pthread_t threads[N_THREADS];

        for (int i = 0; i < N_THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, read_and_unref, msg_ref(msg)), 0);
        msg_unref(msg);
        for (int i = 0; i < N_THREADS; i++)
            pthread_join(threads[i], NULL);
    }
}

enum { N_PACKERS = 4, N_FORMS = 7 };

struct packing {
    struct msg *msg;
    const struct msg_packed *kept[N_FORMS];
};

static void *pack_all_forms(void *ctx)
{
    struct packing *packing = ctx;

    for (uint8_t form = 0; form < N_FORMS; form++) {
        char bytes[] = {(char)('a' + form), '!'};

        packing->kept[form] =
            msg_add_packed(packing->msg, form, slice_of(bytes, form == 3 ? 0 : 2));
    }
    msg_unref(packing->msg);
    return NULL;
}

static void of_each_packed_form_one_is_kept(void **state)
{
    struct msg *msg = msg_new((struct slice)SLICE("/d"), NULL, 0, slice_str("m"), slice_str(""), 0);
    size_t n_bytes = msg_bytes(msg);
    struct packing packings[N_PACKERS];
    pthread_t threads[N_PACKERS];

    (void)state;
    assert_null(msg_find_packed(msg, 0));
    for (size_t i = 0; i < N_PACKERS; i++) {
        packings[i].msg = msg_ref(msg);
        assert_int_equal(pthread_create(&threads[i], NULL, pack_all_forms, &packings[i]), 0);
    }
    for (size_t i = 0; i < N_PACKERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (uint8_t form = 0; form < N_FORMS; form++) {
        const struct msg_packed *packed = msg_find_packed(msg, form);

        assert_non_null(packed);
        assert_int_equal(packed->len, form == 3 ? 0 : 2);
        assert_true(form == 3 || packed->bytes[0] == 'a' + form);
        for (size_t i = 0; i < N_PACKERS; i++)
            assert_ptr_equal(packings[i].kept[form], packed);
    }
    assert_null(msg_find_packed(msg, N_FORMS));
    assert_int_equal(msg_bytes(msg), n_bytes); /* who counts it must find the same again */
    msg_unref(msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_its_headers_its_id_its_length_its_body_and_a_nul),
        cmocka_unit_test(a_message_keeps_nothing_of_what_it_was_made_from),
        cmocka_unit_test(a_large_body_has_its_length_written_out),
        cmocka_unit_test(headers_are_found_unescaped_and_the_first_of_a_name),
        cmocka_unit_test(copies_differ_in_what_they_were_made_for_only),
        cmocka_unit_test(the_last_reference_ends_a_message_on_whichever_thread),
        cmocka_unit_test(of_each_packed_form_one_is_kept),
    };

    return cmocka_run_group_tests_name("gateway/router/msg", tests, NULL, NULL);
}
