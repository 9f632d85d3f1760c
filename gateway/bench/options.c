#include "gateway/bench/options.h"

#include <stdarg.h>
#include <string.h>
#include "base/slice.h"
#include "gateway/bench/mark.h"
#include "gateway/bench/token.h"

enum kind { NUMBER, SECONDS, DECIMAL, TEXT, LIST, CHOICE, FLAG };

enum {
    IN_FANOUT = 1 << OPTIONS_FANOUT,
    IN_ECHO = 1 << OPTIONS_ECHO,
    IN_IDLE = 1 << OPTIONS_IDLE,
    IN_SLOW = 1 << OPTIONS_SLOW,
    IN_RAMP = 1 << OPTIONS_RAMP,
    IN_STORM = 1 << OPTIONS_STORM,
    IN_DESTINATIONS = 1 << OPTIONS_DESTINATIONS,
    IN_USERS = 1 << OPTIONS_USERS,
    IN_MIXED = 1 << OPTIONS_MIXED,
    IN_NAMED = IN_USERS | IN_MIXED, /* with clients that have names */
    IN_TOPICS = IN_DESTINATIONS | IN_USERS | IN_MIXED,
    IN_TRAFFIC = IN_FANOUT | IN_ECHO | IN_SLOW | IN_TOPICS,
    IN_QUIET = IN_IDLE | IN_RAMP | IN_STORM,
    IN_ALL = IN_TRAFFIC | IN_QUIET, /* that have a server */
    IN_FLOOR = 1 << OPTIONS_FLOOR,
};

struct rule {
    const char *name;
    enum kind kind;
    unsigned modes;
    size_t offset;
    const char *fallback; /* NULL: empty; LIST and FLAG have none */
    uint64_t min, max;    /* NUMBER */
    const char *argument; /* in the help; CHOICE: the words, joined by '|', in the enum's order */
    const char *help;
};

#define FIELD(member) offsetof(struct options, member)

