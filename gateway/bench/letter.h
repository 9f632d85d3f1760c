#ifndef GATEWAY_BENCH_LETTER_H
#define GATEWAY_BENCH_LETTER_H

#include <stddef.h>
#include "gateway/bench/connection.h"
#include "gateway/bench/mark.h"

/*
 * A SEND frame that is written once and sent with another mark each time, to the same destination
 * or to many. Owning process only.
 */

struct letter {
    char *room;
    char *text; /* within `room` */
    size_t len;
    char *tail; /* the headers behind the destination */
    char *body; /* in `room`, behind the tail */
    size_t body_size;
    enum mark_pattern pattern;
};

/** Ends with letter_dispose. */
void letter_init(struct letter *letter, const char *destination, const char *content_type,
                 size_t body_size, enum mark_pattern pattern);

/**
 * As letter_init, with room for destinations of up to `longest` bytes; letter_address must come
 * before the first letter_post.
 */
void letter_init_open(struct letter *letter, size_t longest, const char *content_type,
                      size_t body_size, enum mark_pattern pattern);

void letter_dispose(struct letter *letter);

/** Whom the next ones go to; `destination` is not longer than was said. */
void letter_address(struct letter *letter, const char *destination);

/** Queues the frame with that mark; connection_flush sends it. */
void letter_post(struct letter *letter, struct connection *c, const struct mark *mark);

#endif
