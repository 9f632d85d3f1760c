package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.messaging.simp.stomp.StompHeaders;
import org.springframework.messaging.simp.stomp.StompSession;

/** Every frame but CONNECT may ask for a RECEIPT, which comes when the frame has taken effect. */
@Tag("gateway")
class ReceiptTest extends Suite {

    ReceiptTest() {
        super("""
                broker:
                  destination_prefixes: [/topic, /queue]
                  queues:
                    - destinations: [/queue/jobs/**]
                      mode: competing
                """);
    }

    private static void note(StompSession.Receiptable frame, String name, Inbox<String> receipts) {
        frame.addReceiptTask(() -> receipts.add(name));
        frame.addReceiptLostTask(() -> receipts.add(name + " lost"));
    }

    @Test
    void with_autoReceipt_each_frame_of_Springs_client_gets_its_own() throws Exception {
        Client client = connected("joe");
        Inbox<String> receipts = new Inbox<>("receipts");
        Inbox<Client.Received<String>> inbox = new Inbox<>("messages");
        StompHeaders headers = Client.headers(fresh("/queue/jobs/"));

        headers.setAck("client-individual");
        client.session().setAutoReceipt(true);
        StompSession.Subscription subscription =
                client.session().subscribe(headers, Client.handler(inbox));
        note(subscription, "subscribe", receipts);
        note(client.send(headers.getDestination(), "one"), "send", receipts);
        note(client.send(headers.getDestination(), "two"), "send again", receipts);
        assertEquals(List.of("send", "send again", "subscribe"), receipts.take(3).stream().sorted().toList());
        List<Client.Received<String>> messages = inbox.take(2);
        note(client.session().acknowledge(messages.get(0).headers().getAck(), true), "ack", receipts);
        assertEquals("ack", receipts.next());
        note(client.session().acknowledge(messages.get(1).headers().getAck(), false), "nack", receipts);
        assertEquals("nack", receipts.next());
    }

    @Test
    void each_frame_that_asks_for_one_gets_it() throws Exception {
        String queue = fresh("/queue/jobs/");
        RawClient client = raw("joe").connect("1.2");

        client.next("CONNECTED");
        client.subscribe("s", queue, "ack:client-individual", "receipt:subscribe");
        assertEquals("subscribe", client.next("RECEIPT").header("receipt-id"));
        client.send("SEND", "one", "destination:" + queue).send("SEND", "two", "destination:" + queue);
        List<String> acks = List.of(client.next("MESSAGE").header("ack"), client.next("MESSAGE").header("ack"));
        String[][] frames = {
            {"ACK", "id:" + acks.get(0)},
            {"BEGIN", "transaction:t"},
            {"SEND", "transaction:t", "destination:/topic/nobody"},
            {"ACK", "transaction:t", "id:" + acks.get(1)},
            {"COMMIT", "transaction:t"},
            {"BEGIN", "transaction:t"},
            {"ABORT", "transaction:t"},
            {"SEND", "destination:/topic/nobody"},
            {"SUBSCRIBE", "id:p", "destination:/topic/**"},
            {"SUBSCRIBE", "id:u", "destination:/user/queue/x"},
            {"UNSUBSCRIBE", "id:p"},
            {"UNSUBSCRIBE", "id:s"},
            {"DISCONNECT"},
        };
        for (int i = 0; i < frames.length; i++) {
            String[] headers = new String[frames[i].length];

            System.arraycopy(frames[i], 1, headers, 0, frames[i].length - 1);
            headers[headers.length - 1] = "receipt:" + i;
            client.send(frames[i][0], "", headers);
            assertEquals(String.valueOf(i), client.next("RECEIPT").header("receipt-id"),
                    String.join(" ", frames[i]));
        }
    }
}
