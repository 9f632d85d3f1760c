package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Numbers by which a client sees what it missed. */
@Tag("gateway")
class SequenceTest extends Suite {

    private static final int N_SENDERS = 4;
    private static final int N_EACH = 250;
    private static final int N_MESSAGES = N_SENDERS * N_EACH;

    SequenceTest() {
        super("""
                broker:
                  destination_prefixes: [/topic, /queue]
                  sequence: [/topic/seq/**]
                """);
    }

    private static long number(Client.Received<String> message) {
        List<String> numbers = message.headers().get("x-seq");

        assertNotNull(numbers);
        assertEquals(1, numbers.size());
        return Long.parseLong(numbers.get(0));
    }

    private static String epoch(Client.Received<String> message) {
        assertEquals(1, message.headers().get("x-epoch").size());
        return message.headers().getFirst("x-epoch");
    }

    @Test
    void there_is_no_gap_and_all_subscribers_see_the_same_numbers() throws Exception {
        String topic = fresh("/topic/seq/");
        List<Inbox<Client.Received<String>>> inboxes = new ArrayList<>();
        List<Client> senders = new ArrayList<>();
        List<Map<Long, String>> seen = new ArrayList<>();

        for (int i = 0; i < N_SENDERS; i++) {
            inboxes.add(connected("consumer-" + i).subscribed(i == 0 ? "/topic/seq/**" : topic));
            senders.add(connected("sender-" + i));
        }
        for (int i = 0; i < N_EACH; i++) {
            for (Client sender : senders) {
                sender.send(topic, senders.indexOf(sender) + " " + i);
            }
        }
        for (Inbox<Client.Received<String>> inbox : inboxes) {
            Map<Long, String> byNumber = new TreeMap<>();
            List<Client.Received<String>> messages = inbox.take(N_MESSAGES);

            for (int i = 0; i < N_MESSAGES; i++) {
                assertEquals(i + 1, number(messages.get(i)));
                assertEquals(epoch(messages.get(0)), epoch(messages.get(i)));
                byNumber.put((long) i + 1, messages.get(i).body());
            }
            seen.add(byNumber);
        }
        for (Map<Long, String> other : seen) {
            assertEquals(seen.get(0), other);
        }
    }

    @Test
    void who_comes_later_sees_no_gap_from_there_on() throws Exception {
        String topic = fresh("/topic/seq/");
        Client sender = connected("sender");

        for (int i = 0; i < 10; i++) {
            sender.sent(topic, "early");
        }
        Inbox<Client.Received<String>> inbox = connected("joe").subscribed(topic);
        for (int i = 0; i < 10; i++) {
            sender.send(topic, "late");
        }
        for (int i = 11; i <= 20; i++) {
            assertEquals(i, number(inbox.next()));
        }
    }

    @Test
    void each_destination_has_its_own_numbers() throws Exception {
        String[] topics = {fresh("/topic/seq/"), fresh("/topic/seq/")};
        Client client = connected("joe");
        List<Inbox<Client.Received<String>>> inboxes =
                List.of(client.subscribed(topics[0]), client.subscribed(topics[1]));

        for (int i = 1; i <= 3; i++) {
            client.send(topics[0], "x");
            client.send(topics[1], "x");
        }
        for (int i = 1; i <= 3; i++) {
            Client.Received<String> first = inboxes.get(0).next();
            Client.Received<String> second = inboxes.get(1).next();

            assertEquals(i, number(first));
            assertEquals(i, number(second));
            assertNotEquals(epoch(first), epoch(second));
        }
    }

    @Test
    void a_sender_cannot_forge_them() throws Exception {
        Client client = connected("joe");
        String topic = fresh("/topic/seq/");
        Inbox<Client.Received<String>> numbered = client.subscribed(topic);
        Inbox<Client.Received<String>> plain = client.subscribed("/topic/plain");

        client.send(Client.headers(topic, "x-seq:77", "x-epoch:mine"), "x");
        client.send(Client.headers("/topic/plain", "x-seq:77", "x-epoch:mine"), "x");
        Client.Received<String> message = numbered.next();
        assertEquals(1, number(message));
        assertNotEquals("mine", epoch(message));
        assertNull(plain.next().headers().getFirst("x-seq"));
        assertNull(plain.all().get(0).headers().getFirst("x-epoch"));
    }
}
