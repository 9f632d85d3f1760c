#include "gateway/http/tickets.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/mem.h"

enum {
    NAME_BYTES = 16,
    SECRET_BYTES = 32,
    FILE_CHECK_MS = 60000,
};

struct key {
    unsigned char name[NAME_BYTES];
    unsigned char hmac[SECRET_BYTES];
    unsigned char aes[SECRET_BYTES];
    uint64_t made_ms; /* random ones */
};

struct http_tickets {
    pthread_mutex_t lock;
    struct key keys[HTTP_TICKETS_MAX_KEYS]; /* the first is for new tickets */
    size_t n_keys;
    uint32_t lifetime_ms;
    char *path; /* NULL: random keys */
    struct stat seen;
    uint64_t seen_ms;
    uint64_t (*now_ms)(void);
    const struct log *log;
};

/* --- keys from a file --- */

/** Reads at most `size` bytes. Returns how many, or -1 with errno; `*about` is of what was read. */
static ssize_t read_bytes(const char *path, unsigned char *out, size_t size, struct stat *about)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t len = 0;
    ssize_t n = -1;

    if (fd < 0)
        return -1;
    if (fstat(fd, about) == 0) {
        while (len < size && (n = read(fd, out + len, size - len)) > 0)
            len += (size_t)n;
        if (len == size)
            n = 0;
    }
    (void)close(fd);
    return n < 0 ? -1 : (ssize_t)len;
}

static void take_keys(struct http_tickets *tickets, const unsigned char *bytes, size_t n)
{
    OPENSSL_cleanse(tickets->keys, sizeof(tickets->keys));
    tickets->n_keys = n;
    for (size_t i = 0; i < n; i++) {
        struct key *key = &tickets->keys[i];

        memcpy(key->name, bytes, sizeof(key->name));
        memcpy(key->hmac, bytes + NAME_BYTES, sizeof(key->hmac));
        memcpy(key->aes, bytes + NAME_BYTES + SECRET_BYTES, sizeof(key->aes));
        bytes += HTTP_TICKETS_KEY_BYTES;
    }
}

static bool load_file(struct http_tickets *tickets)
{
    unsigned char bytes[HTTP_TICKETS_KEY_BYTES * HTTP_TICKETS_MAX_KEYS + 1];
    ssize_t len = read_bytes(tickets->path, bytes, sizeof(bytes), &tickets->seen);
    const char *error = NULL;

    if (len < 0)
        error = strerror(errno);
    else if (len == 0 || len % HTTP_TICKETS_KEY_BYTES != 0 || len == sizeof(bytes))
        error = "expected 1 to 16 keys of 80 bytes each";
    else
        take_keys(tickets, bytes, (size_t)len / HTTP_TICKETS_KEY_BYTES);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    if (error != NULL)
        log_event(tickets->log, LOG_LEVEL_ERROR, "tls.ticket_keys_failed",
                  log_cstr("setting", "tls.session_tickets.key_file"),
                  log_cstr("path", tickets->path), log_cstr("error", error));
    return error == NULL;
}

/* A file that is gone for a moment, or half written, is looked at again a minute later. */
static void look_at_file(struct http_tickets *tickets, uint64_t now_ms)
{
    struct stat now;

    if (now_ms < tickets->seen_ms + FILE_CHECK_MS)
        return;
    tickets->seen_ms = now_ms;
    if (stat(tickets->path, &now) == 0 && now.st_ino == tickets->seen.st_ino &&
        now.st_size == tickets->seen.st_size &&
        now.st_mtim.tv_sec == tickets->seen.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == tickets->seen.st_mtim.tv_nsec)
        return;
    if (load_file(tickets))
        log_event(tickets->log, LOG_LEVEL_INFO, "tls.ticket_keys_read",
                  log_cstr("path", tickets->path), log_u64("keys", tickets->n_keys));
}

/* --- random keys --- */