static const struct rule rules[] = {
    {"url", TEXT, IN_ALL, FIELD(url), "ws://127.0.0.1:8080/ws", 0, 0, "URL", "the server"},
    {"ca", TEXT, IN_ALL, FIELD(ca_file), NULL, 0, 0, "FILE",
     "wss: whom to trust, PEM (whom the system trusts)"},
    {"insecure", FLAG, IN_ALL, FIELD(is_insecure), NULL, 0, 0, NULL, "wss: trust whoever answers"},
    {"resume", FLAG, IN_STORM, FIELD(is_resuming), NULL, 0, 0, NULL,
     "wss: who comes back offers the session that it was given"},
    {"host", TEXT, IN_ALL, FIELD(host), NULL, 0, 0, "NAME",
     "Host of the handshake and host of CONNECT (the URL's)"},
    {"vhost", TEXT, IN_ALL, FIELD(vhost), NULL, 0, 0, "NAME", "host of CONNECT alone (--host)"},
    {"deflate", FLAG, IN_ALL, FIELD(has_deflate), NULL, 0, 0, NULL,
     "permessage-deflate without context takeover must be accepted; what is sent is not "
     "compressed"},
    {"deflate-takeover", FLAG, IN_ALL, FIELD(has_takeover), NULL, 0, 0, NULL,
     "with --deflate: each message may refer to those before it"},
    {"deflate-window", NUMBER, IN_ALL, FIELD(deflate_bits), "0", 0, 15, "BITS",
     "with --deflate: how far back at most, 8 to 15 (0: as the server likes)"},
    {"token", TEXT, IN_ALL, FIELD(token), NULL, 0, 0, "TOKEN",
     "Authorization: Bearer TOKEN in the handshake"},
    {"http-header", LIST, IN_ALL, FIELD(http_headers), NULL, 0, 0, "NAME:VALUE",
     "one more header in the handshake; may be repeated"},
    {"connect-header", LIST, IN_ALL, FIELD(connect_headers), NULL, 0, 0, "NAME:VALUE",
     "one more header in CONNECT; may be repeated"},
    {"heart-beat", TEXT, IN_ALL, FIELD(heart_beat), "0,0", 0, 0, "0,MS",
     "heart-beat of CONNECT: how often the server has to send something; we send no beats"},
    {"subscribers", NUMBER, IN_FANOUT | IN_SLOW | IN_FLOOR, FIELD(n_subscribers), "1000", 1,
     1000000, "N", "subscribers of the one destination"},
    {"publishers", NUMBER, IN_FANOUT | IN_SLOW | IN_TOPICS, FIELD(n_publishers), "1", 1, 10000, "N",
     "connections that publish"},
    {"slow", NUMBER, IN_SLOW, FIELD(n_slow), "10", 1, 100000, "N",
     "subscribers more, which never read"},
    {"clients", NUMBER, IN_ECHO | IN_TOPICS, FIELD(n_clients), "50", 1, 1000000, "N",
     "connections that receive; echo: each from itself"},
    {"destinations", NUMBER, IN_DESTINATIONS | IN_MIXED, FIELD(n_destinations), "100", 1, 1000000,
     "N", "how many there are to subscribe and publish to"},
    {"subscriptions", NUMBER, IN_DESTINATIONS | IN_MIXED, FIELD(n_subscriptions), "10", 1, 1000,
     "N", "of each client, to different ones of them"},
    {"zipf", DECIMAL, IN_DESTINATIONS | IN_MIXED, FIELD(zipf), "1.0", 0, 0, "S",
     "how much more popular the first ones are, to subscribe and to publish to: the k-th with a "
     "weight of 1/k^S"},
    {"sessions", NUMBER, IN_USERS, FIELD(n_sessions), "1", 1, 1000, "N",
     "clients that are the same user"},
    {"user-destination", TEXT, IN_NAMED, FIELD(user_destination), "/queue/bench", 0, 0, "NAME",
     "sent to as /user/user-0NAME, subscribed to as /userNAME"},
    {"secret", TEXT, IN_NAMED, FIELD(secret), NULL, 0, 0, "TEXT",
     "give each client a token of its own (user-0, user-1, ...), signed with this by HS256"},
    {"issuer", TEXT, IN_NAMED, FIELD(issuer), NULL, 0, 0, "TEXT", "iss of those tokens"},
    {"audience", TEXT, IN_NAMED, FIELD(audience), NULL, 0, 0, "TEXT", "aud of those tokens"},
    {"fanout-rate", NUMBER, IN_MIXED, FIELD(fanout_rate), "100", 0, 10000000, "R",
     "messages a second to the destinations (0: none)"},
    {"echo-rate", NUMBER, IN_MIXED, FIELD(echo_rate), "100", 0, 10000000, "R",
     "messages a second that clients send to themselves (0: none)"},
    {"user-rate", NUMBER, IN_MIXED, FIELD(user_rate), "0", 0, 10000000, "R",
     "messages a second to users (0: none); takes names, as --secret gives them"},
    {"churners", NUMBER, IN_MIXED, FIELD(n_churners), "10", 0, 100000, "N",
     "clients more, which come and go"},
    {"churn-rate", NUMBER, IN_MIXED, FIELD(churn_rate), "20", 0, 1000000, "R",
     "SUBSCRIBEs and UNSUBSCRIBEs a second of those"},
    {"reconnect-rate", NUMBER, IN_MIXED, FIELD(reconnect_rate), "2", 0, 100000, "R",
     "how many of those a second drop their connection and open another"},
    {"seed", NUMBER, IN_TOPICS, FIELD(seed), "1", 0, UINT64_MAX, "N",
     "what is drawn; the same number draws the same"},
    {"connections", NUMBER, IN_QUIET, FIELD(n_connections), "10000", 1, 10000000, "N",
     "connections to open"},
    {"destination", TEXT, IN_ALL | IN_FLOOR, FIELD(destination), "/topic/bench", 0, 0, "NAME",
     "what is subscribed to and sent to (echo appends -0, -1, ...)"},
    {"ids", CHOICE, IN_ALL, FIELD(ids), "same", 0, 0, "same|own",
     "subscription ids: the same for all, as stock clients choose them, or each its own"},
    {"size", NUMBER, IN_TRAFFIC | IN_FLOOR, FIELD(body_size), "128", MARK_LEN, 16777216, "BYTES",
     "bytes of a body (at least 40: it carries publisher, number and time)"},
    {"body", CHOICE, IN_TRAFFIC, FIELD(pattern), "letters", 0, 0, "letters|json",
     "what is in it behind those: the alphabet, or objects as an application might send them"},
    {"content-type", TEXT, IN_TRAFFIC | IN_FLOOR, FIELD(content_type), "text/plain", 0, 0, "TYPE",
     "content-type of SEND"},
    {"window", NUMBER, (IN_TRAFFIC | IN_FLOOR) & ~(unsigned)IN_MIXED, FIELD(window), "16", 1, 65536,
     "W",
     "messages in flight for each publisher: k+W is sent when all subscribers have k "
     "(destinations, "
     "users: when as many deliveries came as those up to k make); floor: messages in one send()"},
    {"rate", NUMBER, IN_FANOUT | IN_SLOW | IN_ECHO | IN_DESTINATIONS | IN_USERS | IN_RAMP,
     FIELD(rate), "0", 0, 10000000, "R",
     "messages a second by a fixed schedule, instead of a window (0: off); ramp: connections a "
     "second (0: as fast as they come)"},
    {"seconds", SECONDS, IN_TRAFFIC | IN_FLOOR, FIELD(seconds_ns), "10", 0, 0, "S",
     "how long to measure"},
    {"warmup", SECONDS, IN_TRAFFIC | IN_FLOOR, FIELD(warmup_ns), "2", 0, 0, "S",
     "how long to run before: checked like the rest, not measured"},
    {"abort", FLAG, IN_STORM, FIELD(is_aborting), NULL, 0, 0, NULL,
     "close by reset, as clients that crash"},
    {"returning", NUMBER, IN_STORM, FIELD(n_returning), "0", 0, 100000, "N",
     "connections of a process that may be on their way back at a time (0: all)"},
    {"failures", NUMBER, IN_STORM, FIELD(n_failures), "0", 0, 10000000, "N",
     "so many attempts to come back may fail, and are made again"},
    {"settle", SECONDS, IN_RAMP | IN_STORM, FIELD(settle_ns), "5", 0, 0, "S",
     "how long after the last was closed to look at the server's memory once more"},
    {"hold", SECONDS, IN_QUIET, FIELD(hold_ns), "5", 0, 0, "S",
     "how long all connections must stay open"},
    {"order", CHOICE, IN_TRAFFIC, FIELD(order), "strict", 0, 0, "strict|any",
     "whether reordered messages fail the run; lost and repeated ones always do"},
    {"confirm", CHOICE, IN_ALL, FIELD(confirm), "receipt", 0, 0, "receipt|probe|none",
     "how a subscription is known to be there; probe (not for modes without messages, nor mixed): "
     "messages are sent until one comes"},
    {"strict", NUMBER, IN_TRAFFIC, FIELD(n_strict), "16", 0, UINT32_MAX, "N",
     "read so many messages of each connection in full, the others by their last bytes"},
    {"mask", CHOICE, IN_ALL, FIELD(mask), "random", 0, 0, "random|zero",
     "key that masks what is sent; zero saves the work on both sides"},
    {"patience", SECONDS, IN_TRAFFIC, FIELD(patience_ns), "10", 0, 0, "S",
     "without any delivery for so long, what is missing is lost"},
    {"connecting", NUMBER, IN_ALL, FIELD(n_connecting), "100", 1, 100000, "N",
     "connections of a process that may be on their way at a time"},
    {"connect-timeout", SECONDS, IN_ALL, FIELD(connect_timeout_ns), "30", 0, 0, "S",
     "without any progress for so long while connecting, give up"},
    {"procs", NUMBER, IN_ALL, FIELD(n_procs), "0", 0, 64, "N",
     "processes to share the connections (0: 1, or what the limit on descriptors needs)"},
    {"cpu", LIST, IN_ALL | IN_FLOOR, FIELD(cpus), NULL, 0, 0, "N",
     "pin to this CPU; repeated: the processes take turns"},
    {"pid", LIST, IN_ALL, FIELD(pids), NULL, 0, 0, "PID",
     "the server's process, for its CPU and memory; may be repeated"},
    {"json", FLAG, IN_ALL | IN_FLOOR, FIELD(is_json), NULL, 0, 0, NULL,
     "one line of JSON instead of a table"},
};

