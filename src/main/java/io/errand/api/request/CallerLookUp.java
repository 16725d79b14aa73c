package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.Kind;
import io.errand.auth.Identities;
import io.errand.auth.Identity;
import io.errand.auth.WrongTokens;
import io.errand.job.ProjectNames;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Finds out whose a request to the API is: that of its token, in the project that it names. */
@ApplicationScoped
class CallerLookUp {
  /** The project of a request of an administrator of all projects. */
  private static final String PROJECT = "Errand-Project";

  private static final Pattern PROJECT_NAME = Pattern.compile(ProjectNames.PATTERN);

  private final Identities identities;
  private final WrongTokens wrongTokens;

  CallerLookUp(Identities identities, WrongTokens wrongTokens) {
    this.identities = identities;
    this.wrongTokens = wrongTokens;
  }

  /**
   * Finds the caller, which may take a look into the database.
   *
   * @param who is set to whose token it is, also where the project that it names is refused
   * @return fails with a {@link Problem} where the caller is refused, and as {@link
   *     Identities#find}
   * @throws Problem where it is refused at once
   */
  CompletableFuture<Identity> find(
      RoutingContext context, AtomicReference<@Nullable Identity> who) {
    HttpServerRequest request = context.request();
    List<String> given = request.headers().getAll(HttpHeaders.AUTHORIZATION);
    String token = given.size() == 1 ? Identities.bearerOf(given.get(0)) : null;
    if (token == null) {
      throw unauthenticated();
    }
    Identity known = identities.known(token);
    List<String> projects = request.headers().getAll(PROJECT);
    if (known != null && projects.isEmpty()) {
      return CompletableFuture.completedFuture(known);
    }
    String address = Origin.of(context).client();
    boolean isTried = known == null && !identities.wasRight(token);
    int seconds = isTried ? wrongTokens.waitSeconds(address, System.nanoTime()) : 0;
    if (seconds > 0) {
      throw Problem.tooManyWrongTokens(seconds);
    }
    CompletableFuture<@Nullable Identity> found =
        known == null ? identities.find(token) : CompletableFuture.completedFuture(known);
    return found.thenCompose(
        identity -> {
          if (identity == null) {
            wrongTokens.add(address, System.nanoTime());
            throw unauthenticated();
          }
          who.set(identity);
          return inProject(identity, projects);
        });
  }

  static Problem unauthenticated() {
    return Problem.of(
        Kind.UNAUTHENTICATED,
        "Send Authorization: Bearer with the token from $ERRAND_HOME/token or ERRAND_TOKEN, or a"
            + " key");
  }

  /** The caller in the project that it names; only an administrator of all may name another. */
  private CompletableFuture<Identity> inProject(Identity identity, List<String> projects) {
    if (projects.isEmpty() || projects.equals(List.of(identity.project()))) {
      return CompletableFuture.completedFuture(identity);
    }
    if (projects.size() > 1 || !PROJECT_NAME.matcher(projects.get(0)).matches()) {
      throw Problem.invalid(PROJECT, "must be the name of one project");
    }
    if (!identity.mayEnter(projects.get(0))) {
      throw Problem.of(
          Kind.FORBIDDEN, "Only an administrator of the project default may name another project");
    }
    return identities
        .in(identity, projects.get(0))
        .thenApply(
            found -> {
              if (found == null) {
                throw Problem.of(Kind.NOT_FOUND, "There is no project " + projects.get(0));
              }
              return found;
            });
  }
}
