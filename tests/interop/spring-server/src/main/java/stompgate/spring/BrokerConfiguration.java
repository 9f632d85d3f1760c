package stompgate.spring;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Configuration;
import org.springframework.messaging.simp.config.MessageBrokerRegistry;
import org.springframework.messaging.simp.config.SimpleBrokerRegistration;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;
import org.springframework.web.socket.config.annotation.EnableWebSocketMessageBroker;
import org.springframework.web.socket.config.annotation.StompEndpointRegistry;
import org.springframework.web.socket.config.annotation.WebSocketMessageBrokerConfigurer;

/** The message broker: what {@code gateway/} stands in for. */
@Configuration
@EnableWebSocketMessageBroker
public class BrokerConfiguration implements WebSocketMessageBrokerConfigurer {

    @Value("${broker.heartbeat}")
    private String heartbeat;

    @Value("${broker.ordered}")
    private boolean isOrdered;

    @Override
    public void registerStompEndpoints(StompEndpointRegistry registry) {
        registry.setPreserveReceiveOrder(isOrdered);
        registry.addEndpoint("/ws", "/ws-open").setHandshakeHandler(new TokenHandshakeHandler());
        registry.addEndpoint("/ws-origins").setAllowedOrigins("https://app.example")
                .setAllowedOriginPatterns("https://*.example.org:[8080,8081]");
    }

    @Override
    public void configureMessageBroker(MessageBrokerRegistry registry) {
        SimpleBrokerRegistration broker = registry.enableSimpleBroker("/topic", "/queue");
        long[] beats = SpringServer.heartbeat(heartbeat);

        if (beats != null) {
            ThreadPoolTaskScheduler scheduler = new ThreadPoolTaskScheduler();

            scheduler.setThreadNamePrefix("heartbeat-");
            scheduler.setDaemon(true);
            scheduler.initialize();
            broker.setTaskScheduler(scheduler).setHeartbeatValue(beats);
        }
        registry.setApplicationDestinationPrefixes("/app");
        registry.setPreservePublishOrder(isOrdered);
    }
}
