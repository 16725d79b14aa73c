package io.errand.console;

import io.errand.api.request.Caller;
import io.errand.api.request.ConsoleRequests;
import io.errand.api.request.DocsPages;
import io.errand.api.request.RefusalPages;
import io.errand.auth.ConsoleSessions.Session;
import io.errand.auth.Identity;
import io.errand.auth.Permission;
import io.errand.auth.Role;
import io.quarkus.qute.TemplateInstance;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.ws.rs.core.Response;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes answers of pages. */
@ApplicationScoped
public class Pages {
  private static final String CONSOLE = "console";

  /**
   * What a page may say that has been done. It is named in the address, so nobody can make it say
   * something else.
   */
  private static final Map<String, String> NOTICES =
      Map.ofEntries(
          Map.entry("cancelled", "The job is cancelled."),
          Map.entry("cancelling", "The worker has been asked to end the job."),
          Map.entry("released", "The job goes on."),
          Map.entry("retried", "This is the new job; it tries the command again."),
          Map.entry("stopping", "The operation stops; what it has changed stays changed."),
          Map.entry("saved", "Saved."),
          Map.entry("project", "All pages show this project now."),
          Map.entry("submitted", "This is the new job."),
          Map.entry("paused", "Paused: nothing new starts until it is resumed."),
          Map.entry("resumed", "Resumed."),
          Map.entry("opened", "The circuit is open; it stays open until it is closed by hand."),
          Map.entry("closed", "The circuit is closed."),
          Map.entry("removed", "Removed."),
          Map.entry("retired", "The command is retired."),
          Map.entry("revoked", "The key is revoked."),
          Map.entry("resent", "The webhook is sent again."),
          Map.entry("signed-out", "You are signed out."));

  private final Caller caller;
  private final Assets assets;
  private final WritableState state;

  Pages(Caller caller, Assets assets, WritableState state) {
    this.state = state;
    this.caller = caller;
    this.assets = assets;
  }

  /**
   * The frame of a page of this request.
   *
   * @param section the path of the entry of the menu that it belongs to
   */
  public Shell shell(String section, String title) {
    return shell(caller.request(), section, title);
  }

  /** The same for a request that no route has got. */
  Shell shell(RoutingContext context, String section, String title) {
    Session session = ConsoleRequests.session(context);
    String root = root(context);
    Identity identity = session == null ? null : session.identity();
    Role role = identity == null ? null : identity.role();
    boolean isWritable = !state.isReadOnly(); // nothing is offered that will be refused
    return new Shell(
        title,
        section,
        root,
        root + "/assets/" + assets.version() + "/",
        identity == null ? "" : identity.name(),
        role == null ? "" : role.wireName(),
        identity == null ? "" : identity.project(),
        session == null ? "" : session.csrfToken(),
        isWritable && may(role, Permission.SUBMIT),
        isWritable && may(role, Permission.OPERATE),
        isWritable && may(role, Permission.ADMINISTER),
        Section.ALL.stream().filter(entry -> may(role, entry.permission())).toList(),
        notice(context),
        session == null ? List.of() : session.projects(),
        state.why(),
        DocsPages.isThere() ? root.substring(0, root.length() - CONSOLE.length()) + "docs/" : null);
  }

  private static boolean may(@Nullable Role role, Permission permission) {
    return role != null && role.may(permission);
  }

  private static @Nullable String notice(RoutingContext context) {
    List<String> given = context.queryParam("notice");
    return given.isEmpty() ? null : NOTICES.get(given.get(0));
  }

  /** Leads from the path of this request to {@code console}, wherever a front has put that. */
  private static String root(RoutingContext context) {
    String path = String.valueOf(context.request().path());
    return "../".repeat((int) path.chars().filter(c -> c == '/').count() - 1) + CONSOLE;
  }

  /** A page. */
  public Response ok(TemplateInstance page) {
    return answer(200, page);
  }

  /** A form that takes a page. */
  public Response form(int status, FormPage form) {
    return answer(status, Templates.form(shell(form.up(), form.title()), form));
  }

  /** A page with another status. */
  public Response answer(int status, TemplateInstance page) {
    return Response.status(status).type(RefusalPages.TYPE).entity(page.render()).build();
  }

  /**
   * Sends the browser to a page after a form.
   *
   * @param path behind {@code /console}, with what is asked for
   */
  public Response seeOther(String path) {
    return Response.status(303).header("Location", root(caller.request()) + path).build();
  }
}
