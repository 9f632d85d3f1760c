#include "gateway/config/yaml.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>
#include "base/mem.h"
#include "gateway/config/lookup.h"
#include "gateway/config/value.h"

enum { MAX_NAME = 128 };

struct reader {
    yaml_parser_t parser;
    struct draft *draft;
    struct slice file;
    struct slice bytes;
    size_t depth;
    bool is_over; /* after an error of syntax, or one too deep: no further events */
};

/** Where a mapping stands: "endpoints[]." and the item. */
struct place {
    const char *prefix;
    size_t index;
};

static struct config_origin origin_at(const struct reader *r, yaml_mark_t mark)
{
    return (struct config_origin){
        .kind = CONFIG_ORIGIN_FILE,
        .name = r->file,
        .line = mark.line + 1,
        .column = mark.column + 1,
    };
}

static struct slice text_of(const yaml_event_t *event)
{
    return slice_of((const char *)event->data.scalar.value, event->data.scalar.length);
}

/** Any value may be a secret at the wrong place. */
static void drop(yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        explicit_bzero(event->data.scalar.value, event->data.scalar.length);
    yaml_event_delete(event);
}

/** Line and column of a byte, for errors before there are marks. */
static yaml_mark_t mark_of_byte(struct slice bytes, size_t at)
{
    yaml_mark_t mark = {.index = at};

    for (size_t i = 0; i < at && i < bytes.len; i++) {
        if (bytes.base[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (((unsigned char)bytes.base[i] & 0xc0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

static void stop(struct reader *r)
{
    r->is_over = true;
    r->draft->is_unreadable = true;
}

static void syntax_error(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem == NULL ? "cannot be read" : p->problem;

    stop(r);
    if (p->error == YAML_READER_ERROR)
        config_errors_add(r->draft->errors, origin_at(r, mark_of_byte(r->bytes, p->problem_offset)),
                          slice_str(NULL), "is no text in UTF-8: %s", problem);
    else
        config_errors_add(r->draft->errors, origin_at(r, p->problem_mark), slice_str(NULL),
                          "is no valid YAML: %s%s%s", p->context == NULL ? "" : p->context,
                          p->context == NULL ? "" : ", ", problem);
}

static void refuse(struct reader *r, const yaml_event_t *event, const char *what)
{
    config_errors_add(r->draft->errors, origin_at(r, event->start_mark), slice_str(NULL),
                      "%s, expected plain values", what);
}

static void refuse_extras(struct reader *r, const yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;

    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (anchor != NULL)
        refuse(r, event, "an anchor (&) is not allowed");
    if (tag != NULL)
        refuse(r, event, "a tag (!) is not allowed");
    if (event->type == YAML_ALIAS_EVENT)
        refuse(r, event, "an alias (*) is not allowed");
}

/** Returns false at the end of what can be read; `event` is to be dropped after true only. */
static bool next(struct reader *r, yaml_event_t *event)
{
    if (r->is_over)
        return false;
    if (!yaml_parser_parse(&r->parser, event)) {
        syntax_error(r);
        return false;
    }
    refuse_extras(r, event);
    if (event->type == YAML_MAPPING_START_EVENT || event->type == YAML_SEQUENCE_START_EVENT)
        r->depth++;
    if (event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT)
        r->depth--;
    if (r->depth > YAML_MAX_DEPTH) {
        config_errors_add(r->draft->errors, origin_at(r, event->start_mark), slice_str(NULL),
                          "is nested too deep, expected at most %d levels", (int)YAML_MAX_DEPTH);
        drop(event);
        stop(r);
        return false;
    }
    return true;
}

/** Reads over the rest of the value that `event` begins. */
static void skip_rest(struct reader *r, const yaml_event_t *event)
{
    size_t outside;
    yaml_event_t inner;

    if (event->type != YAML_MAPPING_START_EVENT && event->type != YAML_SEQUENCE_START_EVENT)
        return;
    outside = r->depth - 1;
    while (r->depth > outside && next(r, &inner))
        drop(&inner);
}

static void skip_value(struct reader *r)
{
    yaml_event_t event;

    if (next(r, &event)) {
        skip_rest(r, &event);
        drop(&event);
    }
}

/** `key:` with nothing behind it. */
static bool is_null(const yaml_event_t *event)
{
    struct slice text;

    if (event->type != YAML_SCALAR_EVENT || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    text = text_of(event);
    return text.len == 0 || slice_eq(text, (struct slice)SLICE("~")) ||
           slice_eq(text, (struct slice)SLICE("null"));
}

static const char *kind_of(const yaml_event_t *event)
{
    if (is_null(event))
        return "nothing";
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return "a single value";
    case YAML_SEQUENCE_START_EVENT:
        return "a list";
    case YAML_MAPPING_START_EVENT:
        return "settings";
    default:
        return "an alias";
    }
}

static void read_items(struct reader *r, const struct setting *setting, size_t index,
                       const yaml_event_t *start)
{
    yaml_event_t event;
    struct draft_value *items = NULL;
    size_t n = 0;
    bool is_good = true;

    while (next(r, &event) && event.type != YAML_SEQUENCE_END_EVENT) {
        struct config_origin origin = origin_at(r, event.start_mark);

        if (event.type != YAML_SCALAR_EVENT || is_null(&event)) {
            if (event.type != YAML_ALIAS_EVENT)
                draft_error(r->draft, setting, index, origin, "got %s in a list, expected %s",
                            kind_of(&event), value_expected(setting).text);
            is_good = false;
            skip_rest(r, &event);
        } else if (n <= SETTING_MAX_ITEMS) {
            items = mem_realloc(items, (n + 1) * sizeof(*items));
            items[n++] = (struct draft_value){mem_slice_dup(text_of(&event)), origin};
        }
        drop(&event);
    }
    if (!r->is_over) {
        drop(&event);
        if (is_good || n != 0)
            draft_set_items(r->draft, setting, index, items, n, origin_at(r, start->start_mark));
        if (!is_good)
            draft_mark(r->draft, setting, index)->state = DRAFT_BAD;
    }
    for (size_t i = 0; i < n; i++)
        mem_free((char *)items[i].text.base);
    mem_free(items);
}

/** One name of a SETTING_PAIRS and its text, into memory of their own. */
static bool read_pair(struct reader *r, const struct setting *setting, size_t index,
                      const yaml_event_t *key, struct draft_pair *out)
{
    struct config_origin origin = origin_at(r, key->start_mark);
    yaml_event_t event;
    bool is_name = key->type == YAML_SCALAR_EVENT, is_good;

    if (!next(r, &event))
        return false;
    is_good = is_name && event.type == YAML_SCALAR_EVENT && !is_null(&event);
    if (is_good)
        *out = (struct draft_pair){mem_slice_dup(text_of(key)),
                                   {mem_slice_dup(text_of(&event)), origin}};
    else if (!is_name && key->type != YAML_ALIAS_EVENT)
        draft_error(r->draft, setting, index, origin, "got %s as a name, expected %s", kind_of(key),
                    value_expected(setting).text);
    else if (is_name && event.type != YAML_ALIAS_EVENT)
        draft_error(r->draft, setting, index, origin, "got %s for %s, expected %s", kind_of(&event),
                    config_show(text_of(key)).text, value_expected(setting).text);
    skip_rest(r, &event);
    drop(&event);
    return is_good;
}

static void read_pairs(struct reader *r, const struct setting *setting, size_t index,
                       const yaml_event_t *start)
{
    yaml_event_t event;
    struct draft_pair *pairs = NULL, pair;
    size_t n = 0;
    bool is_good = true;

    while (next(r, &event) && event.type != YAML_MAPPING_END_EVENT) {
        skip_rest(r, &event);
        if (!read_pair(r, setting, index, &event, &pair)) {
            is_good = false;
        } else if (n <= SETTING_MAX_ITEMS) {
            pairs = mem_realloc(pairs, (n + 1) * sizeof(*pairs));
            pairs[n++] = pair;
        } else {
            mem_free((char *)pair.name.base);
            mem_free((char *)pair.value.text.base);
        }
        drop(&event);
    }
    if (!r->is_over) {
        drop(&event);
        draft_set_pairs(r->draft, setting, index, pairs, n, origin_at(r, start->start_mark));
        if (!is_good)
            draft_mark(r->draft, setting, index)->state = DRAFT_BAD;
    }
    for (size_t i = 0; i < n; i++) {
        mem_free((char *)pairs[i].name.base);
        mem_free((char *)pairs[i].value.text.base);
    }
    mem_free(pairs);
}

static void read_setting(struct reader *r, const struct setting *setting, size_t index)
{
    yaml_event_t event;
    struct config_origin origin;
    bool wants_list = setting_is_list_type(setting->type);
    bool wants_pairs = setting->type == SETTING_PAIRS;

    if (!next(r, &event))
        return;
    origin = origin_at(r, event.start_mark);
    if (wants_list && event.type == YAML_SEQUENCE_START_EVENT) {
        read_items(r, setting, index, &event);
    } else if (wants_pairs && event.type == YAML_MAPPING_START_EVENT) {
        read_pairs(r, setting, index, &event);
    } else if (!wants_list && !wants_pairs && event.type == YAML_SCALAR_EVENT && !is_null(&event)) {
        draft_set(r->draft, setting, index, (struct draft_value){text_of(&event), origin});
    } else {
        if (event.type != YAML_ALIAS_EVENT)
            draft_error(r->draft, setting, index, origin, "got %s, expected %s%s", kind_of(&event),
                        value_expected(setting).text,
                        wants_list ? ", written as [a, b] or one per line after a dash" : "");
        draft_mark(r->draft, setting, index)->state = DRAFT_BAD;
        skip_rest(r, &event);
    }
    drop(&event);
}

static void read_mapping(struct reader *r, struct place place);

static void read_list(struct reader *r, const struct setting_list *list)
{
    yaml_event_t event;
    struct draft_list *marks = draft_list(r->draft, list);
    struct config_origin origin;
    char prefix[MAX_NAME];
    size_t n = 0, index;

    if (!next(r, &event))
        return;
    origin = origin_at(r, event.start_mark);
    marks->mark = (struct draft_mark){DRAFT_SET, origin};
    if (event.type != YAML_SEQUENCE_START_EVENT && (!is_null(&event) || list->if_empty != NULL)) {
        marks->mark.state = DRAFT_BAD;
        if (event.type != YAML_ALIAS_EVENT)
            config_errors_add(r->draft->errors, origin, slice_str(list->name),
                              "got %s, expected a list: each item begins with a dash",
                              kind_of(&event));
        skip_rest(r, &event);
        drop(&event);
        return;
    }
    if (event.type != YAML_SEQUENCE_START_EVENT) {
        drop(&event);
        return;
    }
    drop(&event);
    (void)snprintf(prefix, sizeof(prefix), "%s[].", list->name);
    while (next(r, &event) && event.type != YAML_SEQUENCE_END_EVENT) {
        struct config_origin at = origin_at(r, event.start_mark);

        n++;
        if (event.type != YAML_MAPPING_START_EVENT) {
            marks->mark.state = DRAFT_BAD;
            if (event.type != YAML_ALIAS_EVENT)
                config_errors_add(r->draft->errors, at, slice_str(list->name),
                                  "got %s as an item, expected settings of its own",
                                  kind_of(&event));
            skip_rest(r, &event);
        } else if (!draft_add_item(r->draft, list, at, &index)) {
            skip_rest(r, &event);
        } else {
            read_mapping(r, (struct place){prefix, index});
        }
        drop(&event);
    }
    if (r->is_over)
        return;
    drop(&event);
    if (n == 0 && list->if_empty != NULL) {
        marks->mark.state = DRAFT_BAD;
        config_errors_add(r->draft->errors, origin, slice_str(list->name), "the list is empty, %s",
                          list->if_empty);
    }
}

static void read_group(struct reader *r, const char *name, size_t index)
{
    yaml_event_t event;
    char prefix[MAX_NAME + 2];

    if (!next(r, &event))
        return;
    if (event.type == YAML_MAPPING_START_EVENT) {
        (void)snprintf(prefix, sizeof(prefix), "%s.", name);
        read_mapping(r, (struct place){prefix, index});
    } else if (!is_null(&event)) {
        /* A group whose settings are all commented out is fine. */
        draft_section(r->draft, slice_str(name))->state = DRAFT_BAD;
        if (event.type != YAML_ALIAS_EVENT)
            config_errors_add(r->draft->errors, origin_at(r, event.start_mark),
                              slice_str(draft_name(name, index).text),
                              "got %s, expected settings below it", kind_of(&event));
        skip_rest(r, &event);
    }
    drop(&event);
}

static bool is_in_list(struct place place)
{
    return strchr(place.prefix, '[') != NULL;
}

/** What was probably meant counts as said: no further error that it is missing. */
static void mark_meant(struct draft *d, const char *meant, struct place place)
{
    struct slice name = slice_str(meant);
    const struct setting *setting = setting_find(name);
    const struct setting_list *list = setting_list_find(name);

    if (setting != NULL && setting_list_of(setting) == NULL)
        draft_mark(d, setting, 0)->state = DRAFT_BAD;
    else if (setting != NULL && is_in_list(place) &&
             slice_starts_with(name, slice_str(place.prefix)))
        draft_mark(d, setting, place.index)->state = DRAFT_BAD;
    else if (list != NULL)
        draft_list(d, list)->mark.state = DRAFT_BAD;
    if (name.len != 0)
        draft_section(d, name)->state = DRAFT_BAD;
}

static void unknown_key(struct reader *r, struct place place, struct slice key, struct slice name,
                        struct config_origin origin)
{
    struct draft_name shown = draft_name(place.prefix, place.index);
    char whole[2 * MAX_NAME];
    struct lookup_text meant;

    (void)snprintf(whole, sizeof(whole), "%s%.*s", shown.text, SLICE_FMT(slice_take(key, 64)));
    if (setting_is_later(name)) {
        config_errors_add(r->draft->errors, origin, slice_str(whole),
                          "is not built in this version, expected it left out");
        return;
    }
    config_errors_add(r->draft->errors, origin, slice_str(whole), "%s",
                      lookup_unknown_key(slice_str(place.prefix), key, &meant).text);
    mark_meant(r->draft, meant.text, place);
}

/** A key of the mapping at `place` that was read, with its value. Returns the name it has. */
static void read_member(struct reader *r, struct place place, struct slice key,
                        struct config_origin origin, struct slice name)
{
    const struct setting *setting = setting_find(name);
    const struct setting_list *list = setting_list_find(name);
    char group[MAX_NAME];

    if (place.prefix[0] == '\0' && (setting != NULL || list != NULL || setting_is_group(name)))
        *draft_section(r->draft, name) = (struct draft_mark){DRAFT_SET, origin};
    if (setting != NULL) {
        read_setting(r, setting, place.index);
    } else if (list != NULL) {
        read_list(r, list);
    } else if (setting_is_group(name)) {
        (void)snprintf(group, sizeof(group), "%.*s", SLICE_FMT(name));
        read_group(r, group, place.index);
    } else {
        unknown_key(r, place, key, name, origin);
        skip_value(r);
    }
}

/** The keys that a mapping had so far. */
struct seen {
    char names[64][64];
    size_t n;
};

/** Returns false when it was there before. Only known keys come here: there are few. */
static bool remember(struct seen *seen, struct slice key)
{
    for (size_t i = 0; i < seen->n; i++) {
        if (slice_eq(slice_str(seen->names[i]), key))
            return false;
    }
    assert(seen->n < 64 && key.len < 64);
    memcpy(seen->names[seen->n], key.base, key.len);
    seen->names[seen->n][key.len] = '\0';
    seen->n++;
    return true;
}

static bool is_known(struct slice name)
{
    return setting_find(name) != NULL || setting_list_find(name) != NULL || setting_is_group(name);
}

/** Everything up to the mapping's end, whose start was read. */
static void read_mapping(struct reader *r, struct place place)
{
    struct seen *seen = mem_calloc(1, sizeof(*seen));
    yaml_event_t event;
    char name[2 * MAX_NAME];

    while (next(r, &event) && event.type != YAML_MAPPING_END_EVENT) {
        struct config_origin origin = origin_at(r, event.start_mark);
        struct slice key, whole;
        int len;

        if (event.type != YAML_SCALAR_EVENT) {
            if (event.type != YAML_ALIAS_EVENT)
                config_errors_add(r->draft->errors, origin, slice_str(NULL),
                                  "got %s as a key, expected the name of a setting",
                                  kind_of(&event));
            skip_rest(r, &event);
            drop(&event);
            skip_value(r);
            continue;
        }
        key = text_of(&event);
        len = snprintf(name, sizeof(name), "%s%.*s", place.prefix,
                       SLICE_FMT(slice_take(key, MAX_NAME)));
        /* A key that was cut, at a NUL or for its length, is no name; nor is one with the table's
         * own dots and brackets in it. */
        whole = slice_of(name, (size_t)len);
        if (whole.len != strlen(place.prefix) + key.len || slice_find(key, '.') != key.len ||
            slice_find(key, '[') != key.len)
            whole = slice_str("");
        if (whole.len != 0 && is_known(whole) && !remember(seen, key)) {
            config_errors_add(r->draft->errors, origin,
                              slice_str(draft_name(name, place.index).text),
                              "stands there twice, expected once");
            skip_value(r);
        } else {
            read_member(r, place, key, origin, whole);
        }
        drop(&event);
    }
    if (!r->is_over)
        drop(&event);
    mem_free(seen);
}

/** The document's top: a mapping, or nothing at all. */
static void read_document(struct reader *r)
{
    yaml_event_t event;

    if (!next(r, &event))
        return;
    if (event.type == YAML_MAPPING_START_EVENT) {
        read_mapping(r, (struct place){"", 0});
    } else if (!is_null(&event)) {
        config_errors_add(r->draft->errors, origin_at(r, event.start_mark), slice_str(NULL),
                          "got %s, expected settings", kind_of(&event));
        skip_rest(r, &event);
    }
    drop(&event);
}

static void read_stream(struct reader *r)
{
    yaml_event_t event;
    size_t n_documents = 0;

    while (next(r, &event)) {
        yaml_event_type_t type = event.type;

        if (type == YAML_DOCUMENT_START_EVENT && n_documents++ == 1) {
            config_errors_add(r->draft->errors, origin_at(r, event.start_mark), slice_str(NULL),
                              "a second document begins here, expected one");
            r->is_over = true;
        }
        drop(&event);
        if (type == YAML_STREAM_END_EVENT)
            break;
        if (type == YAML_DOCUMENT_START_EVENT)
            read_document(r);
    }
}

/** The parser's own copies of the text may hold secrets. */
static void wipe(yaml_parser_t *parser)
{
    explicit_bzero(parser->raw_buffer.start,
                   (size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
    explicit_bzero(parser->buffer.start, (size_t)(parser->buffer.end - parser->buffer.start));
}

void yaml_read(struct draft *draft, struct slice name, struct slice bytes)
{
    struct reader r = {.draft = draft, .file = name, .bytes = bytes};

    if (bytes.len > YAML_MAX_BYTES) {
        config_errors_add(draft->errors, origin_at(&r, (yaml_mark_t){0, 0, 0}), slice_str(NULL),
                          "is too large, expected at most %s",
                          value_size_text(YAML_MAX_BYTES).text);
        draft->is_unreadable = true;
        return;
    }
    if (!yaml_parser_initialize(&r.parser)) {
        config_errors_add(draft->errors, origin_at(&r, (yaml_mark_t){0, 0, 0}), slice_str(NULL),
                          "cannot be read: out of memory");
        return;
    }
    /* Said and not guessed: UTF-16 is refused like any other broken UTF-8. */
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes.base, bytes.len);
    read_stream(&r);
    wipe(&r.parser);
    yaml_parser_delete(&r.parser);
}
