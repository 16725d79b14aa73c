package io.errand.auth.oidc;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jose4j.json.JsonUtil;
import org.jose4j.lang.JoseException;
import org.jspecify.annotations.Nullable;

/**
 * What a provider says of itself (OpenID Connect Discovery). Addresses that are not trustworthy are
 * left out.
 *
 * @param keys where its keys are, or null
 * @param authorization where browsers are sent, or null
 * @param token where codes are taken, or null
 * @param takesBasic whether a client may show its secret there as HTTP Basic
 * @param namesIssuer whether its answers to browsers name the issuer (RFC 9207)
 */
record ProviderMetadata(
    @Nullable String keys,
    @Nullable String authorization,
    @Nullable String token,
    boolean takesBasic,
    boolean namesIssuer) {

  /**
   * Reads that of an issuer.
   *
   * @throws IOException if it cannot be read, or is that of another
   * @throws JoseException if it is no JSON
   */
  static ProviderMetadata of(String issuer) throws IOException, JoseException {
    String base = issuer.endsWith("/") ? issuer.substring(0, issuer.length() - 1) : issuer;
    Map<String, Object> metadata =
        JsonUtil.parseJson(ProviderCalls.get(base + "/.well-known/openid-configuration"));
    if (!issuer.equals(metadata.get("issuer"))) {
      throw new IOException("its metadata names another issuer");
    }
    Object methods = metadata.get("token_endpoint_auth_methods_supported");
    return new ProviderMetadata(
        address(metadata, "jwks_uri"),
        address(metadata, "authorization_endpoint"),
        address(metadata, "token_endpoint"),
        !(methods instanceof List<?> list) || list.contains("client_secret_basic"),
        Boolean.TRUE.equals(metadata.get("authorization_response_iss_parameter_supported")));
  }

  private static @Nullable String address(Map<String, Object> metadata, String name) {
    return metadata.get(name) instanceof String url && OidcConfig.isTrustworthy(url) ? url : null;
  }
}
