#ifndef GATEWAY_CONFIG_REFERENCE_H
#define GATEWAY_CONFIG_REFERENCE_H

#include <stdio.h>

/* The settings as a page for users, made from the table: docs/configuration.md. Any thread. */

void config_print_reference(FILE *out);

#endif
