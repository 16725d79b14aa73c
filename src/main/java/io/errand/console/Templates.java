package io.errand.console;

import io.quarkus.qute.CheckedTemplate;
import io.quarkus.qute.TemplateInstance;
import org.jspecify.annotations.Nullable;

/** Pages of no topic. */
@CheckedTemplate(basePath = "console")
final class Templates {
  private Templates() {}

  /**
   * Where one signs in.
   *
   * @param next the path behind {@code /console} to go to then
   * @param link what stands in a one-time link, or empty
   * @param fault what was wrong, or null
   * @param provider the identity provider that one can sign in by way of, or null
   */
  static native TemplateInstance login(
      Shell shell, String next, String link, @Nullable String fault, @Nullable String provider);

  /** Leads to the identity provider, as an answer to a form may not. */
  static native TemplateInstance leave(Shell shell, String provider, String address);

  /**
   * Goes on by a form of ours, which the browser sends its cookies with.
   *
   * @param issuer what the answer of the provider names as its issuer, or empty
   */
  static native TemplateInstance callback(Shell shell, String code, String state, String issuer);

  /** Goes to a page once more, by a link of our own. */
  static native TemplateInstance again(Shell shell, String next);

  /** A form that takes a page. */
  static native TemplateInstance form(Shell shell, FormPage page);

  /**
   * Why there is no page.
   *
   * @param passes whether the page asks by itself until there is one
   */
  static native TemplateInstance fault(
      Shell shell, int status, String what, String why, boolean passes);
}
