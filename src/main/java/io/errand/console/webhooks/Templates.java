package io.errand.console.webhooks;

import io.errand.console.Shell;
import io.errand.store.webhooks.DeliveryReads.DisabledUrl;
import io.quarkus.qute.CheckedTemplate;
import io.quarkus.qute.TemplateInstance;
import java.util.List;

/** The pages about webhooks. */
@CheckedTemplate(basePath = "console")
final class Templates {
  private Templates() {}

  /**
   * Deliveries, the newest first.
   *
   * @param disabled URLs to which nothing is sent
   * @param state that was asked for, or empty for all
   * @param states that may be asked for
   * @param refresh what the address of this page asks for
   * @param older what that of the next page asks for, or empty
   */
  static native TemplateInstance webhooks(
      Shell shell,
      List<DeliveryLine> deliveries,
      List<DisabledUrl> disabled,
      String state,
      List<String> states,
      String refresh,
      String older);
}
