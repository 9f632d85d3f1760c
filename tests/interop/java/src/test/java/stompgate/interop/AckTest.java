package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.messaging.simp.stomp.StompHeaders;

/**
 * Acknowledgements in every version of STOMP. What counts as acknowledged shows on a competing
 * queue: the rest comes again, to whoever subscribes next.
 */
@Tag("gateway")
class AckTest extends Suite {

    /** How Spring's client names a message that it acknowledges. */
    private static final List<Function<StompHeaders, String>> NAMES =
            List.of(StompHeaders::getAck, StompHeaders::getMessageId);

    AckTest() {
        super("""
                broker:
                  destination_prefixes: [/topic, /queue]
                  queues:
                    - destinations: [/queue/jobs/**]
                      mode: competing
                """);
    }

    private Client speaking(String version) throws Exception {
        Client client = client();

        client.connect.setAcceptVersion(version);
        client.connect("joe");
        assertEquals(version, client.connected.next().getFirst("version"));
        return client;
    }

    private static StompHeaders mode(String destination, String mode) {
        StompHeaders headers = Client.headers(destination);

        headers.setAck(mode);
        return headers;
    }

    private void send(String queue, String... bodies) throws Exception {
        Client sender = connected("sender");

        for (String body : bodies) {
            sender.sent(queue, body);
        }
    }

    private static void settle(Client client, String name, boolean isConsumed) throws Exception {
        Inbox<String> receipts = new Inbox<>("receipts");

        client.session().setAutoReceipt(true);
        client.session().acknowledge(name, isConsumed).addReceiptTask(() -> receipts.add("received"));
        receipts.next();
        client.session().setAutoReceipt(false);
    }

    private static void leave(Client client) throws Exception {
        client.session().disconnect();
        client.wire.closes.next();
    }

    /** What is still in the queue, and nothing else, comes to a new subscriber. */
    private void assertLeft(String queue, String... bodies) throws Exception {
        Client client = connected("next");
        Inbox<Client.Received<String>> inbox = client.subscribed(queue);

        for (Client.Received<String> message : inbox.take(bodies.length)) {
            assertEquals("true", message.headers().getFirst("redelivered"), message.body());
        }
        assertEquals(List.of(bodies), inbox.all().stream().map(Client.Received::body).toList());
        send(queue, "end");
        Client.Received<String> end = inbox.next();
        assertEquals("end", end.body());
        assertNull(end.headers().getFirst("redelivered"));
    }

    @Test
    void only_who_is_to_acknowledge_is_told_a_name_for_it() throws Exception {
        Client client = speaking("1.2");
        Inbox<Client.Received<String>> auto = client.subscribed("/topic/modes");
        Inbox<Client.Received<String>> all = client.subscribed(mode("/topic/modes", "client"));
        Inbox<Client.Received<String>> one = client.subscribed(mode("/topic/modes", "client-individual"));

        send("/topic/modes", "x");
        assertNull(auto.next().headers().getAck());
        assertNotNull(all.next().headers().getAck());
        assertNotNull(one.next().headers().getAck());
    }

    @Test
    void what_is_acknowledged_alone_is_done_with_alone() throws Exception {
        for (Function<StompHeaders, String> name : NAMES) {
            String queue = fresh("/queue/jobs/");
            Client client = speaking("1.2");
            Inbox<Client.Received<String>> inbox = client.subscribed(mode(queue, "client-individual"));

            send(queue, "one", "two", "three");
            settle(client, name.apply(inbox.take(3).get(1).headers()), true);
            leave(client);
            assertLeft(queue, "one", "three");
        }
    }

    @Test
    void what_is_acknowledged_in_client_mode_stands_for_all_before_it() throws Exception {
        for (Function<StompHeaders, String> name : NAMES) {
            String queue = fresh("/queue/jobs/");
            Client client = speaking("1.2");
            Inbox<Client.Received<String>> inbox = client.subscribed(mode(queue, "client"));

            send(queue, "one", "two", "three", "four");
            settle(client, name.apply(inbox.take(4).get(2).headers()), true);
            leave(client);
            assertLeft(queue, "four");
        }
    }

    /** Spring's client names no subscription there, though STOMP 1.1 wants one. */
    @Test
    void version_1_1_acknowledges_by_the_id_of_the_message() throws Exception {
        String queue = fresh("/queue/jobs/");
        Client client = speaking("1.1");
        Inbox<Client.Received<String>> inbox = client.subscribed(mode(queue, "client-individual"));

        send(queue, "one", "two", "three");
        settle(client, inbox.take(3).get(0).headers().getMessageId(), true);
        settle(client, inbox.all().get(2).headers().getMessageId(), true);
        leave(client);
        assertLeft(queue, "two");
    }

    @Test
    void versions_1_0_and_1_1_may_name_the_subscription_as_well() throws Exception {
        for (String version : List.of("1.0", "1.1")) {
            String queue = fresh("/queue/jobs/");
            RawClient client = raw("joe").connect(version)
                    .subscribe("s", queue, "ack:client", "receipt:subscribed");

            client.next("CONNECTED");
            client.next("RECEIPT");
            send(queue, "one", "two", "three");
            client.next("MESSAGE");
            String id = client.next("MESSAGE").header("message-id");
            client.next("MESSAGE");
            client.send("ACK", "", "subscription:s", "message-id:" + id, "receipt:acknowledged");
            assertEquals("acknowledged", client.next("RECEIPT").header("receipt-id"));
            client.close();
            assertLeft(queue, "three");
        }
    }

    @Test
    void without_an_acknowledgement_everything_comes_again() throws Exception {
        String queue = fresh("/queue/jobs/");
        Client client = speaking("1.2");
        Inbox<Client.Received<String>> inbox = client.subscribed(mode(queue, "client"));

        send(queue, "one", "two");
        inbox.take(2);
        leave(client);
        assertLeft(queue, "one", "two");
    }

    @Test
    void in_auto_mode_what_has_come_does_not_come_again() throws Exception {
        String queue = fresh("/queue/jobs/");
        Client client = speaking("1.2");
        Inbox<Client.Received<String>> inbox = client.subscribed(queue);

        send(queue, "one", "two");
        inbox.take(2);
        leave(client);
        assertLeft(queue);
    }

    @Test
    void an_UNSUBSCRIBE_gives_back_what_was_not_acknowledged() throws Exception {
        String queue = fresh("/queue/jobs/");
        RawClient client = raw("joe").connect("1.2")
                .subscribe("s", queue, "ack:client-individual", "receipt:subscribed");

        client.next("CONNECTED");
        client.next("RECEIPT");
        send(queue, "one", "two");
        String ack = client.next("MESSAGE").header("ack");
        client.next("MESSAGE");
        client.send("ACK", "", "id:" + ack).send("UNSUBSCRIBE", "", "id:s", "receipt:unsubscribed");
        client.next("RECEIPT");
        assertLeft(queue, "two");
    }

    @Test
    void on_fan_out_a_NACK_brings_nothing_back() throws Exception {
        String topic = fresh("/topic/");
        Client client = speaking("1.2");
        Inbox<Client.Received<String>> inbox = client.subscribed(mode(topic, "client-individual"));
        Inbox<Client.Received<String>> others = connected("jack").subscribed(topic);

        send(topic, "one");
        settle(client, inbox.next().headers().getAck(), false);
        send(topic, "two");
        assertEquals("two", inbox.next().body());
        assertEquals(List.of("one", "two"), Client.bodies(others, 2));
        assertTrue(client.errors.all().isEmpty());
    }
}
