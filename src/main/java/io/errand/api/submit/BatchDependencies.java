package io.errand.api.submit;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.jobs.JobAnswers;
import io.errand.api.problem.Problem.FieldError;
import io.errand.api.request.Fields;
import io.errand.api.request.JsonBody;
import io.errand.job.OnDependencyFailure;
import io.errand.queue.RequestedDependencies;
import io.errand.queue.RequestedDependencies.One;
import io.errand.queue.SubmitJob.Request;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which jobs those of a batch wait for: jobs that are there, by id, and others of the batch, by
 * their {@code ref}.
 */
final class BatchDependencies {
  static final String REF = "ref";

  /** Of all jobs together. */
  private static final int MOST = 100_000;

  private static final int MOST_NAMED = 20;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

  /** An element of {@code after}: an id or a ref. */
  private record Element(@Nullable UUID id, String ref) {}

  private record Item(@Nullable String ref, List<Element> after, OnDependencyFailure onFailure) {}

  private final List<FieldError> errors;
  private final List<Item> items = new ArrayList<>();
  private final Map<String, Integer> placeOfRef = new HashMap<>();
  private int count;

  /**
   * Of a batch of which nothing has been read.
   *
   * @param errors where complaints go
   */
  BatchDependencies(List<FieldError> errors) {
    this.errors = errors;
  }

  /**
   * Reads those of the next job.
   *
   * @param where the path of the job
   * @return how many bytes they take in the heap
   */
  long read(ObjectNode job, String where) {
    Fields fields = Fields.of(job, where, errors);
    String ref = fields.string(REF, 64);
    if (ref != null) {
      if (!NAME.matcher(ref).matches() || JobAnswers.idOrNull(ref) != null) {
        fields.complain(fields.at(REF), "must match " + NAME + " and be no UUID");
      } else if (placeOfRef.putIfAbsent(ref, items.size()) != null) {
        fields.complain(
            fields.at(REF), "is the " + REF + " of jobs[" + placeOfRef.get(ref) + "] too");
      }
    }
    List<Element> after = new ArrayList<>();
    for (Map.Entry<String, String> entry : DependenciesReader.entries(fields)) {
      after.add(new Element(JobAnswers.idOrNull(entry.getValue()), entry.getValue()));
    }
    count += after.size();
    if (count > MOST) {
      fields.complain(
          fields.at(DependenciesReader.AFTER), "makes more than " + MOST + " for the whole batch");
    }
    OnDependencyFailure onFailure = DependenciesReader.onFailure(fields);
    items.add(new Item(ref, errors.isEmpty() ? after : List.of(), onFailure));
    return DependenciesReader.heapBytes(after.size());
  }

  /** Complains about refs of no job, and about jobs that would wait for themselves. */
  void check() {
    for (int i = 0; i < items.size(); i++) {
      List<Element> after = items.get(i).after();
      for (int j = 0; j < after.size(); j++) {
        Element element = after.get(j);
        if (element.id() == null && !placeOfRef.containsKey(element.ref())) {
          complain(i, j, "must be the id of a job, or the " + REF + " of one of this batch");
        }
      }
    }
    if (errors.isEmpty()) {
      refuseCycle();
    }
  }

  /** The requests with the jobs that each waits for. */
  List<Request> addTo(List<Request> requests) {
    List<Request> complete = new ArrayList<>(requests.size());
    for (int i = 0; i < requests.size(); i++) {
      Request request = requests.get(i);
      Item item = items.get(i);
      complete.add(
          item.after().isEmpty()
              ? request
              : new Request(
                  request.spec(),
                  request.idempotencyKey(),
                  request.fingerprint(),
                  new RequestedDependencies(
                      item.after().stream().map(one -> new One(one.id(), place(one))).toList(),
                      item.onFailure())));
    }
    return complete;
  }

  private int place(Element element) {
    Integer place = element.id() == null ? placeOfRef.get(element.ref()) : null;
    return place == null ? -1 : place;
  }

  /** A job on the way from one that waits to what it waits for, and which of these comes next. */
  private static final class Visit {
    private final int place;
    private int next;

    Visit(int place) {
      this.place = place;
    }
  }

  /** Follows every way through the batch once; one that comes back to itself is a cycle. */
  private void refuseCycle() {
    boolean[] done = new boolean[items.size()];
    boolean[] onWay = new boolean[items.size()];
    for (int i = 0; i < items.size(); i++) {
      Deque<Visit> way = new ArrayDeque<>();
      if (!done[i]) {
        way.addLast(new Visit(i));
        onWay[i] = true;
      }
      while (!way.isEmpty()) {
        Visit visit = way.getLast();
        List<Element> after = items.get(visit.place).after();
        if (visit.next == after.size()) {
          way.removeLast();
          onWay[visit.place] = false;
          done[visit.place] = true;
          continue;
        }
        int element = visit.next++;
        int place = place(after.get(element));
        if (place >= 0 && onWay[place]) {
          complain(visit.place, element, "makes a cycle: " + cycle(way, place));
          return;
        }
        if (place >= 0 && !done[place]) {
          way.addLast(new Visit(place));
          onWay[place] = true;
        }
      }
    }
  }

  /** The refs from a place on the way to its end, and back to that place. */
  private String cycle(Deque<Visit> way, int start) {
    List<String> names = new ArrayList<>();
    for (Visit visit : way) {
      if (visit.place == start || !names.isEmpty()) {
        names.add(items.get(visit.place).ref());
      }
    }
    if (names.size() > MOST_NAMED) {
      names.subList(MOST_NAMED, names.size()).clear();
      names.add("…");
    }
    names.add(items.get(start).ref());
    return String.join(" after ", names);
  }

  private void complain(int item, int element, String message) {
    Fields.of(JsonBody.EMPTY, "", errors)
        .complain("jobs[" + item + "]." + DependenciesReader.AFTER + "[" + element + "]", message);
  }
}
