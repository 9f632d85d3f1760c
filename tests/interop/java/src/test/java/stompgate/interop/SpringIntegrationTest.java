package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.messaging.simp.stomp.StompSession;

/**
 * The rules that Spring's own integration tests assert about a server (StompWebSocketIntegrationTests,
 * ReactorNettyTcpStompClientTests), with raw frames where those have them. What they call controllers
 * are routes here. The rules of WebSocketStompClientIntegrationTests and WebSocketHandshakeTests are
 * in {@link StompClientTest}.
 */
class SpringIntegrationTest extends Suite {

    private static final int N_MESSAGES = 1000;

    SpringIntegrationTest() {
        super("""
                routes:
                  - destination: /app/simple
                    send_to: /topic/simple
                  - destination: /app/increment
                    send_to: /topic/increment
                  - destination: /app/number
                    on_subscribe:
                      body: "42"
                      content_type: application/json
                  - destination: /app/exception
                    send_to_user: /queue/error
                    broadcast: false
                  - destination: /app/scope
                    send_to: /topic/scope
                    headers: {session: "{session}"}
                broker:
                  destination_prefixes: [/topic, /queue]
                  selector_header: selector
                """);
    }

    private static List<String> numbered() {
        return IntStream.range(0, N_MESSAGES).mapToObj(i -> "message " + i).toList();
    }

    /** Nothing but what is due by now comes before the message that it asks for. */
    private static void assertNothingMore(RawClient client) throws Exception {
        client.subscribe("barrier", "/topic/barrier").send("SEND", "", "destination:/topic/barrier");
        assertEquals("barrier", client.next("MESSAGE").header("subscription"));
        client.send("UNSUBSCRIBE", "", "id:barrier");
    }

    @Test
    void a_SEND_of_version_1_1_reaches_the_application() throws Exception {
        Inbox<Client.Received<String>> application = connected("observer").subscribed("/topic/simple");
        RawClient client = raw("joe").connect("1.1").send("SEND", "x", "destination:/app/simple");

        assertEquals("1.1", client.next("CONNECTED").header("version"));
        assertEquals("x", application.next().body());
    }

    @Test
    void a_SEND_to_the_application_brings_one_MESSAGE_of_its_topic() throws Exception {
        RawClient client = raw("joe").connect("1.1").subscribe("sub1", "/topic/increment")
                .send("SEND", "5", "destination:/app/increment", "content-type:application/json");

        client.next("CONNECTED");
        RawClient.Frame message = client.next("MESSAGE");
        assertEquals("/topic/increment", message.header("destination"));
        assertEquals("sub1", message.header("subscription"));
        assertEquals(Gateway.IS_SPRING ? "6" : "5", message.body()); // a route does not compute
        assertNothingMore(client);
    }

    @Test
    void a_selector_lets_through_what_has_its_header() throws Exception {
        RawClient client = raw("joe").connect("1.1")
                .subscribe("sub1", "/topic/foo", "selector:headers.foo == 'bar'")
                .send("SEND", "not this", "destination:/topic/foo", "foo:baz")
                .send("SEND", "this", "destination:/topic/foo", "foo:bar");

        client.next("CONNECTED");
        assertEquals("this", client.next("MESSAGE").body());
        assertNothingMore(client);
    }

    @Test
    void a_thousand_frames_straight_after_SUBSCRIBE_come_back_in_order() throws Exception {
        RawClient client = raw("joe").connect("1.1").subscribe("sub1", "/topic/foo");

        for (String body : numbered()) {
            client.send("SEND", body, "destination:/topic/foo");
        }
        client.next("CONNECTED");
        assertEquals(numbered(), client.frames.take(N_MESSAGES).stream().map(RawClient.Frame::body).toList());
    }

    @Test
    void a_thousand_frames_to_a_user_come_in_order() throws Exception {
        RawClient client = raw("joe").connect("1.1").subscribe("sub1", "/user/queue/foo");

        client.next("CONNECTED"); // before, Spring knows no joe
        for (String body : numbered()) {
            client.send("SEND", body, "destination:/user/joe/queue/foo");
        }
        for (String body : numbered()) {
            RawClient.Frame message = client.next("MESSAGE");

            assertEquals(body, message.body());
            assertEquals("/user/queue/foo", message.header("destination"));
        }
    }

    @Test
    void a_SUBSCRIBE_to_the_application_is_answered_by_its_reply() throws Exception {
        RawClient client = raw("joe").connect("1.1").subscribe("sub1", "/app/number");

        client.next("CONNECTED");
        RawClient.Frame message = client.next("MESSAGE");
        assertEquals("/app/number", message.header("destination"));
        assertEquals("sub1", message.header("subscription"));
        assertEquals("42", message.body());
        assertNothingMore(client);
    }

    /** The text of the error is the handler's there, and the sender's own here. */
    @Test
    void the_nameless_get_the_error_of_what_they_sent_and_nobody_else_does() throws Exception {
        RawClient other = raw(null).connect("1.1").subscribe("sub1", "/user/queue/error");
        other.next("CONNECTED");
        RawClient client = raw(null).connect("1.1").subscribe("sub1", "/user/queue/error")
                .send("SEND", "Got error: Bad input", "destination:/app/exception");

        client.next("CONNECTED");
        RawClient.Frame message = client.next("MESSAGE");
        assertEquals("/user/queue/error", message.header("destination"));
        assertEquals("sub1", message.header("subscription"));
        assertEquals("Got error: Bad input", message.body());
        assertNothingMore(client);
        assertNothingMore(other);
    }

    @Test
    void what_belongs_to_a_session_is_the_same_for_all_its_frames() throws Exception {
        List<String> scopes = new ArrayList<>();

        for (int i = 0; i < 2; i++) {
            RawClient client = raw("joe").connect("1.1").subscribe("sub1", "/topic/scope")
                    .send("SEND", "one", "destination:/app/scope")
                    .send("SEND", "two", "destination:/app/scope");

            client.next("CONNECTED");
            scopes.add(client.next("MESSAGE").header("session"));
            assertEquals(scopes.get(i), client.next("MESSAGE").header("session"));
            client.send("UNSUBSCRIBE", "", "id:sub1");
        }
        assertNotEquals(scopes.get(0), scopes.get(1));
    }

    @Test
    @Tag("gateway")
    void consumers_whose_SUBSCRIBE_was_received_get_all_that_is_sent_then_in_order() throws Exception {
        List<Inbox<Client.Received<String>>> inboxes = new ArrayList<>();
        Inbox<String> receipts = new Inbox<>("receipts");

        for (String user : List.of("one", "two")) {
            StompSession session = connected(user).session();
            Inbox<Client.Received<String>> inbox = new Inbox<>("messages of " + user);

            session.setAutoReceipt(true);
            StompSession.Subscription subscription = session.subscribe("/topic/foo", Client.handler(inbox));
            subscription.addReceiptTask(() -> receipts.add("received"));
            subscription.addReceiptLostTask(() -> receipts.add("lost"));
            inboxes.add(inbox);
        }
        assertEquals(List.of("received", "received"), receipts.take(2));
        Client producer = connected("producer");
        producer.send("/topic/foo", "foo1");
        producer.send("/topic/foo", "foo2");
        for (Inbox<Client.Received<String>> inbox : inboxes) {
            assertEquals(List.of("foo1", "foo2"), Client.bodies(inbox, 2));
        }
    }
}
