package io.errand.cli;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What {@code errand top} shows at a moment.
 *
 * @param at when it was read
 * @param queues at most {@value #MOST_ROWS}, those with the most to do first
 * @param jobs that run, at most {@value #MOST_ROWS}
 * @param slots of all live workers
 * @param busy slots of them
 * @param processes of the job that is chosen, as a tree
 * @param fault why it could not be read, or empty
 */
record TopData(
    Instant at,
    List<Map<String, Object>> queues,
    List<Map<String, Object>> jobs,
    long slots,
    long busy,
    List<Map<String, Object>> processes,
    String fault) {
  private static final int MOST_ROWS = 50;

  static final TopData NOTHING =
      new TopData(Instant.EPOCH, List.of(), List.of(), 0, 0, List.of(), "");

  /**
   * Asks the server.
   *
   * @param ids of the jobs to show, or none for those that run
   * @param chosen the job whose processes are wanted, or empty
   */
  static TopData read(Http http, List<String> ids, String chosen) {
    List<Map<String, Object>> queues = new ArrayList<>();
    for (Map<String, Object> queue : Client.list(http.get("/v1/queues"), "queues")) {
      queues.add(Queues.flat(queue));
    }
    queues.sort(Comparator.comparingLong(TopData::load).reversed());
    List<Map<String, Object>> jobs =
        ids.isEmpty()
            ? Client.list(http.get("/v1/jobs?state=running&page_size=" + MOST_ROWS), "jobs")
            : ids.stream().map(id -> http.get("/v1/jobs/" + id)).toList();
    List<Map<String, Object>> workers = Client.list(http.get("/v1/workers"), "workers");
    return new TopData(
        Instant.now(),
        queues.subList(0, Math.min(MOST_ROWS, queues.size())),
        jobs,
        workers.stream().mapToLong(worker -> number(worker.get("slots"))).sum(),
        workers.stream().mapToLong(worker -> number(worker.get("busy"))).sum(),
        chosen.isEmpty() ? List.of() : processes(http, chosen),
        "");
  }

  /** What was read before, and why there is nothing newer. */
  TopData with(String why) {
    return new TopData(at, queues, jobs, slots, busy, processes, why);
  }

  private static long load(Map<String, Object> queue) {
    return 1_000 * number(queue.get("running"))
        + number(queue.get("queued"))
        + number(queue.get("retrying"))
        + number(queue.get("held"));
  }

  static long number(@Nullable Object value) {
    return value instanceof Number number ? number.longValue() : 0;
  }

  private static List<Map<String, Object>> processes(Http http, String id) {
    List<Map<String, Object>> found;
    try {
      found = Client.list(http.get("/v1/jobs/" + id + "/process"), "processes");
    } catch (ClientException e) {
      if (e.endsAll()) {
        throw e;
      }
      return List.of(); // it has ended
    }
    List<Map<String, Object>> tree = new ArrayList<>();
    List<Object> known = found.stream().map(process -> process.get("pid")).toList();
    for (Map<String, Object> process : found) {
      if (!known.contains(process.get("parent_pid"))) {
        addTree(tree, found, process, 0);
      }
    }
    return tree;
  }

  private static void addTree(
      List<Map<String, Object>> tree,
      List<Map<String, Object>> all,
      Map<String, Object> process,
      int depth) {
    if (depth > MOST_ROWS || tree.size() > MOST_ROWS) {
      return;
    }
    Map<String, Object> row = new LinkedHashMap<>(process);
    row.put("memory", bytes(number(process.get("memory_bytes"))));
    row.put("command", "  ".repeat(depth) + Table.cell(process.get("command")));
    tree.add(row);
    for (Map<String, Object> child : all) {
      if (String.valueOf(process.get("pid")).equals(String.valueOf(child.get("parent_pid")))) {
        addTree(tree, all, child, depth + 1);
      }
    }
  }

  private static String bytes(long bytes) {
    return bytes < 1 << 20 ? bytes / 1024 + "K" : bytes / (1 << 20) + "M";
  }
}
