#ifndef GATEWAY_CLI_CLI_H
#define GATEWAY_CLI_CLI_H

/*
 * The verbs of the command line, but for `serve`. Each gets the arguments from its own name on
 * (argv[0] is "gen-token"), writes its result to standard output and what is wrong to standard
 * error, and returns the exit code of the process. Main thread only: getopt_long keeps its state
 * in globals.
 */

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILURE = 1,      /* it was tried and did not work */
    CLI_USAGE = 2,        /* the command line makes no sense */
    CLI_CANNOT_BIND = 69, /* EX_UNAVAILABLE */
    CLI_BAD_CONFIG = 78,  /* EX_CONFIG */
};

/** check-config: prints every mistake, or that there is none. */
int cli_check_config(int argc, char **argv);

/** gen-token: a token of an HS256 issuer, for trying out. */
int cli_gen_token(int argc, char **argv);

/** publish: pushes one message over the admin port. */
int cli_publish(int argc, char **argv);

/** health: whether a gateway is ready, for a container's health check. */
int cli_health(int argc, char **argv);

/** bench: load on a server, to size a machine. Forks; no other thread may run. */
int cli_bench(int argc, char **argv);

/** version, also as --version. */
int cli_version(int argc, char **argv);

/** help, also as --help: `help VERB` prints that verb's usage. */
int cli_help(int argc, char **argv);

#endif
