package stompgate.interop;

import org.apache.tomcat.websocket.WsWebSocketContainer;
import org.springframework.web.socket.client.WebSocketClient;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;

/** {@code StandardWebSocketClient} over Tomcat's container, as in a Spring Boot application. */
class TomcatClientTest extends ClientContract {

    @Override
    WebSocketClient webSocketClient() {
        return new StandardWebSocketClient(new WsWebSocketContainer());
    }
}
