#include "gateway/config/settings.h"

#include "gateway/config/config.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define SECOND UINT64_C(1000)
#define HOUR (SECOND * 3600)
#define DAY (HOUR * 24)

/** Where a row's value goes: a field of struct config, or of a list's item. */
#define IN(type, field)                                                                            \
    .offset = offsetof(struct type, field), .size = sizeof(((struct type *)0)->field)

#define LIST(name_, field, type, count, if_empty_)                                                 \
    {                                                                                              \
        .name = (name_), .items_offset = offsetof(struct config, field),                           \
        .count_offset = offsetof(struct config, count), .item_size = sizeof(struct type),          \
        .if_empty = (if_empty_)                                                                    \
    }

/* In the order of their enums. */
static const char *const protocols[] = {"stomp", "echo", "broadcast", NULL};
static const char *const route_modes[] = {"broadcast", "echo", NULL};
static const char *const roles[] = {"publish", "metrics", NULL};
static const char *const algorithms[] = {"HS256", "RS256", "ES256", NULL};
static const char *const operations[] = {"connect", "send", "subscribe", NULL};
static const char *const allows[] = {"all", "none", "authenticated", NULL};
static const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const log_formats[] = {"auto", "text", "json", NULL};

static const struct setting_section sections[] = {
    {"listeners", "Where clients connect. Without any, one listener at `0.0.0.0:8080`."},
    {"workers", "How many threads serve connections."},
    {"admin", "The second listener, for backends and operators: the push API, health and metrics."},
    {"endpoints", "The WebSocket paths. Without any, one: `/ws`, for STOMP."},
    {"routes", "What happens to messages sent to single destinations; all others are broadcast."},
    {"broker", "Destinations and heart-beats, named as in Spring's `MessageBrokerRegistry`."},
    {"transport",
     "Limits, named as in Spring's `WebSocketTransportRegistration` where it has them."},
    {"auth", "Who may get in: tokens (JWT), or anybody."},
    {"access", "Who may do what. The first rule that matches decides; what no rule matches is "
               "denied. Without "
               "any rule, everybody who got in may subscribe and send everywhere."},
    {"tls", "Certificates for the listeners with `tls: true`. The client's server name (SNI) "
            "chooses; the first certificate is for all other names."},
    {"log", "Events on standard error."},
    {"web", "Pages that the gateway serves itself."},
    {"shutdown", "What happens on SIGTERM."},
};

static const struct setting_list lists[] = {
    LIST("listeners", listeners, config_listener, n_listeners,
         "nobody could connect: name one, or leave the setting out for 0.0.0.0:8080"),
    LIST("admin.api_keys", admin.api_keys, config_api_key, admin.n_api_keys, NULL),
    LIST("endpoints", endpoints, config_endpoint, n_endpoints,
         "nobody could connect: name one, or leave the setting out for /ws"),
    LIST("routes", routes, config_route, n_routes, NULL),
    LIST("auth.issuers", auth.issuers, config_issuer, auth.n_issuers, NULL),
    LIST("access", access, config_access_rule, n_access,
         "it would deny everything: write a rule, or leave the setting out to have none"),
    LIST("tls.certificates", tls.certificates, config_certificate, tls.n_certificates, NULL),
};

