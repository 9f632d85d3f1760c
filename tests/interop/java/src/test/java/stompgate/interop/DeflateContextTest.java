package stompgate.interop;

import org.junit.jupiter.api.Tag;

/** permessage-deflate with contexts that are kept, both ways. */
@Tag("gateway")
class DeflateContextTest extends DeflateSuite {

    DeflateContextTest() {
        super("""
                    server_context_takeover: true
                    client_context_takeover: true
                """);
    }
}
