#include "tests/test.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "auth/token.h"
#include "base/mem.h"
#include "gateway/cli/cli.h"

#define SECRET "0123456789abcdef0123456789abcdef"

/* What the last verb has written; NUL-terminated. */
static char out_text[64 * 1024], err_text[64 * 1024];

static int capture(int fd, FILE *stream, int *saved)
{
    int room = memfd_create("captured", MFD_CLOEXEC);

    (void)fflush(stream);
    *saved = dup(fd);
    assert_true(room >= 0 && *saved >= 0 && dup2(room, fd) == fd);
    return room;
}

static void restore(int fd, FILE *stream, int saved, int room, char *text, size_t size)
{
    ssize_t n;

    (void)fflush(stream);
    assert_int_equal(dup2(saved, fd), fd);
    close(saved);
    n = pread(room, text, size - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    close(room);
}

enum { ARGS_MAX = 16 };

/** Runs a verb with what standard input holds. */
static int run_with(const char *input, int (*verb)(int, char **), const char *const *args)
{
    int saved_out, saved_err, saved_in, room_out, room_err, room_in, code, argc = 0;
    char *argv[ARGS_MAX + 1];

    for (; args[argc] != NULL; argc++)
        argv[argc] = mem_strdup(args[argc]);
    argv[argc] = NULL;
    room_in = memfd_create("input", MFD_CLOEXEC);
    assert_int_equal(write(room_in, input, strlen(input)), strlen(input));
    assert_int_equal(lseek(room_in, 0, SEEK_SET), 0);
    saved_in = dup(STDIN_FILENO);
    assert_int_equal(dup2(room_in, STDIN_FILENO), STDIN_FILENO);
    room_out = capture(STDOUT_FILENO, stdout, &saved_out);
    room_err = capture(STDERR_FILENO, stderr, &saved_err);
    code = verb(argc, argv);
    restore(STDERR_FILENO, stderr, saved_err, room_err, err_text, sizeof(err_text));
    restore(STDOUT_FILENO, stdout, saved_out, room_out, out_text, sizeof(out_text));
    if (saved_in >= 0) {
        assert_int_equal(dup2(saved_in, STDIN_FILENO), STDIN_FILENO);
        close(saved_in);
    }
    close(room_in);
    for (int i = 0; i < argc; i++)
        mem_free(argv[i]);
    return code;
}

#define RUN(verb, ...) run_with("", (verb), (const char *const[]){__VA_ARGS__, NULL})
#define RUN_WITH(input, verb, ...)                                                                 \
    run_with((input), (verb), (const char *const[]){__VA_ARGS__, NULL})

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no \"%s\" in: %s", part, text);
}

/* ---- files ---- */

static char folder[] = "/tmp/stompgate-test-XXXXXX";
static char config_path[64], secret_path[64], bad_path[64], key_path[64];

