package io.errand.api.jobs;

import io.errand.api.request.Admission;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Bounds how many lists of jobs the database works on at once. To select the jobs of a page may
 * take it a second where jobs are large or a text is searched for, and many such selections at once
 * would take its processors from submits and claims.
 */
@Singleton
public class ListAdmission extends Admission {
  ListAdmission(@ConfigProperty(name = "errand.database-pool", defaultValue = "16") int pool) {
    super(pool, "lists of jobs are being read");
  }
}
