package io.errand.webhooks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressRulesTest {
  private static boolean allows(String cidrs, String address) throws UnknownHostException {
    return AddressRules.allowing(cidrs).allows(InetAddress.getByName(address));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.0",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "3fff::1",
        "4000::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1"
      })
  void addressesThatAreNotPublicAreRefused(String address) throws UnknownHostException {
    assertThat(allows("", address)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2001:200::1",
        "2606:4700::1111",
        "2a00:1450::1"
      })
  void publicAddressesAreAllowed(String address) throws UnknownHostException {
    assertThat(allows("", address)).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "127.0.0.0/8|127.9.9.9|true",
        "127.0.0.1/32|127.0.0.1|true",
        "127.0.0.1/32|127.0.0.2|false",
        "127.0.0.1/32|::1|false",
        "127.0.0.1/32|::ffff:127.0.0.1|true",
        "10.20.0.0/14|10.23.255.255|true",
        "10.20.0.0/14|10.24.0.0|false",
        "0.0.0.0/0|10.0.0.1|true",
        "0.0.0.0/0|fd00::1|false",
        " fd00:20::/32 , ::1/128|fd00:20::5|true",
        "fd00:20::/32,::1/128|::1|true",
        "fd00:20::/32|fd00:21::5|false"
      })
  void whatTheOperatorNamesIsAllowed(String cidrs, String address, boolean allowed)
      throws UnknownHostException {
    assertThat(allows(cidrs, address)).isEqualTo(allowed);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"10.0.0.0", "10.0.0.0/33", "::/129", "localhost/8", "1/8", "10.0.0.0/8,", "x"})
  void whatIsNoNetworkIsRefused(String cidrs) {
    assertThatThrownBy(() -> AddressRules.allowing(cidrs))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("set it to a comma list");
  }
}
