import java.util.List;
import org.springframework.util.AntPathMatcher;

/**
 * Prints tests/base/ant_vectors.inc: what Spring's own AntPathMatcher says about each pattern and
 * each path. Run once, by hand, with spring-core 7.0.8 and its dependencies on the class path:
 *
 * <pre>java -cp CLASSPATH AntVectors.java > tests/base/ant_vectors.inc</pre>
 */
public class AntVectors {
    private static final List<String> PATTERNS = List.of(
        "", "/", "a", "a/", "/a", "/a/", "/topic/a", "/topic//a", "//topic/a/", "*", "/*", "/*/", "**",
        "/**", "/**/", "/?", "/??", "/*/*", "/*/*/", "/**/*", "/*/**", "/**/**", "/**/a", "/**/a/",
        "/a/**", "/a/**/b", "/a/**/b/", "/a/**/b/**", "/a/**/b/**/c", "/**/b/**/b", "/**/*/b",
        "/a/*/**/c", "/topic/*", "/topic/*/", "/topic/**", "/topic/**/", "/topic/***", "/topic/a*",
        "/topic/*a", "/topic/a*b", "/topic/*a*", "/topic/**a", "/topic/a**b", "/topic/?", "/topic/??",
        "/topic/a?c", "/topic/?*", "/topic/*?", "/topic/PRICE.STOCK.*.IBM", "/topic/*.*", "/topic/{x}",
        "/topic/{x}/{y}", "/topic/a{x}b", "/topic/{x}.{y}", "/topic/{}", "/topic/{x", "/topic/x}",
        "/topic/{x}/", "/{x}/**", "/topic/{a/b}", "/topic/**/{x}", "/topic/{x}*?", "/topic/{*", "/{*rest}");

    private static final List<String> PATHS = List.of(
        "", "/", "//", "a", "a/", "/a", "/a/", "//a", "/a//", "/b", "/ab", "/a/b", "/a/b/", "/a/c", "/a//b",
        "/a/b/c", "/a/x/b", "/a/x/y/b/", "/a/b/b", "/a/b/x/c", "/a/b/b/c", "/a/x/c/b", "/b/b", "/x/b/y/b",
        "/topic", "/topic/", "/topic//", "/topic/a", "/topic/a/", "/topic//a", "/topic/A", "/topic/ab",
        "/topic/abc", "/topic/aXb", "/topic/ba", "/topic/aab", "/topic/a/b", "/topic/a/b/", "/topic/a.b",
        "/topic/PRICE.STOCK.NYSE.IBM", "/topic/PRICE.STOCK.a.b.IBM", "/topic/\u00e9", "/topic/a\u20acc",
        "/topic/\ud83d\ude00", "/topic/a\nc", "/topic/{x}", "/topic/{}", "/topic/{x", "/topic/x}", "/topic/{a/b}",
        "/topic/*", "/topic/**", "/topic/?", "/topic/.", "topic/a", " /topic/a", "/topic/ ");

    private static String quote(String s) {
        StringBuilder out = new StringBuilder("\"");
        for (byte b : s.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
            if (b < 0x20 || b == '"' || b == '\\' || b == '?')
                out.append(String.format("\\%03o", b & 0xff)); /* ?: no trigraphs */
            else
                out.append((char) b);
        }
        return out.append('"').toString();
    }

    public static void main(String[] args) {
        AntPathMatcher matcher = new AntPathMatcher();

        System.out.println("/* Made by tests/base/spring/AntVectors.java with spring-core 7.0.8. Do not edit. */");
        System.out.println("static const struct slice vector_paths[] = {");
        for (String path : PATHS)
            System.out.println("    SLICE(" + quote(path) + "),");
        System.out.println("};\n");
        System.out.println("static const struct {\n    struct slice pattern;\n    bool is_pattern;");
        System.out.println("    const char *matches; /* one digit for each path */\n} vectors[] = {");
        for (String pattern : PATTERNS) {
            StringBuilder row = new StringBuilder();
            for (String path : PATHS)
                row.append(matcher.match(pattern, path) ? '1' : '0');
            System.out.println("    {SLICE(" + quote(pattern) + "), " + matcher.isPattern(pattern) + ",\n     \""
                + row + "\"},");
        }
        System.out.println("};");
    }
}
