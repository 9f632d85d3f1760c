package stompgate.spring;

import java.util.Arrays;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.EventListener;

/**
 * The server that most Spring guides end with: {@code /ws}, a simple broker on {@code /topic} and
 * {@code /queue}, {@code /app} for controllers. It announces itself on standard error with the
 * lines that the gateway writes, so that one harness starts either.
 *
 * <p>Settings, each {@code --NAME=VALUE}: {@code broker.heartbeat} ("10000,10000"; empty for a
 * broker without a scheduler), {@code broker.ordered} (false: Spring's own default; true keeps
 * the order of a session both ways), {@code broker.one-thread} (false; true keeps all order, by one
 * thread each way), {@code broker.prefixes} ("/topic,/queue"; empty: everything),
 * {@code broker.application-prefix} ("/app"), {@code broker.separator} ("/": what destinations are
 * split at), {@code broker.selector} (the header that selectors stand in; empty: no selectors) and
 * {@code broker.first-message} (milliseconds that a client has to say something).
 */
@SpringBootApplication
public class SpringServer {

    public static void main(String[] args) {
        SpringApplication application = new SpringApplication(SpringServer.class);

        application.setDefaultProperties(Map.ofEntries(
                Map.entry("server.address", "127.0.0.1"),
                Map.entry("server.port", "0"),
                Map.entry("broker.heartbeat", "10000,10000"),
                Map.entry("broker.ordered", "false"),
                Map.entry("broker.one-thread", "false"),
                Map.entry("broker.prefixes", "/topic,/queue"),
                Map.entry("broker.application-prefix", "/app"),
                Map.entry("broker.separator", "/"),
                Map.entry("broker.selector", ""),
                Map.entry("broker.first-message", "60000"),
                Map.entry("spring.main.banner-mode", "off"),
                Map.entry("logging.level.root", "warn")));
        application.run(args);
    }

    @EventListener
    void announce(ApplicationReadyEvent ready) {
        String port = ready.getApplicationContext().getEnvironment().getProperty("local.server.port");

        System.err.println("{\"event\":\"listener.open\",\"address\":\"127.0.0.1:" + port
                + "\",\"kind\":\"public\"}");
        System.err.println("{\"event\":\"gateway.ready\"}");
    }

    /** "1000,2000" as Spring takes it; null for an empty value. */
    static long[] heartbeat(String value) {
        return value.isBlank() ? null : Arrays.stream(value.split(",")).mapToLong(Long::parseLong).toArray();
    }
}
