package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.messaging.simp.stomp.StompHeaders;

/** Selectors: conditions of a SUBSCRIBE on the headers of messages. */
class SelectorTest extends Suite {

    /** A message for each: its headers; the body is the number. */
    private static final List<Map<String, String>> MESSAGES = List.of(
            Map.of(),
            Map.of("foo", "bar"),
            Map.of("foo", "baz"),
            Map.of("num", "7"),
            Map.of("foo", "bar", "num", "8"),
            Map.of("foo", "true"));

    /** And which of them pass. */
    private static final Map<String, List<String>> SELECTORS = Map.ofEntries(
            Map.entry("headers.foo == 'bar'", List.of("1", "4")),
            Map.entry("headers.foo != 'bar'", List.of("0", "2", "3", "5")),
            Map.entry("headers.foo eq \"baz\"", List.of("2")),
            Map.entry("headers.num == '7'", List.of("3")),
            Map.entry("headers.num == 7", List.of()), // a header is a text
            Map.entry("headers.num > 5", List.of()),
            Map.entry("headers.num > '7'", List.of("4")),
            Map.entry("headers.foo == null", List.of("0", "3")),
            Map.entry("headers.foo == 'bar' and headers.num != null", List.of("4")),
            Map.entry("headers.num == '7' || headers.foo == 'baz'", List.of("2", "3")),
            Map.entry("!(headers.foo == 'bar')", List.of("0", "2", "3", "5")),
            Map.entry("headers.foo != null && headers.foo matches 'ba[rz]'", List.of("1", "2", "4")),
            Map.entry("headers.foo", List.of("5")),
            Map.entry("headers.destination == '/topic/selected'", List.of("0", "1", "2", "3", "4", "5")),
            Map.entry("headers.destination == '/topic/other'", List.of()),
            Map.entry("false", List.of()));

    SelectorTest() {
        super("""
                broker:
                  destination_prefixes: [/topic, /queue]
                  selector_header: selector
                """);
    }

    private static StompHeaders headers(String destination, String selector) {
        StompHeaders headers = Client.headers(destination);

        headers.set("selector", selector);
        return headers;
    }

    @Test
    void a_subscriber_gets_what_its_selector_lets_through() throws Exception {
        Client sender = connected("sender");

        for (Map.Entry<String, List<String>> selector : SELECTORS.entrySet()) {
            Client client = connected("joe");
            Inbox<Client.Received<String>> selected =
                    client.subscribed(headers("/topic/selected", selector.getKey()));
            Inbox<Client.Received<String>> end = client.subscribed("/topic/end");

            for (int i = 0; i < MESSAGES.size(); i++) {
                StompHeaders message = Client.headers("/topic/selected");

                MESSAGES.get(i).forEach(message::set);
                sender.send(message, String.valueOf(i));
            }
            sender.send("/topic/end", "");
            end.next();
            assertEquals(selector.getValue(), selected.all().stream().map(Client.Received::body).toList(),
                    selector.getKey());
        }
    }

    @Test
    void each_subscription_has_its_own_selector() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> red = client.subscribed(headers("/topic/colours", "headers.c == 'red'"));
        Inbox<Client.Received<String>> blue = client.subscribed(headers("/topic/col*", "headers.c == 'blue'"));
        Inbox<Client.Received<String>> all = client.subscribed("/topic/colours");
        Client sender = connected("sender");

        for (String colour : List.of("red", "green", "blue")) {
            sender.send(Client.headers("/topic/colours", "c:" + colour), colour);
        }
        assertEquals(List.of("red", "green", "blue"), Client.bodies(all, 3));
        assertEquals("red", red.next().body());
        assertEquals("blue", blue.next().body());
        sender.sent(Client.headers("/topic/colours", "c:red"), "red again");
        assertEquals("red again", red.next().body());
        assertEquals(1, blue.all().size());
    }

    @Test
    @Tag("gateway")
    void what_is_no_selector_is_refused() throws Exception {
        for (String selector : List.of("headers.foo ==", "headers.foo = 'bar'", "T(java.lang.Runtime)",
                "headers.foo matches '['", "(".repeat(100) + "true" + ")".repeat(100))) {
            Client client = connected("joe");

            client.session().subscribe(headers("/topic/selected", selector), Client.handler(new Inbox<>("unused")));
            assertNotNull(client.errors.next().getFirst("message"), selector);
            assertEquals(1002, client.wire.closes.next().getCode(), selector);
        }
    }
}
