package io.errand.console;

import io.errand.api.request.Admission;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Bounds how many pages read lists from the database at once. */
@Singleton
public class PageAdmission extends Admission {
  PageAdmission(@ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    super(pool, "pages of the console are being read");
  }
}
