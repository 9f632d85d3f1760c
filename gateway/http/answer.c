#include "gateway/http/answer.h"

#include <string.h>
#include "base/buf.h"
#include "gateway/push/problem.h"

enum { ANSWER_PROBLEM_MAX = 16 * 1024 };

void http_answer_header(h2o_req_t *req, const char *name, struct slice value)
{
    size_t len = strlen(name);
    h2o_iovec_t lower = h2o_strdup(&req->pool, name, len);
    h2o_iovec_t copy = h2o_strdup(&req->pool, value.base == NULL ? "" : value.base, value.len);

    h2o_strtolower(lower.base, lower.len);
    h2o_add_header_by_str(&req->pool, &req->res.headers, lower.base, lower.len, 1, name, copy.base,
                          copy.len);
}

static void start(h2o_req_t *req, int status, size_t content_length)
{
    static h2o_generator_t generator = {NULL, NULL};

    req->res.status = status;
    req->res.reason = problem_title(status);
    req->res.content_length = content_length;
    h2o_start_response(req, &generator);
}

void http_answer_static(h2o_req_t *req, int status, struct slice content_type, struct slice body)
{
    h2o_iovec_t vec = h2o_iovec_init(body.base, body.len);
    bool is_head = h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD"));

    if (content_type.len != 0)
        http_answer_header(req, "Content-Type", content_type);
    start(req, status, body.len);
    h2o_send(req, &vec, is_head || body.len == 0 ? 0 : 1, H2O_SEND_STATE_FINAL);
}

void http_answer(h2o_req_t *req, int status, struct slice content_type, struct slice body)
{
    h2o_iovec_t copy = h2o_strdup(&req->pool, body.base == NULL ? "" : body.base, body.len);

    http_answer_static(req, status, content_type, slice_of(copy.base, copy.len));
}

void http_answer_problem(h2o_req_t *req, int status, const char *detail, const char *field)
{
    struct buf body;

    buf_init(&body, ANSWER_PROBLEM_MAX);
    problem_print(status, detail, field, &body);
    http_answer(req, status, (struct slice)SLICE("application/problem+json"), buf_slice(&body));
    buf_dispose(&body);
}

void http_answer_not_modified(h2o_req_t *req)
{
    start(req, 304, SIZE_MAX);
    h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
}
