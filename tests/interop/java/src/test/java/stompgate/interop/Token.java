package stompgate.interop;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Tokens (JWT, HS256) as an application's login would issue them. */
final class Token {

    static final String ISSUER = "https://issuer.example";
    static final String SECRET = "a-secret-of-the-interop-tests-that-is-long-enough";

    private static final long LIFE_SECONDS = 600;

    private Token() {
    }

    /** Good for ten minutes. */
    static String of(String user) {
        return sign(user, Instant.now().getEpochSecond() + LIFE_SECONDS, SECRET);
    }

    static String expired(String user) {
        return sign(user, Instant.now().getEpochSecond() - LIFE_SECONDS, SECRET);
    }

    static String ofAnotherSecret(String user) {
        return sign(user, Instant.now().getEpochSecond() + LIFE_SECONDS, SECRET + "!");
    }

    private static String sign(String user, long expires, String secret) {
        String signed = encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}") + "."
                + encode("{\"iss\":\"%s\",\"sub\":\"%s\",\"exp\":%d}".formatted(ISSUER, user, expires));

        try {
            Mac mac = Mac.getInstance("HmacSHA256");

            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            return signed + "." + encode(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static String encode(String text) {
        return encode(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
