package io.errand.console;

import io.errand.disk.FreeSpace;
import io.errand.store.DatabaseCheck;
import io.errand.store.SchemaReads;
import io.vertx.core.Context;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Whether anything can be changed at the moment. It looks when it is asked, at most every {@value
 * #FRESH_MILLIS} ms. Safe from any thread; waits for the database, but not on an event loop.
 */
@ApplicationScoped
public class WritableState {
  private static final int FRESH_MILLIS = 1_000;

  private final SchemaReads reads;
  private final FreeSpace space;
  private final ReentrantLock looking = new ReentrantLock();
  private volatile boolean isReadOnly;
  private volatile long lookedNanos = System.nanoTime() - TimeUnit.DAYS.toNanos(1);

  WritableState(SchemaReads reads, FreeSpace space) {
    this.reads = reads;
    this.space = space;
  }

  /** Whether the database takes no changes. */
  boolean isReadOnly() {
    boolean isFresh = System.nanoTime() - lookedNanos < TimeUnit.MILLISECONDS.toNanos(FRESH_MILLIS);
    if (!isFresh && !Context.isOnEventLoopThread() && looking.tryLock()) {
      try {
        isReadOnly = reads.isReadOnly();
      } catch (SQLException e) {
        isReadOnly = DatabaseCheck.isReadOnly(e); // any other fault the page itself will meet
      } finally {
        lookedNanos = System.nanoTime();
        looking.unlock();
      }
    }
    return isReadOnly;
  }

  /** What keeps people from changing something, in words, or null. */
  @Nullable String why() {
    if (isReadOnly()) {
      return "The database is read-only: nothing can be changed, and no job starts.";
    }
    return space.isShort()
        ? "The server has too little free disk space: no job is accepted, and none starts."
        : null;
  }
}
