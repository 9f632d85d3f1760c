#ifndef AUTH_STATUS_H
#define AUTH_STATUS_H

/*
 * What can be wrong with credentials. Two texts for each: one for our own log, which says exactly
 * what is wrong, and one for the peer, which tells somebody with a bad token nothing about keys,
 * issuers or rules. Neither ever holds a part of the token. Any thread.
 */

#define AUTH_MUST_CHECK __attribute__((warn_unused_result))

enum auth_status {
    AUTH_OK,
    AUTH_ERR_NO_TOKEN,  /* nothing of the kind was sent */
    AUTH_ERR_BEARER,    /* Authorization or query parameter: not one well-formed bearer token */
    AUTH_ERR_LARGE,     /* above AUTH_TOKEN_MAX */
    AUTH_ERR_FORM,      /* not three parts of canonical base64url joined by dots */
    AUTH_ERR_HEADER,    /* not a JSON object, or with duplicate members, or without "alg" */
    AUTH_ERR_CRITICAL,  /* "crit": an extension that we must not ignore */
    AUTH_ERR_TYPE,      /* "typ" names something other than a JWT */
    AUTH_ERR_ALGORITHM, /* not known, "none", or not that of the issuer's key */
    AUTH_ERR_PAYLOAD,   /* not a JSON object, or with duplicate members, or nested too deep */
    AUTH_ERR_ISSUER,    /* "iss" is none that we trust */
    AUTH_ERR_SIGNATURE, /* no key of this issuer made it */
    AUTH_ERR_CLAIM,     /* exp, nbf, iat, iss or aud is missing or of the wrong type */
    AUTH_ERR_EXPIRED,   /* "exp" is over */
    AUTH_ERR_EARLY,     /* "nbf" or "iat" is still to come */
    AUTH_ERR_AUDIENCE,  /* "aud" does not name us */
    AUTH_ERR_USER,      /* the user claim is missing, empty, too long or has control characters */
};

/** For the log; never NULL. */
const char *auth_strstatus(enum auth_status status);

/** For the peer; never NULL. */
const char *auth_peer_text(enum auth_status status);

#endif
