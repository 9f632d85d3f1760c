import java.nio.charset.StandardCharsets;
import java.util.List;
import org.springframework.http.server.ServletServerHttpRequest;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.web.cors.CorsConfiguration;
import org.springframework.web.util.WebUtils;

/**
 * Prints tests/auth/origin_vectors.inc: what Spring's own checks say. Run once, by hand, with
 * spring-web, spring-test 7.0.8 and the servlet API 6.1.0 on the class path:
 *
 * <pre>java -cp CLASSPATH OriginVectors.java > tests/auth/origin_vectors.inc</pre>
 */
public class OriginVectors {
    private static final List<String> ORIGINS = List.of(
        "http://a.com", "http://a.com/", "http://A.com", "HTTP://a.com", "https://a.com", "http://a.com:80",
        "http://a.com:8080", "https://a.com:443", "https://a.com:8081", "http://b.a.com", "http://c.b.a.com",
        "http://xa.com", "http://a.com.evil.org", "http://b.a.com:8080", "http://b.a.com:80801", "http://b.a.com:",
        "http://a.com//", "null", "NULL", "a.com", "//a.com", "http://[::1]", "http://[::1]:8080",
        "https://[fe80::1]:8081", "http://localhost:3000", "http://127.0.0.1", "*", "/", "ws://a.com", "wss://a.com");

    private static final List<List<List<String>>> RULES = List.of(
        List.of(List.of(), List.of()), List.of(List.of("*"), List.of()), List.of(List.of(), List.of("*")),
        List.of(List.of("http://a.com"), List.of()), List.of(List.of("HTTP://A.COM/"), List.of()),
        List.of(List.of("http://a.com:80", "null"), List.of()), List.of(List.of("http://x.org, https://a.com"), List.of()),
        List.of(List.of("http://[::1]:8080,http://localhost:3000"), List.of()),
        List.of(List.of("http://*.a.com"), List.of()), List.of(List.of(), List.of("http://*.a.com")),
        List.of(List.of(), List.of("http://*a.com")), List.of(List.of(), List.of("http://*.A.com")),
        List.of(List.of(), List.of("http://a.com/")), List.of(List.of(), List.of("http://*.a.com:[*]")),
        List.of(List.of(), List.of("http://*.a.com:[8080,8081]")), List.of(List.of(), List.of("*://a.com:[8080,8081]")),
        List.of(List.of(), List.of("*://a.com:[443]")), List.of(List.of(), List.of("http://[::1]:[*]")),
        List.of(List.of(), List.of("http*://*:[8080,8081],http://localhost:[*]")), List.of(List.of(), List.of("http://*:*")),
        List.of(List.of(), List.of("*:[*]")), List.of(List.of(), List.of("http://a.com:[]")),
        List.of(List.of(), List.of("http://a.com:[80,]")), List.of(List.of(), List.of("http://a?com")),
        List.of(List.of(), List.of("n*")), List.of(List.of("null"), List.of("https://*")),
        List.of(List.of(), List.of("http://**.a.com")));

    /* scheme, Host, Origin */
    private static final String[][] PAIRS = {
        {"http", "a.com", "http://a.com"}, {"http", "a.com", "http://a.com/"}, {"http", "a.com", "HTTP://a.com"},
        {"http", "a.com", "http://A.com"}, {"http", "A.com", "http://a.com"}, {"http", "A.com", "http://A.com"},
        {"http", "a.com", "https://a.com"}, {"https", "a.com", "https://a.com"}, {"https", "a.com", "http://a.com"},
        {"http", "a.com:80", "http://a.com"}, {"http", "a.com", "http://a.com:80"}, {"https", "a.com:443", "https://a.com"},
        {"https", "a.com", "https://a.com:443"}, {"http", "a.com:8080", "http://a.com:8080"},
        {"http", "a.com:8080", "http://a.com"}, {"http", "a.com", "http://a.com:8080"}, {"http", "a.com:443", "https://a.com"},
        {"http", "a.com", "ws://a.com"}, {"https", "a.com", "wss://a.com"}, {"wss", "a.com", "https://a.com"},
        {"wss", "a.com", "wss://a.com"}, {"wss", "a.com", "wss://a.com:443"}, {"ws", "a.com", "ws://a.com:80"},
        {"http", "[::1]", "http://[::1]"}, {"http", "[::1]:8080", "http://[::1]:8080"}, {"http", "[::1]:8080", "http://[::1]"},
        {"http", "[::1]", "http://[::2]"}, {"http", "a.com", "null"}, {"http", "a.com", ""}, {"http", "a.com", "   "},
        {"http", "a.com", "a.com"}, {"http", "a.com", "http://b.com"}, {"http", "a.com", "http://a.com.b.com"},
        {"http", "a.com", "http://a.com@b.com"}, {"http", "a.com", "http://xa.com"}, {"http", "a.com", "http://"},
        {"http", "127.0.0.1:8080", "http://127.0.0.1:8080"}, {"http", "localhost", "http://127.0.0.1"},
        {"http", "a.com", "http://a.co"}};

    private static String quote(String s) {
        return "SLICE(\"" + s.replace("?", "\\077") + "\")";
    }

    private static String list(List<String> values) {
        StringBuilder out = new StringBuilder("{");
        for (String value : values)
            out.append(quote(value)).append(", ");
        return out.append("{NULL, 0}}").toString();
    }

    public static void main(String[] args) {
        System.out.println("/* Made by tests/auth/spring/OriginVectors.java with spring-web 7.0.8. Do not edit. */");
        System.out.println("static const struct slice vector_origins[] = {");
        for (String origin : ORIGINS)
            System.out.println("    " + quote(origin) + ",");
        System.out.println("};\n\nstatic const struct {\n    struct slice origins[3];\n    struct slice patterns[3];");
        System.out.println("    const char *allowed; /* one digit for each origin */\n} rule_vectors[] = {");
        for (List<List<String>> rules : RULES) {
            CorsConfiguration cors = new CorsConfiguration();
            cors.setAllowedOrigins(rules.get(0));
            cors.setAllowedOriginPatterns(rules.get(1));
            StringBuilder row = new StringBuilder();
            for (String origin : ORIGINS)
                row.append(cors.checkOrigin(origin) != null ? '1' : '0');
            System.out.println("    {" + list(rules.get(0)) + ", " + list(rules.get(1)) + ",\n     \"" + row + "\"},");
        }
        System.out.println("};\n\nstatic const struct {\n    struct slice scheme;\n    struct slice host;");
        System.out.println("    struct slice origin;\n    bool same;\n} same_vectors[] = {");
        for (String[] pair : PAIRS) {
            MockHttpServletRequest request = new MockHttpServletRequest("GET", "/ws");
            request.setScheme(pair[0]);
            request.setServerPort(pair[0].equals("https") || pair[0].equals("wss") ? 443 : 80);
            request.addHeader("Host", pair[1]);
            request.addHeader("Origin", pair[2]);
            String same;
            try {
                same = String.valueOf(WebUtils.isSameOrigin(new ServletServerHttpRequest(request)));
            } catch (RuntimeException e) {
                same = "false /* throws */";
            }
            System.out.println("    {" + quote(pair[0]) + ", " + quote(pair[1]) + ", " + quote(pair[2]) + ", " + same + "},");
        }
        System.out.println("};");
    }
}
