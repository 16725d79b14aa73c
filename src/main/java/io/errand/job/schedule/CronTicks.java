package io.errand.job.schedule;

import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import org.jspecify.annotations.Nullable;

/**
 * The ticks of a cron expression in a zone. A local time that a clock change leaves out ticks at
 * the first moment after the gap. A local time that comes twice ticks the first time only, unless
 * the expression is an interval (its minute or its hour has a star), which ticks both times.
 */
final class CronTicks implements Ticks {
  private final Cron cron;
  private final ZoneRules rules;

  CronTicks(Cron cron, ZoneId zone) {
    this.cron = cron;
    this.rules = zone.getRules();
  }

  @Override
  public @Nullable Instant next(Instant after) {
    Instant from = after.plusNanos(1);
    while (true) {
      ZoneOffset offset = rules.getOffset(from);
      LocalDateTime local =
          LocalDateTime.ofEpochSecond(from.getEpochSecond(), from.getNano(), offset);
      ZoneOffsetTransition before = rules.previousTransition(from.plusNanos(1));
      if (before != null) {
        if (before.isGap()) {
          if (before.getInstant().equals(from) && ticksIn(before)) {
            return from;
          }
        } else if (!cron.isInterval() && before.getDateTimeBefore().isAfter(local)) {
          local = before.getDateTimeBefore(); // what was there before, up to here, comes again
        }
      }
      LocalDateTime found = cron.next(local);
      if (found == null) {
        return null;
      }
      ZoneOffsetTransition change = rules.nextTransition(from);
      if (change == null || found.isBefore(change.getDateTimeBefore())) {
        return found.toInstant(offset);
      }
      from = change.getInstant();
    }
  }

  private boolean ticksIn(ZoneOffsetTransition gap) {
    LocalDateTime found = cron.next(gap.getDateTimeBefore());
    return found != null && found.isBefore(gap.getDateTimeAfter());
  }
}
