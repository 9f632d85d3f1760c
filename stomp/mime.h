#ifndef STOMP_MIME_H
#define STOMP_MIME_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/slice.h"
#include "stomp/status.h"

/*
 * The content-type header (Spring's MimeTypeUtils): checked when a frame comes in, printed back
 * in Spring's form when it goes out. Pure. Any thread.
 */

/**
 * Parses `value` and, unless `printed` is NULL, appends what Spring prints for it
 * ("a/b; c=d" gives "a/b;c=d"). `reason`, unless NULL, is set to a static text on error.
 * Returns STOMP_OK or STOMP_ERR_CONTENT_TYPE (then `printed` is untouched).
 */
STOMP_MUST_CHECK
enum stomp_status stomp_mime_parse(struct slice value, struct buf *printed, const char **reason);

/**
 * Writes what is wrong with `value` in Spring's words, with the part that it is about ("unsupported
 * charset 'U'"), to `text`: at most `size` bytes with the NUL (128 are always enough), UTF-8, no
 * control characters.
 */
void stomp_mime_explain(struct slice value, char *text, size_t size);

/**
 * Whether the type is compatible with application/octet-stream: that type, "application/" with a
 * star (also with "+octet-stream" behind it), or two stars; parameters do not matter. A body of
 * such a type goes out as a binary message.
 */
bool stomp_mime_is_binary(struct slice value);

#endif
