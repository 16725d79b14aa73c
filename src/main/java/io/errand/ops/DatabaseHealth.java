package io.errand.ops;

import io.errand.disk.FreeSpace;
import io.errand.store.DatabaseCheck;
import io.errand.store.SchemaReads;
import io.smallrye.common.annotation.Blocking;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Readiness;

/** Ready: the database answers, takes writes, and holds the schema that this build knows. */
@Readiness
@Blocking
@ApplicationScoped
public class DatabaseHealth implements HealthCheck {
  private final SchemaReads schema;
  private final FreeSpace space;

  DatabaseHealth(SchemaReads schema, FreeSpace space) {
    this.space = space;
    this.schema = schema;
  }

  @Override
  public HealthCheckResponse call() {
    try {
      return HealthCheckResponse.named("database")
          .up()
          .withData("schema_version", schema.version())
          .withData("accepts_jobs", !space.isShort())
          .build();
    } catch (SQLException e) {
      return HealthCheckResponse.named("database")
          .down()
          .withData("reason", DatabaseCheck.reason(e))
          .build();
    }
  }
}
