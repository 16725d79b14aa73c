package io.errand.api.webhooks;

import io.errand.api.answer.AnswerBudget;
import io.errand.api.request.Admission;
import io.errand.memory.MemoryBudget.Reservation;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Answers that hold a list of deliveries or of URLs, whose bytes are reserved before. */
@ApplicationScoped
class DeliveryAnswers {
  private final AnswerBudget budget;
  private final Admission lists;

  DeliveryAnswers(
      AnswerBudget budget,
      @ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    this.budget = budget;
    this.lists = new Admission(pool, "lists of deliveries are being read");
  }

  /** Reads rows. */
  interface Rows<T> {
    List<T> read() throws SQLException;
  }

  /**
   * An object with a list.
   *
   * @param name of the list
   * @param most how many rows are read at most
   * @param rows reads them
   * @param others what the object says beside the list
   */
  <T> Response list(
      String name,
      int most,
      Rows<T> rows,
      Function<List<T>, List<?>> shown,
      Function<List<T>, Map<String, Object>> others)
      throws SQLException {
    // As many as there may be; what they are fewer is given back.
    Reservation held = budget.reserve(most * DeliveryView.BYTES);
    try {
      List<T> read;
      try (Admission.Permit permit = lists.enter()) {
        read = rows.read();
      }
      held.resize(Math.min(most, Math.max(1, read.size())) * DeliveryView.BYTES);
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put(name, shown.apply(read));
      answer.putAll(others.apply(read));
      return Response.ok(budget.json(answer, held)).type(MediaType.APPLICATION_JSON_TYPE).build();
    } catch (SQLException | RuntimeException | Error e) {
      held.close();
      throw e;
    }
  }
}
