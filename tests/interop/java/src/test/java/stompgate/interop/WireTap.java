package stompgate.interop;

import java.net.URI;
import java.util.concurrent.CompletableFuture;
import org.springframework.web.socket.BinaryMessage;
import org.springframework.web.socket.CloseStatus;
import org.springframework.web.socket.TextMessage;
import org.springframework.web.socket.WebSocketHandler;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.WebSocketMessage;
import org.springframework.web.socket.WebSocketSession;
import org.springframework.web.socket.client.WebSocketClient;
import org.springframework.web.socket.handler.WebSocketHandlerDecorator;

/** A WebSocket client that writes down what comes in before Spring's STOMP client sees it. */
final class WireTap implements WebSocketClient {

    final Inbox<WebSocketMessage<?>> messages = new Inbox<>("WebSocket messages");
    final Inbox<String> heartbeats = new Inbox<>("heart-beats");
    final Inbox<String> receipts = new Inbox<>("RECEIPT frames");
    final Inbox<CloseStatus> closes = new Inbox<>("close frames");
    final Inbox<WebSocketSession> sessions = new Inbox<>("WebSocket sessions");

    private final WebSocketClient client;

    WireTap(WebSocketClient client) {
        this.client = client;
    }

    @Override
    public CompletableFuture<WebSocketSession> execute(WebSocketHandler handler, String template,
            Object... variables) {
        return client.execute(new Tap(handler), template, variables);
    }

    @Override
    public CompletableFuture<WebSocketSession> execute(WebSocketHandler handler,
            WebSocketHttpHeaders headers, URI uri) {
        return client.execute(new Tap(handler), headers, uri);
    }

    private final class Tap extends WebSocketHandlerDecorator {

        Tap(WebSocketHandler handler) {
            super(handler);
        }

        @Override
        public void afterConnectionEstablished(WebSocketSession session) throws Exception {
            sessions.add(session);
            super.afterConnectionEstablished(session);
        }

        @Override
        public void handleMessage(WebSocketSession session, WebSocketMessage<?> message) throws Exception {
            if (message instanceof TextMessage text && text.getPayload().equals("\n")) {
                heartbeats.add(text.getPayload());
            } else if (message instanceof TextMessage text && text.getPayload().startsWith("RECEIPT\n")) {
                receipts.add(text.getPayload());
            }
            messages.add(message instanceof BinaryMessage binary
                    ? new BinaryMessage(binary.getPayload().duplicate()) : message);
            super.handleMessage(session, message);
        }

        @Override
        public void afterConnectionClosed(WebSocketSession session, CloseStatus status) throws Exception {
            closes.add(status);
            super.afterConnectionClosed(session, status);
        }
    }
}
