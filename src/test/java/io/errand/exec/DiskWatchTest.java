package io.errand.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.errand.job.Limits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskWatchTest {
  @TempDir Path folder;

  /** Each look follows the last at once, and a step is one name. */
  private final DiskWatch watch = new DiskWatch(1, 1, 1_000_000_000L);

  @AfterEach
  void end() {
    watch.close();
  }

  @Test
  void whatPassesALimitIsToldAndWhatDoesNotIsNot() throws IOException {
    Path directory = directory("d", 10);
    CompletableFuture<String> told = new CompletableFuture<>();
    AtomicInteger looks = new AtomicInteger();
    AtomicInteger falseAlarms = new AtomicInteger();
    watch.watch(
        directory,
        files(10),
        () -> {
          looks.incrementAndGet();
          return List.of();
        },
        excess -> falseAlarms.incrementAndGet());
    watch.watch(directory, files(9), List::of, told::complete);
    assertThat(join(told)).contains("at least 10 files", "limits.disk_files is 9");
    awaitLooks(looks);
    assertThat(falseAlarms).hasValue(0);
  }

  @Test
  void whatIsClosedIsNotLookedAtAnyMore() throws IOException {
    AtomicInteger looks = new AtomicInteger();
    DiskWatch.Watched closed =
        watch.watch(
            directory("closed", 1),
            files(10),
            () -> {
              looks.incrementAndGet();
              return List.of();
            },
            excess -> {});
    awaitLooks(looks);
    closed.close();
    afterTwoLooksOfAnother("one");
    int before = looks.get();
    afterTwoLooksOfAnother("another");
    assertThat(looks).hasValue(before);
  }

  @Test
  void aLargeTreeKeepsNoSmallOneWaiting() throws IOException {
    Path large = directory("large", 300);
    Path small = directory("small", 2);
    CompletableFuture<String> largeTold = new CompletableFuture<>();
    CompletableFuture<Boolean> largeWasFirst = new CompletableFuture<>();
    CountDownLatch bothAreWatched = new CountDownLatch(1);
    watch.watch(directory("gate", 1), files(0), List::of, excess -> await(bothAreWatched));
    watch.watch(large, files(299), List::of, largeTold::complete);
    watch.watch(small, files(1), List::of, told -> largeWasFirst.complete(largeTold.isDone()));
    bothAreWatched.countDown();
    assertThat(join(largeWasFirst)).isFalse();
    assertThat(join(largeTold)).contains("300 files");
  }

  @Test
  void ofManyLargeTreesEachHasItsTurn() throws IOException {
    List<CompletableFuture<String>> told = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      CompletableFuture<String> one = new CompletableFuture<>();
      told.add(one);
      watch.watch(directory("d" + i, 30), files(29), List::of, one::complete);
    }
    told.forEach(one -> assertThat(join(one)).contains("30 files"));
  }

  private Path directory(String name, int files) throws IOException {
    Path directory = Files.createDirectory(folder.resolve(name));
    for (int i = 0; i < files; i++) {
      Files.createFile(directory.resolve("file" + i));
    }
    return directory;
  }

  private void afterTwoLooksOfAnother(String name) throws IOException {
    CountDownLatch looks = new CountDownLatch(2);
    DiskWatch.Watched another =
        watch.watch(directory(name, 1), files(0), List::of, excess -> looks.countDown());
    await(looks);
    another.close();
  }

  private static void awaitLooks(AtomicInteger looks) {
    Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> looks.get() > 2);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static <T> T join(CompletableFuture<T> future) {
    return future.orTimeout(60, TimeUnit.SECONDS).join();
  }

  private static Limits files(long most) {
    return new Limits(null, null, null, null, null, null, most, null);
  }
}
