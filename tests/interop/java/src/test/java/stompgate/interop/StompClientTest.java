package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.messaging.simp.stomp.ConnectionLostException;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;
import org.springframework.messaging.simp.stomp.StompSessionHandlerAdapter;
import org.springframework.web.socket.BinaryMessage;
import org.springframework.web.socket.PongMessage;
import org.springframework.web.socket.TextMessage;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.WebSocketSession;

/** What Spring's STOMP client relies on. */
class StompClientTest extends Suite {

    private static final String PREFIX = "서버 응답: ";

    StompClientTest() {
        super("""
                routes:
                  - destination: /app/echo
                    mode: echo
                    prefix: "서버 응답: "
                  - destination: /app/chat
                    send_to: /topic/chat
                broker:
                  destination_prefixes: [/topic, /queue]
                  heartbeat: 1000,1000
                """);
    }

    private static boolean isNamed(Throwable error, String text) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (String.valueOf(cause.getMessage()).contains(text)) {
                return true;
            }
        }
        return false;
    }

    @Test
    @Tag("gateway")
    void a_token_in_the_handshake_names_the_user() throws Exception {
        Client client = client().connect(Token.of("joe"), null);

        assertEquals("joe", client.connected.next().getFirst("user-name"));
    }

    @Test
    @Tag("gateway")
    void a_token_in_CONNECT_names_the_user() throws Exception {
        Client client = client().connect(null, Token.of("김철수"));
        StompHeaders connected = client.connected.next();

        assertEquals("김철수", connected.getFirst("user-name"));
        assertEquals("1.2", connected.getFirst("version"));
        assertArrayEquals(new long[] {1000, 1000}, connected.getHeartbeat());
    }

    @Test
    @Tag("gateway")
    void a_wrong_token_in_the_handshake_is_answered_with_401() throws Exception {
        for (String token : List.of("nonsense", Token.expired("joe"), Token.ofAnotherSecret("joe"))) {
            ExecutionException refused = assertThrows(ExecutionException.class,
                    () -> Client.within(client().connecting(token, null)));

            assertTrue(isNamed(refused, "401"), refused.toString());
        }
    }

    @Test
    @Tag("gateway")
    void a_wrong_token_in_CONNECT_is_answered_with_ERROR_and_close() throws Exception {
        for (String token : List.of("nonsense", Token.expired("joe"), Token.ofAnotherSecret("joe"))) {
            Client client = client();

            assertThrows(ExecutionException.class, () -> Client.within(client.connecting(null, token)));
            assertNotNull(client.errors.next().getFirst("message"));
            assertEquals(1002, client.wire.closes.next().getCode());
            assertInstanceOf(ConnectionLostException.class, client.failures.next());
            assertTrue(client.connected.all().isEmpty());
        }
    }

    @Test
    @Tag("gateway")
    void no_token_at_all_is_answered_with_ERROR_and_close() throws Exception {
        Client client = client();

        assertThrows(ExecutionException.class, () -> Client.within(client.connecting(null, null)));
        assertNotNull(client.errors.next().getFirst("message"));
        assertEquals(1002, client.wire.closes.next().getCode());
    }

    @Test
    void a_subscriber_gets_what_is_sent() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> inbox = client.subscribe("/topic/foo");

        client.send("/topic/foo", "payload");
        Client.Received<String> message = inbox.next();
        assertEquals("payload", message.body());
        assertEquals("/topic/foo", message.headers().getDestination());
        assertEquals("0", message.headers().getSubscription());
        assertNotNull(message.headers().getMessageId());
        assertEquals(7, message.headers().getContentLength());
    }

    @Test
    void a_body_of_2000_characters_in_pieces_of_512_bytes_is_put_together() throws Exception {
        Client client = client();
        String body = "abcdefghij".repeat(200);

        client.stomp.setOutboundMessageSizeLimit(512);
        client.connect("joe");
        Inbox<Client.Received<String>> inbox = client.subscribe("/topic/split");
        client.send("/topic/split", body);
        assertEquals(body, inbox.next().body());
    }

    @Test
    void a_body_just_below_what_a_client_takes_at_a_time_comes_whole() throws Exception {
        Client client = client();
        String body = "0123456789abcdef".repeat(500); // Tomcat's container: 8,192 characters

        client.connect("joe");
        Inbox<Client.Received<String>> inbox = client.subscribe("/topic/large");
        client.send("/topic/large", body);
        assertEquals(body, inbox.next().body());
    }

    @Test
    void bytes_come_back_as_bytes_in_a_binary_message() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<byte[]>> inbox = new Inbox<>("bytes");
        byte[] body = new byte[1024];

        for (int i = 0; i < body.length; i++) {
            body[i] = (byte) i;
        }
        client.session().subscribe("/topic/bytes", Client.bytesHandler(inbox));
        client.session().send("/topic/bytes", body);
        Client.Received<byte[]> message = inbox.next();
        assertArrayEquals(body, message.body());
        assertEquals("application/octet-stream", String.valueOf(message.headers().getContentType()));
        client.wire.messages.find(wire -> wire instanceof BinaryMessage, "binary message");
    }

    @Test
    void an_idle_connection_lives_by_heartbeats_both_ways() throws Exception {
        Client client = client();

        client.stomp.setDefaultHeartbeat(new long[] {1000, 1000});
        client.connect("joe");
        client.wire.heartbeats.take(5); // more than three periods: each side's tolerance has passed
        Inbox<Client.Received<String>> inbox = client.subscribe("/topic/alive");
        client.send("/topic/alive", "still here");
        assertEquals("still here", inbox.next().body());
        assertTrue(client.failures.all().isEmpty());
    }

    @Test
    @Tag("gateway")
    void with_autoReceipt_SEND_and_SUBSCRIBE_get_their_receipts() throws Exception {
        Client client = connected("joe");
        Inbox<String> received = new Inbox<>("receipts");

        client.session().setAutoReceipt(true);
        StompSession.Subscription subscription =
                client.session().subscribe("/topic/receipt", Client.handler(new Inbox<>("unused")));
        subscription.addReceiptTask(() -> received.add("subscribe"));
        subscription.addReceiptLostTask(() -> received.add("subscribe lost"));
        assertEquals("subscribe", received.next());

        StompSession.Receiptable sent = client.send("/topic/receipt", "x");
        sent.addReceiptTask(() -> received.add("send"));
        sent.addReceiptLostTask(() -> received.add("send lost"));
        assertEquals("send", received.next());
    }

    @Test
    @Tag("gateway")
    void UNSUBSCRIBE_gets_its_receipt() throws Exception {
        Client client = connected("joe");
        StompSession.Subscription subscription =
                client.session().subscribe("/topic/receipt", Client.handler(new Inbox<>("unused")));
        StompHeaders headers = new StompHeaders();

        headers.setReceipt("unsubscribed");
        subscription.unsubscribe(headers);
        client.received("unsubscribed");
    }

    @Test
    @Tag("gateway")
    void an_ACK_gets_its_receipt() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> inbox = new Inbox<>("messages");
        Inbox<String> received = new Inbox<>("receipts");
        StompHeaders headers = Client.headers("/topic/ack");

        client.session().setAutoReceipt(true);
        headers.setAck("client");
        client.session().subscribe(headers, Client.handler(inbox));
        client.send("/topic/ack", "x");
        StompSession.Receiptable acknowledged =
                client.session().acknowledge(inbox.next().headers().getMessageId(), true);
        acknowledged.addReceiptTask(() -> received.add("ack"));
        assertEquals("ack", received.next());
    }

    @Test
    void a_thousand_messages_sent_straight_after_SUBSCRIBE_come_in_order() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> inbox = client.subscribe("/topic/order");

        for (int i = 0; i < 1000; i++) {
            client.send("/topic/order", "message " + i);
        }
        assertEquals(IntStream.range(0, 1000).mapToObj(i -> "message " + i).toList(),
                Client.bodies(inbox, 1000));
    }

    @Test
    void two_consumers_with_their_subscriptions_confirmed_get_both_messages_in_order() throws Exception {
        List<Inbox<Client.Received<String>>> inboxes = new ArrayList<>();

        for (String user : List.of("one", "two")) {
            inboxes.add(connected(user).subscribed("/topic/both"));
        }
        Client producer = connected("producer");
        producer.send("/topic/both", "foo1");
        producer.send("/topic/both", "foo2");
        for (Inbox<Client.Received<String>> inbox : inboxes) {
            assertEquals(List.of("foo1", "foo2"), Client.bodies(inbox, 2));
        }
    }

    @Test
    void after_UNSUBSCRIBE_nothing_more_comes() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> gone = new Inbox<>("unsubscribed");
        StompSession.Subscription subscription =
                client.session().subscribe("/topic/stop", Client.handler(gone));

        client.send("/topic/stop", "before");
        assertEquals("before", gone.next().body());
        subscription.unsubscribe();
        Inbox<Client.Received<String>> stays = client.subscribe("/topic/stop");
        client.send("/topic/stop", "after");
        assertEquals("after", stays.next().body());
        assertEquals(1, gone.all().size());
        // Spring's client drops what it has no subscription for, so look at the wire as well.
        assertEquals(2, client.wire.messages.all().stream()
                .filter(message -> String.valueOf(message.getPayload()).startsWith("MESSAGE\n")).count());
    }

    @Test
    void who_disconnects_gets_no_error_and_the_others_go_on() throws Exception {
        Client leaves = connected("leaves");
        Client stays = connected("stays");
        Inbox<Client.Received<String>> inbox = stays.subscribed("/topic/leave");

        leaves.subscribed("/topic/leave");
        leaves.session().disconnect();
        leaves.wire.closes.next();
        stays.send("/topic/leave", "still here");
        assertEquals("still here", inbox.next().body());
        assertTrue(leaves.failures.all().isEmpty());
        assertFalse(leaves.session().isConnected());
    }

    @Test
    void what_is_sent_to_app_chat_comes_out_at_topic_chat() throws Exception {
        Client sender = connected("sender");
        Client receiver = connected("receiver");
        Inbox<Client.Received<String>> inbox = receiver.subscribed("/topic/chat");

        sender.send("/app/chat", "안녕하세요");
        Client.Received<String> message = inbox.next();
        assertEquals("안녕하세요", message.body());
        assertEquals("/topic/chat", message.headers().getDestination());
    }

    @Test
    @Tag("gateway")
    void an_echo_route_answers_the_sender_alone() throws Exception {
        Client one = connected("one");
        Client two = connected("two");
        Inbox<Client.Received<String>> first = one.subscribed("/app/echo");
        Inbox<Client.Received<String>> second = two.subscribed("/app/echo");

        one.send("/app/echo", "from one");
        assertEquals(PREFIX + "from one", first.next().body());
        two.send("/app/echo", "from two");
        assertEquals(PREFIX + "from two", second.next().body());
        one.send("/app/echo", "again");
        assertEquals(PREFIX + "again", first.next().body());
        assertEquals(1, second.all().size());
    }

    @Test
    void Korean_and_what_must_be_escaped_come_back_as_they_are() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> inbox = client.subscribe("/topic/한국어");
        StompHeaders headers = Client.headers("/topic/한국어");
        String note = "a:b\nc\r\nd\\n, C:\\temp\\new";

        headers.set("제목", "안녕: 세계");
        headers.set("note", note);
        client.send(headers, "안녕하세요 🎉 세계");
        Client.Received<String> message = inbox.next();
        assertEquals("안녕하세요 🎉 세계", message.body());
        assertEquals("안녕: 세계", message.headers().getFirst("제목"));
        assertEquals(note, message.headers().getFirst("note"));
    }

    @Test
    void a_header_with_several_values_keeps_them_in_order() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> inbox = client.subscribe("/topic/multi");
        StompHeaders headers = Client.headers("/topic/multi");

        headers.add("x", "1");
        headers.add("x", "2");
        client.send(headers, "x");
        assertEquals(List.of("1", "2"), inbox.next().headers().get("x"));
    }

    @Test
    void the_requested_sub_protocol_is_echoed_and_without_one_there_is_none() throws Exception {
        Client plain = connected("joe");
        assertTrue(plain.wire.sessions.next().getAcceptedProtocol() == null
                || plain.wire.sessions.all().get(0).getAcceptedProtocol().isEmpty());

        Client client = client();
        WebSocketHttpHeaders handshake = new WebSocketHttpHeaders();
        handshake.set("Authorization", "Bearer " + Token.of("joe"));
        handshake.setSecWebSocketProtocol(List.of("foo", "v11.stomp", "v12.stomp"));
        Client.within(client.stomp.connectAsync(url(), handshake, new StompHeaders(),
                new StompSessionHandlerAdapter() { }));
        assertEquals("v11.stomp", client.wire.sessions.next().getAcceptedProtocol());
    }

    @Test
    void a_pong_nobody_asked_for_does_no_harm() throws Exception {
        Client client = connected("joe");
        WebSocketSession webSocket = client.wire.sessions.next();

        webSocket.sendMessage(new PongMessage());
        Inbox<Client.Received<String>> inbox = client.subscribe("/topic/pong");
        client.send("/topic/pong", "x");
        assertEquals("x", inbox.next().body());
        assertNull(client.failures.all().stream().findFirst().orElse(null));
    }

    @Test
    void a_wrong_frame_is_told_to_the_handler_and_the_connection_is_lost() throws Exception {
        Client client = connected("joe");
        WebSocketSession webSocket = client.wire.sessions.next();

        client.subscribed("/topic/barrier");
        webSocket.sendMessage(new TextMessage("SEND\nnocolon\n\n\0"));
        assertEquals("Illegal header: 'nocolon'. A header must be of the form <name>:[<value>].",
                client.errors.next().getFirst("message"));
        assertEquals(1002, client.wire.closes.next().getCode());
        assertInstanceOf(ConnectionLostException.class, client.failures.next());
    }
}
