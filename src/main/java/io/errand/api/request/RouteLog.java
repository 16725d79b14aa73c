package io.errand.api.request;

import io.quarkus.resteasy.reactive.server.runtime.ResteasyReactiveRecorder;
import io.quarkus.runtime.StartupEvent;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.Set;
import org.jboss.logging.Logger;
import org.jboss.resteasy.reactive.server.mapping.RuntimeResource;
import org.jboss.resteasy.reactive.server.util.RuntimeResourceVisitor;

/** Logs at DEBUG every route that this process has, as the routers know them. */
@ApplicationScoped
class RouteLog {
  private static final Logger LOG = Logger.getLogger(RouteLog.class);

  void log(@Observes StartupEvent started, Router router) {
    if (!LOG.isDebugEnabled()) {
      return;
    }
    for (Route route : router.getRoutes()) {
      Set<HttpMethod> methods = route.methods();
      LOG.debugf("Router: %s %s", methods == null ? "any" : methods, route.getPath());
    }
    RuntimeResourceVisitor.visitRuntimeResources(
        "", ResteasyReactiveRecorder.getCurrentDeployment().getClassMappers(), new Visitor());
  }

  private static final class Visitor implements RuntimeResourceVisitor {
    @Override
    public void visitRuntimeResource(String method, String path, RuntimeResource resource) {
      LOG.debugf("Resource: %s %s", method, path);
    }
  }
}
