package io.errand.exec;

import io.errand.exec.NameService.UnavailableException;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks the accounts up that jobs name, on threads of its own, as the host may have to ask a server
 * elsewhere. What was found is kept for a few seconds, and one name is asked for once at a time.
 */
final class AccountLookup implements AutoCloseable {
  private static final int THREADS = 2;
  private static final int MOST_WAITING = 1_000;
  private static final int MOST_KEPT = 256;
  private static final long KEPT_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long PATIENCE_SECONDS = 10;

  private final Map<String, Answer> kept = new ConcurrentHashMap<>();
  private final Map<String, CompletableFuture<Answer>> asked = new ConcurrentHashMap<>();
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          THREADS,
          THREADS,
          1,
          TimeUnit.SECONDS,
          new LinkedBlockingQueue<>(MOST_WAITING),
          task -> {
            Thread thread = new Thread(task, "errand-accounts");
            thread.setDaemon(true);
            return thread;
          });

  AccountLookup() {
    threads.allowCoreThreadTimeOut(true); // none is needed where no job names a user
  }

  /**
   * What the host says.
   *
   * @param account null where there is none of that name
   * @param trouble why the host cannot say, or null
   */
  record Answer(@Nullable Account account, @Nullable String trouble, long atNanos) {
    static Answer trouble(String sentence) {
      return new Answer(null, sentence, System.nanoTime());
    }
  }

  /** Passes the answer on, at once and on this thread if it is known, else on another one. */
  void find(String name, Consumer<Answer> then) {
    Answer known = kept.get(name);
    if (known != null && System.nanoTime() - known.atNanos() < KEPT_NANOS) {
      then.accept(known);
      return;
    }
    ask(name)
        .copy() // the patience is that of one command
        .completeOnTimeout(
            Answer.trouble("this host does not say who " + name + " is"),
            PATIENCE_SECONDS,
            TimeUnit.SECONDS)
        .thenAccept(then)
        .exceptionally(AccountLookup::raise);
  }

  private static Void raise(Throwable failure) {
    throw new CompletionException(failure);
  }

  private CompletableFuture<Answer> ask(String name) {
    CompletableFuture<Answer> mine = new CompletableFuture<>();
    CompletableFuture<Answer> others = asked.putIfAbsent(name, mine);
    if (others != null) {
      return others;
    }
    try {
      threads.execute(() -> answer(name, mine));
    } catch (RejectedExecutionException e) {
      asked.remove(name, mine);
      mine.complete(Answer.trouble("too many look-ups of accounts wait on this worker"));
    }
    return mine;
  }

  private void answer(String name, CompletableFuture<Answer> mine) {
    Answer answer;
    try {
      answer = new Answer(NameService.find(name), null, System.nanoTime());
      if (kept.size() >= MOST_KEPT) {
        kept.clear();
      }
      kept.put(name, answer);
    } catch (UnavailableException e) {
      answer = Answer.trouble(String.valueOf(e.getMessage()));
    } catch (RuntimeException | Error e) { // no memory for the call is an Error
      answer = Answer.trouble("this worker cannot look " + name + " up: " + e);
    }
    asked.remove(name, mine);
    mine.complete(answer);
  }

  @Override
  public void close() {
    threads.shutdown();
  }
}
