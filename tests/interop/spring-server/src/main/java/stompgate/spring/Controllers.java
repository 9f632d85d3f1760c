package stompgate.spring;

import org.springframework.messaging.handler.annotation.MessageExceptionHandler;
import org.springframework.messaging.handler.annotation.MessageMapping;
import org.springframework.messaging.handler.annotation.SendTo;
import org.springframework.messaging.simp.annotation.SendToUser;
import org.springframework.messaging.simp.annotation.SubscribeMapping;
import org.springframework.stereotype.Controller;

/** What Spring's own integration tests call, and the chat of its guides. */
@Controller
public class Controllers {

    @MessageMapping("/chat")
    @SendTo("/topic/chat")
    String chat(String text) {
        return text;
    }

    @MessageMapping("/simple")
    String simple(String text) {
        return text;
    }

    @MessageMapping("/increment")
    int increment(int number) {
        return number + 1;
    }

    @SubscribeMapping("/number")
    int number() {
        return 42;
    }

    @MessageMapping("/exception")
    void exception() {
        throw new IllegalArgumentException("Bad input");
    }

    @MessageExceptionHandler
    @SendToUser("/queue/error")
    String onBadInput(IllegalArgumentException bad) {
        return "Got error: " + bad.getMessage();
    }
}
