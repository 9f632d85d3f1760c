package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a Spring server's controllers do, by routes of the configuration. */
class RouteTest extends Suite {

    RouteTest() {
        super("""
                routes:
                  - destination: /app/chat.{room}
                    send_to: /topic/chat.{room}
                  - destination: /app/reply
                    send_to_user: /queue/reply
                    broadcast: false
                  - destination: /app/reply-all
                    send_to_user: /queue/reply
                  - destination: /app/scope
                    send_to: /topic/scope
                    headers: {session: "{session}"}
                  - destination: /app/number
                    on_subscribe:
                      body: "42"
                      content_type: application/json
                  - destination: /app/last.{room}
                    on_subscribe:
                      last_of: /topic/last.{room}
                  - destination: /app/signed.{room}
                    send_to: /topic/signed
                    headers: {room: "{room}", from: "{user}"}
                broker:
                  destination_prefixes: [/topic, /queue]
                """);
    }

    @Test
    void what_a_pattern_names_goes_into_the_destination() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> one = client.subscribed("/topic/chat.one");
        Inbox<Client.Received<String>> two = client.subscribed("/topic/chat.두 번째");

        client.send("/app/chat.one", "first");
        client.send("/app/chat.두 번째", "second");
        Client.Received<String> message = one.next();
        assertEquals("first", message.body());
        assertEquals("/topic/chat.one", message.headers().getDestination());
        assertEquals("second", two.next().body());
    }

    @Test
    void a_reply_without_broadcast_is_for_the_sending_session_alone() throws Exception {
        Client one = connected("joe");
        Client two = connected("joe");
        Inbox<Client.Received<String>> first = one.subscribed("/user/queue/reply");
        Inbox<Client.Received<String>> second = two.subscribed("/user/queue/reply");

        one.sent("/app/reply", "for one");
        two.sent("/app/reply", "for two");
        assertEquals("for one", first.next().body());
        Client.Received<String> message = second.next();
        assertEquals("for two", message.body());
        assertEquals("/user/queue/reply", message.headers().getDestination());
    }

    @Test
    @Tag("gateway") // with its order kept, Spring loses what goes to several sessions of a user
    void a_reply_with_broadcast_is_for_all_sessions_of_the_sender() throws Exception {
        Client one = connected("joe");
        Inbox<Client.Received<String>> first = one.subscribed("/user/queue/reply");
        Inbox<Client.Received<String>> second = connected("joe").subscribed("/user/queue/reply");
        Client jack = connected("jack");
        Inbox<Client.Received<String>> others = jack.subscribed("/user/queue/reply");

        one.sent("/app/reply-all", "for joe");
        assertEquals("for joe", first.next().body());
        assertEquals("for joe", second.next().body());
        jack.sent("/app/reply-all", "for jack");
        assertEquals("for jack", others.next().body());
    }

    @Test
    void a_reply_to_the_nameless_is_for_the_sending_session() throws Exception {
        Client one = anonymous();
        Client two = anonymous();
        Inbox<Client.Received<String>> first = one.subscribed("/user/queue/reply");
        Inbox<Client.Received<String>> second = two.subscribed("/user/queue/reply");

        one.sent("/app/reply-all", "for one");
        two.sent("/app/reply-all", "for two");
        assertEquals("for one", first.next().body());
        assertEquals("for two", second.next().body());
    }

    @Test
    void the_nameless_are_reached_by_the_id_of_their_session() throws Exception {
        Client client = anonymous();
        Inbox<Client.Received<String>> scope = client.subscribed("/topic/scope");
        Inbox<Client.Received<String>> inbox = client.subscribed("/user/queue/by-id");

        client.send("/app/scope", "which one");
        String id = scope.next().headers().getFirst("session");
        client.send("/user/" + id + "/queue/by-id", "x");
        Client.Received<String> message = inbox.next();
        assertEquals("x", message.body());
        assertEquals("/user/queue/by-id", message.headers().getDestination());
    }

    @Test
    void a_SUBSCRIBE_is_answered_to_the_subscriber_alone() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> others = connected("jack").subscribed("/topic/**");
        Client.Received<String> message = client.subscribe("/app/number").next();

        assertEquals("42", message.body());
        assertEquals("/app/number", message.headers().getDestination());
        assertEquals("0", message.headers().getSubscription());
        assertEquals("application/json", String.valueOf(message.headers().getContentType()));
        client.send("/topic/end", "end");
        assertEquals("end", others.next().body());
    }

    @Test
    @Tag("gateway")
    void a_SUBSCRIBE_is_answered_with_the_last_message_of_a_destination() throws Exception {
        Client sender = connected("sender");
        String room = fresh("");

        sender.sent("/topic/last." + room, "old");
        sender.sent(Client.headers("/topic/last." + room, "colour:red"), "newest");
        for (int i = 0; i < 4; i++) {
            Client.Received<String> message = connected("joe").subscribe("/app/last." + room).next();

            assertEquals("newest", message.body());
            assertEquals("/app/last." + room, message.headers().getDestination());
        }
    }

    @Test
    @Tag("gateway")
    void a_SUBSCRIBE_to_the_last_message_of_a_quiet_destination_gets_nothing() throws Exception {
        Client client = connected("joe");
        Inbox<Client.Received<String>> last = client.subscribed("/app/last." + fresh("quiet"));
        Inbox<Client.Received<String>> topic = client.subscribed("/topic/last.end");

        client.send("/topic/last.end", "end");
        assertEquals("end", topic.next().body());
        assertEquals(0, last.all().size());
    }

    @Test
    @Tag("gateway")
    void headers_are_filled_in_and_not_the_senders_to_write() throws Exception {
        Inbox<Client.Received<String>> inbox = connected("jack").subscribed("/topic/signed");

        connected("김철수").send(Client.headers("/app/signed.lobby", "from:root", "room:x"), "hello");
        Client.Received<String> message = inbox.next();
        assertEquals("김철수", message.headers().getFirst("from"));
        assertEquals(1, message.headers().get("from").size());
        assertEquals("lobby", message.headers().getFirst("room"));
        assertNull(message.headers().getFirst("session"));
    }

    @Test
    void the_session_of_a_header_is_the_same_for_all_that_a_session_sends() throws Exception {
        Client one = connected("one");
        Inbox<Client.Received<String>> inbox = connected("jack").subscribed("/topic/scope");

        one.sent("/app/scope", "first");
        one.sent("/app/scope", "second");
        connected("one").sent("/app/scope", "third");
        String session = inbox.next().headers().getFirst("session");
        assertEquals(session, inbox.next().headers().getFirst("session"));
        assertNotEquals(session, inbox.next().headers().getFirst("session"));
    }
}
