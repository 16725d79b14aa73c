package io.errand.auth.oidc;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.text.FuzzedText;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.jose4j.jwk.EcJwkGenerator;
import org.jose4j.jwk.EllipticCurveJsonWebKey;
import org.jose4j.jwk.JsonWebKey;
import org.jose4j.keys.EllipticCurves;
import org.jose4j.lang.JoseException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** Whatever looks like a token, none is valid that the provider has not signed. */
@Tag("fuzz")
class TokenCheckFuzzTest {
  private static final TokenCheck CHECK = new TokenCheck("https://issuer", "errand");
  private static final EllipticCurveJsonWebKey KEY = key();

  private static EllipticCurveJsonWebKey key() {
    try {
      EllipticCurveJsonWebKey key = EcJwkGenerator.generateJwk(EllipticCurves.P256);
      key.setKeyId("k");
      return key;
    } catch (JoseException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String base64(String text) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void checkIsNotValid(String token) {
    if (!TokenCheck.isToken(token)) {
      return;
    }
    TokenCheck.Signed signed = CHECK.read(token);
    if (signed == null) {
      return;
    }
    JsonWebKey found = signed.key(List.of(KEY));
    assertThat(found == null || found == KEY).isTrue();
    assertThat(CHECK.valid(signed, KEY)).isNull();
  }

  /** A token as it is, or header, claims and signature behind one another, a line each. */
  @FuzzTest
  @Timeout(60)
  void noTokenIsValidThatIsNotSigned(byte[] bytes) {
    String text = FuzzedText.of(bytes);
    checkIsNotValid(text);
    String[] parts = text.split("\n", 3);
    if (parts.length == 3) {
      checkIsNotValid(base64(parts[0]) + "." + base64(parts[1]) + "." + base64(parts[2]));
      checkIsNotValid(base64(parts[0]) + "." + base64(parts[1]) + ".");
    }
    Map<String, Object> claims = Map.of("a", Map.of("b", List.of(text)), "sub", text);
    assertThat(Claims.texts(claims, text)).hasSizeLessThanOrEqualTo(1);
    String shown = Claims.text(claims, "sub", 10);
    assertThat(shown == null || shown.length() <= 10).isTrue();
  }
}
