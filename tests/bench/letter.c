#include "tests/bench/letter.h"

#include <string.h>
#include "base/mem.h"

void letter_init(struct letter *letter, const char *destination, const char *content_type,
                 size_t body_size, enum mark_pattern pattern)
{
    char *head = mem_printf("SEND\ndestination:%s\ncontent-type:%s\ncontent-length:%zu\n\n",
                            destination, content_type, body_size);
    size_t head_len = strlen(head);

    letter->len = head_len + body_size + 1;
    letter->text = mem_realloc(head, letter->len);
    letter->body = letter->text + head_len;
    letter->body_size = body_size;
    letter->pattern = pattern;
    mark_write(letter->body, &(struct mark){0});
    mark_fill(letter->body, body_size, pattern);
    letter->body[body_size] = '\0';
}

void letter_dispose(struct letter *letter)
{
    mem_free(letter->text);
    *letter = (struct letter){0};
}

void letter_post(struct letter *letter, struct connection *c, const struct mark *mark)
{
    mark_write(letter->body, mark);
    /* The alphabet is there already, and the same in all. */
    if (letter->pattern != MARK_LETTERS)
        mark_fill(letter->body, letter->body_size, letter->pattern);
    connection_send(c, WIRE_TEXT, slice_of(letter->text, letter->len));
}
