#include "gateway/session/stomp_connect.h"

#include "auth/bearer.h"
#include "gateway/session/stomp_reply.h"

static const struct slice name_accept_version = SLICE("accept-version");
static const struct slice name_authorization = SLICE("Authorization");
static const struct slice name_heart_beat = SLICE("heart-beat");
static const struct slice name_refusals = SLICE("x-refusals");

static void connect_allowed(struct session *session)
{
    if (!session_may(session, CONFIG_CONNECT, session_endpoint(session)->path)) {
        stomp_fail(session, NULL, "Access denied", session_endpoint(session)->path);
        return;
    }
    session->state = SESSION_CONNECTED;
    session_register(session);
    metrics_add(session->env->metrics, METRIC_SESSIONS, 1);
    stomp_reply_connected(session, (enum stomp_version)session->version);
    session_arm(session);
}

/* A token in CONNECT beside one at the handshake must name the same user. Takes `identity`. */
static void connect_with(struct session *session, struct auth_identity *identity)
{
    if (session->identity == NULL) {
        session->identity = identity;
    } else {
        bool same = slice_eq(session->identity->user, identity->user);

        gate_identity_free(identity);
        if (!same) {
            metrics_add(session->env->metrics, METRIC_AUTH_FAILED, 1);
            stomp_fail(session, NULL,
                       "The tokens of the handshake and of CONNECT name different users",
                       slice_str(""));
            return;
        }
    }
    connect_allowed(session);
}

static void connect_refused(struct session *session, const char *why)
{
    metrics_add(session->env->metrics, METRIC_AUTH_FAILED, 1);
    stomp_fail(session, NULL, why, slice_str(""));
}

void stomp_connect_resolved(struct session *session, enum session_verdict verdict,
                            struct auth_identity *identity)
{
    if (verdict == SESSION_ALLOWED && identity != NULL)
        connect_with(session, identity);
    else
        connect_refused(session, "The token could not be checked");
}

static void connect_without_token(struct session *session)
{
    if (session->identity != NULL || session->env->config->auth.anonymous ||
        session_endpoint(session)->anonymous)
        connect_allowed(session);
    else
        connect_refused(session, "A token is required");
}

static void authenticate(struct session *session, const struct stomp_frame *frame)
{
    struct session_env *env = session->env;
    struct auth_identity *identity = NULL;
    struct slice value, token;
    const char *why = NULL;
    enum auth_status status;

    /* Header names of STOMP are case-sensitive, but people write HTTP's name in both ways. */
    if (!stomp_frame_header(frame, name_authorization, &value))
        (void)stomp_frame_header(frame, (struct slice)SLICE("authorization"), &value);
    status = auth_bearer_from_header(value, &token);
    if (status == AUTH_ERR_NO_TOKEN) {
        connect_without_token(session);
        return;
    }
    if (status != AUTH_OK) {
        connect_refused(session, auth_peer_text(status));
        return;
    }
    switch (env->authenticate(env->authenticate_ctx, session->ref, token, &identity, &why)) {
    case SESSION_ALLOWED:
        connect_with(session, identity);
        return;
    case SESSION_REFUSED:
        connect_refused(session, why);
        return;
    case SESSION_PENDING:
        session_suspend(session);
        return;
    }
}

/* How SENDs and SUBSCRIBEs are refused: the configuration's way unless the client names one. */
static bool choose_refusals(struct session *session, const struct stomp_frame *frame)
{
    struct slice wanted;

    session->is_soft = session->env->config->broker.refusals == CONFIG_REFUSALS_SOFT;
    if (!stomp_frame_header(frame, name_refusals, &wanted))
        return true;
    if (slice_eq(wanted, (struct slice)SLICE("soft"))) {
        session->is_soft = true;
    } else if (slice_eq(wanted, (struct slice)SLICE("strict"))) {
        session->is_soft = false;
    } else {
        stomp_fail(session, frame, "The x-refusals header must be soft or strict", wanted);
        return false;
    }
    return true;
}

void stomp_connect(struct session *session, const struct stomp_frame *frame)
{
    const struct config *config = session->env->config;
    struct stomp_heartbeat ours = {config->broker.heartbeat_send_ms,
                                   config->broker.heartbeat_receive_ms};
    struct stomp_heartbeat theirs;
    struct slice accept_version, heartbeat;
    enum stomp_version version;

    metrics_add(session->env->metrics, METRIC_CONNECT_FRAMES, 1);
    (void)stomp_frame_header(frame, name_accept_version, &accept_version);
    (void)stomp_frame_header(frame, name_heart_beat, &heartbeat);
    if (stomp_version_negotiate(accept_version, &version) != STOMP_OK) {
        stomp_fail(session, frame, "Supported protocol versions are 1.0,1.1,1.2", accept_version);
        return;
    }
    if (stomp_heartbeat_parse(heartbeat, &theirs) != STOMP_OK) {
        stomp_fail(session, frame, "The heart-beat header must be two numbers joined by a comma",
                   heartbeat);
        return;
    }
    if (!choose_refusals(session, frame))
        return;
    session->version = (uint8_t)version;
    session->heartbeat = stomp_heartbeat_negotiate(ours, theirs);
    authenticate(session, frame);
}
