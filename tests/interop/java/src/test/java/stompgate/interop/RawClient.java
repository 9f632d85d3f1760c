package stompgate.interop;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.springframework.web.socket.BinaryMessage;
import org.springframework.web.socket.CloseStatus;
import org.springframework.web.socket.TextMessage;
import org.springframework.web.socket.WebSocketHttpHeaders;
import org.springframework.web.socket.WebSocketSession;
import org.springframework.web.socket.client.WebSocketClient;
import org.springframework.web.socket.handler.AbstractWebSocketHandler;

/** A WebSocket whose STOMP frames are the test's own text. */
final class RawClient implements AutoCloseable {

    /** A frame as it came; headers are lines "name:value". */
    record Frame(String command, List<String> headers, String body) {

        static Frame parse(String text) {
            int end = text.indexOf("\n\n");

            if (end < 0 || !text.endsWith("\0")) {
                throw new AssertionError("not one whole STOMP frame: " + text);
            }
            List<String> lines = List.of(text.substring(0, end).split("\n"));
            return new Frame(lines.get(0), lines.subList(1, lines.size()),
                    text.substring(end + 2, text.length() - 1));
        }

        /** The first value, or null. */
        String header(String name) {
            return headers.stream().filter(line -> line.startsWith(name + ":")).findFirst()
                    .map(line -> line.substring(name.length() + 1)).orElse(null);
        }
    }

    final Inbox<Frame> frames = new Inbox<>("STOMP frames");
    final Inbox<CloseStatus> closes = new Inbox<>("close frames");

    private final WebSocketSession session;

    RawClient(WebSocketClient client, String url, String user) throws Exception {
        WebSocketHttpHeaders handshake = new WebSocketHttpHeaders();

        if (user != null) {
            handshake.set("Authorization", "Bearer " + Token.of(user));
            if (Gateway.IS_SPRING) {
                handshake.set("X-User", user);
            }
        }
        session = Client.within(client.execute(new Handler(), handshake, URI.create(url)));
    }

    /** The text of a frame; headers are lines "name:value". */
    static String frame(String command, String body, String... headers) {
        StringBuilder text = new StringBuilder(command).append('\n');

        Arrays.stream(headers).forEach(header -> text.append(header).append('\n'));
        return text.append('\n').append(body).append('\0').toString();
    }

    RawClient send(String command, String body, String... headers) throws IOException {
        session.sendMessage(new TextMessage(frame(command, body, headers)));
        return this;
    }

    /** CONNECT, without a wait for its answer. */
    RawClient connect(String version) throws IOException {
        return send("CONNECT", "", "accept-version:" + version, "heart-beat:0,0");
    }

    RawClient subscribe(String id, String destination, String... headers) throws IOException {
        String[] all = Arrays.copyOf(headers, headers.length + 2);

        all[headers.length] = "id:" + id;
        all[headers.length + 1] = "destination:" + destination;
        return send("SUBSCRIBE", "", all);
    }

    /** The next frame, which must be one of `command`. */
    Frame next(String command) throws InterruptedException {
        Frame frame = frames.next();

        if (!frame.command().equals(command)) {
            throw new AssertionError("not " + command + ": " + frame);
        }
        return frame;
    }

    @Override
    public void close() throws IOException {
        session.close();
    }

    private final class Handler extends AbstractWebSocketHandler {

        @Override
        protected void handleTextMessage(WebSocketSession from, TextMessage message) {
            add(message.getPayload());
        }

        @Override
        protected void handleBinaryMessage(WebSocketSession from, BinaryMessage message) {
            add(StandardCharsets.ISO_8859_1.decode(message.getPayload()).toString());
        }

        private void add(String text) {
            if (!text.isBlank()) { // a heart-beat
                frames.add(Frame.parse(text));
            }
        }

        @Override
        public void afterConnectionClosed(WebSocketSession closed, CloseStatus status) {
            closes.add(status);
        }
    }
}