/* Returns false, with nothing changed, when there is no randomness. */
static bool add_random(struct http_tickets *tickets, uint64_t now_ms)
{
    unsigned char bytes[HTTP_TICKETS_KEY_BYTES];
    struct key before = tickets->keys[0];
    bool is_worth_keeping =
        tickets->n_keys != 0 && now_ms - before.made_ms < 2 * (uint64_t)tickets->lifetime_ms;

    if (RAND_priv_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    take_keys(tickets, bytes, 1);
    tickets->keys[0].made_ms = now_ms;
    if (is_worth_keeping)
        tickets->keys[tickets->n_keys++] = before;
    OPENSSL_cleanse(bytes, sizeof(bytes));
    OPENSSL_cleanse(&before, sizeof(before));
    return true;
}

static bool turn_random(struct http_tickets *tickets, uint64_t now_ms)
{
    uint64_t lifetime_ms = tickets->lifetime_ms;

    if (tickets->n_keys == 0 || now_ms - tickets->keys[0].made_ms >= lifetime_ms)
        return add_random(tickets, now_ms);
    if (tickets->n_keys == 2 && now_ms - tickets->keys[1].made_ms >= 2 * lifetime_ms)
        OPENSSL_cleanse(&tickets->keys[--tickets->n_keys], sizeof(tickets->keys[0]));
    return true;
}

/* --- what OpenSSL asks --- */

enum found { FOUND_NONE, FOUND_CURRENT, FOUND_OLDER, FOUND_FAILED };

/** The key of that name; NULL: the one for new tickets. */
static enum found find_key(struct http_tickets *tickets, const unsigned char *name, struct key *out)
{
    uint64_t now_ms = tickets->now_ms();
    enum found found = FOUND_NONE;

    pthread_mutex_lock(&tickets->lock);
    if (tickets->path != NULL)
        look_at_file(tickets, now_ms);
    else if (!turn_random(tickets, now_ms))
        found = FOUND_FAILED;
    for (size_t i = 0; i < tickets->n_keys && found == FOUND_NONE; i++) {
        if (name == NULL || memcmp(tickets->keys[i].name, name, NAME_BYTES) == 0) {
            *out = tickets->keys[i];
            found = i == 0 ? FOUND_CURRENT : FOUND_OLDER;
        }
    }
    pthread_mutex_unlock(&tickets->lock);
    return found;
}

static bool set_mac(EVP_MAC_CTX *mac, struct key *key)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->hmac, sizeof(key->hmac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };

    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* What it returns: 1 goes on, 2 goes on and gives a new ticket, 0 does without a ticket. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int is_new)
{
    struct http_tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct key key;
    enum found found = find_key(tickets, is_new ? NULL : name, &key);
    int result = -1;

    if (found == FOUND_FAILED)
        return -1;
    if (found == FOUND_NONE)
        return 0;
    if (is_new) {
        memcpy(name, key.name, NAME_BYTES);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
            EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv) == 1 &&
            set_mac(mac, &key))
            result = 1;
    } else if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.aes, iv) == 1 &&
               set_mac(mac, &key)) {
        /* RFC 8446, C.4: one that is shown twice tells who came twice. */
        result = found == FOUND_CURRENT && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
    }
    OPENSSL_cleanse(&key, sizeof(key));
    return result;
}

/* --- life --- */

struct http_tickets *http_tickets_new(uint32_t lifetime_ms, struct slice key_file,
                                      uint64_t (*now_ms)(void), const struct log *log)
{
    struct http_tickets *tickets = mem_calloc(1, sizeof(*tickets));

    (void)pthread_mutex_init(&tickets->lock, NULL);
    tickets->lifetime_ms = lifetime_ms;
    tickets->now_ms = now_ms;
    tickets->log = log;
    if (key_file.len == 0)
        return tickets; /* the first key is made when it is needed */
    tickets->path = mem_printf("%.*s", SLICE_FMT(key_file));
    tickets->seen_ms = now_ms();
    if (load_file(tickets))
        return tickets;
    http_tickets_free(tickets);
    return NULL;
}

void http_tickets_free(struct http_tickets *tickets)
{
    if (tickets == NULL)
        return;
    OPENSSL_cleanse(tickets->keys, sizeof(tickets->keys));
    (void)pthread_mutex_destroy(&tickets->lock);
    mem_free(tickets->path);
    mem_free(tickets);
}

void http_tickets_use(struct http_tickets *tickets, SSL_CTX *context)
{
    (void)SSL_CTX_set_app_data(context, tickets);
    (void)SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket);
    (void)SSL_CTX_set_timeout(context, ((long)tickets->lifetime_ms + 999) / 1000);
    /* One is enough for a client that comes back: it gets the next one then. */
    (void)SSL_CTX_set_num_tickets(context, 1);
}
