#include "auth/status.h"

const char *auth_strstatus(enum auth_status status)
{
    switch (status) {
    case AUTH_OK:
        return "ok";
    case AUTH_ERR_NO_TOKEN:
        return "no token was sent";
    case AUTH_ERR_BEARER:
        return "not one well-formed bearer token";
    case AUTH_ERR_LARGE:
        return "the token is too large";
    case AUTH_ERR_FORM:
        return "the token is not three parts of canonical base64url";
    case AUTH_ERR_HEADER:
        return "the token's header is not a JSON object with one \"alg\"";
    case AUTH_ERR_CRITICAL:
        return "the token's header has \"crit\"";
    case AUTH_ERR_TYPE:
        return "the token's \"typ\" is not JWT or at+jwt";
    case AUTH_ERR_ALGORITHM:
        return "the token's \"alg\" is not that of its issuer's key";
    case AUTH_ERR_PAYLOAD:
        return "the token's payload is not a JSON object without duplicate members";
    case AUTH_ERR_ISSUER:
        return "the token's \"iss\" is not a configured issuer";
    case AUTH_ERR_SIGNATURE:
        return "the token's signature does not match its issuer's key";
    case AUTH_ERR_CLAIM:
        return "a claim of the token is missing or of the wrong type";
    case AUTH_ERR_EXPIRED:
        return "the token has expired";
    case AUTH_ERR_EARLY:
        return "the token is not valid yet";
    case AUTH_ERR_AUDIENCE:
        return "the token's \"aud\" is not a configured audience";
    case AUTH_ERR_USER:
        return "the token's user claim is missing, too long or has control characters";
    }
    return "unknown status";
}

const char *auth_peer_text(enum auth_status status)
{
    switch (status) {
    case AUTH_OK:
        return "ok";
    case AUTH_ERR_NO_TOKEN:
        return "A token is required";
    case AUTH_ERR_EXPIRED:
        return "The token has expired";
    case AUTH_ERR_EARLY:
        return "The token is not valid yet";
    default:
        return "The token is not valid";
    }
}
