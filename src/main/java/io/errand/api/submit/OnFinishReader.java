package io.errand.api.submit;

import io.errand.api.request.Fields;
import io.errand.job.OnFinish;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads whom a job tells when it has finished. */
final class OnFinishReader {
  static final String FIELD = "on_finish";

  private static final Pattern SECRET_REF = Pattern.compile(OnFinish.SECRET_REF_PATTERN);

  private OnFinishReader() {}

  /** Null where the job names nobody, or where it is wrong and the fields complain. */
  static @Nullable OnFinish read(Fields fields) {
    Fields webhook = fields.object(FIELD);
    if (webhook == null) {
      return null;
    }
    webhook.only(Set.of("url", "secret_ref"));
    String url = webhook.string("url", OnFinish.MAX_URL_CHARACTERS);
    if (webhook.get("url") == null) {
      webhook.complain(webhook.at("url"), "is required");
    } else if (url != null && !OnFinish.isUrl(url)) {
      webhook.complain(
          webhook.at("url"),
          "must be an http or https URL with a host, without user, password and fragment");
    }
    String secret = webhook.string("secret_ref", 255);
    if (secret != null && !SECRET_REF.matcher(secret).matches()) {
      webhook.complain(webhook.at("secret_ref"), "must match " + OnFinish.SECRET_REF_PATTERN);
    }
    return url == null ? null : new OnFinish(url, secret);
  }
}
