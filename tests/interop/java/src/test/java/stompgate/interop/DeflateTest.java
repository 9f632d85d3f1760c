package stompgate.interop;

import org.junit.jupiter.api.Tag;

/**
 * permessage-deflate with messages that stand for themselves. Clients may keep their context: Jetty's
 * does so even where the answer to its offer forbids it.
 */
@Tag("gateway")
class DeflateTest extends DeflateSuite {

    DeflateTest() {
        super("""
                    client_context_takeover: true
                """);
    }
}