static void write_file(char *path, const char *name, const char *text)
{
    FILE *file;

    (void)snprintf(path, 64, "%s/%s", folder, name);
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_files(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    write_file(config_path, "config.yaml",
               "endpoints: [{path: /ws}]\n"
               "auth:\n"
               "  issuers:\n"
               "    - {issuer: demo, secret: " SECRET ", algorithms: [HS256], audience: [chat],\n"
               "       user_claim: name}\n");
    write_file(secret_path, "secret", SECRET "\n");
    write_file(bad_path, "bad.yaml", "endpoint: []\nworkers: many\n");
    write_file(key_path, "key", "k-123\n");
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    (void)unlink(config_path);
    (void)unlink(secret_path);
    (void)unlink(bad_path);
    (void)unlink(key_path);
    return rmdir(folder);
}

/* ---- version, help, usage ---- */

static void version_and_help_go_to_standard_output(void **state)
{
    static const char *const names[] = {"serve",  "check-config", "gen-token", "publish",
                                        "health", "bench",        "version",   "help"};

    (void)state;
    assert_int_equal(RUN(cli_version, "version"), 0);
    assert_true(strncmp(out_text, "stompgate ", 10) == 0);
    assert_int_equal(RUN(cli_help, "help"), 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(RUN(cli_help, "help"), 0);
        assert_has(out_text, names[i]);
        assert_int_equal(RUN(cli_help, "help", names[i]), 0);
        assert_true(strncmp(out_text, "Usage: stompgate ", 17) == 0);
    }
    assert_string_equal(err_text, "");
}

static void a_wrong_command_line_is_code_2(void **state)
{
    (void)state;
    assert_int_equal(RUN(cli_help, "help", "nothing"), 2);
    assert_int_equal(RUN(cli_version, "version", "x"), 2);
    assert_int_equal(RUN(cli_check_config, "check-config", "--nonsense"), 2);
    assert_int_equal(RUN(cli_check_config, "check-config", config_path), 2);
    assert_int_equal(RUN(cli_health, "health", "x"), 2);
    assert_int_equal(RUN(cli_bench, "bench"), 2);
    assert_int_equal(RUN(cli_bench, "bench", "everything"), 2);
    assert_int_equal(RUN(cli_bench, "bench", "fanout", "--clients", "3"), 2);
    assert_has(err_text, "stompgate bench: --clients is not for mode fanout\n");
    assert_has(err_text, "stompgate help bench");
    assert_int_equal(RUN(cli_publish, "publish"), 2);
    assert_int_equal(RUN(cli_publish, "publish", "/t", "a", "b"), 2);
    assert_int_equal(RUN(cli_publish, "publish", "--key", "a", "--key-file", "b", "/t", "a"), 2);
    assert_int_equal(RUN(cli_publish, "publish", "-H", "x", "/t", "a"), 2);
    assert_int_equal(RUN(cli_publish, "publish", "-H", "x=1", "-H", "x=2", "/t", "a"), 2);
    assert_int_equal(RUN(cli_gen_token, "gen-token", "--secret", SECRET), 2);
    assert_has(err_text, "--user");
    assert_int_equal(RUN(cli_gen_token, "gen-token", "--user", "a"), 2);
    assert_int_equal(
        RUN(cli_gen_token, "gen-token", "-u", "a", "--secret", SECRET, "--secret-file", "x"), 2);
    assert_int_equal(
        RUN(cli_gen_token, "gen-token", "-u", "a", "--secret", SECRET, "--expires", "soon"), 2);
    assert_int_equal(RUN(cli_gen_token, "gen-token", "-u", "a", "--secret", SECRET, "--claim", "x"),
                     2);
    assert_int_equal(RUN(cli_gen_token, "gen-token", "-u", "a", "--secret", SECRET, "x"), 2);
    assert_string_equal(out_text, "");
    assert_has(err_text, "stompgate help gen-token");
}

/* ---- check-config ---- */

static void check_config_prints_every_mistake(void **state)
{
    (void)state;
    assert_int_equal(RUN(cli_check_config, "check-config", "--config", config_path), 0);
    assert_has(out_text, "no mistakes");
    assert_int_equal(RUN(cli_check_config, "check-config", "-c", bad_path), 78);
    assert_has(err_text, "bad.yaml:1:1");
    assert_has(err_text, "bad.yaml:2:");
    assert_int_equal(RUN(cli_check_config, "check-config", "-c", config_path, "--set", "workers=x"),
                     78);
    assert_has(err_text, "workers");
    assert_int_equal(RUN(cli_check_config, "check-config", "-c", "/nowhere.yaml"), 78);
}

/* ---- gen-token ---- */

/** Verifies what gen-token has printed. */
static struct auth_identity verify(const char *issuer, const char *audience, const char *user_claim,
                                   uint64_t at_ms)
{
    struct slice audiences[] = {slice_str(audience)};
    const struct auth_issuer expected = {
        .issuer = slice_str(issuer),
        .user_claim = slice_str(user_claim),
        .audiences = audiences,
        .n_audiences = audience[0] == '\0' ? 0 : 1,
    };
    struct auth_keys *keys = auth_keys_new();
    struct auth_identity identity = {.expires_at_ms = 0};
    struct auth_verifier *verifier;
    char *error = NULL;
    size_t len = strlen(out_text);

    assert_true(len != 0 && out_text[len - 1] == '\n');
    auth_keys_add(keys, &expected, auth_key_from_secret((struct slice)SLICE(SECRET), &error));
    verifier = auth_verifier_new(keys, &error);
    assert_non_null(verifier);
    assert_int_equal(auth_token_verify(verifier, slice_of(out_text, len - 1), at_ms, &identity),
                     AUTH_OK);
    auth_verifier_free(verifier);
    auth_keys_free(keys);
    return identity;
}

static void a_token_of_a_secret_is_good_for_its_time(void **state)
{
    uint64_t now_ms = (uint64_t)time(NULL) * 1000;
    struct auth_identity identity;

    (void)state;
    assert_int_equal(RUN(cli_gen_token, "gen-token", "--user", "alice", "--secret", SECRET,
                         "--issuer", "me", "--audience", "you", "--expires", "15m", "--claim",
                         "roles=[\"a\"]", "--claim", "team=red"),
                     0);
    identity = verify("me", "you", "", now_ms);
    assert_slice(identity.user, "alice");
    assert_in_range(identity.expires_at_ms, now_ms + 14 * 60000, now_ms + 16 * 60000);
    auth_identity_dispose(&identity);
    assert_int_equal(RUN(cli_gen_token, "gen-token", "-u", "bob", "--secret-file", secret_path), 0);
    identity = verify("", "", "", now_ms);
    assert_slice(identity.user, "bob");
    assert_in_range(identity.expires_at_ms, now_ms + 3599000, now_ms + 3700000);
    auth_identity_dispose(&identity);
}

static void a_token_of_a_configuration_is_what_its_issuer_wants(void **state)
{
    struct auth_identity identity;

    (void)state;
    assert_int_equal(RUN(cli_gen_token, "gen-token", "-u", "carol", "-c", config_path), 0);
    identity = verify("demo", "chat", "name", (uint64_t)time(NULL) * 1000);
    assert_slice(identity.user, "carol");
    auth_identity_dispose(&identity);
    assert_int_equal(RUN(cli_gen_token, "gen-token", "-u", "carol", "-c", bad_path), 78);
}

static void a_token_that_nobody_would_take_is_not_made(void **state)
{
    (void)state;
    assert_int_equal(RUN(cli_gen_token, "gen-token", "-u", "a", "--secret", "short"), 1);
    assert_int_equal(RUN(cli_gen_token, "gen-token", "-u", "a\nb", "--secret", SECRET), 1);
    assert_int_equal(RUN(cli_gen_token, "gen-token", "-u", "", "--secret", SECRET), 1);
    assert_int_equal(
        RUN(cli_gen_token, "gen-token", "-u", "a", "--secret", SECRET, "--claim", "exp=1"), 1);
    assert_int_equal(RUN(cli_gen_token, "gen-token", "-u", "a", "--secret-file", "/nowhere"), 1);
    assert_string_equal(out_text, "");
    assert_null(strstr(err_text, SECRET));
}

/* ---- publish and health: against one answer of a server that stands in ---- */

struct stand_in {
    int fd;
    char url[64];
    const char *answer;
    char request[256 * 1024]; /* all that came, NUL-terminated */
    pthread_t thread;
};

/** Whether the request is whole: to its Content-Length. */
static bool is_whole(const char *request)
{
    const char *end = strstr(request, "\r\n\r\n"), *length = strstr(request, "Content-Length: ");

    if (end == NULL)
        return false;
    return length == NULL || strlen(end + 4) >= strtoul(length + 16, NULL, 10);
}

static void *serve_one(void *arg)
{
    struct stand_in *s = arg;
    int fd = accept(s->fd, NULL, NULL);
    size_t len = 0;
    ssize_t n;

    while (!is_whole(s->request) &&
           (n = recv(fd, s->request + len, sizeof(s->request) - 1 - len, 0)) > 0)
        len += (size_t)n;
    (void)send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static struct stand_in *stand_in_start(const char *answer)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct stand_in *s = mem_calloc(1, sizeof(*s));
    socklen_t len = sizeof(in);

    s->answer = answer;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&in, sizeof(in)), 0);
    assert_int_equal(listen(s->fd, 1), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&in, &len), 0);
    (void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/", ntohs(in.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve_one, s), 0);
    return s;
}

