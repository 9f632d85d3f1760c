#ifndef GATEWAY_WORKER_FLUSH_H
#define GATEWAY_WORKER_FLUSH_H

struct worker;

/*
 * The last step of a tick: what the tick left dirty is written. Plain sockets with 2 KiB or
 * less to write are gathered and written by one system call where the worker has a send_batch; all
 * others, and what such a send has left over, go by stream_flush. Owning worker only.
 */

/**
 * Writes to all dirty streams, or until 20 ms are over: then worker->is_behind says that some are
 * left for the next tick.
 */
void worker_flush(struct worker *worker);

#endif
