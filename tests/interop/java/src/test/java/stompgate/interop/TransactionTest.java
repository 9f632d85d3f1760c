package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.messaging.simp.stomp.StompHeaders;

/** Transactions, which Spring's client has no method for: BEGIN, COMMIT and ABORT are raw frames. */
@Tag("gateway")
class TransactionTest extends Suite {

    private static final String TOPIC = "/topic/transactions";

    TransactionTest() {
        super("""
                broker:
                  destination_prefixes: [/topic, /queue]
                  queues:
                    - destinations: [/queue/jobs/**]
                      mode: competing
                """);
    }

    private static void send(Client client, String transaction, String body) {
        client.send(Client.headers(TOPIC, "transaction:" + transaction), body);
    }

    /** Ends a transaction and returns when that has taken effect. */
    private static void end(Client client, String command, String transaction) throws Exception {
        String receipt = client.receipt();

        client.frame(command, "transaction:" + transaction, "receipt:" + receipt);
        client.received(receipt);
    }

    @Test
    void what_is_sent_in_it_comes_with_COMMIT_and_in_order() throws Exception {
        Inbox<Client.Received<String>> inbox = connected("jack").subscribed(TOPIC);
        Client client = connected("joe");

        client.frame("BEGIN", "transaction:t");
        for (int i = 0; i < 100; i++) {
            send(client, "t", "inside " + i);
        }
        client.sent(TOPIC, "outside");
        assertEquals("outside", inbox.next().body());
        end(client, "COMMIT", "t");
        List<Client.Received<String>> messages = inbox.take(100);
        assertEquals(IntStream.range(0, 100).mapToObj(i -> "inside " + i).toList(),
                messages.stream().map(Client.Received::body).toList());
        assertNull(messages.get(0).headers().getFirst("transaction"));
    }

    @Test
    void what_is_sent_in_it_is_gone_with_ABORT() throws Exception {
        Inbox<Client.Received<String>> inbox = connected("jack").subscribed(TOPIC);
        Client client = connected("joe");

        client.frame("BEGIN", "transaction:t");
        send(client, "t", "never");
        end(client, "ABORT", "t");
        client.sent(TOPIC, "after");
        assertEquals("after", inbox.next().body());
    }

    @Test
    void what_is_sent_in_it_is_gone_with_the_session() throws Exception {
        Inbox<Client.Received<String>> inbox = connected("jack").subscribed(TOPIC);
        Client client = connected("joe");

        client.frame("BEGIN", "transaction:t");
        client.sent(Client.headers(TOPIC, "transaction:t"), "never");
        client.session().disconnect();
        client.wire.closes.next();
        connected("sender").sent(TOPIC, "after");
        assertEquals("after", inbox.next().body());
    }

    @Test
    void each_of_several_has_its_own_messages() throws Exception {
        Inbox<Client.Received<String>> inbox = connected("jack").subscribed(TOPIC);
        Client client = connected("joe");

        for (String transaction : List.of("a", "b", "c")) {
            client.frame("BEGIN", "transaction:" + transaction);
        }
        for (int i = 0; i < 3; i++) {
            send(client, "a", "a" + i);
            send(client, "b", "b" + i);
            send(client, "c", "c" + i);
        }
        end(client, "COMMIT", "c");
        end(client, "ABORT", "b");
        end(client, "COMMIT", "a");
        assertEquals(List.of("c0", "c1", "c2", "a0", "a1", "a2"), Client.bodies(inbox, 6));
        client.frame("BEGIN", "transaction:b"); // the name is free again
        send(client, "b", "b3");
        end(client, "COMMIT", "b");
        assertEquals("b3", inbox.next().body());
    }

    @Test
    void a_RECEIPT_inside_says_that_it_is_kept_and_the_one_of_COMMIT_that_it_is_routed() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> inbox = client.subscribed(TOPIC);
        StompHeaders headers = Client.headers(TOPIC, "transaction:t");

        headers.setReceipt("kept");
        client.frame("BEGIN", "transaction:t", "receipt:begun");
        client.received("begun");
        client.send(headers, "x");
        client.received("kept");
        client.sent("/topic/other", "x");
        assertTrue(inbox.all().isEmpty());
        end(client, "COMMIT", "t");
        assertEquals("x", inbox.next().body());
    }

    @Test
    void an_acknowledgement_in_it_counts_with_COMMIT_and_not_with_ABORT() throws Exception {
        String queue = fresh("/queue/jobs/");
        Client client = connected("joe");
        StompHeaders headers = Client.headers(queue);
        Client sender = connected("sender");

        headers.setAck("client-individual");
        Inbox<Client.Received<String>> inbox = client.subscribed(headers);
        for (String body : List.of("committed", "aborted", "open")) {
            sender.sent(queue, body);
        }
        for (Client.Received<String> message : inbox.take(3)) {
            client.frame("BEGIN", "transaction:" + message.body());
            client.frame("ACK", "id:" + message.headers().getAck(), "transaction:" + message.body());
        }
        end(client, "COMMIT", "committed");
        end(client, "ABORT", "aborted");
        client.session().disconnect();
        client.wire.closes.next();
        Inbox<Client.Received<String>> next = connected("next").subscribed(queue);
        assertEquals(List.of("aborted", "open"), Client.bodies(next, 2));
        sender.sent(queue, "end");
        assertEquals("end", next.next().body());
    }

    @Test
    void a_transaction_that_does_not_fit_is_an_ERROR() throws Exception {
        String[][] wrong = {
            {"COMMIT", "transaction:unknown"},
            {"ABORT", "transaction:unknown"},
            {"SEND", "transaction:unknown", "destination:" + TOPIC},
            {"BEGIN", "transaction:open"},
            {"BEGIN"},
            {"COMMIT"},
        };

        for (String[] frame : wrong) {
            Client client = connected("joe");
            String[] headers = new String[frame.length];

            System.arraycopy(frame, 1, headers, 0, frame.length - 1);
            headers[frame.length - 1] = "receipt:r";
            client.frame("BEGIN", "transaction:open");
            client.frame(frame[0], headers);
            StompHeaders error = client.errors.next();
            assertNotNull(error.getFirst("message"), String.join(" ", frame));
            assertEquals("r", error.getReceiptId(), String.join(" ", frame));
            assertEquals(1002, client.wire.closes.next().getCode(), String.join(" ", frame));
        }
    }
}
