package io.errand.api.request;

import io.errand.api.problem.Problem;
import io.errand.api.problem.Problem.FieldError;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How many rows a page of a list has. */
public final class PageSize {
  /** Of most lists, the largest. */
  public static final int MOST = 500;

  private static final int USUAL = 50;

  private PageSize() {}

  /**
   * The size that is asked for, 50 where none is.
   *
   * @param text the parameter {@code page_size}
   * @param most the largest, at most 999
   * @param errors takes the complaint, if the text is no number from 1 to that
   */
  public static int read(@Nullable String text, int most, List<FieldError> errors) {
    if (text == null) {
      return USUAL;
    }
    int size = text.matches("[0-9]{1,3}") ? Integer.parseInt(text) : 0;
    if (size < 1 || size > most) {
      errors.add(new FieldError("page_size", "must be a number from 1 to " + most));
    }
    return size;
  }

  /**
   * The same.
   *
   * @throws Problem 400 if the text is no number from 1 to the largest
   */
  public static int read(@Nullable String text, int most) {
    List<FieldError> errors = new ArrayList<>();
    int size = read(text, most, errors);
    if (!errors.isEmpty()) {
      throw Problem.invalid(errors);
    }
    return size;
  }
}
