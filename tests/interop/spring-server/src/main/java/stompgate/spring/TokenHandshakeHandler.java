package stompgate.spring;

import java.nio.charset.StandardCharsets;
import java.security.Principal;
import java.util.Base64;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.springframework.http.server.ServerHttpRequest;
import org.springframework.web.socket.WebSocketHandler;
import org.springframework.web.socket.server.support.DefaultHandshakeHandler;

/** Names the user as the handshake's token does, without a look at its signature: this is no guard. */
class TokenHandshakeHandler extends DefaultHandshakeHandler {

    private static final Pattern PAYLOAD = Pattern.compile("Bearer [^.]+\\.([^.]+)\\..*");
    private static final Pattern SUBJECT = Pattern.compile("\"sub\":\"([^\"]+)\"");

    @Override
    protected Principal determineUser(ServerHttpRequest request, WebSocketHandler handler,
            Map<String, Object> attributes) {
        String token = request.getHeaders().getFirst("Authorization");
        Matcher payload = PAYLOAD.matcher(token == null ? "" : token);

        if (!payload.matches()) {
            return super.determineUser(request, handler, attributes);
        }
        Matcher subject = SUBJECT.matcher(
                new String(Base64.getUrlDecoder().decode(payload.group(1)), StandardCharsets.UTF_8));
        String user = subject.find() ? subject.group(1) : null;
        return user == null ? null : () -> user;
    }
}
