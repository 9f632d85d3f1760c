#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include "base/slice.h"

/*
 * Base64 of RFC 4648, strict: canonical input only (no line breaks, no spaces, no stray bits in
 * the last character). Pure. Any thread.
 */

enum base64_alphabet {
    BASE64_STANDARD, /* section 4: + and /, padded with = */
    BASE64_URL,      /* section 5: - and _, no padding, as JOSE wants it */
};

/** How many characters `n` bytes give, padding counted for BASE64_STANDARD. */
size_t base64_encoded_len(enum base64_alphabet alphabet, size_t n);

/** Writes exactly base64_encoded_len characters, no NUL, to `out`. */
void base64_encode(enum base64_alphabet alphabet, struct slice bytes, char *out);

/** The most bytes that `n` characters can give. */
size_t base64_decoded_max(size_t n);

/**
 * Decodes into `out`, which has room for base64_decoded_max(text.len) bytes.
 * Returns false when the text is not the one canonical encoding of its bytes; `*out_len` is set
 * only on success.
 */
bool base64_decode(enum base64_alphabet alphabet, struct slice text, char *out, size_t *out_len)
    __attribute__((warn_unused_result));

#endif
