#include "gateway/bench/letter.h"

#include <assert.h>
#include <string.h>
#include "base/mem.h"

#define HEAD "SEND\ndestination:"

void letter_init_open(struct letter *letter, size_t longest, const char *content_type,
                      size_t body_size, enum mark_pattern pattern)
{
    char *tail = mem_printf("\ncontent-type:%s\ncontent-length:%zu\n\n", content_type, body_size);
    size_t before = strlen(HEAD) + longest, tail_len = strlen(tail);

    letter->room = mem_alloc(before + tail_len + body_size + 1);
    letter->tail = letter->room + before;
    letter->body = letter->tail + tail_len;
    letter->text = letter->tail;
    letter->len = tail_len + body_size + 1;
    memcpy(letter->tail, tail, tail_len);
    letter->body_size = body_size;
    letter->pattern = pattern;
    mark_write(letter->body, &(struct mark){0});
    mark_fill(letter->body, body_size, pattern);
    letter->body[body_size] = '\0';
    mem_free(tail);
}

void letter_init(struct letter *letter, const char *destination, const char *content_type,
                 size_t body_size, enum mark_pattern pattern)
{
    letter_init_open(letter, strlen(destination), content_type, body_size, pattern);
    letter_address(letter, destination);
}

void letter_dispose(struct letter *letter)
{
    mem_free(letter->room);
    *letter = (struct letter){0};
}

void letter_address(struct letter *letter, const char *destination)
{
    const char *end = letter->text + letter->len;
    size_t len = strlen(destination);

    letter->text = letter->tail - len - strlen(HEAD);
    assert(letter->text >= letter->room);
    letter->len = (size_t)(end - letter->text);
    memcpy(letter->text, HEAD, strlen(HEAD));
    memcpy(letter->text + strlen(HEAD), destination, len);
}

void letter_post(struct letter *letter, struct connection *c, const struct mark *mark)
{
    mark_write(letter->body, mark);
    /* The alphabet is there already, and the same in all. */
    if (letter->pattern != MARK_LETTERS)
        mark_fill(letter->body, letter->body_size, letter->pattern);
    connection_send(c, WIRE_TEXT, slice_of(letter->text, letter->len));
}
