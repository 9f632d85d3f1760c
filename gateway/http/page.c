#include "gateway/http/page.h"

#include "gateway/http/answer.h"

/** Takes the next item of a comma list, trimmed, off `*list`. False when there is none. */
static bool next_item(struct slice *list, struct slice *item)
{
    struct slice rest;

    if (list->len == 0)
        return false;
    if (!slice_cut(*list, ',', item, &rest)) {
        *item = *list;
        rest = slice_of("", 0);
    }
    *list = rest;
    *item = slice_trim(*item);
    return true;
}

/** Whether an Accept-Encoding header allows gzip: it is named, and not with a weight of zero. */
static bool accepts_gzip(struct slice header)
{
    struct slice item;

    while (next_item(&header, &item)) {
        struct slice coding = item, weight = SLICE("");

        (void)slice_cut(item, ';', &coding, &weight);
        if (!slice_eq_nocase(slice_trim(coding), (struct slice)SLICE("gzip")))
            continue;
        for (size_t i = 0; i < weight.len; i++) {
            if (weight.base[i] >= '1' && weight.base[i] <= '9')
                return true;
        }
        return weight.len == 0;
    }
    return false;
}

static bool is_cached(struct slice if_none_match, struct slice etag)
{
    struct slice item;

    while (next_item(&if_none_match, &item)) {
        if (slice_starts_with(item, (struct slice)SLICE("W/")))
            item = slice_skip(item, 2); /* If-None-Match compares weakly */
        if (slice_eq(item, etag) || slice_eq(item, (struct slice)SLICE("*")))
            return true;
    }
    return false;
}

void http_page_answer(h2o_req_t *req, const struct http_head *head, const struct web_asset *asset)
{
    struct slice method = slice_of(req->method.base, req->method.len);
    bool is_gzip = asset->gzip.len != 0 && accepts_gzip(head->accept_encoding);
    struct slice etag = is_gzip ? asset->gzip_etag : asset->etag;

    if (!slice_eq(method, (struct slice)SLICE("GET")) &&
        !slice_eq(method, (struct slice)SLICE("HEAD"))) {
        http_answer_header(req, "Allow", (struct slice)SLICE("GET, HEAD"));
        http_answer_problem(req, 405, "this is a page", NULL);
        return;
    }
    http_answer_header(req, "ETag", etag);
    http_answer_header(req, "Cache-Control", (struct slice)SLICE("no-cache"));
    http_answer_header(req, "Vary", (struct slice)SLICE("Accept-Encoding"));
    if (is_cached(head->if_none_match, etag)) {
        http_answer_not_modified(req);
        return;
    }
    http_answer_header(req, "Content-Security-Policy",
                       (struct slice)SLICE(WEB_CONTENT_SECURITY_POLICY));
    http_answer_header(req, "X-Content-Type-Options", (struct slice)SLICE("nosniff"));
    http_answer_header(req, "Referrer-Policy", (struct slice)SLICE("no-referrer"));
    if (is_gzip)
        http_answer_header(req, "Content-Encoding", (struct slice)SLICE("gzip"));
    http_answer_static(req, 200, asset->content_type, is_gzip ? asset->gzip : asset->body);
}
