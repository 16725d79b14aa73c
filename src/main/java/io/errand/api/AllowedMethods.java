package io.errand.api;

import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.List;
import java.util.TreeSet;

/**
 * Which methods a path takes, for the {@code Allow} header that RFC 9110, section 15.5.6, wants
 * beside a 405 and the framework leaves out.
 */
final class AllowedMethods {
  private static final List<Class<?>> RESOURCES =
      List.of(SubmitResource.class, JobsResource.class, LiveResource.class, FleetResource.class);

  private AllowedMethods() {}

  static String of(String path) {
    TreeSet<String> allowed = new TreeSet<>();
    for (Class<?> resource : RESOURCES) {
      String base = resource.getAnnotation(Path.class).value();
      for (Method method : resource.getDeclaredMethods()) {
        Path below = method.getAnnotation(Path.class);
        String template = below == null ? base : base + "/" + below.value();
        if (path.matches(template.replaceAll("\\{[^}]*}", "[^/]+"))) {
          for (Annotation annotation : method.getAnnotations()) {
            HttpMethod verb = annotation.annotationType().getAnnotation(HttpMethod.class);
            if (verb != null) {
              allowed.add(verb.value());
            }
          }
        }
      }
    }
    return String.join(", ", allowed);
  }
}
