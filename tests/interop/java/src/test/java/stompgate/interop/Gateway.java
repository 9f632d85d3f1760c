package stompgate.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The program under test as a process: started on a free port, watched, ended. With
 * INTEROP_TARGET=spring it is a real Spring server, to try the tests themselves.
 */
final class Gateway {

    static final boolean IS_SPRING = "spring".equals(System.getenv("INTEROP_TARGET"));

    private static final Path ROOT = Path.of("../../..");
    private static final long START_SECONDS = 60;
    private static final long STOP_SECONDS = 30;
    private static final Pattern ADDRESS = Pattern.compile("\"address\":\"([^\"]+)\"");
    private static final Pattern COMPLAINT =
            Pattern.compile("Sanitizer|runtime error:|Assertion .* failed");

    /** With several workers, so that clients of one test meet different ones. */
    private static final String CONFIG = """
            workers: 3
            listeners:
              - address: 127.0.0.1:0
            admin:
              listen: 127.0.0.1:0
            endpoints:
              - path: /ws
              - path: /ws-open
                anonymous: true
            auth:
              issuers:
                - issuer: %s
                  secret: %s
                  algorithms: [HS256]
            log:
              format: json
            """.formatted(Token.ISSUER, Token.SECRET);

    private final Process process;
    private final List<String> lines = new ArrayList<>(); // guarded by itself
    private final Thread reader;
    private String address;

    private Gateway(List<String> command) throws IOException {
        process = new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        reader = new Thread(this::read, "gateway log");
        reader.setDaemon(true);
        reader.start();
    }

    /** Returns when it serves. `settings`: the sections that CONFIG has not; Spring has its own. */
    static Gateway start(String settings) throws IOException, InterruptedException {
        Gateway gateway = new Gateway(IS_SPRING ? springCommand() : gatewayCommand(settings));

        gateway.await("\"event\":\"gateway.ready\"");
        gateway.address = gateway.publicAddress();
        return gateway;
    }

    /** Spring's one endpoint asks nobody for a token. */
    String url(String path) {
        return "ws://" + address + (IS_SPRING ? "/ws" : path);
    }

    String log() {
        synchronized (lines) {
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 200), lines.size()));
        }
    }

    /** Ends it with SIGTERM; throws when it does not end clean. */
    void stop() throws InterruptedException {
        process.toHandle().destroy(); // Process.destroy() would close the log as well
        boolean hasEnded = process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);

        if (!hasEnded) {
            process.destroyForcibly();
        }
        reader.join(TimeUnit.SECONDS.toMillis(STOP_SECONDS));
        if (!hasEnded || (!IS_SPRING && process.exitValue() != 0) || COMPLAINT.matcher(log()).find()) {
            throw new AssertionError((hasEnded ? "exit " + process.exitValue() : "no end") + "\n" + log());
        }
    }

    private static List<String> gatewayCommand(String settings) throws IOException {
        String program = System.getenv().getOrDefault("STOMPGATE", "build/release/stompgate");
        Path config = Files.createTempFile("stompgate-interop", ".yaml");

        Files.writeString(config, CONFIG + settings);
        config.toFile().deleteOnExit();
        return List.of(ROOT.resolve(program).normalize().toString(), "serve", "--config", config.toString());
    }

    private static List<String> springCommand() {
        return List.of("java", "-Xmx256m", "-jar",
                ROOT.resolve("tests/interop/spring-server/target/spring-server.jar").toString(),
                "--broker.ordered=true", "--broker.heartbeat=1000,1000", "--broker.selector=selector");
    }

    private void read() {
        try (BufferedReader stderr = new BufferedReader(
                new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
            for (String line = stderr.readLine(); line != null; line = stderr.readLine()) {
                add(line);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            add("(end of the log)");
        }
    }

    private void add(String line) {
        synchronized (lines) {
            lines.add(line);
            lines.notifyAll();
        }
    }

    private void await(String text) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);

        synchronized (lines) {
            while (lines.stream().noneMatch(line -> line.contains(text))) {
                long leftMs = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (leftMs <= 0 || lines.contains("(end of the log)")) {
                    throw new AssertionError("no " + text + "\n" + log());
                }
                lines.wait(leftMs);
            }
        }
    }

    private String publicAddress() {
        synchronized (lines) {
            for (String line : lines) {
                Matcher matcher = ADDRESS.matcher(line);
                if (line.contains("\"listener.open\"") && line.contains("\"public\"") && matcher.find()) {
                    return matcher.group(1);
                }
            }
        }
        throw new AssertionError("no public listener\n" + log());
    }
}
