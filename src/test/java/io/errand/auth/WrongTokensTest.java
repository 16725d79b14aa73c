package io.errand.auth;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** How wrong tokens are counted. */
class WrongTokensTest {
  private static final long NOW = 0;

  private final WrongTokens tokens = new WrongTokens();

  private void useUp(String address) {
    for (int i = 0; i < WrongTokens.BURST; i++) {
      tokens.add(address, NOW);
    }
  }

  @Test
  void eachAddressOfVersionFourHasItsOwnRate() {
    useUp("192.0.2.1");
    assertThat(tokens.waitSeconds("192.0.2.1", NOW)).isPositive();
    assertThat(tokens.waitSeconds("192.0.2.2", NOW)).isZero();
    assertThat(tokens.waitSeconds("192.0.2.1", NOW + 1_000_000_000L)).isZero();
  }

  @Test
  void theAddressesOfANetworkOfVersionSixHaveOneRate() {
    for (int host = 0; host < WrongTokens.BURST; host++) {
      tokens.add("2001:db8:1:2::" + Integer.toHexString(host + 1), NOW);
    }
    assertThat(tokens.waitSeconds("2001:db8:1:2:ffff::9", NOW)).isPositive();
    assertThat(tokens.waitSeconds("2001:DB8:1:2:0:0:0:7%eth0", NOW)).isPositive();
    assertThat(tokens.waitSeconds("2001:db8:1:3::1", NOW)).isZero();
  }

  @Test
  void whatIsNoAddressIsCountedAsItIs() {
    useUp("");
    assertThat(tokens.waitSeconds("", NOW)).isPositive();
    assertThat(tokens.waitSeconds("192.0.2.1", NOW)).isZero();
  }
}
