package stompgate.interop;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The frame of a test class: one gateway with the class's own settings, and its tests over each
 * client container in turn. Tests tagged "gateway" ask for what Spring's simple broker does not do.
 */
@ParameterizedClass(name = "{0}")
@EnumSource(Container.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class Suite {

    @Parameter
    Container container;

    private final List<AutoCloseable> open = new ArrayList<>();
    private final String settings;
    private Gateway gateway;
    private int nNames;

    @RegisterExtension
    final AfterTestExecutionCallback logOnFailure = context -> {
        if (context.getExecutionException().isPresent()) {
            System.err.println("--- the gateway's log\n" + gateway.log() + "\n---");
        }
    };

    /** `settings`: sections of the gateway's configuration, as YAML. */
    Suite(String settings) {
        this.settings = settings;
    }

    @BeforeAll
    void startGateway() throws Exception {
        gateway = Gateway.start(settings);
    }

    @AfterAll
    void stopGateway() throws InterruptedException {
        if (gateway != null) { // it may not have started
            gateway.stop();
        }
    }

    @AfterEach
    void closeClients() throws Exception {
        for (AutoCloseable client : open) {
            client.close();
        }
        open.clear();
    }

    private <T extends AutoCloseable> T using(T client) {
        open.add(client);
        return client;
    }

    /** Not connected yet; it need not be closed. */
    Client client() throws Exception {
        return using(new Client(container.webSocketClient(), gateway.url("/ws")));
    }

    Client connected(String user) throws Exception {
        return client().connect(user);
    }

    /** Without a token, hence without a name. */
    Client anonymous() throws Exception {
        return using(new Client(container.webSocketClient(), gateway.url("/ws-open"))).connect(null, null);
    }

    /** The handshake is done, no frame is sent yet; `user` may be null. */
    RawClient raw(String user) throws Exception {
        return using(new RawClient(container.webSocketClient(),
                gateway.url(user == null ? "/ws-open" : "/ws"), user));
    }

    String url() {
        return gateway.url("/ws");
    }

    /** A destination that no other test has used. */
    String fresh(String prefix) {
        return prefix + "fresh-" + ++nNames;
    }
}
