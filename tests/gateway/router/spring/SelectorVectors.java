import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.messaging.Message;
import org.springframework.messaging.simp.SimpMessageHeaderAccessor;
import org.springframework.messaging.simp.SimpMessageType;
import org.springframework.messaging.simp.broker.DefaultSubscriptionRegistry;
import org.springframework.messaging.support.MessageBuilder;

/**
 * Prints tests/gateway/router/selector_vectors.inc: which messages Spring's own
 * DefaultSubscriptionRegistry delivers for each selector. Run once, by hand, with spring-messaging,
 * spring-expression, spring-core, spring-beans 7.0.8 and what they need on the class path:
 *
 * <pre>java -cp CLASSPATH SelectorVectors.java > tests/gateway/router/selector_vectors.inc</pre>
 */
public class SelectorVectors {
    private static final String DESTINATION = "/topic/a";

    /* The native headers of each message. */
    private static final List<Map<String, String>> MESSAGES = List.of(
        Map.of(), Map.of("foo", "bar"), Map.of("foo", "baz", "num", "7"), Map.of("num", "7"),
        Map.of("num", "10", "foo", "Bar"), Map.of("num", "-7", "foo", "true"), Map.of("foo", "false", "num", "1"),
        Map.of("foo", ""), Map.of("foo", "\u0001 YES\n", "num", "yes"), Map.of("foo", "1", "num", "0"),
        Map.of("foo", "On", "num", "off"), Map.of("foo", "it's", "num", "it''s"), Map.of("foo", "\"", "num", "\"\""),
        Map.of("foo", "\u00e9", "num", "e\u0301"), Map.of("foo", "\ud83d\ude00", "num", "\uffee"),
        Map.of("foo", "\ud83d\ude01x", "num", "\ud7ff"), Map.of("foo", "a\nb", "num", "a"), Map.of("foo", "\u00a01"),
        Map.of("eq", "x", "not", "true", "null", "n", "true", "t", "T", "u", "headers", "h", "and", "v", "new", "w"),
        Map.of("Foo", "bar", "foo_bar", "1", "$foo", "2", "_", "3", "x1", "4"), Map.of("destination", "/topic/b"),
        Map.of("num", "null", "foo", "NO"), Map.of("foo", "ba", "num", "007"), Map.of("foo", "bars", "num", "7.0"),
        Map.of("foo", "truee", "num", "TRUE"), Map.of("foo", "bar", "num", "bar"));

