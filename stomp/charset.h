#ifndef STOMP_CHARSET_H
#define STOMP_CHARSET_H

#include <stdbool.h>
#include "base/slice.h"

/*
 * The names of character sets that a Java server knows (OpenJDK 17, with the module jdk.charsets):
 * Spring refuses a content-type with any other. We convert nothing. Pure. Any thread.
 */

/** Whether it can be such a name at all: letters, digits, and inside "-", "+", ".", ":", "_". */
bool stomp_charset_is_legal(struct slice name);

/** Whatever its case. */
bool stomp_charset_is_known(struct slice name);

#endif
