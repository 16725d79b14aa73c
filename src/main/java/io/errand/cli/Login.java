package io.errand.cli;

import io.errand.cli.ProviderCalls.Answer;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code errand login}: a token of an identity provider by the device flow (RFC 8628). */
@Command(
    name = "login",
    description = {
      "Log in through an identity provider, in a browser on any device.",
      "The token is kept in ~/.config/errand for this server, and renewed while that is possible."
    })
final class Login implements Callable<Integer> {
  private static final String GRANT = "urn:ietf:params:oauth:grant-type:device_code";
  private static final long MOST_SECONDS = 1_800;
  private static final long USUAL_INTERVAL_SECONDS = 5;

  @Option(
      names = "--issuer",
      paramLabel = "URL",
      description = "The issuer (default: $ERRAND_OIDC_ISSUER).")
  @Nullable String issuer;

  @Option(
      names = "--client-id",
      paramLabel = "ID",
      description = "Who this client is there (default: $ERRAND_OIDC_CLIENT_ID, else errand).")
  @Nullable String clientId;

  @Option(
      names = "--scope",
      paramLabel = "WORDS",
      description = "What is asked for (default: ${DEFAULT-VALUE}).",
      defaultValue = "openid profile email offline_access")
  String scope = "";

  @Option(
      names = "--audience",
      paramLabel = "TEXT",
      description = "Sent as audience, where the provider wants it (default: none).")
  @Nullable String audience;

  @Override
  public Integer call() {
    String url = Target.address();
    String from = given(issuer, "ERRAND_OIDC_ISSUER", "");
    if (from.isEmpty()) {
      throw new ClientException(
          ExitCodes.USAGE, "no issuer: give --issuer, or set ERRAND_OIDC_ISSUER");
    }
    String client = given(clientId, "ERRAND_OIDC_CLIENT_ID", "errand");
    Answer metadata = ProviderCalls.metadata(from);
    String device = metadata.text("device_authorization_endpoint");
    String tokens = metadata.text("token_endpoint");
    if (device.isEmpty() || tokens.isEmpty()) {
      throw new ClientException(
          ExitCodes.FAILED, from + " does not offer the device flow (RFC 8628)");
    }
    try {
      Answer begun = ProviderCalls.post(device, begin(client));
      if (!begun.isWell() || begun.text("device_code").isEmpty()) {
        throw new ClientException(ExitCodes.REFUSED, from + " refused: " + begun.fault());
      }
      invite(begun);
      Answer token = await(from, tokens, client, begun);
      SavedLogin.of(url, from, client, tokens, "", token).save();
    } catch (IOException e) {
      throw ProviderCalls.away(from, e);
    }
    Map<String, Object> me = Http.connect().get("/v1/me");
    EachJob.say(
        "logged in to "
            + url
            + " as "
            + me.get("name")
            + ", "
            + me.get("role")
            + " of the project "
            + me.get("project"));
    return ExitCodes.OK;
  }

  private static String given(@Nullable String option, String variable, String otherwise) {
    String value = option == null ? ClientSettings.of(variable) : option;
    return value == null ? otherwise : value;
  }

  private Map<String, String> begin(String client) {
    Map<String, String> form = new LinkedHashMap<>();
    form.put("client_id", client);
    form.put("scope", scope);
    if (audience != null) {
      form.put("audience", audience);
    }
    return form;
  }

  private static void invite(Answer begun) {
    String whole = begun.text("verification_uri_complete");
    EachJob.say("open " + (whole.isEmpty() ? begun.text("verification_uri") : whole));
    EachJob.say("and confirm the code " + begun.text("user_code"));
  }

  private static Answer await(String issuer, String endpoint, String client, Answer begun) {
    long interval = Math.max(1, begun.seconds("interval", USUAL_INTERVAL_SECONDS));
    long left = Math.min(MOST_SECONDS, begun.seconds("expires_in", MOST_SECONDS));
    Map<String, String> form =
        Map.of("grant_type", GRANT, "device_code", begun.text("device_code"), "client_id", client);
    while (left > 0) {
      pause(interval);
      left -= interval;
      Answer answer;
      try {
        answer = ProviderCalls.post(endpoint, form);
      } catch (IOException e) {
        continue; // the provider may come back
      }
      if (answer.isWell() && !answer.text("access_token").isEmpty()) {
        return answer;
      }
      switch (answer.text("error")) {
        case "authorization_pending" -> {}
        case "slow_down" -> interval += USUAL_INTERVAL_SECONDS;
        default ->
            throw new ClientException(
                ExitCodes.REFUSED, issuer + " gave no token: " + answer.fault());
      }
    }
    throw new ClientException(ExitCodes.REFUSED, "nobody confirmed the code in time");
  }

  private static void pause(long seconds) {
    try {
      TimeUnit.SECONDS.sleep(seconds);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClientException(ExitCodes.REFUSED, "interrupted");
    }
  }

  /** {@code errand logout}. */
  @Command(name = "logout", description = "Forget the login for this server on this host.")
  static final class Out implements Callable<Integer> {
    @Override
    public Integer call() {
      String url = Target.address();
      EachJob.say(
          SavedLogin.delete(url)
              ? "the login for " + url + " is forgotten here; the provider may know it still"
              : "there was no login for " + url);
      return ExitCodes.OK;
    }
  }
}