enum { N_RULES = sizeof(rules) / sizeof(rules[0]) };

static const struct {
    const char *name, *help;
} modes[OPTIONS_N_MODES] = {
    [OPTIONS_FANOUT] = {"fanout", "publishers send to one destination with many subscribers"},
    [OPTIONS_ECHO] = {"echo", "each client sends to itself, through a destination of its own"},
    [OPTIONS_IDLE] = {"idle", "memory of connections that are subscribed and do nothing"},
    [OPTIONS_SLOW] = {"slow", "fanout, while some subscribers never read"},
    [OPTIONS_RAMP] = {"ramp", "opening connections: how fast, and what it costs the server"},
    [OPTIONS_STORM] = {"storm", "all connections are lost at once and come back at once"},
    [OPTIONS_FLOOR] = {"floor", "no server: what send() to that many connections costs by itself"},
    [OPTIONS_DESTINATIONS] = {"destinations",
                              "many destinations, some popular; clients subscribe to several"},
    [OPTIONS_USERS] = {"users", "messages to users, each with a name and sessions of its own"},
    [OPTIONS_MIXED] = {"mixed", "destinations, users and echoes, while others come and go"},
};

const char *options_mode_name(enum options_mode mode)
{
    return modes[mode].name;
}

pid_t options_pid(const struct options *options, size_t i)
{
    uint64_t pid = 0;

    /* options_parse checked that it is a number. */
    (void)slice_to_u64(slice_str(options->pids.items[i]), INT32_MAX, &pid);
    return (pid_t)pid;
}

