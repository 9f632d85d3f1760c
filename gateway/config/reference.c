#include "gateway/config/reference.h"

#include <string.h>
#include "gateway/config/lookup.h"
#include "gateway/config/settings.h"
#include "gateway/config/value.h"

static const char head[] =
    "# Configuration\n"
    "\n"
    "<!-- Made from the table of settings by `cmake --build --preset debug --target reference`; a "
    "test\n"
    "     fails when it is stale. -->\n"
    "\n"
    "`stompgate serve --config FILE` reads one YAML file; `stompgate check-config --config FILE` "
    "only\n"
    "checks it, and prints every mistake with its line and column. Unknown names, values that do "
    "not\n"
    "fit, duplicate keys, anchors, tags and a second document are errors: nothing is ignored.\n"
    "[docs/examples](examples) has a configuration for trying out and one for production.\n"
    "\n"
    "Later ones win: default, file, environment, `--set NAME=VALUE` on the command line "
    "(repeatable,\n"
    "`--set 'endpoints[0].path=/ws'`).\n"
    "\n"
    "In the environment a name is written in capitals with underscores: "
    "`STOMPGATE_BROKER_HEARTBEAT`\n"
    "for `broker.heartbeat`, `STOMPGATE_ENDPOINTS_0_PATH` for the first endpoint's `path`. An "
    "index\n"
    "one behind the last of the file adds an item. Lists are separated by commas, but not by "
    "those\n"
    "inside `[...]` or `{...}`. Where `_FILE` is noted, the variable with that ending names a "
    "file\n"
    "that holds the value; a line break at its end does not count. Every other variable that "
    "begins\n"
    "with `STOMPGATE_` is an error, but for `STOMPGATE_TEST_`, `STOMPGATE_FUZZ_`, "
    "`STOMPGATE_BENCH_`\n"
    "and what Kubernetes and Docker set for a service of that name (`STOMPGATE_SERVICE_HOST`,\n"
    "`STOMPGATE_PORT_8080_TCP` ...).\n"
    "\n"
    "Durations have a unit: `500ms`, `10s`, `2m`, `1h`; only `0` needs none, and the numbers of\n"
    "`broker.heartbeat` are milliseconds without one. Sizes are bytes, or have one of `KiB`, "
    "`MiB`,\n"
    "`GiB`. Paths of files are relative to the working directory.\n";

static const char *type_name(enum setting_type type)
{
    switch (type) {
    case SETTING_BOOL:
        return "`true` or `false`";
    case SETTING_INTEGER:
        return "whole number";
    case SETTING_SIZE:
        return "size";
    case SETTING_DURATION:
        return "duration";
    case SETTING_HEARTBEAT:
        return "two durations";
    case SETTING_STRING:
        return "string";
    case SETTING_TEXT:
        return "text";
    case SETTING_PATH:
        return "path of a file";
    case SETTING_ADDRESS:
        return "address";
    case SETTING_SECRET:
        return "secret";
    case SETTING_SHA256:
        return "64 hex digits";
    case SETTING_ENUM:
    case SETTING_CHARACTER:
        return "one of";
    case SETTING_ENUM_SET:
        return "list of";
    case SETTING_STRINGS:
        return "list of strings";
    case SETTING_PAIRS:
        return "names with texts";
    }
    return "";
}

static void print_type(const struct setting *s, FILE *out)
{
    const struct value_text range = value_range(s);

    fprintf(out, "- type: %s", type_name(s->type));
    for (size_t i = 0; s->words != NULL && s->words[i] != NULL; i++)
        fprintf(out, "%s`%s`", i == 0 ? " " : ", ", s->words[i]);
    if (range.text[0] != '\0')
        fprintf(out, s->type == SETTING_HEARTBEAT ? ", each %s" : ", %s", range.text);
    fputc('\n', out);
}

static void print_default(const struct setting *s, FILE *out)
{
    if ((s->flags & SETTING_REQUIRED) != 0)
        fprintf(out, "- required\n");
    else if (s->computed != NULL)
        fprintf(out, "- default: %s\n", s->computed);
    else if (s->standard == NULL || s->standard[0] == '\0')
        fprintf(out, "- default: %s\n",
                s->type == SETTING_STRINGS || s->type == SETTING_PAIRS ? "none" : "empty");
    else if (s->type == SETTING_STRINGS || s->type == SETTING_ENUM_SET)
        fprintf(out, "- default: `[%s]`\n", s->standard);
    else
        fprintf(out, "- default: `%s`\n", s->standard);
}

static void print_setting(const struct setting *s, FILE *out)
{
    fprintf(out, "\n### `%s`\n\n%s\n\n", s->name, s->help);
    print_type(s, out);
    print_default(s, out);
    fprintf(out, "- environment: `%s`%s\n",
            lookup_variable_name(s->name, (struct slice)SLICE("0")).text,
            lookup_has_file_variable(s) ? ", or `_FILE`" : "");
}

/** Whether a setting's name begins with the section's. */
static bool stands_in(const struct setting *s, const char *section)
{
    size_t len = strlen(section);

    return strncmp(s->name, section, len) == 0 &&
           (s->name[len] == '\0' || s->name[len] == '.' || s->name[len] == '[');
}

void config_print_reference(FILE *out)
{
    size_t n_sections, n_settings;
    const struct setting_section *sections = setting_section_all(&n_sections);
    const struct setting *settings = setting_all(&n_settings);
    const char *const *later = setting_later_all();

    fputs(head, out);
    for (size_t i = 0; i < n_sections; i++) {
        fprintf(out, "\n## %s\n\n%s\n", sections[i].name, sections[i].help);
        for (size_t k = 0; k < n_settings; k++) {
            if (stands_in(&settings[k], sections[i].name))
                print_setting(&settings[k], out);
        }
    }
    fprintf(out, "\n## Not built in this version\n\nRefused by name, so that nobody relies on "
                 "them: `endpoints[].sockjs: true`");
    for (size_t i = 0; later[i] != NULL; i++)
        fprintf(out, ", `%s`", later[i]);
    fprintf(out, ".\n");
}