static const struct setting settings[] = {
    {.name = "listeners[].address",
     .type = SETTING_ADDRESS,
     .flags = SETTING_REQUIRED,
     IN(config_listener, address),
     .min = 1,
     .max = 255,
     .help =
         "Host and port, `0.0.0.0:8080` or `[::]:8080`. Port 0 asks the system for a free one."},
    {.name = "listeners[].tls",
     .type = SETTING_BOOL,
     IN(config_listener, tls),
     .standard = "false",
     .help = "Serve `wss://` here, with the certificates of `tls.certificates`."},
    {.name = "listeners[].proxy_protocol",
     .type = SETTING_BOOL,
     IN(config_listener, proxy_protocol),
     .standard = "false",
     .help = "A load balancer puts a PROXY protocol header before each connection. Turn it on only "
             "where nobody else can connect: the header says who the client is."},

    {.name = "workers",
     .type = SETTING_INTEGER,
     IN(config, workers),
     .min = 1,
     .max = 64,
     .computed = "the CPUs that the process may use (affinity mask, cgroup `cpu.max`)",
     .help = "Threads, each with its own share of the connections."},

    {.name = "admin.listen",
     .type = SETTING_ADDRESS,
     IN(config, admin.listen),
     .max = 255,
     .standard = "127.0.0.1:9090",
     .help = "Host and port of the admin listener; empty for none. Beyond the loopback addresses "
             "it needs a key in `admin.api_keys`."},
    {.name = "admin.api_keys[].name",
     .type = SETTING_STRING,
     .flags = SETTING_REQUIRED,
     IN(config_api_key, name),
     .min = 1,
     .max = 64,
     .help = "What logs call the key's holder."},
    {.name = "admin.api_keys[].sha256",
     .type = SETTING_SHA256,
     .flags = SETTING_REQUIRED,
     IN(config_api_key, sha256),
     .help = "SHA-256 of the key, so that the file holds no secret: "
             "`printf %s \"$KEY\" | sha256sum`. The key should be long and random."},
    {.name = "admin.api_keys[].roles",
     .type = SETTING_ENUM_SET,
     .flags = SETTING_NOT_EMPTY,
     IN(config_api_key, roles),
     .words = roles,
     .standard = "publish,metrics",
     .help = "What the key opens: `publish` the push API, `metrics` the metrics."},

    {.name = "endpoints[].path",
     .type = SETTING_STRING,
     .flags = SETTING_REQUIRED,
     IN(config_endpoint, path),
     .min = 1,
     .max = 1024,
     .help = "The path of the URL, starting with a slash."},
    {.name = "endpoints[].protocol",
     .type = SETTING_ENUM,
     IN(config_endpoint, protocol),
     .words = protocols,
     .standard = "stomp",
     .help = "`stomp`; or for plain WebSocket clients: `echo` sends each message back, `broadcast` "
             "sends it to everybody on this path."},
    {.name = "endpoints[].anonymous",
     .type = SETTING_BOOL,
     IN(config_endpoint, anonymous),
     .standard = "false",
     .help = "Nobody needs a token here, whatever `auth.anonymous` says. Access rules still hold."},
    {.name = "endpoints[].prefix",
     .type = SETTING_TEXT,
     IN(config_endpoint, prefix),
     .max = 4096,
     .standard = "",
     .help = "Protocol `echo` only: goes before the text of each text message."},
    {.name = "endpoints[].echo_to_sender",
     .type = SETTING_BOOL,
     IN(config_endpoint, echo_to_sender),
     .standard = "false",
     .help = "Protocol `broadcast` only: the sender gets its own messages too."},
    {.name = "endpoints[].message_size_limit",
     .type = SETTING_SIZE,
     IN(config_endpoint, message_size_limit),
     .min = 64,
     .max = 64 * MIB,
     .computed = "`transport.message_size_limit`",
     .help = "The largest message that a client may send here; a larger one closes with 1009."},
    {.name = "endpoints[].idle_timeout",
     .type = SETTING_DURATION,
     IN(config_endpoint, idle_timeout_ms),
     .max = DAY,
     .standard = "0",
     .help = "A client that sends no message for so long is closed; 0 never. Answers to pings "
             "are no messages."},
    {.name = "endpoints[].allowed_origins",
     .type = SETTING_STRINGS,
     IN(config_endpoint, allowed_origins),
     .min = 1,
     .max = 1024,
     .standard = "",
     .help = "Origins of pages on other hosts that may connect, `https://app.example.com`; `*` for "
             "all. Pages of the same origin always may."},
    {.name = "endpoints[].allowed_origin_patterns",
     .type = SETTING_STRINGS,
     IN(config_endpoint, allowed_origin_patterns),
     .min = 1,
     .max = 1024,
     .standard = "",
     .help = "The same with wildcards: `https://*.example.com`, "
             "`https://*.example.com:[8080,8081]`, `http://localhost:[*]`."},
    {.name = "endpoints[].sockjs",
     .type = SETTING_BOOL,
     .flags = SETTING_LATER,
     .standard = "false",
     .help = "SockJS for this endpoint. Not built in this version."},

    {.name = "routes[].destination",
     .type = SETTING_STRING,
     .flags = SETTING_REQUIRED,
     IN(config_route, destination),
     .min = 1,
     .max = 1024,
     .help = "The destination that clients send to, exactly."},
    {.name = "routes[].mode",
     .type = SETTING_ENUM,
     IN(config_route, mode),
     .words = route_modes,
     .standard = "broadcast",
     .help = "`broadcast` to all subscribers; `echo` only to the sending session's own "
             "subscriptions of the destination."},
    {.name = "routes[].send_to",
     .type = SETTING_STRING,
     .flags = SETTING_NOT_EMPTY,
     IN(config_route, send_to),
     .min = 1,
     .max = 1024,
     .computed = "the destination itself",
     .help = "Mode `broadcast` only: the destination that gets the message instead, as a Spring "
             "controller with `@SendTo` does. Body and content type go along."},
    {.name = "routes[].prefix",
     .type = SETTING_TEXT,
     IN(config_route, prefix),
     .max = 4096,
     .standard = "",
     .help = "Mode `echo` only: goes before a text body."},
    {.name = "routes[].copy_headers",
     .type = SETTING_STRINGS,
     IN(config_route, copy_headers),
     .min = 1,
     .max = 256,
     .standard = "",
     .help = "With `send_to` only: headers that go along as well."},

    {.name = "broker.destination_prefixes",
     .type = SETTING_STRINGS,
     IN(config, broker.destination_prefixes),
     .min = 1,
     .max = 1024,
     .standard = "",
     .help = "The broker carries destinations that start with one of these; none: all."},
    {.name = "broker.application_destination_prefixes",
     .type = SETTING_STRINGS,
     IN(config, broker.application_destination_prefixes),
     .min = 1,
     .max = 1024,
     .standard = "/app",
     .help = "Destinations that belong to the application: what is sent there goes where `routes` "
             "say. As in Spring, a broker without `broker.destination_prefixes` carries them too."},
    {.name = "broker.user_destination_prefix",
     .type = SETTING_STRING,
     .flags = SETTING_NOT_EMPTY,
     IN(config, broker.user_destination_prefix),
     .min = 1,
     .max = 256,
     .standard = "/user/",
     .help = "Destinations that belong to one user. A slash is added at the end when missing."},
    {.name = "broker.heartbeat",
     .type = SETTING_HEARTBEAT,
     IN(config, broker.heartbeat_send_ms),
     .max = DAY,
     .standard = "10000,10000",
     .help = "How often the gateway can send a heart-beat, and how often it wants one from the "
             "client: `10000,10000` (milliseconds) or `10s,10s`. 0 turns a direction off."},
    {.name = "broker.error_detail",
     .type = SETTING_BOOL,
     IN(config, broker.error_detail),
     .standard = "false",
     .help = "ERROR frames get a body that says more. For development: it tells clients about "
             "the configuration."},

    {.name = "transport.message_size_limit",
     .type = SETTING_SIZE,
     IN(config, transport.message_size_limit),
     .min = 64,
     .max = 64 * MIB,
     .standard = "64KiB",
     .help = "The largest STOMP frame, and the largest WebSocket message, that a client may send."},
    {.name = "transport.send_buffer_size_limit",
     .type = SETTING_SIZE,
     IN(config, transport.send_buffer_size_limit),
     .min = KIB,
     .max = GIB,
     .standard = "512KiB",
     .help =
         "Bytes that may wait for one client that reads too slowly; above, it is closed (4500)."},
    {.name = "transport.send_time_limit",
     .type = SETTING_DURATION,
     IN(config, transport.send_time_limit_ms),
     .min = 10,
     .max = HOUR,
     .standard = "10s",
     .help = "How long one write to a client may take; longer, and it is closed (4500)."},
    {.name = "transport.time_to_first_message",
     .type = SETTING_DURATION,
     IN(config, transport.time_to_first_message_ms),
     .min = 10,
     .max = HOUR,
     .standard = "60s",
     .help = "A STOMP client that is not connected (CONNECT accepted) by then is closed (4500)."},
    {.name = "transport.ping_interval",
     .type = SETTING_DURATION,
     IN(config, transport.ping_interval_ms),
     .max = HOUR,
     .standard = "30s",
     .help = "WebSocket pings; two without an answer end the connection. 0 turns them off."},
    {.name = "transport.max_header_count",
     .type = SETTING_INTEGER,
     IN(config, transport.max_header_count),
     .min = 8,
     .max = 65536,
     .standard = "256",
     .help = "Headers of one STOMP frame."},
    {.name = "transport.max_header_size",
     .type = SETTING_SIZE,
     IN(config, transport.max_header_size),
     .min = 64,
     .max = MIB,
     .standard = "16KiB",
     .help = "Bytes of one STOMP header line. A token in CONNECT must fit."},
    {.name = "transport.max_subscriptions_per_session",
     .type = SETTING_INTEGER,
     IN(config, transport.max_subscriptions_per_session),
     .min = 1,
     .max = 1000000,
     .standard = "1024",
     .help = "Subscriptions that one session may have at a time."},
    {.name = "transport.max_connections",
     .type = SETTING_INTEGER,
     IN(config, transport.max_connections),
     .min = 1,
     .max = 10000000,
     .standard = "100000",
     .help = "Connections of the whole process; further ones are refused."},
    {.name = "transport.process_buffer_limit",
     .type = SETTING_SIZE,
     IN(config, transport.process_buffer_limit),
     .min = MIB,
     .max = 1024 * GIB,
     .standard = "256MiB",
     .help = "Bytes that may wait for all clients together. Near it the slowest clients are "
             "closed; at it, publishers wait."},

    {.name = "auth.anonymous",
     .type = SETTING_BOOL,
     IN(config, auth.anonymous),
     .standard = "false",
     .help =
         "Whoever brings no token gets in, without a name. A bad token is refused all the same."},
    {.name = "auth.query_parameter",
     .type = SETTING_STRING,
     IN(config, auth.query_parameter),
     .max = 64,
     .standard = "",
     .help = "Name of a query parameter that may bring the token, such as `access_token`; empty: "
             "none. URLs end up in the logs of proxies, so prefer a header."},
    {.name = "auth.issuers[].issuer",
     .type = SETTING_STRING,
     IN(config_issuer, issuer),
     .max = 1024,
     .standard = "",
     .help = "What the token's `iss` must be, exactly. Empty: anything, or none."},
    {.name = "auth.issuers[].secret",
     .type = SETTING_SECRET,
     .flags = SETTING_NOT_EMPTY,
     IN(config_issuer, secret),
     .min = 1,
     .max = 65536,
     .help = "The shared secret of HS256, at least 32 bytes. Better in the environment, or in a "
             "file that a variable names, than here."},
    {.name = "auth.issuers[].public_key",
     .type = SETTING_PATH,
     .flags = SETTING_NOT_EMPTY,
     IN(config_issuer, public_key),
     .min = 1,
     .max = 4095,
     .help = "A PEM file with the public key of RS256 or ES256."},
    {.name = "auth.issuers[].algorithms",
     .type = SETTING_ENUM_SET,
     .flags = SETTING_NOT_EMPTY,
     IN(config_issuer, algorithms),
     .words = algorithms,
     .computed = "`HS256` with a secret, `RS256,ES256` with a public key (whose kind decides)",
     .help = "The signatures that are accepted."},
    {.name = "auth.issuers[].audience",
     .type = SETTING_STRINGS,
     .flags = SETTING_NOT_EMPTY,
     IN(config_issuer, audience),
     .min = 1,
     .max = 1024,
     .computed = "not checked",
     .help = "One of these must be in the token's `aud`."},
    {.name = "auth.issuers[].leeway",
     .type = SETTING_DURATION,
     IN(config_issuer, leeway_ms),
     .max = HOUR,
     .standard = "60s",
     .help = "How far the clocks may differ when `exp`, `nbf` and `iat` are checked."},
    {.name = "auth.issuers[].user_claim",
     .type = SETTING_STRING,
     .flags = SETTING_NOT_EMPTY,
     IN(config_issuer, user_claim),
     .min = 1,
     .max = 256,
     .standard = "sub",
     .help = "The claim that names the user."},

    {.name = "access[].operations",
     .type = SETTING_ENUM_SET,
     .flags = SETTING_NOT_EMPTY,
     IN(config_access_rule, operations),
     .words = operations,
     .standard = "connect,send,subscribe",
     .help = "What the rule is about."},
    {.name = "access[].destinations",
     .type = SETTING_STRINGS,
     .flags = SETTING_NOT_EMPTY,
     IN(config_access_rule, destinations),
     .min = 1,
     .max = 1024,
     .computed = "every destination",
     .help = "Ant patterns: `/topic/news`, `/topic/*`, `/topic/**`. For `connect`, and on plain "
             "endpoints, the endpoint's path."},
    {.name = "access[].allow",
     .type = SETTING_ENUM,
     .flags = SETTING_REQUIRED,
     IN(config_access_rule, allow),
     .words = allows,
     .help = "`all`, `none`, or `authenticated`: who brought a token."},

    {.name = "tls.certificates[].certificate",
     .type = SETTING_PATH,
     .flags = SETTING_REQUIRED,
     IN(config_certificate, certificate),
     .min = 1,
     .max = 4095,
     .help = "A PEM file with the certificate and the chain behind it."},
    {.name = "tls.certificates[].key",
     .type = SETTING_PATH,
     .flags = SETTING_REQUIRED,
     IN(config_certificate, key),
     .min = 1,
     .max = 4095,
     .help = "A PEM file with its private key."},

    {.name = "log.level",
     .type = SETTING_ENUM,
     IN(config, log.level),
     .words = log_levels,
     .standard = "info",
     .help = "Quieter events are not written."},
    {.name = "log.format",
     .type = SETTING_ENUM,
     IN(config, log.format),
     .words = log_formats,
     .standard = "auto",
     .help = "`text`, `json`, or `auto`: text on a terminal, JSON otherwise."},

    {.name = "web.demo",
     .type = SETTING_BOOL,
     IN(config, web.demo),
     .standard = "false",
     .help = "Serve the demo page at `/`."},

    {.name = "shutdown.drain_time",
     .type = SETTING_DURATION,
     IN(config, drain_time_ms),
     .max = HOUR,
     .standard = "5s",
     .help = "The closing of the connections is spread over this time, so that not all clients "
             "come back at once."},
};