    /* Beside every header, relation and literal: see main. */
    private static final List<String> MORE = List.of(
        /* spellings */
        "headers.foo eq 'bar'", "headers.foo ne 'bar'", "headers.foo lt 'bar'", "headers.foo gt 'bar'",
        "headers.foo le 'bar'", "headers.foo ge 'bar'", "headers.foo EQ 'bar'", "headers.foo Ne 'bar'",
        "headers.foo=='bar'", " \t\r\nheaders\n.\tfoo\r==\n'bar' ", "headers.foo eq'bar'", "headers.foo == \"bar\"",
        "headers.foo == 'it''s'", "headers.foo == \"it's\"", "headers.num == \"it''s\"", "headers.num == 'it''''s'",
        "headers.foo == '\"'", "headers.foo == \"\"\"\"", "headers.num == '\"\"'", "headers.num == \"\"\"\"\"\"",
        "headers.foo == ''''", "headers.foo == \"\"", "headers.foo == 'a\nb'", "headers.foo == 'a\\nb'",
        "headers.foo == '\u00e9'", "headers.foo == '\ud83d\ude00'",
        /* names */
        "headers.Foo == 'bar'", "headers.FOO == 'bar'", "headers.foo_bar == '1'", "headers.$foo == '2'",
        "headers._ == '3'", "headers.x1 == '4'", "headers.eq == 'x'", "headers.eq eq 'x'", "headers.not == 'true'",
        "headers.null == 'n'", "headers.true == 't'", "headers.T == 'u'", "headers.headers == 'h'",
        "headers.and == 'v'", "headers.new == 'w'", "headers.not and headers.eq eq 'x'", "headers.NOT == null",
        "headers.destination == '/topic/a'", "headers.DESTINATION == '/topic/a'", "headers.destination == '/topic/b'",
        "headers.destination matches '/topic/.*'",
        /* either side, and none */
        "'bar' == headers.foo", "'bar' < headers.foo", "null != headers.foo", "7 != headers.num", "7 > headers.num",
        "headers.foo == headers.num", "headers.foo < headers.num", "headers.foo >= headers.num", "'a' < 'b'",
        "'a' == \"a\"", "null == null", "null < null", "null <= null", "true == true", "true > false", "false < true",
        "true >= true", "false > true", "true == 'true'", "true > 'true'", "true != 1", "1 == null", "1 < null", "null < 1",
        "1 != 'a'", "1 == true", "1 < true", "1 > 'a'", "TRUE", "False", "true", "false", "null", "NULL", "'true'", "'x'",
        "''", "' on '", "1", "0", "-1", "1.5", "headers.foo", "headers.num", "(headers.foo)", "headers.missing",
        /* numbers */
        "headers.num != 0x1F", "headers.num != 0XfL", "headers.num != 7L", "headers.num != 7l", "headers.num != 7.5",
        "headers.num != 7.5f", "headers.num != 7F", "headers.num != 7d", "headers.num != 7e3", "headers.num != 7.1E-3D",
        "headers.num != 7e+3f", "headers.num != 2147483647", "headers.num != -2147483647", "headers.num != +7",
        "headers.num != - 7", "headers.num != 9223372036854775807L", "headers.num != 0x7fffffff",
        "headers.num != 0x7fffffffffffffffL", "headers.num != 1e999", "headers.num != 007", "headers.num != 7and true",
        /* not: binds closer than a relation */
        "!headers.foo", "not headers.foo", "NOT headers.foo", "!!headers.foo", "not not headers.foo",
        "! ! !headers.foo", "!headers.foo == 'bar'", "not headers.foo == 'bar'", "!(headers.foo == 'bar')",
        "not (headers.foo == 'bar')", "not(headers.foo == 'bar')", "!headers.foo == true", "!headers.foo == false",
        "!headers.foo < true", "!true", "!false", "!null", "!1", "!'x'", "!'no'", "!''", "not true or true",
        "!headers.missing", "!(headers.missing == null)", "headers.foo == !headers.num", "!headers.foo == !headers.num",
        /* and, or */
        "headers.foo == 'bar' and headers.num == '7'", "headers.foo == 'baz' && headers.num == '7'",
        "headers.foo == 'bar' or headers.num == '7'", "headers.foo == 'bar' || headers.num == '7'",
        "headers.foo == 'bar' AND headers.num == 'bar'", "headers.foo == 'bar' Or headers.num == '10'",
        "headers.foo and headers.num", "headers.foo or headers.num", "headers.foo && true", "true && headers.foo",
        "headers.foo || false", "false || headers.foo", "true or headers.foo", "false and headers.foo",
        "headers.num > 5 or true", "true or headers.num > 5", "false and headers.num > 5", "headers.num > 5 and false",
        "headers.num > 5 or headers.foo == 'bar'", "headers.foo == 'bar' or headers.num > 5",
        "headers.num > 5 and headers.foo == 'bar'", "headers.foo != 'bar' and headers.num > 5",
        "true or false and false", "(true or false) and false", "false and true or true", "false and (true or true)",
        "true and true and false", "false or false or true", "true or null", "null or true", "false or null",
        "true and null", "null and false", "false and null", "true and 1", "true and 'yes'", "true and 'no'",
        "true and 'x'", "true and ''", "false or 1", "false or 'on'", "headers.foo == null or headers.foo == ''",
        "headers.foo == null and headers.num == '7'", "headers.foo != null and headers.foo != 'bar'",
        "headers.foo == 'bar' or headers.foo == 'baz' or headers.foo == 'Bar'",
        "(headers.foo == 'bar' or headers.foo == 'baz') and (headers.num == '7' or headers.num == null)",
        "headers.foo >= 'b' and headers.foo < 'c'", "headers.num >= '1' and headers.num <= '8'",
        /* parentheses and relations of relations */
        "((headers.foo)) == (('bar'))", "(headers.foo == 'bar') == true", "(headers.foo == 'bar') == (headers.num == 'bar')",
        "(headers.foo == 'bar') != (headers.num == '7')", "(headers.foo == 'bar') < (headers.num == '7')",
        "(headers.foo == 'bar') == 'true'", "true == (headers.foo < 'c')", "((((headers.foo == 'bar'))))",
        "(headers.foo or true) == true", "(headers.num > 5) == null", "null == (headers.num > 5)",
        /* strings in order, by UTF-16 */
        "headers.foo < '\uffee'", "headers.foo > '\uffee'", "headers.foo < headers.num", "headers.num < '\ud83d\ude00'",
        "headers.num > '\ud83d\ude00'", "headers.foo < '\ud83d\ude01'", "headers.foo <= 'ba'", "headers.foo > 'ba'",
        "headers.foo < 'barr'", "headers.num > '\u00e9'", "headers.num < '\ue000'",
        /* matches */
        "headers.foo matches 'bar'", "headers.foo matches 'ba'", "headers.foo matches 'ba.*'", "headers.foo MATCHES 'b[a-z]+'",
        "headers.foo matches ''", "headers.foo matches '.'", "headers.foo matches '(?i)bar'", "headers.foo matches 'bar|baz'",
        "headers.foo matches 'ba|bars'", "headers.num matches '[0-9]+'", "headers.num matches '-?\\d+'",
        "headers.num matches '^7$'", "headers.foo matches 'it''s'", "headers.foo matches \"it's\"",
        "headers.foo matches 'a.b'", "headers.foo matches 'a\\nb'", "headers.missing matches '.*'", "null matches '.*'",
        "!(headers.foo matches 'bar')", "headers.missing == null or headers.foo matches 'b.*'", "'bar' matches 'b.*'",
        "true matches 'true'", "(headers.foo == 'bar') matches 't.*'", "!headers.foo matches 'true|false'",
        "(headers.foo matches 'b.*') and headers.num matches '.*'", "headers.foo matches'bar'");

