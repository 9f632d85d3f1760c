#include <stdio.h>
#include "gateway/config/reference.h"

/* Prints docs/configuration.md, for the build's target `reference`. */
int main(void)
{
    config_print_reference(stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}
