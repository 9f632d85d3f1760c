import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.PatternSyntaxException;
import org.springframework.util.AntPathMatcher;

/**
 * Prints tests/base/ant_vectors.inc: what Spring's own AntPathMatcher says about each pattern and
 * each path, which values it extracts, and which of two patterns it prefers, with both separators.
 * Run once, by hand, with spring-core 7.0.8 and its dependencies on the class path:
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
        "/topic/{x}/", "/{x}/**", "/topic/{a/b}", "/topic/**/{x}", "/topic/{x}*?", "/topic/{*", "/{*rest}",
        /* several wildcards of one token: who takes what */
        "/topic/{x}{y}", "/topic/{x}?{y}", "/topic/?{x}", "/topic/*{x}", "/topic/{x}*", "/topic/{x}a{y}",
        "/topic/{x}a*{y}b?", "/topic/{a}.{b}.{c}", "/topic/a{x}?", "/topic/{x}\u20ac{y}",
        /* one name twice, and `**` between */
        "/{x}/{x}", "/{x}/**/{x}", "/{x}/**/{y}/{x}", "/**/{x}/b/**", "/**/{x}/**/{x}/**", "/**/{x}/b/{x}/**",
        "/{x}/**/{x}/**/{x}/{y}", "/topic/{x}{x}", "/a/{x}/*", "/{x}/*", "/a/**/{x}.{y}",
        /* regular expressions */
        "/topic/{id:[0-9]+}", "/topic/{id:[0-9]{2}}", "/topic/{id:\\d{1,3}}", "/topic/{id:[^.]+}.{rest:.*}",
        "/topic/{x:a|ab}b", "/topic/{x:a*}{y:.*}", "/topic/{x:.*?}{y:.*}", "/topic/{x:.*}{y}", "/topic/a{x:b?}",
        "/topic/{x:}", "/topic/{:}", "/topic/{:.+}", "/topic/a{x:}", "/topic/{x:.}", "/topic/{x:(?-s).}c",
        "/topic/{x:(?i)a}b", "/topic/{x:\\w+}-{y:\\w+}", "/topic/*{x:\\d}", "/topic/?{x:\\d*}",
        "/topic/{x:(a|b)c?}", "/topic/{x:(?:a|b)+}", "/topic/{x:\\Qa.b\\E}", "/topic/{x:\\p{L}+}", "/topic/{x:\\p{Alpha}+}",
        "/topic/{x:[\\u00e9]}", "/topic/{x:.}{y:.}", "/topic/{x}.{y:\\d+}", "/topic/{x:\\d+}.{y}", "/topic/.{x:[ab]}",
        "/topic/(a{x:b}", "/topic/\\E{x:a}", "/topic/a.{x:b}", "/topic/{x:a}|{y:b}", "/topic/[{x:a}]", "/topic/{x:^a$}",
        "/topic/{x:(?=a).*}", "/topic/{x:a(?!b).*}", "/topic/{x:.*(?<=b)}", "/topic/{x:(.)\\2}", "/{p:topic|queue}/{x}",
        "/{p:[a-t]+}/**/{x:[ab]}", "/**/{x:\\d}/{y:[a-z]}/**", "/{x:[a-z]}/**/{x:[b-z]}", "/**/{x:[ab]}", "/topic/{x:\\d+}/",
        "/topic/**/{x:a}/{x:b}", "/topic/{x:\\{}", "/topic/{x:[{]}", "/topic/{x:a{2}b{1,2}}",
        "/topic/{x:a{2}}{y:b{2}}", "/topic/{x:a,b}", "/topic/{x:y:z}", "/topic/{*x:a}",
        /* what braces within braces are */
        "/topic/{a{b}}", "/topic/{a{b}c}", "/topic/{a{b}", "/topic/{{a}", "/topic/{{a}}", "/topic/{a}}", "/topic/{}}",
        "/topic/{a{b{c}}}", "/topic/{a\\{b}", "/topic/{a\\}b}", "/topic/{a\\{b\\}}", "/topic/{{}a}", "/topic/{a{}}",
        "/topic/{a{}b}", "/topic/}{", "/topic/{a}{", "/topic/{a{x:y}}", "/topic/a{b}c{d", "/topic/{*}", "/topic/{?}",
        "/topic/\u20ac?{x}", "/topic/\ud83d\ude00{x:.}");

    private static final List<String> PATHS = List.of(
        "", "/", "//", "a", "a/", "/a", "/a/", "//a", "/a//", "/b", "/ab", "/a/b", "/a/b/", "/a/c", "/a//b",
        "/a/b/c", "/a/x/b", "/a/x/y/b/", "/a/b/b", "/a/b/x/c", "/a/b/b/c", "/a/x/c/b", "/b/b", "/x/b/y/b",
        "/topic", "/topic/", "/topic//", "/topic/a", "/topic/a/", "/topic//a", "/topic/A", "/topic/ab",
        "/topic/abc", "/topic/aXb", "/topic/ba", "/topic/aab", "/topic/a/b", "/topic/a/b/", "/topic/a.b",
        "/topic/PRICE.STOCK.NYSE.IBM", "/topic/PRICE.STOCK.a.b.IBM", "/topic/\u00e9", "/topic/a\u20acc",
        "/topic/\ud83d\ude00", "/topic/a\nc", "/topic/{x}", "/topic/{}", "/topic/{x", "/topic/x}", "/topic/{a/b}",
        "/topic/*", "/topic/**", "/topic/?", "/topic/.", "topic/a", " /topic/a", "/topic/ ", "/topic/1", "/topic/12",
        "/topic/123", "/topic/a1", "/topic/a.1", "/topic/1.a", "/topic/12.34", "/topic/a-b", "/topic/aa", "/topic/bb",
        "/topic/aabb", "/topic/aabbb", "/topic/Ab", "/topic/AB", "/topic/abab", "/topic/.a", "/topic/(ab", "/topic/[a]",
        "/topic/a|b", "/topic/\\Ea", "/topic/}", "/topic/{", "/topic/a}", "/topic/{a}", "/topic/{a", "/topic/{a{b}",
        "/topic/}{", "/topic/\u20ac\ud83d\ude00", "/topic/\ud83d\ude00\u20ac", "/topic/a,b", "/topic/a\u20ac\u20acb", "/queue/a",
        "/queue/1/a", "/1/a/b", "/topic/1/a/2/b", "/topic/a/b/a/b", "/a/b/c/a/b/c", "/topic/n", "/topic/\n", "/topic/y:z",
        "/topic/z");

    private static final List<String> DOT_PATTERNS = List.of(
        "", ".", "a", "a.", ".a", ".a.", "*", "**", "*.*", "a.*", "a.**", "**.a", "a.**.b", ".*", ".**", "a.*.", "*.a.**",
        "/topic/a", "/topic/a.*", "/topic/a.**", "/topic/*", "/topic/**", "/topic/*.*", "/topic/*.b", "/topic/a.?", "/topic/a?b",
        "/topic/**.b", "/*/a", "/**", "/topic/chat.{room}", "/topic/{x}.{y}", "/topic/{x}", "/{x}.**", "{x}.{y}", "{x}.**.{y}",
        "{x}.**.{x}", "**.{x}.b.**", "chat.{room}", "chat.{room:[a-z]+}", "chat.{room:[0-9]{2}}", "chat.{room:[a-z]+}.{n:\\d+}",
        "chat.{x}-{y:\\d+}", "{x:a/b}", "{x:.}", "{a/b}", "/topic/{a/b}", "a.{x:[^/]+}.b", "/topic/a.{x}.*", "price.stock.*.ibm",
        "price.stock.**", "{x:a|b}.{y:(?:c|d)}", "a..b", "chat.{x", "a.*b.c", "a.b*", "/app/{x:.+}", "a.**.{x:\\d}.{y:\\d}");

    private static final List<String> DOT_PATHS = List.of(
        "", ".", "..", "a", "b", "ab", "a.", ".a", ".a.", "a.b", "a.b.", "a..b", "a.b.c", "a.b.b", "a.c", "b.a", "b.b.b", ".a.b", "/a",
        "/a.b", "/topic/a", "/topic/a.", "/topic/a.b", "/topic/a.b.c", "/topic/a/b", "/topic/a/b.c", "/topic/axb", "/topic/ab", "/topic",
        "/topic/", "/topic/chat.room", "/topic/chat.", "/topic/chat.1.2", "/topic/x/y.z", "chat", "chat.", "chat.a", "chat.12",
        "chat.abc", "chat.abc.1", "chat.abc.x", "chat.a-1", "chat.a/b-12", "a/b", "a/b.c", "{a/b}", "price.stock.nyse.ibm",
        "price.stock.a.b.ibm", "price.stock", "a.x/y.b", "a.xb.c", "a.c.b", "a.1.2", "a.b.1.2", "a.\u20ac.b", "/app/a", "/app/a.b", "x.y.z",
        "b.d", "a.d");

    /** Patterns whose regular expression Java does not compile. */
    private static final List<String> BROKEN = List.of(
        "/topic/{a:[}", "/topic/{a:(}", "/topic/{a:)}", "/topic/{a:*}", "/topic/{a:[b-a]}", "/topic/{a:\\}", "/topic/{a:\\y}",
        "/topic/{a:(?<1>x)}", "/topic/{a:{b}}", "/topic/{a:b**}", "/topic/{a:\\p{Nix}}", "/topic/x{a:\\Qb}y", "/topic/{a:(?P<n>x)}",
        "/topic/{a:\\}}", "/topic/{a:(*ACCEPT)}", "/topic/{a:(?R)}", "/topic/{a:\\C}", "/topic/{a:\\K}", "/topic/{a:(?C)}");

    private static String quote(String s) {
        StringBuilder out = new StringBuilder("\"");
        for (byte b : s.getBytes(StandardCharsets.UTF_8)) {
            if (b < 0x20 || b == '"' || b == '\\' || b == '?')
                out.append(String.format("\\%03o", b & 0xff)); /* ?: no trigraphs */
            else
                out.append((char) b);
        }
        return out.append('"').toString();
    }

    /** Each name and its value, every one of them with a NUL behind it. */
    private static String join(Map<String, String> variables) {
        StringBuilder out = new StringBuilder();
        for (Map.Entry<String, String> e : variables.entrySet())
            out.append(e.getKey()).append('\0').append(e.getValue()).append('\0');
        return out.toString();
    }

    private static void printTable(String name, String separator, List<String> patterns, List<String> paths) {
        AntPathMatcher matcher = new AntPathMatcher(separator);
        List<String> values = new ArrayList<>();

        System.out.println("\nstatic const struct slice " + name + "_paths[] = {");
        for (String path : paths)
            System.out.println("    SLICE(" + quote(path) + "),");
        System.out.println("};\n\nstatic const struct ant_vector " + name + "_vectors[] = {");
        for (String pattern : patterns) {
            StringBuilder matches = new StringBuilder();
            StringBuilder order = new StringBuilder();
            boolean extracts = true;

            for (int i = 0; i < paths.size(); i++) {
                boolean match;

                try {
                    match = matcher.match(pattern, paths.get(i));
                } catch (PatternSyntaxException e) {
                    throw new AssertionError(pattern, e);
                }
                matches.append(match ? '1' : '0');
                if (!match || pattern.indexOf('{') < 0)
                    continue;
                try {
                    Map<String, String> variables = matcher.extractUriTemplateVariables(pattern, paths.get(i));

                    if (!variables.isEmpty())
                        values.add("    {" + patterns.indexOf(pattern) + ", " + i + ", SLICE(" + quote(join(variables)) + ")},");
                } catch (IllegalArgumentException e) {
                    extracts = false;
                }
            }
            /* The order depends on a path only where that is one of the patterns. */
            Comparator<String> comparator = matcher.getPatternComparator(pattern);
            for (String other : patterns) {
                int c = Integer.signum(comparator.compare(pattern, other));
                int d = Integer.signum(matcher.getPatternComparator("-").compare(pattern, other));

                order.append((char) ('a' + (c + 1) * 3 + d + 1));
            }
            System.out.println("    {SLICE(" + quote(pattern) + "), " + matcher.isPattern(pattern) + ", " + extracts
                + ",\n     \"" + matches + "\",\n     \"" + order + "\"},");
        }
        System.out.println("};\n\nstatic const struct ant_values " + name + "_values[] = {");
        values.forEach(System.out::println);
        System.out.println("};");
    }

    public static void main(String[] args) {
        System.out.println("/* Made by tests/base/spring/AntVectors.java with spring-core 7.0.8. Do not edit. */");
        System.out.println("struct ant_vector {\n    struct slice pattern;\n    bool is_pattern;");
        System.out.println("    bool can_extract;    /* as far as the paths show */");
        System.out.println("    const char *matches; /* one digit for each path */");
        System.out.println("    const char *order;   /* one letter for each pattern: 'a' + (1 + how the two compare for a path");
        System.out.println("                            that is this pattern) * 3 + 1 + how they do for another path */\n};");
        System.out.println("\nstruct ant_values {\n    size_t pattern;\n    size_t path;");
        System.out.println("    struct slice values; /* name NUL value NUL ... */\n};");
        printTable("slash", "/", PATTERNS, PATHS);
        printTable("dot", ".", DOT_PATTERNS, DOT_PATHS);
        System.out.println("\nstatic const struct slice broken_patterns[] = {");
        for (String pattern : BROKEN) {
            try {
                new AntPathMatcher().match(pattern, "/topic/x");
                throw new AssertionError(pattern);
            } catch (PatternSyntaxException e) {
                System.out.println("    SLICE(" + quote(pattern) + "),");
            }
        }
        System.out.println("};");
    }
}