static void stand_in_wait(struct stand_in *s)
{
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    close(s->fd);
}

#define DELIVERED "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"deliveries\":7}behind"

static void a_published_text_is_what_the_push_api_reads(void **state)
{
    struct stand_in *s = stand_in_start(DELIVERED);

    (void)state;
    assert_int_equal(RUN(cli_publish, "publish", "--url", s->url, "--key-file", key_path, "-H",
                         "a=b=c", "-t", "text/html", "/topic/a", "<p>\"hi\"</p>"),
                     0);
    stand_in_wait(s);
    assert_string_equal(out_text, "{\"deliveries\":7}\n");
    assert_true(strncmp(s->request, "POST /api/v1/publish HTTP/1.1\r\n", 31) == 0);
    assert_has(s->request, "\r\nX-API-Key: k-123\r\n");
    assert_has(s->request, "\r\nContent-Type: application/json\r\n");
    assert_has(s->request, "\r\nHost: 127.0.0.1:");
    assert_has(s->request, "\r\n\r\n{\"destination\":\"/topic/a\",\"text\":\"<p>\\\"hi\\\"</p>\","
                           "\"content_type\":\"text/html\",\"headers\":{\"a\":\"b=c\"}}");
    mem_free(s);
}

static void the_body_may_be_standard_input_json_or_bytes(void **state)
{
    static const struct {
        const char *input;
        const char *option; /* NULL: none */
        const char *json;
    } cases[] = {
        {"from stdin\n", NULL, "{\"destination\":\"/t\",\"text\":\"from stdin\\n\"}"},
        {"\xff", NULL, "{\"destination\":\"/t\",\"base64\":\"/w==\"}"},
        {"{\"n\": 1.10}", "--json",
         "{\"destination\":\"/t\",\"text\":\"{\\\"n\\\": 1.10}\","
         "\"content_type\":\"application/json\"}"},
        {"", NULL, "{\"destination\":\"/t\",\"text\":\"\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stand_in *s = stand_in_start(DELIVERED);
        const char *const args[] = {"publish", "--url", s->url, "/t", "-", cases[i].option, NULL};

        assert_int_equal(run_with(cases[i].input, cli_publish, args), 0);
        stand_in_wait(s);
        assert_string_equal(strstr(s->request, "\r\n\r\n") + 4, cases[i].json);
        mem_free(s);
    }
    assert_int_equal(RUN(cli_publish, "publish", "--json", "/t", "no json"), 1);
    assert_has(err_text, "not JSON");
}

static void a_large_body_arrives_whole(void **state)
{
    struct stand_in *s = stand_in_start(DELIVERED);
    char *body = mem_alloc(200001);

    (void)state;
    memset(body, 'x', 200000);
    body[200000] = '\0';
    assert_int_equal(RUN_WITH(body, cli_publish, "publish", "--url", s->url, "/t"), 0);
    stand_in_wait(s);
    assert_int_equal(strlen(strstr(s->request, "\r\n\r\n") + 4),
                     strlen("{\"destination\":\"/t\",\"text\":\"\"}") + 200000);
    mem_free(body);
    mem_free(s);
}

static void what_the_server_refuses_is_code_1(void **state)
{
    static const struct {
        const char *answer;
        const char *told;
    } cases[] = {
        {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\nno key", "status 401: no key"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "cut short"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "chunks"},
        {"SSH-2.0-x\r\n\r\n", "not HTTP"},
        {"", "not HTTP"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stand_in *s = stand_in_start(cases[i].answer);

        assert_int_equal(RUN(cli_publish, "publish", "--url", s->url, "/t", "x"), 1);
        stand_in_wait(s);
        assert_has(err_text, cases[i].told);
        assert_string_equal(out_text, "");
        mem_free(s);
    }
    assert_int_equal(RUN(cli_publish, "publish", "--url", "https://a", "/t", "x"), 1);
    assert_has(err_text, "http://host:port");
    assert_int_equal(RUN(cli_publish, "publish", "--key", "a\r\nb", "/t", "x"), 1);
    assert_has(err_text, "control character");
}

static void health_is_the_answers_status(void **state)
{
    static const struct {
        const char *answer;
        int code;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"UP\"}", 0},
        {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", 1},
        {"", 1},
    };
    struct stand_in *s = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s = stand_in_start(cases[i].answer);
        assert_int_equal(RUN(cli_health, "health", "--url", s->url), cases[i].code);
        stand_in_wait(s);
        assert_true(strncmp(s->request, "GET /health/ready HTTP/1.1\r\n", 28) == 0);
        if (i + 1 < sizeof(cases) / sizeof(cases[0]))
            mem_free(s);
    }
    /* Nobody listens there any more. */
    assert_int_equal(RUN(cli_health, "health", "--url", s->url), 1);
    assert_has(err_text, "refused");
    mem_free(s);
}

/* ---- bench ---- */

/* A run without a server: processes, measuring and report are those of every mode. */
static void a_bench_that_is_good_is_code_0_and_json_when_asked_for(void **state)
{
    (void)state;
    assert_int_equal(RUN(cli_bench, "bench", "floor", "--subscribers", "3", "--seconds", "0.05",
                         "--warmup", "0", "--json"),
                     0);
    assert_int_equal(strncmp(out_text, "{\"mode\":\"floor\",", 16), 0);
    assert_has(out_text, "\"ok\":true");
    assert_string_equal(err_text, ""); /* no progress where there is no terminal */
    assert_int_equal(RUN(cli_bench, "bench", "--help"), 0);
    assert_has(out_text, "--subscribers");
}

static void a_bench_against_nobody_is_code_1(void **state)
{
    (void)state;
    /* Port 1 of loopback: what listens there would not speak WebSocket. */
    assert_int_equal(RUN(cli_bench, "bench", "echo", "--clients", "1", "--url", "ws://127.0.0.1:1/",
                         "--connect-timeout", "5"),
                     1);
    assert_has(err_text, "FAILED: connection 0: ");
    assert_has(out_text, "ok                           false\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_and_help_go_to_standard_output),
        cmocka_unit_test(a_wrong_command_line_is_code_2),
        cmocka_unit_test(check_config_prints_every_mistake),
        cmocka_unit_test(a_token_of_a_secret_is_good_for_its_time),
        cmocka_unit_test(a_token_of_a_configuration_is_what_its_issuer_wants),
        cmocka_unit_test(a_token_that_nobody_would_take_is_not_made),
        cmocka_unit_test(a_published_text_is_what_the_push_api_reads),
        cmocka_unit_test(the_body_may_be_standard_input_json_or_bytes),
        cmocka_unit_test(a_large_body_arrives_whole),
        cmocka_unit_test(what_the_server_refuses_is_code_1),
        cmocka_unit_test(health_is_the_answers_status),
        cmocka_unit_test(a_bench_that_is_good_is_code_0_and_json_when_asked_for),
        cmocka_unit_test(a_bench_against_nobody_is_code_1),
    };

    return cmocka_run_group_tests_name("gateway/cli", tests, make_files, remove_files);
}
