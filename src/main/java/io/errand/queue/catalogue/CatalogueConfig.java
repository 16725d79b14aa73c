package io.errand.queue.catalogue;

import io.smallrye.config.ConfigMapping;
import java.util.Optional;

/** Settings of the catalogue. */
@ConfigMapping(prefix = "errand")
public interface CatalogueConfig {
  /** The directory of files with named commands. */
  Optional<String> catalogueDir();
}
