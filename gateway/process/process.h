#ifndef GATEWAY_PROCESS_PROCESS_H
#define GATEWAY_PROCESS_PROCESS_H

#include "gateway/config/config.h"
#include "gateway/ops/log.h"

/*
 * The running gateway: puts configuration, HTTP, workers, router and sessions together, and takes
 * them apart again when it is told to stop. Main thread only.
 */

struct process;

/**
 * Binds, starts the workers and accepts connections. Borrows both for its life. SIGTERM and SIGINT
 * must be blocked in the calling thread. Returns NULL with the reason logged and `*exit_code` set:
 * 69 cannot bind, 78 a key or certificate cannot be used, 1 the system refused something else.
 */
struct process *process_start(const struct config *config, const struct log *log, int *exit_code)
    __attribute__((warn_unused_result));

/**
 * Ends it in order: nothing new is accepted or read, what was accepted is delivered, sessions get
 * 1001 spread over half of the drain time and the rest of it to close, then all is freed.
 */
void process_stop(struct process *process);

#endif
