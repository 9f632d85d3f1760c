package stompgate.interop;

import jakarta.websocket.WebSocketContainer;
import org.eclipse.jetty.util.component.LifeCycle;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.springframework.web.socket.client.WebSocketClient;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;

/** {@code StandardWebSocketClient} over Jetty's container: Spring 7 has no Jetty client of its own. */
class JettyClientTest extends ClientContract {

    private WebSocketContainer container;

    @BeforeAll
    void startContainer() throws Exception {
        String name = System.getProperty("jetty.container"); // its package differs by Jetty's version

        container = (WebSocketContainer) Class.forName(name).getConstructor().newInstance();
        LifeCycle.start(container);
    }

    @AfterAll
    void stopContainer() {
        LifeCycle.stop(container);
    }

    @Override
    WebSocketClient webSocketClient() {
        return new StandardWebSocketClient(container);
    }
}