static const char *const later[] = {
    "auth.issuers[].introspection_url",
    "auth.issuers[].jwks_file",
    "auth.issuers[].jwks_url",
    "auth.passwords",
    "broker.error_destination",
    "broker.queue_limit",
    "broker.queues",
    "broker.relay",
    "broker.selector_header",
    "broker.sequence",
    "broker.unknown_destination",
    "callback",
    "cluster",
    "relay",
    "routes[].broadcast",
    "routes[].headers",
    "routes[].on_subscribe",
    "routes[].send_to_user",
    "sockjs",
    "tcp",
    "transport.deflate",
    "transport.io_uring",
    "transport.slow_consumer",
    "web.admin",
    NULL,
};

_Static_assert(offsetof(struct config, broker.heartbeat_receive_ms) ==
                   offsetof(struct config, broker.heartbeat_send_ms) + sizeof(uint32_t),
               "SETTING_HEARTBEAT writes both");
_Static_assert(sizeof(enum config_protocol) == sizeof(unsigned), "SETTING_ENUM writes an unsigned");

const struct setting *setting_all(size_t *n)
{
    *n = sizeof(settings) / sizeof(settings[0]);
    return settings;
}

const struct setting_list *setting_list_all(size_t *n)
{
    *n = sizeof(lists) / sizeof(lists[0]);
    return lists;
}

const struct setting_section *setting_section_all(size_t *n)
{
    *n = sizeof(sections) / sizeof(sections[0]);
    return sections;
}

const char *const *setting_later_all(void)
{
    return later;
}
