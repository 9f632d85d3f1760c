package stompgate.interop;

import jakarta.websocket.WebSocketContainer;
import org.apache.tomcat.websocket.WsWebSocketContainer;
import org.eclipse.jetty.util.component.LifeCycle;
import org.springframework.web.socket.client.WebSocketClient;
import org.springframework.web.socket.client.standard.StandardWebSocketClient;

/** What carries Spring's {@code StandardWebSocketClient}: each test runs over both. */
enum Container {

    /** As in a Spring Boot application. */
    TOMCAT {
        @Override
        WebSocketContainer start() {
            return new WsWebSocketContainer();
        }
    },

    /** Spring 7 has no Jetty client of its own. */
    JETTY {
        @Override
        WebSocketContainer start() throws ReflectiveOperationException {
            String name = System.getProperty("jetty.container"); // its package differs by Jetty's version
            WebSocketContainer container =
                    (WebSocketContainer) Class.forName(name).getConstructor().newInstance();

            LifeCycle.start(container);
            return container;
        }
    };

    private WebSocketContainer container; // lives as long as the JVM

    abstract WebSocketContainer start() throws ReflectiveOperationException;

    WebSocketClient webSocketClient() throws ReflectiveOperationException {
        if (container == null) {
            container = start();
        }
        return new StandardWebSocketClient(container);
    }
}
