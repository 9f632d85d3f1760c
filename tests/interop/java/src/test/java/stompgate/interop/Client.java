package stompgate.interop;

import java.lang.reflect.Type;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.springframework.messaging.MessageDeliveryException;
import org.springframework.messaging.converter.ByteArrayMessageConverter;
import org.springframework.messaging.converter.CompositeMessageConverter;
import org.springframework.messaging.converter.StringMessageConverter;
import org.springframework.messaging.simp.stomp.StompCommand;
import org.springframework.messaging.simp.stomp.StompFrameHandler;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.util.MimeTypeUtils;
import org.springframework.web.socket.TextMessage;
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
    final WebSocketHttpHeaders handshake = new WebSocketHttpHeaders(); // what the handshake carries
    final StompHeaders connect = new StompHeaders(); // what CONNECT carries

    private final ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
    private final String url;
    private String user;
    private StompSession session;
    private int nReceipts;

    Client(WebSocketClient webSocket, String url) {
        this.url = url;
        wire = new WireTap(webSocket);
        stomp = new WebSocketStompClient(wire);
        scheduler.setDaemon(true);
        scheduler.initialize();
        stomp.setMessageConverter(new CompositeMessageConverter(
                List.of(new TextConverter(), new ByteArrayMessageConverter())));
        stomp.setTaskScheduler(scheduler);
        stomp.setDefaultHeartbeat(new long[] {0, 0});
    }

    /** Starts connecting; tokens may be null. */
    CompletableFuture<StompSession> connecting(String handshakeToken, String connectToken) {
        if (Gateway.IS_SPRING && user != null) {
            handshake.set("X-User", user);
        }
        if (handshakeToken != null) {
            handshake.set("Authorization", "Bearer " + handshakeToken);
        }
        if (connectToken != null) {
            connect.set("Authorization", "Bearer " + connectToken);
        }
        return stomp.connectAsync(url, handshake, connect, new Callbacks());
    }

    /** Connected as the user of that name, by a token in the handshake. */
    Client connect(String name) throws Exception {
        user = name;
        return connect(Token.of(name), null);
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
        return handler(inbox::add);
    }

    static StompFrameHandler handler(Consumer<Received<String>> consumer) {
        return new TypedHandler<>(String.class, consumer);
    }

    static StompFrameHandler bytesHandler(Inbox<Received<byte[]>> inbox) {
        return new TypedHandler<>(byte[].class, inbox::add);
    }

    /** Returns when the server has the subscription. */
    Inbox<Received<String>> subscribed(String destination) throws Exception {
        return subscribed(headers(destination));
    }

    Inbox<Received<String>> subscribed(StompHeaders headers) throws Exception {
        Inbox<Received<String>> inbox = new Inbox<>("messages of " + headers.getDestination());
        String receipt = receipt();

        headers.setReceipt(receipt);
        session.subscribe(headers, handler(inbox));
        taken(receipt);
        return inbox;
    }

    /** Returns when the server has routed it. */
    void sent(String destination, String body) throws Exception {
        sent(headers(destination), body);
    }

    void sent(StompHeaders headers, String body) throws Exception {
        String receipt = receipt();

        headers.setReceipt(receipt);
        send(headers, body);
        taken(receipt);
    }

    /** Sends a frame that Spring's client has no method for; headers are lines "name:value". */
    void frame(String command, String... headers) throws Exception {
        wire.sessions.all().get(0).sendMessage(new TextMessage(RawClient.frame(command, "", headers)));
    }

    String receipt() {
        return "receipt-" + ++nReceipts;
    }

    /**
     * By its RECEIPT; or, for Spring's broker, which has none but is ordered here, by a message that
     * goes round behind it.
     */
    private void taken(String receipt) throws Exception {
        if (Gateway.IS_SPRING) {
            String round = "/queue/barrier-" + session.getSessionId() + "-" + receipt;
            Inbox<Received<String>> barrier = subscribe(round);

            send(round, "here");
            barrier.next();
        } else {
            received(receipt);
        }
    }

    void received(String receipt) throws InterruptedException {
        wire.receipts.find(text -> text.equals("RECEIPT\nreceipt-id:" + receipt + "\n\n\0"), "RECEIPT " + receipt);
    }

    /** The next bodies of an inbox. */
    static List<String> bodies(Inbox<Received<String>> inbox, int count) throws InterruptedException {
        return inbox.take(count).stream().map(Received::body).toList();
    }

    StompSession.Receiptable send(String destination, String body) {
        return session.send(destination, body);
    }

    StompSession.Receiptable send(StompHeaders headers, String body) {
        return session.send(headers, body);
    }

    /** `others`: lines "name:value". */
    static StompHeaders headers(String destination, String... others) {
        StompHeaders headers = new StompHeaders();

        headers.setDestination(destination);
        for (String other : others) {
            int colon = other.indexOf(':');

            headers.add(other.substring(0, colon), other.substring(colon + 1));
        }
        return headers;
    }

    @Override
    public void close() {
        try {
            if (session != null && session.isConnected()) {
                session.disconnect();
            }
        } catch (MessageDeliveryException e) {
            // The server has closed the connection, and the client does not know yet.
        }
        scheduler.shutdown();
    }

    /** Takes JSON as the text that it is. */
    private static final class TextConverter extends StringMessageConverter {

        TextConverter() {
            addSupportedMimeTypes(MimeTypeUtils.APPLICATION_JSON);
        }
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
