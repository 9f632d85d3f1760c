package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.messaging.simp.stomp.StompSession;

/** Subscriptions to Ant patterns. */
class PatternTest extends Suite {

    private static final int N_PATTERNS_LIMIT = 32; // of a session

    private record Rule(String pattern, List<String> matching, List<String> others) {
    }

    private static final List<Rule> RULES = List.of(
            new Rule("/topic/chat.*", List.of("/topic/chat.1", "/topic/chat.", "/topic/chat.room.1"),
                    List.of("/topic/chat", "/topic/chats.1", "/topic/chat.1/x")),
            new Rule("/topic/deep/**", List.of("/topic/deep", "/topic/deep/a", "/topic/deep/a/b.c/d"),
                    List.of("/topic/deeper", "/topic")),
            new Rule("/topic/**", List.of("/topic/x", "/topic/a/b"), List.of("/queue/x", "/topics/x")),
            new Rule("/topic/?at", List.of("/topic/cat", "/topic/강at"), List.of("/topic/at", "/topic/boat")),
            new Rule("/topic/PRICE.STOCK.*.{ticker:(IBM|MSFT)}",
                    List.of("/topic/PRICE.STOCK.NYSE.IBM", "/topic/PRICE.STOCK.NASDAQ.MSFT"),
                    List.of("/topic/PRICE.STOCK.NYSE.ORCL", "/topic/PRICE.STOCK.IBM")),
            new Rule("/topic/room/{id:[0-9]{2}}", List.of("/topic/room/42"),
                    List.of("/topic/room/421", "/topic/room/4x", "/topic/room/42/x")),
            new Rule("/topic/{user}/news", List.of("/topic/joe/news", "/topic/김철수/news"),
                    List.of("/topic/news", "/topic/joe/news/x")),
            new Rule("/queue/*/a/**/z", List.of("/queue/1/a/z", "/queue/1/a/b/c/z"),
                    List.of("/queue/a/z", "/queue/1/a/b/c")));

    PatternTest() {
        super("""
                broker:
                  destination_prefixes: [/topic, /queue]
                """);
    }

    @Test
    void a_pattern_gets_what_it_matches_and_nothing_else() throws Exception {
        Client sender = connected("sender");

        for (Rule rule : RULES) {
            Inbox<Client.Received<String>> inbox = connected("joe").subscribed(rule.pattern());

            for (String destination : rule.others()) {
                sender.sent(destination, "not for " + rule.pattern());
            }
            for (String destination : rule.matching()) {
                sender.sent(destination, rule.pattern());
            }
            for (String destination : rule.matching()) {
                Client.Received<String> message = inbox.next();

                assertEquals(destination, message.headers().getDestination(), rule.pattern());
                assertEquals(rule.pattern(), message.body());
            }
        }
    }

    @Test
    void a_pattern_and_a_destination_that_it_matches_get_a_message_each() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> exact = client.subscribed("/topic/both.1");
        Inbox<Client.Received<String>> pattern = client.subscribed("/topic/both.*");

        connected("sender").send("/topic/both.1", "x");
        assertEquals("x", exact.next().body());
        assertEquals("x", pattern.next().body());
    }

    @Test
    void a_pattern_gets_what_was_in_use_before_it_came() throws Exception {
        Client sender = connected("sender");
        Inbox<Client.Received<String>> exact = connected("jack").subscribed("/topic/used.1");

        sender.sent("/topic/used.1", "before");
        sender.sent("/topic/used.2", "before");
        Inbox<Client.Received<String>> pattern = connected("joe").subscribed("/topic/used.*");
        sender.sent("/topic/used.1", "after");
        sender.sent("/topic/used.2", "after");
        assertEquals(List.of("before", "after"), Client.bodies(exact, 2));
        assertEquals(List.of("/topic/used.1", "/topic/used.2"),
                pattern.take(2).stream().map(message -> message.headers().getDestination()).toList());
    }

    @Test
    void after_UNSUBSCRIBE_a_pattern_gets_nothing_more() throws Exception {
        Client client = connected("joe");
        Client sender = connected("sender");
        Inbox<Client.Received<String>> gone = new Inbox<>("unsubscribed");
        StompSession.Subscription subscription =
                client.session().subscribe("/topic/stop.*", Client.handler(gone));
        client.subscribed("/topic/other"); // so that the one before is there, too

        sender.sent("/topic/stop.1", "before");
        assertEquals("before", gone.next().body());
        subscription.unsubscribe();
        Inbox<Client.Received<String>> stays = client.subscribed("/topic/stop.1");
        sender.sent("/topic/stop.1", "after");
        assertEquals("after", stays.next().body());
        assertEquals(1, gone.all().size());
    }

    @Test
    @Tag("gateway")
    void a_broken_pattern_is_refused_and_harms_nobody() throws Exception {
        Inbox<Client.Received<String>> inbox = connected("jack").subscribed("/topic/unharmed");
        Client client = connected("joe");

        client.subscribe("/topic/{a:[}");
        assertNotNull(client.errors.next().getFirst("message"));
        assertEquals(1002, client.wire.closes.next().getCode());
        connected("sender").send("/topic/unharmed", "x");
        assertEquals("x", inbox.next().body());
    }

    @Test
    @Tag("gateway")
    void a_session_has_a_limit_of_patterns_and_of_nothing_else() throws Exception {
        Client client = connected("joe");

        for (int i = 0; i < N_PATTERNS_LIMIT; i++) {
            client.subscribed("/topic/limit.%d.*".formatted(i));
        }
        client.subscribed("/topic/limit.exact");
        assertTrue(client.errors.all().isEmpty());
        client.subscribe("/topic/limit.more.*");
        assertNotNull(client.errors.next().getFirst("message"));
        assertEquals(1002, client.wire.closes.next().getCode());
    }
}
