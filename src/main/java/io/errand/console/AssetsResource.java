package io.errand.console;

import io.errand.console.Assets.Asset;
import io.smallrye.common.annotation.Blocking;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.core.Response;

/** Serves the files that pages load, to anybody. */
@Path("/console/assets/{version}/{name}")
@Blocking
public class AssetsResource {
  private static final String FOR_EVER = "public, max-age=31536000, immutable";

  private final Assets assets;

  AssetsResource(Assets assets) {
    this.assets = assets;
  }

  /** One file. Its address changes with its content, so a browser may keep it. */
  @GET
  public Response get(@PathParam("version") String version, @PathParam("name") String name) {
    Asset asset = assets.find(name);
    return Response.ok(asset.bytes())
        .type(asset.type())
        .header("Cache-Control", version.equals(assets.version()) ? FOR_EVER : "no-store")
        .build();
  }
}
