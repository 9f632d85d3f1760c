package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.messaging.simp.stomp.StompHeaders;

/** Queues whose subscribers compete: each message is one subscriber's until it acknowledges it. */
@Tag("gateway")
class CompetingQueueTest extends Suite {

    private static final int ACK_WINDOW = 5;
    private static final int QUEUE_LIMIT = 50;
    private static final int N_MESSAGES = 40;

    CompetingQueueTest() {
        super("""
                broker:
                  destination_prefixes: [/topic, /queue]
                  ack_window: %d
                  queue_limit: {messages: %d}
                  queues:
                    - destinations: [/queue/jobs/**, "/queue/work.{kind:[a-z]+}.*"]
                      mode: competing
                """.formatted(ACK_WINDOW, QUEUE_LIMIT));
    }

    private static StompHeaders individually(String queue) {
        StompHeaders headers = Client.headers(queue);

        headers.setAck("client-individual");
        return headers;
    }

    private static List<String> numbered() {
        return IntStream.range(0, N_MESSAGES).mapToObj(i -> "job %02d".formatted(i)).toList();
    }

    private static void refuse(Client client, Client.Received<String> message) {
        client.session().acknowledge(message.headers().getAck(), false);
    }

    private static void accept(Client client, Client.Received<String> message) {
        client.session().acknowledge(message.headers().getAck(), true);
    }

    @Test
    void each_message_goes_to_one_subscriber_and_all_get_some() throws Exception {
        String queue = fresh("/queue/jobs/");
        List<Inbox<Client.Received<String>>> inboxes = new ArrayList<>();
        Inbox<Client.Received<String>> all = new Inbox<>("messages of all consumers");
        Client sender = connected("sender");

        for (int i = 0; i < 4; i++) {
            Inbox<Client.Received<String>> inbox = new Inbox<>("messages of " + i);
            StompHeaders headers = Client.headers(queue);
            Client client = connected("consumer-" + i);

            headers.setReceipt("subscribed");
            client.session().subscribe(headers, Client.handler(message -> {
                inbox.add(message);
                all.add(message);
            }));
            client.received("subscribed");
            inboxes.add(inbox);
        }
        for (String body : numbered()) {
            sender.send(queue, body);
        }
        assertEquals(numbered(), Client.bodies(all, N_MESSAGES).stream().sorted().toList());
        for (Inbox<Client.Received<String>> inbox : inboxes) {
            List<String> bodies = inbox.all().stream().map(Client.Received::body).toList();

            assertFalse(bodies.isEmpty());
            assertEquals(bodies.stream().sorted().toList(), bodies);
        }
    }

    @Test
    void what_is_refused_goes_to_another_subscriber_and_says_so() throws Exception {
        String queue = fresh("/queue/jobs/");
        Client one = connected("one");
        Client two = connected("two");
        Inbox<Client.Received<String>> first = one.subscribed(individually(queue));

        connected("sender").sent(queue, "job");
        Client.Received<String> message = first.next();
        assertNull(message.headers().getFirst("redelivered"));
        Inbox<Client.Received<String>> second = two.subscribed(individually(queue));
        refuse(one, message);
        Client.Received<String> again = second.next();
        assertEquals("job", again.body());
        assertEquals("true", again.headers().getFirst("redelivered"));
        assertEquals("2", again.headers().getFirst("x-delivery-count"));
        refuse(two, again);
        assertEquals("3", first.next().headers().getFirst("x-delivery-count"));
    }

    @Test
    void what_is_refused_by_the_only_subscriber_comes_back_to_it() throws Exception {
        String queue = fresh("/queue/jobs/");
        Client client = connected("joe");
        Inbox<Client.Received<String>> inbox = client.subscribed(individually(queue));

        connected("sender").sent(queue, "job");
        refuse(client, inbox.next());
        Client.Received<String> again = inbox.next();
        assertEquals("job", again.body());
        accept(client, again);
        connected("sender").sent(queue, "next job");
        assertEquals("next job", inbox.next().body());
    }