    /* What the gateway does not take. */
    private static final List<String> REFUSED = List.of(
        "headers['foo'] == 'bar'", "headers['foo']", "headers[\"foo\"] == null", "headers[foo]", "headers.foo[0]",
        "headers?.foo == 'bar'", "headers.foo.length() == 3", "headers.foo.bytes", "headers.foo == 'bar'.trim()",
        "headers", "headers == null", "!headers", "payload", "payload == 'x'", "foo == 'bar'", "foo", "eq", "eq == 'x'",
        "Headers.foo == 'bar'", "HEADERS.foo", "#root.headers.foo == 'bar'", "#foo", "@bean", "&bean", "T(String)",
        "T(java.lang.Runtime).getRuntime()", "new String('x')", "headers.get('foo') == 'bar'", "headers.foo()",
        "headers.nativeHeaders['foo']", "headers.content-type == 'a'", "headers.foo + 'x' == 'barx'", "headers.num - 1",
        "headers.num * 2 == 14", "headers.num / 2", "headers.num div 2", "headers.num % 2 == 0", "headers.num mod 2",
        "headers.num ^ 2", "headers.num++", "--headers.num", "++headers.num", "-headers.num", "+headers.num", "--7 == 7",
        "headers.num == 7 + 1", "-(7) == 7", "- -7 == 7", "-'7' == 7", "7 == 7", "7 < 8", "(7) == 7L", "7 matches '7'",
        "headers.foo ? true : false", "headers.foo ?: 'bar'", "headers.foo = 'bar'", "headers.foo == 'a' ? true : false",
        "{1, 2}", "{}", "{a:1}", "headers.foo instanceof T(String)", "headers.num between {'1', '9'}",
        "headers.foo matches headers.num", "headers.foo matches 7", "headers.foo matches null", "headers.foo matches ('a')",
        "headers.foo matches '['", "headers.foo matches '('", "headers.foo matches '*'", "headers.foo matches 'a{2,1}'",
        "headers.?[true]", "headers.![true]", "?[true]", "![true]", "headers.\u00e9 == 'x'", "\u00e9", "= 'x'", "?: 'x'",
        "", " ", "(", ")", "()", "(headers.foo", "headers.foo)", "headers.", "headers. == 'x'", "headers.foo.", "headers..foo",
        ".foo", "headers.7", "headers.'foo'", "headers foo", "headers.foo headers.num", "headers.foo 'bar'", "headers.foo 7",
        "headers.foo ==", "== 'bar'", "headers.foo == == 'bar'", "headers.foo === 'bar'", "headers.foo <> 'bar'",
        "headers.foo =! 'bar'", "headers.foo == 'bar' and", "and headers.foo", "headers.foo and and headers.foo",
        "headers.foo or", "or", "not", "!", "headers.foo !", "headers.foo not", "headers.foo == not", "!= 'bar'",
        "headers.foo == 'bar' == true", "headers.foo < 'a' < 'b'", "headers.foo matches 'a' == true", "headers.foo == 'bar",
        "headers.foo == \"bar", "headers.foo == bar'", "headers.foo == 'bar\"", "'", "\"", "'''", "headers.foo == 'it's'",
        "headers.foo == 'a' 'b'", "headers.foo & true", "headers.foo | true", "true | true", "headers.foo == \\'bar\\'",
        "headers.foo == 'a';", "headers.foo ~ 'a'", "headers.foo == `a`", "headers.foo == 'a', true", "headers.foo: 'a'",
        "headers.foo ]", "headers.foo }", "headers.num == 2147483648", "headers.num == -2147483648",
        "headers.num == 99999999999999999999", "headers.num == 9223372036854775808L", "headers.num == 0x",
        "headers.num == 0xL", "headers.num == 0x80000000", "headers.num == 0x8000000000000000L", "headers.num == 0xg",
        "headers.num == 7x", "headers.num == 7.5L", "headers.num == 7e", "headers.num == 7e+", "headers.num == 7e x",
        "headers.num == 7.", "headers.num == .7", "headers.num == 7.e3", "headers.num == 7_000", "headers.num == 7..7",
        "headers.num == 7.5.5", "headers.num == 7ff", "headers.num == 0x1Fg", "true false", "null null", "(true) (true)",
        "(true)(true)", "true (true)", "!!", "(!)", "(and)", "matches 'a'", "headers.foo matches", "headers.a like 'b'");

