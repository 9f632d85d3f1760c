package stompgate.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.web.socket.WebSocketExtension;

/** Messages that java.util.zip has to inflate, and compresses for us. */
abstract class DeflateSuite extends Suite {

    /** `settings`: further lines below transport.deflate. */
    DeflateSuite(String settings) {
        super("""
                transport:
                  deflate:
                    enabled: true
                    min_size: 100
                """ + settings);
    }

    private Client offering(String offer, String user) throws Exception {
        Client client = client();

        client.handshake.setSecWebSocketExtensions(WebSocketExtension.parseExtensions(offer));
        client.connect(user);
        assertEquals(List.of("permessage-deflate"), client.wire.sessions.all().get(0).getExtensions().stream()
                .map(WebSocketExtension::getName).toList());
        return client;
    }

    /** Short, long, of few and of many different characters, and not to be compressed at all. */
    private static List<String> bodies() {
        List<String> bodies = new ArrayList<>(List.of("short", "가격 ".repeat(1000)));
        Random random = new Random(1);

        for (int n : new int[] {1, 10, 100, 200}) {
            bodies.add("{\"symbol\":\"ABC\",\"price\":17.25}\n".repeat(n));
            bodies.add(random.ints(n * 20L, ' ', '~').collect(StringBuilder::new,
                    StringBuilder::appendCodePoint, StringBuilder::append).toString());
        }
        return bodies;
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "permessage-deflate",
        "permessage-deflate;server_max_window_bits=9",
    })
    void what_is_compressed_is_what_was_sent(String offer) throws Exception {
        String topic = fresh("/topic/");
        List<Client> clients = List.of(offering(offer, "one"), offering(offer, "two"), connected("bare"));
        List<Inbox<Client.Received<String>>> inboxes = new ArrayList<>();

        for (Client client : clients) {
            inboxes.add(client.subscribed(topic));
        }
        for (int round = 0; round < 3; round++) {
            for (Client client : clients) {
                for (String body : bodies()) {
                    client.sent(topic, body);
                }
                for (Inbox<Client.Received<String>> inbox : inboxes) {
                    assertEquals(bodies(), Client.bodies(inbox, bodies().size()));
                }
            }
        }
    }
}
