#include "stomp/quote.h"

#include <string.h>
#include "base/utf8.h"

static bool continues_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

const char *stomp_quote(struct slice text, size_t max, char *out)
{
    size_t len = text.len;
    bool is_utf8;

    if (len > max) {
        len = max;
        /* Not UTF-8 when it takes more than three steps: the check below will see that. */
        while (len > 0 && max - len < 3 && continues_character(text.base[len]))
            len--;
    }
    is_utf8 = utf8_is_valid(slice_take(text, len));
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.base[i];

        out[i] = text.base[i];
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !is_utf8))
            out[i] = '?';
    }
    memcpy(out + len, "...", 4);
    if (len == text.len)
        out[len] = '\0';
    return out;
}
