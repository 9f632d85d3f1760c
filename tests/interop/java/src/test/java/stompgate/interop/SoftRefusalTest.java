package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.messaging.simp.stomp.StompHeaders;

/** A session that asked for it lives on when a SEND or SUBSCRIBE of it is refused. */
@Tag("gateway")
class SoftRefusalTest extends Suite {

    SoftRefusalTest() {
        super("""
                broker:
                  destination_prefixes: [/topic, /queue]
                  selector_header: selector
                  unknown_destination: error
                access:
                  - operations: [connect]
                    allow: all
                  - destinations: [/topic/closed]
                    allow: none
                  - destinations: ["/topic/**", "/queue/**", "/user/**", "/app/**"]
                    allow: all
                """);
    }

    private Client soft() throws Exception {
        Client client = client();

        client.connect.set("x-refusals", "soft");
        return client.connect("joe");
    }

    @Test
    void a_refusal_is_a_MESSAGE_and_the_session_lives() throws Exception {
        Client client = soft();
        Inbox<Client.Received<String>> errors = client.subscribed("/user/queue/errors");
        List<StompHeaders> subscriptions = List.of(
                Client.headers("/topic/closed", "receipt:r"),
                Client.headers("/topic/{a:[}", "receipt:r"),
                Client.headers("/topic/open", "selector:headers.a ==", "receipt:r"));
        List<StompHeaders> messages = List.of(
                Client.headers("/topic/closed", "receipt:r"),
                Client.headers("/app/unknown", "receipt:r"));

        for (StompHeaders headers : subscriptions) {
            client.session().subscribe(headers, Client.handler(new Inbox<>("unused")));
            assertRefusal(errors.next());
        }
        for (StompHeaders headers : messages) {
            client.send(headers, "x");
            assertRefusal(errors.next());
        }
        Inbox<Client.Received<String>> inbox = client.subscribed("/topic/open");
        client.send("/topic/open", "still here");
        assertEquals("still here", inbox.next().body());
        assertTrue(client.errors.all().isEmpty());
        assertTrue(client.wire.receipts.all().stream().noneMatch(text -> text.contains("receipt-id:r\n")));
    }

    private static void assertRefusal(Client.Received<String> message) {
        assertEquals("/user/queue/errors", message.headers().getDestination());
        assertEquals("r", message.headers().getFirst("receipt-id"));
        assertFalse(message.body().isEmpty());
        assertEquals(message.body(), message.headers().getFirst("message"));
    }

    @Test
    void who_does_not_listen_for_refusals_lives_as_well() throws Exception {
        Client client = soft();

        client.send("/topic/closed", "x");
        Inbox<Client.Received<String>> inbox = client.subscribed("/topic/open");
        client.send("/topic/open", "still here");
        assertEquals("still here", inbox.next().body());
    }

    @Test
    void other_sessions_of_the_user_hear_nothing_of_it() throws Exception {
        Client client = soft();
        Client other = soft();
        Inbox<Client.Received<String>> own = client.subscribed("/user/queue/errors");
        Inbox<Client.Received<String>> others = other.subscribed("/user/queue/errors");

        client.send(Client.headers("/topic/closed", "receipt:mine"), "x");
        assertEquals("mine", own.next().headers().getFirst("receipt-id"));
        other.send(Client.headers("/topic/closed", "receipt:theirs"), "x");
        assertEquals("theirs", others.next().headers().getFirst("receipt-id"));
    }

    @Test
    void who_did_not_ask_for_it_gets_ERROR_and_close() throws Exception {
        Client client = connected("joe");
        StompHeaders headers = Client.headers("/topic/closed");

        headers.setReceipt("r");
        client.subscribed("/user/queue/errors");
        client.send(headers, "x");
        StompHeaders error = client.errors.next();
        assertNotNull(error.getFirst("message"));
        assertEquals("r", error.getReceiptId());
        assertEquals(1002, client.wire.closes.next().getCode());
    }

    @Test
    void another_word_for_it_is_refused() throws Exception {
        Client client = client();

        client.connect.set("x-refusals", "gentle");
        assertThrows(ExecutionException.class, () -> client.connect("joe"));
        assertNotNull(client.errors.next().getFirst("message"));
    }

    @Test
    void a_frame_that_is_no_STOMP_is_never_forgiven() throws Exception {
        Client client = soft();

        client.frame("NONSENSE");
        assertNotNull(client.errors.next().getFirst("message"));
        assertEquals(1002, client.wire.closes.next().getCode());
    }
}
