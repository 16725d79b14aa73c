package io.errand.api;

import io.errand.api.Problem.Kind;
import io.errand.auth.Tokens;
import jakarta.enterprise.context.RequestScoped;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.HttpHeaders;
import jakarta.ws.rs.core.Response;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;
import org.jspecify.annotations.Nullable;

/** Whose request this is. */
@RequestScoped
public class Caller {
  private String principal = "";

  /** The name that its jobs and keys belong to. */
  public String principal() {
    return principal;
  }

  /** Through a method: a field of the proxy that is injected is not the field of this request. */
  void identify(String name) {
    principal = name;
  }

  /**
   * Keeps everybody without a token out of {@code /v1}, whether the path exists or not, and
   * everybody where the API is not served.
   */
  public static class Gate {
    private final ApiConfig config;
    private final Tokens tokens;
    private final Caller caller;

    Gate(ApiConfig config, Tokens tokens, Caller caller) {
      this.config = config;
      this.tokens = tokens;
      this.caller = caller;
    }

    @ServerRequestFilter(preMatching = true)
    public @Nullable Response check(ContainerRequestContext request) {
      String path = request.getUriInfo().getRequestUri().getPath();
      if (!path.equals("/v1") && !path.startsWith("/v1/")) {
        return null;
      }
      if (!config.isApi()) {
        return Problem.of(
                Kind.NOT_FOUND, "The API is not served here: this process runs commands only")
            .response(path);
      }
      String principal = tokens.principalOf(request.getHeaderString(HttpHeaders.AUTHORIZATION));
      if (principal == null) {
        return Problem.of(
                Kind.UNAUTHENTICATED,
                "Send Authorization: Bearer with the token from $ERRAND_HOME/token or ERRAND_TOKEN")
            .response(path);
      }
      caller.identify(principal);
      return null;
    }
  }
}
