package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.messaging.simp.stomp.StompSession;

/** Destinations of users, who may have several sessions. */
class UserDestinationTest extends Suite {

    private static final int N_SESSIONS = 6; // over all workers

    UserDestinationTest() {
        super("""
                broker:
                  destination_prefixes: [/topic, /queue]
                """);
    }

    @Test
    @Tag("gateway") // with its order kept, Spring loses what goes to several sessions of a user
    void all_sessions_of_the_user_get_it_and_nobody_else_does() throws Exception {
        Client sender = connected("sender");
        Inbox<Client.Received<String>> others = connected("jack").subscribed("/user/queue/news");

        for (int i = 0; i < N_SESSIONS; i++) {
            Inbox<Client.Received<String>> inbox = connected("joe").subscribed("/user/queue/news");

            sender.sent("/user/joe/queue/news", "session " + i);
            Client.Received<String> message = inbox.next(); // not what came before it
            assertEquals("session " + i, message.body());
            assertEquals("/user/queue/news", message.headers().getDestination());
            assertEquals("0", message.headers().getSubscription());
        }
        sender.sent("/user/jack/queue/news", "for jack");
        assertEquals("for jack", others.next().body());
    }

    @Test
    @Tag("gateway") // with its order kept, Spring loses what goes to several sessions of a user
    void each_of_many_sessions_gets_each_message_once_and_in_order() throws Exception {
        List<String> bodies = IntStream.range(0, 100).mapToObj(i -> "message " + i).toList();
        Client sender = connected("sender");
        List<Inbox<Client.Received<String>>> inboxes = new ArrayList<>();

        for (int i = 0; i < N_SESSIONS; i++) {
            inboxes.add(connected("joe").subscribed("/user/queue/many"));
        }
        for (String body : bodies) {
            sender.send("/user/joe/queue/many", body);
        }
        sender.send("/user/joe/queue/many", "end");
        for (Inbox<Client.Received<String>> inbox : inboxes) {
            assertEquals(bodies, Client.bodies(inbox, bodies.size()));
            assertEquals("end", inbox.next().body());
        }
    }

    @Test
    void who_sends_to_itself_gets_it_in_the_sending_session_only() throws Exception {
        Client one = connected("joe");
        Client two = connected("joe");
        Inbox<Client.Received<String>> first = one.subscribed("/user/queue/own");
        Inbox<Client.Received<String>> second = two.subscribed("/user/queue/own");

        one.sent("/user/joe/queue/own", "from one");
        two.sent("/user/joe/queue/own", "from two");
        assertEquals("from one", first.next().body());
        assertEquals("from two", second.next().body());
    }

    @Test
    void a_slash_in_a_users_name_is_written_as_2F() throws Exception {
        Inbox<Client.Received<String>> inbox = connected("a/b").subscribed("/user/queue/slash");

        connected("sender").send("/user/a%2Fb/queue/slash", "x");
        Client.Received<String> message = inbox.next();
        assertEquals("x", message.body());
        assertEquals("/user/queue/slash", message.headers().getDestination());
    }

    @Test
    void after_UNSUBSCRIBE_nothing_more_comes() throws Exception {
        Client client = connected("joe");
        Client sender = connected("sender");
        Inbox<Client.Received<String>> gone = new Inbox<>("unsubscribed");
        StompSession.Subscription subscription =
                client.session().subscribe("/user/queue/stop", Client.handler(gone));
        client.subscribed("/topic/stop"); // so that the one before is there, too

        sender.sent("/user/joe/queue/stop", "before");
        assertEquals("before", gone.next().body());
        subscription.unsubscribe();
        Inbox<Client.Received<String>> stays = client.subscribed("/user/queue/stop");
        sender.sent("/user/joe/queue/stop", "after");
        assertEquals("after", stays.next().body());
        assertEquals(1, gone.all().size());
    }

    @Test
    void what_is_sent_to_an_unknown_user_harms_nobody() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> inbox = client.subscribed("/user/queue/unknown");

        client.send("/user/nobody/queue/unknown", "lost");
        client.send("/user/joe/queue/unknown", "x");
        assertEquals("x", inbox.next().body());
        assertTrue(client.failures.all().isEmpty());
    }

    @Test
    @Tag("gateway")
    void no_pattern_of_others_gets_what_is_a_users_own() throws Exception {
        Client curious = connected("mallory");
        Client sender = connected("sender");
        Inbox<Client.Received<String>> joes = connected("joe").subscribed("/user/queue/private");

        for (String pattern : List.of("/queue/**", "/queue/private*", "/queue/*-user*", "/queue/{any:.*}")) {
            Inbox<Client.Received<String>> all = curious.subscribed(pattern);

            sender.sent("/user/joe/queue/private", "for joe");
            assertEquals("for joe", joes.next().body());
            sender.sent("/queue/private-users", "for all");
            assertEquals("for all", all.next().body(), pattern);
        }
    }

    @Test
    @Tag("gateway")
    void the_destination_behind_a_users_is_out_of_reach() throws Exception {
        String bound = "/queue/private-user" + "0123456789abcdef".repeat(2);
        Client curious = connected("mallory");
        Client sender = connected("mallory");

        curious.subscribe(bound);
        assertNotNull(curious.errors.next().getFirst("message"));
        assertEquals(1002, curious.wire.closes.next().getCode());
        sender.send(bound, "x");
        assertNotNull(sender.errors.next().getFirst("message"));
    }
}
