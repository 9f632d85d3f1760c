#include "gateway/bench/report.h"

#include <assert.h>

enum { MAX_REPORT = 64 * 1024 };

void report_init(struct report *report, bool is_json)
{
    report->is_json = is_json;
    buf_init(&report->text, MAX_REPORT);
}

void report_dispose(struct report *report)
{
    buf_dispose(&report->text);
}

/* What is reported is ours and short: it fits. */
static void must_fit(bool fits)
{
    assert(fits);
    (void)fits;
}

static void add_name(struct report *report, const char *name)
{
    if (report->is_json)
        must_fit(buf_printf(&report->text, "%s\"%s\":", report->text.len == 0 ? "" : ",", name));
    else
        must_fit(buf_printf(&report->text, "%-28s ", name));
}

static void end_line(struct report *report)
{
    if (!report->is_json)
        must_fit(buf_append(&report->text, (struct slice)SLICE("\n")));
}

void report_count(struct report *report, const char *name, uint64_t value)
{
    add_name(report, name);
    must_fit(buf_printf(&report->text, "%llu", (unsigned long long)value));
    end_line(report);
}

void report_number(struct report *report, const char *name, double value, int n_decimals)
{
    add_name(report, name);
    must_fit(buf_printf(&report->text, "%.*f", n_decimals, value));
    end_line(report);
}

void report_flag(struct report *report, const char *name, bool value)
{
    add_name(report, name);
    must_fit(buf_printf(&report->text, "%s", value ? "true" : "false"));
    end_line(report);
}

void report_string(struct report *report, const char *name, const char *value)
{
    add_name(report, name);
    if (!report->is_json) {
        must_fit(buf_printf(&report->text, "%s\n", value));
        return;
    }
    must_fit(buf_append(&report->text, (struct slice)SLICE("\"")));
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            must_fit(buf_printf(&report->text, "\\%c", *value));
        else if ((unsigned char)*value < ' ')
            must_fit(buf_printf(&report->text, "\\u%04x", (unsigned char)*value));
        else
            must_fit(buf_append(&report->text, slice_of(value, 1)));
    }
    must_fit(buf_append(&report->text, (struct slice)SLICE("\"")));
}

void report_print(const struct report *report, FILE *out)
{
    if (report->is_json)
        fprintf(out, "{%.*s}\n", (int)report->text.len, report->text.base);
    else
        fprintf(out, "%.*s", (int)report->text.len, report->text.base);
    (void)fflush(out);
}
