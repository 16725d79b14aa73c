package io.errand.auth.oidc;

import io.errand.auth.Identity;
import io.errand.auth.NoRole;
import io.errand.auth.ProviderAway;
import io.errand.auth.ProviderClaims;
import io.errand.auth.ProviderSignIn;
import io.errand.auth.SignIn;
import io.errand.auth.SignInRefused;
import io.errand.auth.oidc.OidcTokens.Provider;
import io.errand.auth.oidc.OidcTokens.RoleClaims;
import io.errand.auth.oidc.TokenCheck.Valid;
import io.errand.network.BoundedCall.Answer;
import jakarta.enterprise.context.ApplicationScoped;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jose4j.json.JsonUtil;
import org.jose4j.lang.JoseException;
import org.jspecify.annotations.Nullable;

/** The console as a client of the identity provider. */
@ApplicationScoped
class OidcSignIn implements ProviderSignIn {
  private static final Logger LOG = Logger.getLogger(OidcSignIn.class);
  private static final int MOST_AT_ONCE = 8;
  private static final int PATIENCE_SECONDS = 15;
  private static final String NOT_RIGHT = "The identity token of the provider is not right";

  private final OidcConfig config;
  private final OidcTokens tokens;
  private final Semaphore places = new Semaphore(MOST_AT_ONCE);

  OidcSignIn(OidcConfig config, OidcTokens tokens) {
    this.config = config;
    this.tokens = tokens;
  }

  @Override
  public @Nullable String provider() {
    if (config.oidcIssuer().isEmpty() || config.oidcConsoleClientId().isEmpty()) {
      return null;
    }
    return config
        .oidcConsoleName()
        .orElseGet(() -> String.valueOf(URI.create(config.oidcIssuer().get()).getHost()));
  }

  private String clientId() {
    return config.oidcConsoleClientId().orElseThrow();
  }

  private Provider configured() throws SignInRefused {
    Provider provider = tokens.provider();
    if (provider == null || provider.identityCheck() == null) {
      throw new SignInRefused("Nobody can sign in by way of an identity provider here");
    }
    return provider;
  }

  @Override
  public String address(SignIn signIn, String redirectUri) throws SignInRefused {
    ProviderMetadata metadata = await(configured().keys().metadata());
    String url = metadata.authorization();
    if (url == null) {
      throw new SignInRefused(
          "The metadata of the identity provider name no address to sign in at");
    }
    Map<String, String> parameters = new LinkedHashMap<>();
    parameters.put("response_type", "code");
    parameters.put("client_id", clientId());
    parameters.put("redirect_uri", redirectUri);
    parameters.put("scope", config.oidcConsoleScope());
    parameters.put("state", signIn.state());
    parameters.put("nonce", signIn.nonce());
    parameters.put("code_challenge", signIn.challenge());
    parameters.put("code_challenge_method", "S256");
    return url + (url.indexOf('?') < 0 ? "?" : "&") + form(parameters);
  }

  @Override
  public ProviderClaims exchange(
      SignIn signIn, @Nullable String issuer, String code, String redirectUri)
      throws SignInRefused, SQLException {
    Provider by = configured();
    ProviderMetadata metadata = await(by.keys().metadata());
    String own = config.oidcIssuer().orElseThrow();
    if (issuer == null ? metadata.namesIssuer() : !issuer.equals(own)) {
      throw new SignInRefused("The answer is not of the identity provider of this server");
    }
    Map<String, Object> answer = take(metadata, signIn, code, redirectUri);
    if (!(answer.get("id_token") instanceof String identityToken)) {
      throw new SignInRefused("The identity provider has sent no identity token");
    }
    Valid identity = valid(by, by.identityCheck(), identityToken);
    if (identity == null || !isOf(signIn, identity.claims())) {
      throw new SignInRefused(NOT_RIGHT);
    }
    Valid counting = accessToken(by, answer, identity);
    RoleClaims claims = tokens.roleClaims(by, counting.claims());
    if (tokens.identity(by, counting, claims) == null) {
      throw new NoRole(config.oidcRoleClaim());
    }
    return new ProviderClaims(
        identity.subject(),
        counting == identity ? identity.name() : name(counting, identity),
        List.copyOf(claims.values()),
        List.copyOf(claims.projects()),
        counting.expiresAt());
  }

  /** An access token names people less often than an identity token. */
  private static String name(Valid access, Valid identity) {
    return identity.name().equals(identity.subject()) ? access.name() : identity.name();
  }

