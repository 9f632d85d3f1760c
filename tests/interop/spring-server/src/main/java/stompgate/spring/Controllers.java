package stompgate.spring;

import java.util.Map;
import org.springframework.messaging.handler.annotation.MessageExceptionHandler;
import org.springframework.messaging.handler.annotation.MessageMapping;
import org.springframework.messaging.handler.annotation.SendTo;
import org.springframework.messaging.simp.SimpMessageHeaderAccessor;
import org.springframework.messaging.simp.SimpMessagingTemplate;
import org.springframework.messaging.simp.annotation.SendToUser;
import org.springframework.messaging.simp.annotation.SubscribeMapping;
import org.springframework.stereotype.Controller;

/** What Spring's own integration tests call, and the chat of its guides. */
@Controller
public class Controllers {

    private final SimpMessagingTemplate template;

    Controllers(SimpMessagingTemplate template) {
        this.template = template;
    }

    /** Tells which session it is called for. */
    @MessageMapping("/scope")
    void scope(String text, SimpMessageHeaderAccessor headers) {
        template.convertAndSend("/topic/scope", text, Map.of("session", headers.getSessionId()));
    }

    @MessageMapping("/chat")
    @SendTo("/topic/chat")
    String chat(String text) {
        return text;
    }

    @MessageMapping("/chat.{room}")
    @SendTo("/topic/chat.{room}")
    String chatInRoom(String text) {
        return text;
    }

    /** For a server that splits at dots: no slash at the beginning. */
    @MessageMapping("rooms.{room}.talk")
    @SendTo("/topic/rooms.{room}")
    String talk(String text) {
        return text;
    }

    /** To the sending session alone. */
    @MessageMapping("/reply")
    @SendToUser(destinations = "/queue/reply", broadcast = false)
    String reply(String text) {
        return text;
    }

    /** To every session of the sender's user. */
    @MessageMapping("/reply-all")
    @SendToUser("/queue/reply")
    String replyToAll(String text) {
        return text;
    }

    @MessageMapping("/increment")
    int increment(int number) {
        return number + 1;
    }

    @MessageMapping("/simple")
    String simple(String text) {
        return text;
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
