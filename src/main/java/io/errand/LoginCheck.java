package io.errand;

import io.errand.api.request.ApiConfig;
import io.errand.store.LoginRights;
import io.errand.worker.WorkerConfig;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationInfo;

/** Whether the schema is the one of this build, and the login may do what this process does. */
@ApplicationScoped
class LoginCheck {
  private final Flyway flyway;
  private final ServerConfig config;
  private final LoginRights rights;
  private final WorkerConfig worker;
  private final ApiConfig api;

  LoginCheck(
      Flyway flyway, ServerConfig config, LoginRights rights, WorkerConfig worker, ApiConfig api) {
    this.flyway = flyway;
    this.config = config;
    this.rights = rights;
    this.worker = worker;
    this.api = api;
  }

  /** Where the start does not migrate, somebody else must have. */
  void checkSchema(@Observes @Priority(LoginRights.FIRST) StartupEvent event) {
    if (config.migrate()) {
      return;
    }
    MigrationInfo[] pending = flyway.info().pending();
    if (pending.length > 0) {
      throw new IllegalStateException(
          "The schema of the database lacks "
              + pending.length
              + " migrations, up to "
              + pending[pending.length - 1].getVersion()
              + ", and ERRAND_MIGRATE=false: run `errand migrate` as the owner of the schema first");
    }
  }

  void checkRights(@Observes @Priority(LoginRights.FIRST + 2) StartupEvent event) {
    LoginRights.Rights now = rights.now();
    if (worker.isWorker() && !now.mayClaim()) {
      throw refusal(now, "claim jobs", "errand_worker", "ERRAND_ROLES=api");
    }
    if (api.isApi() && !now.mayMakeKeys()) {
      throw refusal(now, "serve the API", "errand_api", "ERRAND_ROLES=worker");
    }
  }

  private static IllegalStateException refusal(
      LoginRights.Rights now, String what, String role, String setting) {
    return new IllegalStateException(
        "The login "
            + now.login()
            + " of the database may not "
            + what
            + ": make it a member of "
            + role
            + ", or set "
            + setting);
  }
}