  /**
   * The access token, if it is one that the API takes: the session may do what its bearer may. Else
   * the identity token.
   */
  private Valid accessToken(Provider by, Map<String, Object> answer, Valid identity)
      throws SignInRefused, SQLException {
    if (!(answer.get("access_token") instanceof String text) || !TokenCheck.isToken(text)) {
      return identity;
    }
    Valid access = valid(by, by.check(), text);
    if (access == null) {
      return identity;
    }
    if (!access.subject().equals(identity.subject())) {
      throw new SignInRefused("The tokens of the identity provider are of different people");
    }
    return access;
  }

  /** Whether an identity token answers this sign-in, of this client. */
  private boolean isOf(SignIn signIn, Map<String, Object> claims) {
    Object party = claims.get("azp");
    boolean isOfMany = claims.get("aud") instanceof List<?> audiences && audiences.size() > 1;
    return (party == null ? !isOfMany : clientId().equals(party))
        && claims.get("nonce") instanceof String nonce
        && SignIn.isSame(signIn.nonce(), nonce);
  }

  private @Nullable Valid valid(Provider by, @Nullable TokenCheck check, String token)
      throws SQLException {
    return check == null || !TokenCheck.isToken(token)
        ? null
        : awaitWithDatabase(tokens.<Valid>find(by, check, token, valid -> valid));
  }

  private Map<String, Object> take(
      ProviderMetadata metadata, SignIn signIn, String code, String redirectUri)
      throws SignInRefused {
    String url = metadata.token();
    if (url == null) {
      throw new SignInRefused("The metadata of the identity provider name no address of tokens");
    }
    Map<String, String> parameters = new LinkedHashMap<>();
    parameters.put("grant_type", "authorization_code");
    parameters.put("code", code);
    parameters.put("redirect_uri", redirectUri);
    parameters.put("code_verifier", signIn.verifier());
    String secret = config.consoleClientSecret();
    Map<String, String> headers = Map.of();
    if (secret != null && metadata.takesBasic()) {
      String pair = encoded(clientId()) + ":" + encoded(secret);
      headers =
          Map.of(
              "Authorization",
              "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8)));
    } else {
      parameters.put("client_id", clientId());
      if (secret != null) {
        parameters.put("client_secret", secret);
      }
    }
    Answer answer = post(url, form(parameters), headers);
    try {
      Map<String, Object> json = JsonUtil.parseJson(answer.body());
      if (answer.status() == HttpURLConnection.HTTP_OK) {
        return json;
      }
      LOG.infof(
          "The identity provider does not take a code: %s %s",
          answer.status(), Claims.text(json, "error", 100));
    } catch (JoseException e) {
      LOG.infof("The identity provider answers %s, and no JSON", answer.status());
    }
    if (answer.status() >= HttpURLConnection.HTTP_INTERNAL_ERROR) {
      throw new ProviderAway(config.oidcIssuer().orElseThrow());
    }
    throw new SignInRefused("The identity provider does not take the code of this sign-in");
  }

  private Answer post(String url, String form, Map<String, String> headers) throws SignInRefused {
    if (!places.tryAcquire()) {
      throw new SignInRefused("Too many people sign in at the moment");
    }
    try {
      return ProviderCalls.post(url, form, headers);
    } catch (IOException e) {
      LOG.warnf("The identity provider does not answer: %s", e.getMessage());
      throw new ProviderAway(config.oidcIssuer().orElseThrow());
    } finally {
      places.release();
    }
  }

  private static String form(Map<String, String> parameters) {
    return parameters.entrySet().stream()
        .map(one -> one.getKey() + "=" + encoded(one.getValue()))
        .collect(Collectors.joining("&"));
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private <T> T await(CompletableFuture<T> result) {
    try {
      return awaitWithDatabase(result);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private <T extends @Nullable Object> T awaitWithDatabase(CompletableFuture<T> result)
      throws SQLException {
    try {
      return result.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof SQLException fault) {
        throw fault;
      }
      throw cause instanceof RuntimeException fault ? fault : new IllegalStateException(cause);
    } catch (TimeoutException e) {
      throw new ProviderAway(config.oidcIssuer().orElseThrow());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ProviderAway(config.oidcIssuer().orElseThrow());
    }
  }

  @Override
  public @Nullable Identity identity(ProviderClaims claims) throws SQLException {
    Provider by = tokens.provider();
    if (by == null || !claims.expiresAt().isAfter(Instant.now())) {
      return null;
    }
    return tokens.identity(
        by,
        new Valid(claims.subject(), claims.name(), claims.expiresAt(), Map.of()),
        new RoleClaims(claims.values(), claims.projects()));
  }

  @Override
  public byte[] settingsHash() {
    String settings =
        String.join(
            "\n",
            config.oidcIssuer().orElse(""),
            config.oidcAudience().orElse(""),
            config.oidcConsoleClientId().orElse(""),
            config.oidcRoleClaim(),
            config.oidcProjectClaim().orElse(""));
    try {
      return MessageDigest.getInstance("SHA-256").digest(settings.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}
