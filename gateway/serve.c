#include "gateway/serve.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include <jansson.h>
#include "gateway/cli/cli.h"
#include "gateway/cli/source.h"
#include "gateway/config/load.h"
#include "gateway/ops/log.h"
#include "gateway/process/process.h"

/* As many descriptors as the system lets us have: each connection is one. */
static void raise_descriptor_limit(const struct config *config, const struct log *log)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < config->transport.max_connections)
        log_event(log, LOG_LEVEL_INFO, "process.descriptors",
                  log_cstr("meaning", "transport.max_connections is above what the system allows"),
                  log_u64("descriptors", limit.rlim_cur),
                  log_u64("max_connections", config->transport.max_connections));
}

static void init_log(struct log *log, const struct config *config)
{
    bool json = config->log.format == CONFIG_LOG_JSON ||
                (config->log.format == CONFIG_LOG_AUTO && isatty(STDERR_FILENO) == 0);

    /* Both enumerations have the same order. */
    log_init(log, STDERR_FILENO, (enum log_level)config->log.level, json);
}

_Static_assert((int)CONFIG_LOG_DEBUG == (int)LOG_LEVEL_DEBUG &&
                   (int)CONFIG_LOG_ERROR == (int)LOG_LEVEL_ERROR,
               "log levels are handed over as they are");

/* Runs until a signal says stop; the signals are blocked in every thread and waited for here. */
static int run(const struct config *config)
{
    struct process *process;
    struct log log;
    sigset_t stop;
    int exit_code, received;

    init_log(&log, config);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &stop, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    json_object_seed(0); /* before there are threads */
    raise_descriptor_limit(config, &log);

    process = process_start(config, &log, &exit_code);
    if (process == NULL)
        return exit_code;
    while (sigwait(&stop, &received) != 0)
        continue;
    log_event(&log, LOG_LEVEL_INFO, "gateway.signal", log_i64("signal", received));
    process_stop(process);
    return CLI_OK;
}

int cli_serve(int argc, char **argv)
{
    struct cli_source source = {.path = NULL};
    int code = cli_source_parse(&source, argc, argv);
    struct config *config;

    if (code < 0) {
        config = cli_source_load(&source);
        code = config == NULL ? CLI_BAD_CONFIG : run(config);
        config_unref(config);
    }
    cli_source_dispose(&source);
    return code;
}
