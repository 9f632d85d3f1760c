package example;

import java.lang.reflect.Type;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.springframework.messaging.converter.StringMessageConverter;
import org.springframework.messaging.simp.stomp.StompFrameHandler;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;
import org.springframework.web.socket.messaging.WebSocketStompClient;

/** Subscribes to /topic/chat, sends its arguments there, and prints the message that comes back. */
public class Chat {
    public static void main(String[] args) throws Exception {
        String url = System.getenv().getOrDefault("GATEWAY_URL", "ws://127.0.0.1:8080/ws");
        String token = System.getenv("TOKEN");

        ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();
        scheduler.initialize();
        WebSocketStompClient client = new WebSocketStompClient(new StandardWebSocketClient());
        client.setMessageConverter(new StringMessageConverter());
        client.setTaskScheduler(scheduler); // heart-beats and receipts need one

        WebSocketHttpHeaders handshake = new WebSocketHttpHeaders();
        if (token != null) {
            handshake.setBearerAuth(token);
        }
        StompSession session = client.connectAsync(url, handshake, new StompSessionHandlerAdapter() { })
                .get(10, TimeUnit.SECONDS);
        session.setAutoReceipt(true);

        CompletableFuture<String> received = new CompletableFuture<>();
        CompletableFuture<Void> subscribed = new CompletableFuture<>();
        session.subscribe("/topic/chat", new StompFrameHandler() {
            @Override
            public Type getPayloadType(StompHeaders headers) {
                return String.class;
            }

            @Override
            public void handleFrame(StompHeaders headers, Object payload) {
                received.complete((String) payload);
            }
        }).addReceiptTask(() -> subscribed.complete(null));
        subscribed.get(10, TimeUnit.SECONDS);

        session.send("/topic/chat", args.length > 0 ? String.join(" ", args) : "Hello from Java");
        System.out.println(received.get(10, TimeUnit.SECONDS));
        session.disconnect();
        client.stop();
        scheduler.shutdown();
    }
}
