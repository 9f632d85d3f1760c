package stompgate.spring;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.socket.BinaryMessage;
import org.springframework.web.socket.CloseStatus;
import org.springframework.web.socket.TextMessage;
import org.springframework.web.socket.WebSocketSession;
import org.springframework.web.socket.config.annotation.EnableWebSocket;
import org.springframework.web.socket.config.annotation.WebSocketConfigurer;
import org.springframework.web.socket.config.annotation.WebSocketHandlerRegistry;
import org.springframework.web.socket.handler.AbstractWebSocketHandler;
import org.springframework.web.socket.handler.ConcurrentWebSocketSessionDecorator;

/** Endpoints without STOMP: the echo and the chat room that guides begin with. */
@Configuration
@EnableWebSocket
public class PlainConfiguration implements WebSocketConfigurer {

    private static final int MESSAGE_SIZE_LIMIT = 1 << 20;

    @Override
    public void registerWebSocketHandlers(WebSocketHandlerRegistry registry) {
        registry.addHandler(new Echo(), "/echo");
        registry.addHandler(new Room(true), "/room");
        registry.addHandler(new Room(false), "/room-others");
    }

    /** Each message back as the type it came in; text with a prefix. */
    private static class Echo extends AbstractWebSocketHandler {

        @Override
        public void afterConnectionEstablished(WebSocketSession session) {
            session.setTextMessageSizeLimit(MESSAGE_SIZE_LIMIT);
            session.setBinaryMessageSizeLimit(MESSAGE_SIZE_LIMIT);
        }

        @Override
        protected void handleTextMessage(WebSocketSession session, TextMessage message) throws Exception {
            session.sendMessage(new TextMessage("서버 응답: " + message.getPayload()));
        }

        @Override
        protected void handleBinaryMessage(WebSocketSession session, BinaryMessage message) throws Exception {
            session.sendMessage(message);
        }
    }

    /** Each text to everybody who is there. */
    private static class Room extends AbstractWebSocketHandler {

        private final Set<WebSocketSession> sessions = ConcurrentHashMap.newKeySet();
        private final boolean isEchoedToSender;

        Room(boolean isEchoedToSender) {
            this.isEchoedToSender = isEchoedToSender;
        }

        @Override
        public void afterConnectionEstablished(WebSocketSession session) {
            sessions.add(new ConcurrentWebSocketSessionDecorator(session, 10_000, 512 * 1024));
        }

        @Override
        protected void handleTextMessage(WebSocketSession sender, TextMessage message) throws Exception {
            for (WebSocketSession session : sessions) {
                if (isEchoedToSender || !session.getId().equals(sender.getId())) {
                    session.sendMessage(message);
                }
            }
        }

        @Override
        public void afterConnectionClosed(WebSocketSession closed, CloseStatus status) {
            sessions.removeIf(session -> session.getId().equals(closed.getId()));
        }
    }
}
