package io.errand.console;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.errand.api.request.ConsoleForm;
import java.math.BigDecimal;
import java.util.regex.Pattern;

/** Makes the body of a call of a form, which is then read as every such body. */
public final class FormJson {
  private static final Pattern NUMBER = Pattern.compile("-?[0-9]{1,20}(\\.[0-9]{1,20})?");

  private final ConsoleForm form;
  private final ObjectNode body = JsonNodeFactory.withExactBigDecimals(true).objectNode();

  /** Of this form. */
  public FormJson(ConsoleForm form) {
    this.form = form;
  }

  /** Takes a text over; an empty field is null. */
  public FormJson text(String name) {
    String text = form.text(name);
    if (text.isEmpty()) {
      body.putNull(name);
    } else {
      body.put(name, text);
    }
    return this;
  }

  /** Takes a number over; an empty field is null, and what is no number stays text. */
  public FormJson number(String name) {
    return number(name, name);
  }

  /** The same of a field with another name. */
  public FormJson number(String name, String field) {
    String text = form.text(field);
    if (text.isEmpty()) {
      body.putNull(name);
    } else if (NUMBER.matcher(text).matches()) {
      body.put(name, new BigDecimal(text));
    } else {
      body.put(name, text);
    }
    return this;
  }

  /** Takes over whether a box is checked. */
  public FormJson checked(String name) {
    body.put(name, form.value(name) != null);
    return this;
  }

  /** The body. */
  public ObjectNode body() {
    return body;
  }
}
