package io.errand.webhooks;

import io.errand.network.Networks;
import java.net.InetAddress;
import java.util.Arrays;

/**
 * To which addresses a webhook may be sent: public unicast addresses, and what the operator allows.
 * Everything that IANA lists as not globally reachable is refused, so that no job can make a server
 * talk to its own host or network.
 */
public final class AddressRules {
  private static final Networks NOT_PUBLIC_4 =
      networks(
          "0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12,"
              + " 192.0.0.0/24, 192.0.2.0/24, 192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15,"
              + " 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/4, 240.0.0.0/4");

  /** Of IPv6 only this is given out for unicast; the others in it are tunnels and examples. */
  private static final Networks UNICAST_6 = networks("2000::/3");

  private static final Networks NOT_PUBLIC_6 =
      networks("2001::/23, 2001:db8::/32, 2002::/16, 3fff::/20");

  /** An IPv4 address as hosts without IPv4 reach it (RFC 6052); that address decides. */
  private static final Networks TRANSLATED = networks("64:ff9b::/96");

  private static final int IPV4_BYTES = 4;

  private final Networks allowed;

  private AddressRules(Networks allowed) {
    this.allowed = allowed;
  }

  /**
   * Rules that allow further networks.
   *
   * @param cidrs a comma list such as {@code 10.1.0.0/16,fd00::/8}, or empty
   * @throws IllegalArgumentException with a sentence, if it is none
   */
  public static AddressRules allowing(String cidrs) {
    return new AddressRules(networks(cidrs));
  }

  private static Networks networks(String cidrs) {
    return Networks.of("ERRAND_WEBHOOK_ALLOW_NETWORKS", cidrs);
  }

  /** Whether this address may be sent to. */
  public boolean allows(InetAddress address) {
    byte[] bytes = address.getAddress(); // Java makes IPv4 of addresses that are mapped into IPv6
    return allowed.hold(bytes) || isPublic(bytes);
  }

  private static boolean isPublic(byte[] address) {
    if (address.length == IPV4_BYTES) {
      return !NOT_PUBLIC_4.hold(address);
    }
    if (TRANSLATED.hold(address)) {
      return isPublic(Arrays.copyOfRange(address, address.length - IPV4_BYTES, address.length));
    }
    return UNICAST_6.hold(address) && !NOT_PUBLIC_6.hold(address);
  }
}