/** What options_parse works with. */
struct parse {
    struct options *options;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct parse *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(p->error, p->error_size, format, args);
    va_end(args);
    return false;
}

/* "1.5" is 1500000000: of seconds, nanoseconds. */
static bool parse_billionths(struct slice text, uint64_t *out)
{
    const uint64_t one = 1000000000, max = 1000000;
    struct slice whole = text, fraction = SLICE("");
    uint64_t n, billionths = 0, unit = one;

    (void)slice_cut(text, '.', &whole, &fraction);
    if (!slice_to_u64(whole, max, &n) || fraction.len > 9 ||
        (whole.len != text.len && !slice_to_u64(fraction, one, &billionths)))
        return false;
    for (size_t i = 0; i < fraction.len; i++)
        unit /= 10;
    *out = n * one + billionths * unit;
    return true;
}

static bool parse_choice(struct slice text, const char *words, uint64_t *out)
{
    struct slice left = slice_str(words), word;

    for (uint64_t i = 0; left.len != 0; i++) {
        word = left;
        if (!slice_cut(left, '|', &word, &left))
            left = slice_of("", 0);
        if (slice_eq(word, text)) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool set(struct parse *p, const struct rule *rule, const char *value)
{
    void *field = (char *)p->options + rule->offset;
    struct options_list *list = field;

    switch (rule->kind) {
    case NUMBER:
        if (!slice_to_u64(slice_str(value), rule->max, field) || *(uint64_t *)field < rule->min)
            return wrong(p, "--%s: '%s' is no number from %llu to %llu", rule->name, value,
                         (unsigned long long)rule->min, (unsigned long long)rule->max);
        return true;
    case SECONDS:
        if (!parse_billionths(slice_str(value), field))
            return wrong(p, "--%s: '%s' is no number of seconds", rule->name, value);
        return true;
    case DECIMAL:
        if (!parse_billionths(slice_str(value), field))
            return wrong(p, "--%s: '%s' is no number", rule->name, value);
        return true;
    case CHOICE:
        if (!parse_choice(slice_str(value), rule->argument, field))
            return wrong(p, "--%s: '%s' is none of %s", rule->name, value, rule->argument);
        return true;
    case TEXT:
        *(const char **)field = value;
        return true;
    case LIST:
        if (list->n_items == OPTIONS_MAX_LIST)
            return wrong(p, "--%s: more than %d times", rule->name, OPTIONS_MAX_LIST);
        list->items[list->n_items++] = value;
        return true;
    case FLAG:
        *(bool *)field = true;
        return true;
    }
    return false;
}

static const struct rule *find_rule(struct slice name)
{
    for (size_t i = 0; i < N_RULES; i++) {
        if (slice_eq(slice_str(rules[i].name), name))
            return &rules[i];
    }
    return NULL;
}

static bool parse_mode(struct parse *p, const char *name)
{
    for (size_t i = 0; i < OPTIONS_N_MODES; i++) {
        if (name != NULL && strcmp(name, modes[i].name) == 0) {
            p->options->mode = (enum options_mode)i;
            return true;
        }
    }
    if (name == NULL)
        return wrong(p, "no mode given");
    return wrong(p, "unknown mode '%s'", name);
}

/* Takes one option with its value at argv[*at], which moves on. */
static bool parse_option(struct parse *p, char **argv, int *at)
{
    struct slice text = slice_str(argv[*at]), name, value;
    const struct rule *rule;
    const char *argument = NULL;

    if (!slice_starts_with(text, (struct slice)SLICE("--")))
        return wrong(p, "unexpected argument '%s'", argv[*at]);
    name = slice_skip(text, 2);
    if (slice_cut(name, '=', &name, &value))
        argument = value.base; /* the end of an argument of argv: NUL-terminated */
    rule = find_rule(name);
    if (rule == NULL)
        return wrong(p, "unknown option '--%.*s'", SLICE_FMT(name));
    if ((rule->modes & (1U << p->options->mode)) == 0)
        return wrong(p, "--%s is not for mode %s", rule->name, modes[p->options->mode].name);
    (*at)++;
    if (rule->kind == FLAG)
        return argument == NULL ? set(p, rule, NULL) : wrong(p, "--%s takes no value", rule->name);
    if (argument == NULL)
        argument = argv[*at] == NULL ? NULL : argv[(*at)++];
    return argument == NULL ? wrong(p, "--%s needs a value", rule->name) : set(p, rule, argument);
}

/* Header lines and names go to the wire as they are: nothing in them may end a line. */
static bool is_line(const char *text)
{
    return text == NULL || strpbrk(text, "\r\n") == NULL;
}

static bool check_headers(struct parse *p, const char *name, const struct options_list *list)
{
    for (size_t i = 0; i < list->n_items; i++) {
        const char *item = list->items[i];

        if (!is_line(item) || item[0] == ':' || strchr(item, ':') == NULL)
            return wrong(p, "--%s: '%s' is no NAME:VALUE", name, item);
    }
    return true;
}

static bool check_numbers(struct parse *p, const char *name, const struct options_list *list)
{
    uint64_t number;

    for (size_t i = 0; i < list->n_items; i++) {
        if (!slice_to_u64(slice_str(list->items[i]), INT32_MAX, &number))
            return wrong(p, "--%s: '%s' is no number", name, list->items[i]);
    }
    return true;
}

/* What is not only about servers. */
static bool check_traffic(struct parse *p)
{
    const struct options *o = p->options;

    if (strpbrk(o->destination, ":\\\r\n") != NULL || o->destination[0] == '\0')
        return wrong(p, "--destination: '%s' is empty or needs escaping", o->destination);
    if (!is_line(o->content_type))
        return wrong(p, "--content-type may not have line ends");
    if ((IN_QUIET & 1U << o->mode) == 0 && o->seconds_ns == 0)
        return wrong(p, "--seconds: nothing to measure in 0 seconds");
    return true;
}

static bool has_placeholder(const struct options_list *headers)
{
    for (size_t i = 0; i < headers->n_items; i++) {
        if (strstr(headers->items[i], OPTIONS_USER) != NULL)
            return true;
    }
    return false;
}

bool options_has_users(const struct options *o)
{
    if (o->mode != OPTIONS_USERS && o->mode != OPTIONS_MIXED)
        return false;
    return o->secret != NULL || (o->token != NULL && strstr(o->token, OPTIONS_USER) != NULL) ||
           has_placeholder(&o->http_headers) || has_placeholder(&o->connect_headers);
}

static bool check_token(struct parse *p)
{
    const struct options *o = p->options;

    if (!token_is_plain(slice_str(o->issuer)) || !token_is_plain(slice_str(o->audience)))
        return wrong(p, "--issuer and --audience may have no quotes, backslashes or control "
                        "characters, and ASCII only");
    if (strpbrk(o->user_destination, ":\\\r\n") != NULL || o->user_destination[0] != '/')
        return wrong(p, "--user-destination: '%s' does not begin with / or needs escaping",
                     o->user_destination);
    if (!options_has_users(o) && (o->mode == OPTIONS_USERS || o->user_rate != 0))
        return wrong(p, "users need names: --secret, or " OPTIONS_USER " in a header or --token");
    return true;
}

/* Of the modes destinations, users and mixed. */
static bool check_topics(struct parse *p)
{
    const struct options *o = p->options;

    if ((IN_NAMED & (1U << o->mode)) != 0 && !check_token(p))
        return false;
    if ((IN_TOPICS & (1U << o->mode)) != 0 && o->mode != OPTIONS_USERS &&
        o->n_subscriptions > o->n_destinations)
        return wrong(p, "--subscriptions: there are only %llu destinations",
                     (unsigned long long)o->n_destinations);
    if (o->mode == OPTIONS_MIXED && o->confirm != CONFIRM_RECEIPT)
        return wrong(p, "--confirm: mode mixed needs receipts");
    return true;
}

static bool check(struct parse *p)
{
    struct options *o = p->options;
    uint64_t beat_ms;

    if (o->mode == OPTIONS_FLOOR)
        return check_numbers(p, "cpu", &o->cpus) && check_traffic(p);
    if (!is_line(o->url) || !target_parse(&o->target, slice_str(o->url)))
        return wrong(p, "--url: '%s' is no ws://host[:port][/path] or wss://...", o->url);
    if (!is_line(o->host) || !is_line(o->vhost) || !is_line(o->token))
        return wrong(p, "--host, --vhost and --token may not have line ends");
    if (!o->target.is_tls && (o->ca_file != NULL || o->is_insecure || o->is_resuming))
        return wrong(p, "--ca, --insecure and --resume are for wss:// URLs");
    if (!slice_starts_with(slice_str(o->heart_beat), (struct slice)SLICE("0,")) ||
        !slice_to_u64(slice_skip(slice_str(o->heart_beat), 2), UINT32_MAX, &beat_ms))
        return wrong(p, "--heart-beat: '%s' is no 0,MS", o->heart_beat);
    if (!o->has_deflate && (o->has_takeover || o->deflate_bits != 0))
        return wrong(p, "--deflate-takeover and --deflate-window need --deflate");
    if (o->deflate_bits != 0 && o->deflate_bits < 8)
        return wrong(p, "--deflate-window: a window has 8 to 15 bits");
    if ((IN_QUIET & 1U << o->mode) != 0 && o->confirm == CONFIRM_PROBE)
        return wrong(p, "--confirm: probe is not for mode %s", modes[o->mode].name);
    return check_traffic(p) && check_topics(p) &&
           check_headers(p, "http-header", &o->http_headers) &&
           check_headers(p, "connect-header", &o->connect_headers) &&
           check_numbers(p, "pid", &o->pids) && check_numbers(p, "cpu", &o->cpus);
}

static bool parse_all(struct parse *p, char **argv)
{
    int at = 2;

    if (!parse_mode(p, argv[0] == NULL ? NULL : argv[1]))
        return false;
    for (size_t i = 0; i < N_RULES; i++) {
        bool applies = (rules[i].modes & (1U << p->options->mode)) != 0;

        if (applies && rules[i].fallback != NULL && !set(p, &rules[i], rules[i].fallback))
            return false;
    }
    while (argv[at] != NULL) {
        if (!parse_option(p, argv, &at))
            return false;
    }
    return check(p);
}

enum options_result options_parse(int argc, char **argv, struct options *options, char *error,
                                  size_t error_size)
{
    struct parse p = {options, error, error_size};

    *options = (struct options){0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0 ||
            (i == 1 && strcmp(argv[i], "help") == 0))
            return OPTIONS_HELP;
    }
    return parse_all(&p, argv) ? OPTIONS_RUN : OPTIONS_WRONG;
}

static void print_rule(FILE *out, const struct rule *rule)
{
    char left[48];

    (void)snprintf(left, sizeof(left), "--%s%s%s", rule->name, rule->argument == NULL ? "" : " ",
                   rule->argument == NULL ? "" : rule->argument);
    fprintf(out, "  %-30s %s", left, rule->help);
    if (rule->fallback != NULL)
        fprintf(out, " (%s)", rule->fallback);
    if ((rule->modes & ~(unsigned)IN_FLOOR) != IN_ALL) {
        const char *before = " [";

        for (size_t i = 0; i < OPTIONS_N_MODES; i++) {
            if ((rule->modes & (1U << i)) == 0)
                continue;
            fprintf(out, "%s%s", before, modes[i].name);
            before = ", ";
        }
        fputc(']', out);
    }
    fputc('\n', out);
}

void options_help(FILE *out, const char *program)
{
    fprintf(
        out,
        "Usage: %s MODE [--option value]...\n\n"
        "Load on a STOMP-over-WebSocket server. Every message that should arrive is counted:\n"
        "a lost, repeated or reordered one fails the run. While it lasts, a line on a terminal\n"
        "says how far it is.\n\nModes:\n",
        program);
    for (size_t i = 0; i < OPTIONS_N_MODES; i++)
        fprintf(out, "  %-12s %s\n", modes[i].name, modes[i].help);
    fputs("\nOptions (default) [modes; none: all but floor, at least]:\n", out);
    for (size_t i = 0; i < N_RULES; i++)
        print_rule(out, &rules[i]);
    fputs("\nExit status: 0 when the run was good, 1 when it failed, 2 for a wrong command line.\n",
          out);
}
