package io.errand.api.problem;

import io.errand.auth.Permission;
import io.errand.auth.Requires;
import io.quarkus.arc.Arc;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.spi.Bean;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The routes of the API, each with the methods that it takes. For the {@code Allow} header (RFC
 * 9110, section 10.2.1), for what the gate lets pass, and for the labels of meters.
 */
public final class Routes {
  private final List<Route> routes; // those with fewer variables first

  private Routes(List<Route> routes) {
    this.routes = routes;
  }

  /**
   * One route.
   *
   * @param template its path, such as {@code /v1/jobs/{id}}
   * @param segments what stands between the slashes of the template
   * @param methods in the order of the alphabet
   * @param permissions what each method asks for; a method without one is served to nobody
   */
  public record Route(
      String template,
      List<String> segments,
      SortedSet<String> methods,
      Map<String, Permission> permissions) {
    /** What a method asks for, or null if nothing says so. */
    public @Nullable Permission permission(String method) {
      return permissions.get(method);
    }

    /** The methods, separated by commas. */
    public String allowed() {
      return String.join(", ", methods);
    }

    private static boolean isVariable(String segment) {
      return segment.startsWith("{");
    }

    private long variables() {
      return segments.stream().filter(Route::isVariable).count();
    }

    /** Reads each character of the path once. */
    private boolean isOf(String path) {
      int at = 0;
      for (String segment : segments) {
        if (at == path.length() || path.charAt(at) != '/') {
          return false;
        }
        int slash = path.indexOf('/', at + 1);
        int end = slash < 0 ? path.length() : slash;
        int length = end - at - 1;
        if (isVariable(segment)
            ? length == 0
            : length != segment.length() || !path.startsWith(segment, at + 1)) {
          return false;
        }
        at = end;
      }
      return at == path.length();
    }
  }

  private static final class OfApi {
    static final Routes ROUTES = of(resources());

    /** The classes of this application that have a path. */
    private static List<Class<?>> resources() {
      return Arc.container().beanManager().getBeans(Object.class, Any.Literal.INSTANCE).stream()
          .<Class<?>>map(Bean::getBeanClass)
          .filter(type -> type.isAnnotationPresent(Path.class))
          .toList();
    }
  }

  /** The routes of the API of this process. */
  public static Routes ofApi() {
    return OfApi.ROUTES;
  }

  /** The routes of classes that have a path. */
  public static Routes of(Collection<Class<?>> resources) {
    Map<String, SortedSet<String>> methods = new TreeMap<>();
    Map<String, Map<String, Permission>> permissions = new TreeMap<>();
    for (Class<?> resource : resources) {
      String base = resource.getAnnotation(Path.class).value();
      for (Method method : resource.getDeclaredMethods()) {
        Path below = method.getAnnotation(Path.class);
        String template = below == null ? base : base + "/" + below.value();
        for (Annotation annotation : method.getAnnotations()) {
          HttpMethod verb = annotation.annotationType().getAnnotation(HttpMethod.class);
          if (verb != null) {
            methods.computeIfAbsent(template, path -> new TreeSet<>()).add(verb.value());
            Requires requires = method.getAnnotation(Requires.class);
            if (requires != null) {
              permissions
                  .computeIfAbsent(template, path -> new TreeMap<>())
                  .put(verb.value(), requires.value());
            }
          }
        }
      }
    }
    return new Routes(
        methods.entrySet().stream()
            .map(
                entry ->
                    route(
                        entry.getKey(),
                        entry.getValue(),
                        permissions.getOrDefault(entry.getKey(), new TreeMap<>())))
            .sorted(Comparator.comparingLong(Route::variables))
            .toList());
  }

  private static Route route(
      String template, SortedSet<String> methods, Map<String, Permission> permissions) {
    methods.add(HttpMethod.OPTIONS);
    permissions.put(HttpMethod.OPTIONS, Permission.SEE);
    if (methods.contains(HttpMethod.GET)) {
      methods.add(HttpMethod.HEAD);
      Permission ofGet = permissions.get(HttpMethod.GET);
      if (ofGet != null) {
        permissions.put(HttpMethod.HEAD, ofGet);
      }
    }
    return new Route(
        template,
        List.of(template.substring(1).split("/")),
        Collections.unmodifiableSortedSet(methods),
        Collections.unmodifiableMap(permissions));
  }

  /** The route of a path, or null. A literal segment goes before a variable. */
  public @Nullable Route find(String path) {
    for (Route route : routes) {
      if (route.isOf(path)) {
        return route;
      }
    }
    return null;
  }
}
