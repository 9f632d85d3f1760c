#ifndef GATEWAY_SERVE_H
#define GATEWAY_SERVE_H

/** The verb `serve`: as those of gateway/cli/cli.h. */
int cli_serve(int argc, char **argv);

#endif
