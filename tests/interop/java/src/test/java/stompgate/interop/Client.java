package stompgate.interop;

import java.lang.reflect.Type;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.springframework.messaging.converter.ByteArrayMessageConverter;
import org.springframework.messaging.converter.CompositeMessageConverter;
import org.springframework.messaging.converter.StringMessageConverter;
import org.springframework.messaging.simp.stomp.StompCommand;
import org.springframework.messaging.simp.stomp.StompFrameHandler;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.client.WebSocketClient;
import org.springframework.web.socket.messaging.WebSocketStompClient;

/** One connection of Spring's {@link WebSocketStompClient}, with inboxes for its callbacks. */
final class Client implements AutoCloseable {

    /** A message as its handler got it. */
    record Received<T>(StompHeaders headers, T body) {
    }

    final WireTap wire;
    final Inbox<StompHeaders> connected = new Inbox<>("CONNECTED frames");
    final Inbox<StompHeaders> errors = new Inbox<>("ERROR frames");
    final Inbox<Throwable> failures = new Inbox<>("transport errors");
    final Inbox<Throwable> exceptions = new Inbox<>("exceptions");
    final WebSocketStompClient stomp;

    private final ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
    private final String url;
    private StompSession session;
    private int nReceipts;

    Client(WebSocketClient webSocket, String url) {
        this.url = url;
        wire = new WireTap(webSocket);
        stomp = new WebSocketStompClient(wire);
        scheduler.setDaemon(true);
        scheduler.initialize();
        stomp.setMessageConverter(new CompositeMessageConverter(
                List.of(new StringMessageConverter(), new ByteArrayMessageConverter())));
        stomp.setTaskScheduler(scheduler);
        stomp.setDefaultHeartbeat(new long[] {0, 0});
    }

    /** Starts connecting; tokens may be null. */
    CompletableFuture<StompSession> connecting(String handshakeToken, String connectToken) {
        WebSocketHttpHeaders handshake = new WebSocketHttpHeaders();
        StompHeaders connect = new StompHeaders();

        if (handshakeToken != null) {
            handshake.set("Authorization", "Bearer " + handshakeToken);
        }
        if (connectToken != null) {
            connect.set("Authorization", "Bearer " + connectToken);
        }
        return stomp.connectAsync(url, handshake, connect, new Callbacks());
    }

    /** Connected as `user`, by a token in the handshake. */
    Client connect(String user) throws Exception {
        return connect(Token.of(user), null);
    }

    Client connect(String handshakeToken, String connectToken) throws Exception {
        session = within(connecting(handshakeToken, connectToken));
        return this;
    }

    static <T> T within(CompletableFuture<T> future)
            throws ExecutionException, InterruptedException, TimeoutException {
        return future.get(Inbox.DEADLINE_SECONDS, TimeUnit.SECONDS);
    }

    StompSession session() {
        return session;
    }

    Inbox<Received<String>> subscribe(String destination) {
        Inbox<Received<String>> inbox = new Inbox<>("messages of " + destination);

        session.subscribe(destination, handler(inbox));
        return inbox;
    }

    static StompFrameHandler handler(Inbox<Received<String>> inbox) {
        return new TypedHandler<>(String.class, inbox::add);
    }

    static StompFrameHandler bytesHandler(Inbox<Received<byte[]>> inbox) {
        return new TypedHandler<>(byte[].class, inbox::add);
    }

    /**
     * Resolves when the server has the subscription: by its RECEIPT; or, for Spring's broker, which
     * has none but is ordered here, by a message that goes round behind it.
     */
    Inbox<Received<String>> subscribed(String destination) throws Exception {
        Inbox<Received<String>> inbox = new Inbox<>("messages of " + destination);
        StompHeaders headers = new StompHeaders();

        headers.setDestination(destination);
        if (Gateway.IS_SPRING) {
            session.subscribe(headers, handler(inbox));
            Inbox<Received<String>> barrier = subscribe("/topic/barrier-" + session.getSessionId());
            send("/topic/barrier-" + session.getSessionId(), "here");
            barrier.next();
        } else {
            headers.setReceipt("subscribed-" + ++nReceipts);
            session.subscribe(headers, handler(inbox));
            received(headers.getReceipt());
        }
        return inbox;
    }

    void received(String receipt) throws InterruptedException {
        wire.receipts.find(text -> text.equals("RECEIPT\nreceipt-id:" + receipt + "\n\n\0"), "RECEIPT " + receipt);
    }

    StompSession.Receiptable send(String destination, String body) {
        return session.send(destination, body);
    }

    StompSession.Receiptable send(StompHeaders headers, String body) {
        return session.send(headers, body);
    }

    static StompHeaders headers(String destination) {
        StompHeaders headers = new StompHeaders();

        headers.setDestination(destination);
        return headers;
    }

    @Override
    public void close() {
        if (session != null && session.isConnected()) {
            session.disconnect();
        }
        scheduler.shutdown();
    }

    private record TypedHandler<T>(Class<T> type, Consumer<Received<T>> consumer) implements StompFrameHandler {

        @Override
        public Type getPayloadType(StompHeaders headers) {
            return type;
        }

        @Override
        public void handleFrame(StompHeaders headers, Object payload) {
            consumer.accept(new Received<>(headers, type.cast(payload)));
        }
    }

    private final class Callbacks extends StompSessionHandlerAdapter {

        @Override
        public void afterConnected(StompSession connectedSession, StompHeaders headers) {
            connected.add(headers);
        }

        @Override
        public Type getPayloadType(StompHeaders headers) {
            return byte[].class;
        }

        @Override
        public void handleFrame(StompHeaders headers, Object payload) {
            errors.add(headers);
        }

        @Override
        public void handleException(StompSession failed, StompCommand command, StompHeaders headers,
                byte[] payload, Throwable exception) {
            exceptions.add(exception);
        }

        @Override
        public void handleTransportError(StompSession failed, Throwable exception) {
            failures.add(exception);
        }
    }
}
