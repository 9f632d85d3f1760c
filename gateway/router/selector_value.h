#ifndef GATEWAY_ROUTER_SELECTOR_VALUE_H
#define GATEWAY_ROUTER_SELECTOR_VALUE_H

#include <stdbool.h>
#include "base/slice.h"

/*
 * The values of a selector, and how Spring's expression language compares and converts them. Pure.
 * Any thread.
 */

enum selector_value_kind {
    SELECTOR_VALUE_NULL,
    SELECTOR_VALUE_BOOLEAN,
    SELECTOR_VALUE_NUMBER, /* which, does not matter: headers hold none to compare it with */
    SELECTOR_VALUE_STRING,
};

struct selector_value {
    enum selector_value_kind kind;
    bool is_true;      /* of a boolean, else false */
    struct slice text; /* of a string; borrowed, valid UTF-8 */
};

static inline struct selector_value selector_value_of_bool(bool is_true)
{
    return (struct selector_value){.kind = SELECTOR_VALUE_BOOLEAN, .is_true = is_true};
}

/**
 * The boolean that the value is, or that its text stands for (StringToBooleanConverter).
 * Returns false, with `*out` undefined, when there is none: null and numbers have none.
 */
bool selector_value_to_bool(const struct selector_value *value, bool *out)
    __attribute__((warn_unused_result));

/** Values of different kinds are never equal (Operator.equalityCheck). Not for two numbers. */
bool selector_value_eq(const struct selector_value *a, const struct selector_value *b);

/**
 * The order of two values, below, at or above 0 (StandardTypeComparator): null before all else,
 * false before true, strings by their UTF-16 code units. Not for two numbers.
 * Returns false, with `*out` untouched, when they have no order.
 */
bool selector_value_cmp(const struct selector_value *a, const struct selector_value *b, int *out)
    __attribute__((warn_unused_result));

#endif
