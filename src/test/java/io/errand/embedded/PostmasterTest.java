package io.errand.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PostmasterTest {
  @TempDir Path data;

  @Test
  void noFileIsNoProcess() throws IOException {
    assertThat(new Postmaster(data).pid()).isEmpty();
  }

  @Test
  void aPidThatIsAnothersIsNoProcess() throws IOException {
    Files.writeString(data.resolve("postmaster.pid"), ProcessHandle.current().pid() + "\n");
    assertThat(new Postmaster(data).pid()).isEmpty();
  }

  /** A server that was short of descriptors took that for the end of its database, and ended. */
  @Test
  void whatCannotBeReadDoesNotSayThatItHasEnded() throws IOException {
    Files.createDirectory(data.resolve("postmaster.pid"));
    assertThatThrownBy(() -> new Postmaster(data).pid()).isInstanceOf(IOException.class);
  }
}
