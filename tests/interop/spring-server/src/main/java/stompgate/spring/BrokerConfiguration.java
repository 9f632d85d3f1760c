package stompgate.spring;

import java.security.Principal;
import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.server.ServerHttpRequest;
import org.springframework.messaging.simp.config.ChannelRegistration;
import org.springframework.messaging.simp.config.MessageBrokerRegistry;
import org.springframework.messaging.simp.config.SimpleBrokerRegistration;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.util.AntPathMatcher;
import org.springframework.web.socket.WebSocketHandler;
import org.springframework.web.socket.config.annotation.EnableWebSocketMessageBroker;
import org.springframework.web.socket.config.annotation.StompEndpointRegistry;
import org.springframework.web.socket.config.annotation.WebSocketMessageBrokerConfigurer;
import org.springframework.web.socket.config.annotation.WebSocketTransportRegistration;
import org.springframework.web.socket.server.support.DefaultHandshakeHandler;

/** The message broker: what {@code gateway/} stands in for. */
@Configuration
@EnableWebSocketMessageBroker
public class BrokerConfiguration implements WebSocketMessageBrokerConfigurer {

    @Value("${broker.heartbeat}")
    private String heartbeat;

    @Value("${broker.ordered}")
    private boolean isOrdered;

    @Value("${broker.one-thread}")
    private boolean isOneThread;

    @Value("${broker.prefixes}")
    private String[] prefixes;

    @Value("${broker.application-prefix}")
    private String applicationPrefix;

    @Value("${broker.separator}")
    private String separator;

    @Value("${broker.selector}")
    private String selector;

    @Value("${broker.first-message}")
    private int firstMessageMs;

    @Override
    public void registerStompEndpoints(StompEndpointRegistry registry) {
        registry.setPreserveReceiveOrder(isOrdered);
        registry.addEndpoint("/ws").setHandshakeHandler(new UserByHeader());
        registry.addEndpoint("/ws-origins").setAllowedOrigins("https://app.example")
                .setAllowedOriginPatterns("https://*.example.org:[8080,8081]");
        registry.addEndpoint("/ws-all-origins").setAllowedOrigins("*");
        registry.addEndpoint("/ws-any-port").setAllowedOriginPatterns("http://app.example:[*]");
    }

    @Override
    public void configureWebSocketTransport(WebSocketTransportRegistration registry) {
        registry.setTimeToFirstMessage(firstMessageMs);
    }

    @Override
    public void configureMessageBroker(MessageBrokerRegistry registry) {
        SimpleBrokerRegistration broker = registry.enableSimpleBroker(prefixes);
        long[] beats = SpringServer.heartbeat(heartbeat);

        if (beats != null) {
            ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();

            scheduler.setThreadNamePrefix("heartbeat-");
            scheduler.setDaemon(true);
            scheduler.initialize();
            broker.setTaskScheduler(scheduler).setHeartbeatValue(beats);
        }
        if (!selector.isEmpty()) {
            broker.setSelectorHeaderName(selector);
        }
        registry.setApplicationDestinationPrefixes(applicationPrefix);
        registry.setUserDestinationPrefix("/user");
        registry.setPathMatcher(new AntPathMatcher(separator));
        registry.setPreservePublishOrder(isOrdered);
    }

    @Override
    public void configureClientInboundChannel(ChannelRegistration channel) {
        limit(channel);
    }

    @Override
    public void configureClientOutboundChannel(ChannelRegistration channel) {
        limit(channel);
    }

    private void limit(ChannelRegistration channel) {
        if (isOneThread) {
            channel.taskExecutor().corePoolSize(1).maxPoolSize(1);
        }
    }

    /** Whoever names a user is that user: enough for a server that only tests talk to. */
    private static class UserByHeader extends DefaultHandshakeHandler {

        @Override
        protected Principal determineUser(ServerHttpRequest request, WebSocketHandler handler,
                Map<String, Object> attributes) {
            String name = request.getHeaders().getFirst("X-User");

            return name == null ? null : () -> name;
        }
    }
}
