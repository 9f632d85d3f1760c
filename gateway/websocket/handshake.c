#include "gateway/websocket/handshake.h"

#include <string.h>
#include <openssl/sha.h>
#include "base/base64.h"

/* RFC 6455, section 1.3. */
static const char accept_guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

enum { KEY_LEN = 24, GUID_LEN = sizeof(accept_guid) - 1 };

/*
 * Takes the next item of a comma list, without blanks; empty items are passed over (RFC 9110,
 * section 5.6.1). Returns false at the end of the list.
 */
static bool next_item(struct slice *list, struct slice *item)
{
    while (list->len != 0) {
        struct slice head = *list, tail = {"", 0};

        (void)slice_cut(*list, ',', &head, &tail);
        *list = tail;
        *item = slice_trim(head);
        if (item->len != 0)
            return true;
    }
    return false;
}

/* Spring knows these two spellings of the token and no other. */
static bool asks_for_upgrade(struct slice connection)
{
    struct slice item;

    while (next_item(&connection, &item)) {
        if (slice_eq(item, (struct slice)SLICE("Upgrade")) ||
            slice_eq(item, (struct slice)SLICE("upgrade")))
            return true;
    }
    return false;
}

/*
 * Whether the key stands for 16 bytes: 22 digits and "==". What the last digit has too much is
 * not looked at, as Tomcat has it: the RFC's own example, AQIDBAUGBwgJCgsMDQ4PEC==, has stray bits
 * there. Digits in the place of the padding make such a text canonical.
 */
static bool key_is_valid(struct slice key)
{
    char digits[KEY_LEN], bytes[KEY_LEN];
    size_t n_bytes;

    if (key.len != KEY_LEN || !slice_ends_with(key, (struct slice)SLICE("==")))
        return false;
    memcpy(digits, key.base, KEY_LEN);
    memset(digits + KEY_LEN - 2, 'A', 2);
    return base64_decode(BASE64_STANDARD, slice_of(digits, KEY_LEN), bytes, &n_bytes);
}

/* Section 4.2.2, step 5.4. Returns false when libcrypto refuses to hash. */
static bool make_accept(struct slice key, char accept[28])
{
    char text[KEY_LEN + GUID_LEN];
    unsigned char digest[SHA_DIGEST_LENGTH];

    memcpy(text, key.base, KEY_LEN);
    memcpy(text + KEY_LEN, accept_guid, GUID_LEN);
    if (SHA1((const unsigned char *)text, sizeof(text), digest) == NULL)
        return false;
    base64_encode(BASE64_STANDARD, slice_of((const char *)digest, sizeof(digest)), accept);
    return true;
}

static bool is_known(struct slice name, const struct slice *protocols, size_t n_protocols)
{
    for (size_t i = 0; i < n_protocols; i++) {
        if (slice_eq_nocase(name, protocols[i]))
            return true;
    }
    return false;
}

/*
 * The client's first that we know, or an empty slice. A single header line is a list; of several,
 * each is one value (Spring's WebSocketHttpHeaders), so "a, b" then matches nothing.
 */
static struct slice choose_protocol(const struct ws_request *request, const struct slice *protocols,
                                    size_t n_protocols)
{
    if (request->n_protocols == 1) {
        struct slice list = request->protocols[0], item;

        while (next_item(&list, &item)) {
            if (is_known(item, protocols, n_protocols))
                return item;
        }
    } else {
        for (size_t i = 0; i < request->n_protocols; i++) {
            struct slice item = slice_trim(request->protocols[i]);

            if (is_known(item, protocols, n_protocols))
                return item;
        }
    }
    return (struct slice){"", 0};
}

static void refuse(struct ws_answer *answer, int status, const char *body)
{
    answer->status = status;
    answer->body = body;
}

/* A refusal that says by a header what would have been right. */
static void refuse_with(struct ws_answer *answer, int status, const char *name, const char *value)
{
    refuse(answer, status, "");
    answer->header_name = name;
    answer->header_value = value;
}

void ws_handshake_check(const struct ws_request *request, const struct slice *protocols,
                        size_t n_protocols, struct ws_answer *answer)
{
    struct slice key = slice_trim(request->key);

    *answer = (struct ws_answer){.status = 101, .body = "", .protocol = {"", 0}};
    if (!slice_eq(request->method, (struct slice)SLICE("GET"))) {
        refuse_with(answer, 405, "Allow", "GET");
        return;
    }
    if (!slice_eq_nocase(slice_trim(request->upgrade), (struct slice)SLICE("websocket"))) {
        refuse(answer, 400, "Can \"Upgrade\" only to \"WebSocket\".");
        return;
    }
    if (!asks_for_upgrade(request->connection)) {
        refuse(answer, 400, "\"Connection\" must be \"upgrade\".");
        return;
    }
    if (request->key.base == NULL) {
        refuse(answer, 400, "");
        return;
    }
    if (!slice_eq(slice_trim(request->version), (struct slice)SLICE("13"))) {
        refuse_with(answer, 426, "Sec-WebSocket-Version", "13");
        return;
    }
    /* Spring asks only that there is a key; the container looks at it, after all of Spring's. */
    if (!key_is_valid(key)) {
        refuse(answer, 400, "");
        return;
    }
    if (!make_accept(key, answer->accept)) {
        refuse(answer, 500, "");
        return;
    }
    answer->protocol = choose_protocol(request, protocols, n_protocols);
}
