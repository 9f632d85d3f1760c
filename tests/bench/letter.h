#ifndef BENCH_LETTER_H
#define BENCH_LETTER_H

#include <stddef.h>
#include "tests/bench/connection.h"
#include "tests/bench/mark.h"

/*
 * A SEND frame that is written once and sent with another mark each time. Owning process only.
 */

struct letter {
    char *text;
    size_t len;
    char *body; /* within `text` */
    size_t body_size;
    enum mark_pattern pattern;
};

/** Ends with letter_dispose. */
void letter_init(struct letter *letter, const char *destination, const char *content_type,
                 size_t body_size, enum mark_pattern pattern);

void letter_dispose(struct letter *letter);

/** Queues the frame with that mark; connection_flush sends it. */
void letter_post(struct letter *letter, struct connection *c, const struct mark *mark);

#endif
