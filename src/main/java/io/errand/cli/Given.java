package io.errand.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is given of a value: members of objects that are null are left out, at every level. */
final class Given {
  private Given() {}

  /** The same value without them. */
  static @Nullable Object of(@Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      Map<String, Object> given = new LinkedHashMap<>();
      map.forEach(
          (name, member) -> {
            if (member != null) {
              given.put(String.valueOf(name), of(member));
            }
          });
      return given;
    }
    return value instanceof Iterable<?> list ? ofEach(list) : value;
  }

  private static Object ofEach(Iterable<?> list) {
    List<@Nullable Object> given = new ArrayList<>();
    list.forEach(one -> given.add(of(one)));
    return given;
  }
}
