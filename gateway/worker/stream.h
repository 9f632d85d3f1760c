#ifndef GATEWAY_WORKER_STREAM_H
#define GATEWAY_WORKER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <h2o/socket.h>
#include "base/slice.h"
#include "gateway/router/router.h"
#include "gateway/worker/worker.h"

/*
 * A byte stream to one client over a socket of h2o's, plain or TLS: reading with a share of each
 * tick, writing from the receiver's queue once a tick, and the orderly close. Embedded in a
 * transport's connection. Plain sockets are written directly; TLS goes through h2o, at most 64 KiB
 * at a time, so that the rest stays shared and counted.
 *
 * The close (stream_finish): everything queued is written, then the peer has 5 s to close its
 * side, then shutdown(SHUT_WR), then 2 s or 16 MiB of input are discarded, then close(): an
 * unread input must not turn into a reset that destroys what was just sent.
 *
 * Owning worker only.
 */

enum stream_end {
    STREAM_END_PEER,   /* the peer closed, or the connection broke */
    STREAM_END_CLOSED, /* our own close has come to its end */
};

enum stream_limit {
    STREAM_LIMIT_BUFFER, /* more bytes wait behind a write than send_buffer_size_limit */
    STREAM_LIMIT_TIME,   /* a frame has been waiting longer than send_time_limit */
    STREAM_LIMIT_MEMORY, /* the process holds too many bytes, and this stream most of them */
    STREAM_LIMIT_WINDOW, /* too many deliveries are not acknowledged: some could not be made */
};

struct stream;

/** All are called on the worker's thread. */
struct stream_callbacks {
    /**
     * Input came, or there is some left and it is this stream's turn again. Returns how many bytes
     * it has used up; when it leaves some, it has called stream_yield or stream_pause. The bytes
     * are writable.
     */
    size_t (*on_input)(struct stream *stream, struct slice input);
    /** The connection is gone: nothing is read or written any more. Called once. */
    void (*on_end)(struct stream *stream, enum stream_end end);
    /** A slow-consumer limit was passed: must call stream_finish or stream_abort. */
    void (*on_limit)(struct stream *stream, enum stream_limit limit);
    /** The stream leaves the worker: frees what embeds it. Called once, after on_end. */
    void (*on_free)(struct stream *stream);
};

struct stream_limits {
    uint64_t send_buffer_bytes;
    uint32_t send_time_ms;
};

enum stream_state {
    STREAM_OPEN,
    STREAM_FLUSHING, /* finishing: the queue is being written, input is discarded or awaited */
    STREAM_AWAITING, /* all written: the peer's close is awaited */
    STREAM_DRAINING, /* our side is shut down, input is discarded */
    STREAM_CLOSED,
};

struct stream {
    struct worker *worker;
    h2o_socket_t *sock;
    const struct stream_callbacks *callbacks;
    const struct stream_limits *limits;
    struct receiver receiver;
    struct stream *next, **prev_next; /* of the worker's streams; `next` also of its dead ones */
    TAILQ_ENTRY(stream) yielded_link;
    struct timer timer;      /* of the close, and of a write that is stuck */
    uint64_t stuck_since_ms; /* the write in progress has placed nothing since; 0: none */
    size_t rest_bytes;       /* of what the first failed write had offered, still unwritten */
    size_t in_flight_bytes;  /* handed to h2o's TLS writer */
    uint32_t discarded_bytes;
    uint32_t yield_round; /* the worker's when it yielded */
    int fd;
    uint8_t state; /* enum stream_state */
    bool is_tls;
    bool is_blocked;   /* a write is in progress: it waits for the socket */
    bool is_gathered;  /* its turn to be written comes with others in this tick */
    bool is_yielded;   /* in the worker's list */
    bool is_paused;    /* stream_pause: not read, not in the list */
    bool is_in_input;  /* on_input is on the stack */
    bool awaits_peer;  /* finishing waits for the peer's close first */
    bool is_peer_done; /* the peer has said its close: it sends nothing more */
    uint64_t last_write_ms;
    uint64_t last_read_ms;
};

/**
 * Takes the socket, whose input may hold bytes already. Zero the struct first. Nothing is read
 * before stream_resume. Borrows callbacks and limits for the stream's life.
 */
void stream_open(struct stream *stream, struct worker *worker, h2o_socket_t *sock, bool is_tls,
                 enum wire wire, const struct stream_callbacks *callbacks,
                 const struct stream_limits *limits);

/** From on_input: the rest of the input waits for the next tick. */
void stream_yield(struct stream *stream);

/** Input stops until stream_resume; what on_input has left waits. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);

/** Writes what is queued, as far as the socket takes it. Called by the end of the tick. */
void stream_flush(struct stream *stream);

/** Whether stream_flush would begin with send() of stream_first_bytes. */
bool stream_can_send(const struct stream *stream);

/** What is to be written first, contiguous; borrowed until it is consumed. */
struct slice stream_first_bytes(const struct stream *stream);

/**
 * Somebody else has sent them: `n` bytes were taken, or it is a negative error number. The first
 * takes what has been sent from the queue and calls nobody; the second handles errors and writes
 * the rest as stream_flush does.
 */
void stream_note_sent(struct stream *stream, ssize_t n);
void stream_after_sent(struct stream *stream, ssize_t n);

/**
 * Closes in an orderly way once the queue is written; with `await_peer` the peer's close is waited
 * for first. From then on on_input gets what comes (to look for the peer's close) until the
 * transport calls stream_peer_closed. Idempotent.
 */
void stream_finish(struct stream *stream, bool await_peer);

/**
 * A finishing stream need not wait for the peer's close any longer: it has come (`is_done`: nothing
 * comes after it), or never will.
 */
void stream_peer_closed(struct stream *stream, bool is_done);

/** Cuts the queue at the end of the frame in flight: what follows is not sent, but counted. */
void stream_cut(struct stream *stream);

/** Ends it now, without another word. Idempotent. */
void stream_abort(struct stream *stream);

/** The stream that embeds the receiver. */
struct stream *stream_of_receiver(struct receiver *receiver);

#endif
