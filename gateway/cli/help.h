#ifndef GATEWAY_CLI_HELP_H
#define GATEWAY_CLI_HELP_H

/* The usage of each verb, in one place. */

/** Prints the usage of a verb to standard output. Returns CLI_OK. */
int help_print(const char *verb);

/**
 * Says on standard error that the command line of `verb` is wrong: `problem`, unless NULL (getopt
 * has said it then), and where to read more. A `verb` of NULL is the program as such. Returns
 * CLI_USAGE.
 */
int help_usage_error(const char *verb, const char *problem);

#endif
