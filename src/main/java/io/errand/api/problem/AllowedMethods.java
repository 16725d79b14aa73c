package io.errand.api.problem;

import io.quarkus.arc.Arc;
import jakarta.enterprise.inject.Any;
import jakarta.enterprise.inject.spi.Bean;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The paths of the API with the methods that they take: for the {@code Allow} header that RFC 9110,
 * section 15.5.6, wants beside a 405 and the framework leaves out, and for the labels of meters.
 */
public final class AllowedMethods {
  private static final Map<String, Template> TEMPLATES = templates();

  private AllowedMethods() {}

  private record Template(Pattern pattern, TreeSet<String> methods) {}

  private static Map<String, Template> templates() {
    Map<String, Template> templates = new LinkedHashMap<>();
    for (Class<?> resource : resources()) {
      String base = resource.getAnnotation(Path.class).value();
      for (Method method : resource.getDeclaredMethods()) {
        Path below = method.getAnnotation(Path.class);
        String template = below == null ? base : base + "/" + below.value();
        for (Annotation annotation : method.getAnnotations()) {
          HttpMethod verb = annotation.annotationType().getAnnotation(HttpMethod.class);
          if (verb != null) {
            templates
                .computeIfAbsent(
                    template,
                    text ->
                        new Template(
                            Pattern.compile(text.replaceAll("\\{[^}]*}", "[^/]+")),
                            new TreeSet<>()))
                .methods()
                .add(verb.value());
          }
        }
      }
    }
    return templates;
  }

  /** The classes of this application that have a path. */
  private static List<Class<?>> resources() {
    return Arc.container().beanManager().getBeans(Object.class, Any.Literal.INSTANCE).stream()
        .<Class<?>>map(Bean::getBeanClass)
        .filter(type -> type.isAnnotationPresent(Path.class))
        .sorted(Comparator.comparing(Class::getName))
        .toList();
  }

  /** The methods of a path, separated by commas. */
  static String of(String path) {
    TreeSet<String> allowed = new TreeSet<>();
    for (Template template : TEMPLATES.values()) {
      if (template.pattern().matcher(path).matches()) {
        allowed.addAll(template.methods());
      }
    }
    return String.join(", ", allowed);
  }

  /** The route that a path is of, such as {@code /v1/jobs/{id}}, or null; literal paths first. */
  public static @Nullable String templateOf(String path) {
    if (TEMPLATES.containsKey(path)) {
      return path;
    }
    for (Map.Entry<String, Template> template : TEMPLATES.entrySet()) {
      if (template.getValue().pattern().matcher(path).matches()) {
        return template.getKey();
      }
    }
    return null;
  }
}
