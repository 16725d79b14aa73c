package io.errand.api.request;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Times on the wire: RFC 3339, UTC, six decimals. */
public final class WireTime {
  private static final DateTimeFormatter FORMAT =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);
  private static final Instant FIRST = Instant.parse("1970-01-01T00:00:00Z");
  private static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");

  private WireTime() {}

  public static @Nullable String format(@Nullable Instant time) {
    return time == null ? null : FORMAT.format(time);
  }

  /** A time with any offset, to the microsecond; null if it is none, or not in this era. */
  public static @Nullable Instant parse(String text) {
    try {
      Instant time = OffsetDateTime.parse(text).toInstant().truncatedTo(ChronoUnit.MICROS);
      return time.isBefore(FIRST) || time.isAfter(LAST) ? null : time;
    } catch (DateTimeParseException e) {
      return null;
    }
  }
}