    private static String quote(String s) {
        StringBuilder out = new StringBuilder("SLICE(\"");
        for (byte b : s.getBytes(StandardCharsets.UTF_8)) {
            if (b < 0x20 || b == '"' || b == '\\' || b == '?')
                out.append(String.format("\\%03o", b & 0xff)); /* ?: no trigraphs */
            else
                out.append((char) b);
        }
        return out.append("\")").toString();
    }

    private static boolean parses(String selector) {
        try {
            new SpelExpressionParser().parseExpression(selector);
            return true;
        }
        catch (Throwable ex) {
            return false;
        }
    }

    private static SimpMessageHeaderAccessor accessor(SimpMessageType type) {
        SimpMessageHeaderAccessor accessor = SimpMessageHeaderAccessor.create(type);
        accessor.setDestination(DESTINATION);
        return accessor;
    }

    private static boolean delivers(String selector, Map<String, String> headers) {
        DefaultSubscriptionRegistry registry = new DefaultSubscriptionRegistry();
        registry.setSelectorHeaderName("selector");

        SimpMessageHeaderAccessor subscribe = accessor(SimpMessageType.SUBSCRIBE);
        subscribe.setSessionId("s");
        subscribe.setSubscriptionId("0");
        subscribe.setNativeHeader("selector", selector);
        registry.registerSubscription(MessageBuilder.createMessage("", subscribe.getMessageHeaders()));

        SimpMessageHeaderAccessor send = accessor(SimpMessageType.MESSAGE);
        headers.forEach(send::setNativeHeader);
        Message<?> message = MessageBuilder.createMessage("", send.getMessageHeaders());
        return !registry.findSubscriptions(message).isEmpty();
    }

    public static void main(String[] args) {
        List<String> selectors = new ArrayList<>();
        for (String header : List.of("headers.foo", "headers.num"))
            for (String relation : List.of("==", "!=", "<", ">", "<=", ">="))
                for (String literal : List.of("'bar'", "'7'", "''", "7", "-7", "5.5", "null", "true", "false"))
                    selectors.add(header + " " + relation + " " + literal);
        selectors.addAll(MORE);

        System.out.println("/* Made by tests/gateway/router/spring/SelectorVectors.java with Spring 7.0.8. Do not edit. */");
        System.out.println("static const struct {\n    struct {\n        struct slice name, value;\n    } headers[8];");
        System.out.println("} vector_messages[] = {");
        for (Map<String, String> message : MESSAGES) {
            StringBuilder row = new StringBuilder();
            message.entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(header ->
                row.append("{").append(quote(header.getKey())).append(", ").append(quote(header.getValue())).append("}, "));
            System.out.println("    {{" + (row.isEmpty() ? "{SLICE(\"\"), SLICE(\"\")}" : row) + "}},");
        }
        System.out.println("};\n");
        System.out.println("static const struct {\n    struct slice selector;");
        System.out.println("    const char *delivered; /* one digit for each message */\n} vectors[] = {");
        for (String selector : selectors) {
            if (!parses(selector))
                throw new IllegalStateException("Spring does not parse " + selector);
            StringBuilder row = new StringBuilder();
            for (Map<String, String> message : MESSAGES)
                row.append(delivers(selector, message) ? '1' : '0');
            System.out.println("    {" + quote(selector) + ",\n     \"" + row + "\"},");
        }
        System.out.println("};\n");
        System.out.println("static const struct {\n    struct slice selector;\n    bool parses; /* in Spring */\n} refused_vectors[] = {");
        for (String selector : REFUSED)
            System.out.println("    {" + quote(selector) + ", " + parses(selector) + "},");
        System.out.println("};");
    }
}
