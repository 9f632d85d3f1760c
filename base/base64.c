#include "base/base64.h"

#include <stdint.h>

static const char alphabets[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

size_t base64_encoded_len(enum base64_alphabet alphabet, size_t n)
{
    if (alphabet == BASE64_STANDARD)
        return (n + 2) / 3 * 4;
    return n / 3 * 4 + (n % 3 == 0 ? 0 : n % 3 + 1);
}

void base64_encode(enum base64_alphabet alphabet, struct slice bytes, char *out)
{
    const char *digits = alphabets[alphabet];

    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t group = (uint32_t)(unsigned char)bytes.base[i] << 16;

        if (n > 1)
            group |= (uint32_t)(unsigned char)bytes.base[i + 1] << 8;
        if (n > 2)
            group |= (uint32_t)(unsigned char)bytes.base[i + 2];
        *out++ = digits[group >> 18];
        *out++ = digits[(group >> 12) & 63];
        if (n > 1)
            *out++ = digits[(group >> 6) & 63];
        else if (alphabet == BASE64_STANDARD)
            *out++ = '=';
        if (n > 2)
            *out++ = digits[group & 63];
        else if (alphabet == BASE64_STANDARD)
            *out++ = '=';
    }
}

size_t base64_decoded_max(size_t n)
{
    return (n + 3) / 4 * 3;
}

static int digit_value(enum base64_alphabet alphabet, char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == alphabets[alphabet][62])
        return 62;
    return c == alphabets[alphabet][63] ? 63 : -1;
}

bool base64_decode(enum base64_alphabet alphabet, struct slice text, char *out, size_t *out_len)
{
    size_t len = 0;

    if (alphabet == BASE64_STANDARD) {
        if (text.len % 4 != 0)
            return false;
        for (int i = 0; i < 2 && text.len != 0 && text.base[text.len - 1] == '='; i++)
            text.len--;
    }
    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t n = text.len - i < 4 ? text.len - i : 4;
        uint32_t group = 0;

        for (size_t k = 0; k < 4; k++) {
            int value = k < n ? digit_value(alphabet, text.base[i + k]) : 0;

            if (value < 0)
                return false;
            group = group << 6 | (uint32_t)value;
        }
        /* Bits behind the last byte must be 0, or two texts would stand for the same bytes. */
        if ((n == 2 && (group & 0xffff) != 0) || (n == 3 && (group & 0xff) != 0))
            return false;
        out[len++] = (char)(group >> 16);
        if (n > 2)
            out[len++] = (char)(group >> 8 & 0xff);
        if (n > 3)
            out[len++] = (char)(group & 0xff);
    }
    *out_len = len;
    return true;
}