    @Test
    void what_a_subscriber_leaves_behind_goes_to_another_one_in_order() throws Exception {
        String queue = fresh("/queue/jobs/");
        Client leaves = connected("leaves");
        Inbox<Client.Received<String>> first = leaves.subscribed(individually(queue));
        Client sender = connected("sender");

        for (String body : List.of("one", "two", "three")) {
            sender.sent(queue, body);
        }
        accept(leaves, first.take(3).get(0));
        Client stays = connected("stays");
        Inbox<Client.Received<String>> second = stays.subscribed(individually(queue));
        leaves.session().disconnect();
        for (String body : List.of("two", "three")) {
            Client.Received<String> message = second.next();

            assertEquals(body, message.body());
            assertEquals("true", message.headers().getFirst("redelivered"));
        }
    }

    @Test
    void what_is_sent_before_anybody_subscribes_waits() throws Exception {
        String queue = fresh("/queue/jobs/");
        Client sender = connected("sender");

        sender.sent(queue, "early");
        sender.sent(Client.headers(queue, "colour:red", "redelivered:true", "x-delivery-count:9"), "bird");
        Inbox<Client.Received<String>> inbox = connected("joe").subscribed(queue);
        assertEquals("early", inbox.next().body());
        Client.Received<String> bird = inbox.next();
        assertEquals("bird", bird.body());
        assertEquals(queue, bird.headers().getDestination());
        assertEquals("red", bird.headers().getFirst("colour"));
        assertNull(bird.headers().getFirst("redelivered"), "a sender's own word");
        assertNull(bird.headers().getFirst("x-delivery-count"));
    }

    @Test
    void a_subscriber_has_no_more_than_its_window_at_a_time() throws Exception {
        String queue = fresh("/queue/jobs/");
        Client slow = connected("slow");
        Client sender = connected("sender");
        Inbox<Client.Received<String>> first = slow.subscribed(individually(queue));

        for (String body : numbered()) {
            sender.sent(queue, body);
        }
        List<Client.Received<String>> window = first.take(ACK_WINDOW);
        accept(slow, window.get(0));
        assertEquals(numbered().get(ACK_WINDOW), first.next().body());
        Inbox<Client.Received<String>> second = connected("fast").subscribed(queue);
        assertEquals(numbered().subList(ACK_WINDOW + 1, N_MESSAGES),
                Client.bodies(second, N_MESSAGES - ACK_WINDOW - 1));
        assertEquals(ACK_WINDOW + 1, first.all().size());
    }

    @Test
    void a_full_queue_takes_no_more() throws Exception {
        String queue = fresh("/queue/jobs/");
        Client sender = connected("sender");

        for (int i = 0; i < QUEUE_LIMIT; i++) {
            sender.sent(queue, "job " + i);
        }
        sender.send(queue, "one too many");
        assertNotNull(sender.errors.next().getFirst("message"));
        Inbox<Client.Received<String>> inbox = connected("joe").subscribed(queue);
        inbox.take(QUEUE_LIMIT);
        connected("sender").sent(queue, "room again");
        assertEquals("room again", inbox.next().body());
    }

    @Test
    void queues_are_named_by_patterns_and_all_others_fan_out() throws Exception {
        Client sender = connected("sender");
        List<Inbox<Client.Received<String>>> fanOut = new ArrayList<>();
        String queue = "/queue/work.mail." + fresh("");

        for (int i = 0; i < 2; i++) {
            fanOut.add(connected("joe").subscribed("/queue/work.1.x"));
        }
        sender.sent(queue, "kept");
        sender.sent("/queue/work.1.x", "for all");
        for (Inbox<Client.Received<String>> inbox : fanOut) {
            assertEquals("for all", inbox.next().body());
        }
        assertEquals("kept", connected("joe").subscribed(queue).next().body());
    }
}
