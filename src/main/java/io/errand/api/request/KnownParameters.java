package io.errand.api.request;

import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.UriInfo;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * Refuses the query parameters that a route does not know, before it is called. A route that takes
 * {@link UriInfo} reads its query itself and refuses the others itself.
 */
public class KnownParameters {
  /** Any page of the console may say what has just been done. */
  private static final String CONSOLE = "io.errand.console";

  private static final String NOTICE = "notice";

  /** By route; empty where the route reads its query itself. */
  private final Map<Method, Optional<Set<String>>> known = new ConcurrentHashMap<>();

  @ServerRequestFilter
  void check(ResourceInfo route, UriInfo uri) {
    if (!uri.getQueryParameters().isEmpty()) {
      known
          .computeIfAbsent(route.getResourceMethod(), KnownParameters::of)
          .ifPresent(names -> Parameters.refuseOthers(uri, names));
    }
  }

  private static Optional<Set<String>> of(Method route) {
    Parameter[] parameters = route.getParameters();
    if (Arrays.stream(parameters).anyMatch(one -> one.getType() == UriInfo.class)) {
      return Optional.empty();
    }
    Set<String> names =
        Arrays.stream(parameters)
            .filter(one -> one.isAnnotationPresent(QueryParam.class))
            .map(one -> one.getAnnotation(QueryParam.class).value())
            .collect(Collectors.toSet());
    if (route.getDeclaringClass().getPackageName().startsWith(CONSOLE)) {
      names.add(NOTICE);
    }
    return Optional.of(Set.copyOf(names));
  }
}
