package io.errand.http;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * All connections of this process, and the order in which they have begun to wait for their
 * clients. Where there are as many as there may be, the one that has waited longest makes room for
 * a new one, so that connections that do nothing keep nobody out. A connection whose request is
 * being worked on is never taken. Thread-safe.
 */
final class Connections {
  /** What a newcomer gets. */
  enum Admission {
    ADMITTED,
    /** There is room for requests of operations alone. */
    PROBES_ONLY,
    REFUSED
  }

  /** A member of the list of those that wait for their clients; guarded by the list. */
  abstract static class Member {
    private @Nullable Member previous;
    private @Nullable Member next;
    private boolean waiting;
    private boolean counted;

    /** Closes it, from any thread. */
    abstract void evict();
  }

  private final int most;
  private final int kept;

  /** Both ends of the list: the member behind it has waited longest. */
  private final Member ends =
      new Member() {
        @Override
        void evict() {
          throw new IllegalStateException("The list itself is no connection");
        }
      };

  private int open;
  private final AtomicLong heldBytes = new AtomicLong();

  /**
   * @param most how many there may be
   */
  Connections(int most) {
    this.most = most;
    this.kept = Math.max(2, Math.min(64, most / 16));
    ends.previous = ends;
    ends.next = ends;
  }

  /** How many there are. */
  synchronized int open() {
    return open;
  }

  /** Bytes of half requests and unread answers, as the event loops last counted them. */
  AtomicLong heldBytes() {
    return heldBytes;
  }

  /** Takes a newcomer in, which waits for its client from now on, and may close another for it. */
  Admission admit(Member newcomer) {
    Member longest = null;
    Admission admission = Admission.ADMITTED;
    synchronized (this) {
      if (open >= most - kept) {
        longest = ends.next == ends ? null : ends.next;
        if (longest != null) {
          forget(longest);
        } else if (open >= most) {
          return Admission.REFUSED;
        }
        if (open >= most - kept) { // what makes room may have had a place that is kept for probes
          admission = Admission.PROBES_ONLY;
        }
      }
      open++;
      newcomer.counted = true;
      append(newcomer);
    }
    if (longest != null) {
      longest.evict();
    }
    return admission;
  }

  /** It begins to wait for its client anew. */
  synchronized void waits(Member member) {
    if (member.counted) {
      unlink(member);
      append(member);
    }
  }

  /** Its request is being worked on. */
  synchronized void works(Member member) {
    unlink(member);
  }

  /** It was chosen to make room, and a request came in that very moment. */
  synchronized void stays(Member member) {
    if (!member.counted) {
      member.counted = true;
      open++;
    }
  }

  /** Whether only requests of operations may be served to newcomers. */
  synchronized boolean isFull() {
    return open > most - kept;
  }

  /** It is closed. */
  synchronized void closed(Member member) {
    forget(member);
  }

  private void forget(Member member) {
    unlink(member);
    if (member.counted) {
      member.counted = false;
      open--;
    }
  }

  private void append(Member member) {
    Member last = ends.previous;
    member.previous = last;
    member.next = ends;
    if (last != null) {
      last.next = member;
    }
    ends.previous = member;
    member.waiting = true;
  }

  private static void unlink(Member member) {
    Member before = member.previous;
    Member after = member.next;
    if (member.waiting && before != null && after != null) {
      before.next = after;
      after.previous = before;
      member.previous = null;
      member.next = null;
      member.waiting = false;
    }
  }
}
