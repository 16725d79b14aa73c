package io.errand.webhooks;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * To which addresses a webhook may be sent: public unicast addresses, and what the operator allows.
 * Everything that IANA lists as not globally reachable is refused, so that no job can make a server
 * talk to its own host or network.
 */
public final class AddressRules {
  private static final int MOST_NETWORKS = 100;
  private static final Pattern ADDRESS = Pattern.compile("[0-9A-Fa-f:.]{2,45}");
  private static final Pattern BITS = Pattern.compile("[0-9]{1,3}");

  private static final List<Network> NOT_PUBLIC_4 =
      networks(
          "0.0.0.0/8, 10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12,"
              + " 192.0.0.0/24, 192.0.2.0/24, 192.88.99.0/24, 192.168.0.0/16, 198.18.0.0/15,"
              + " 198.51.100.0/24, 203.0.113.0/24, 224.0.0.0/4, 240.0.0.0/4");

  /** Of IPv6 only this is given out for unicast; the others in it are tunnels and examples. */
  private static final Network UNICAST_6 = networks("2000::/3").get(0);

  private static final List<Network> NOT_PUBLIC_6 =
      networks("2001::/23, 2001:db8::/32, 2002::/16, 3fff::/20");

  /** An IPv4 address as hosts without IPv4 reach it (RFC 6052); that address decides. */
  private static final Network TRANSLATED = networks("64:ff9b::/96").get(0);

  private static final int IPV4_BYTES = 4;

  private final List<Network> allowed;

  private AddressRules(List<Network> allowed) {
    this.allowed = allowed;
  }

  private record Network(byte[] prefix, int bits) {
    boolean holds(byte[] address) {
      if (address.length != prefix.length) {
        return false;
      }
      for (int bit = 0; bit < bits; bit += 8) {
        int mask = bits - bit >= 8 ? 0xff : 0xff << (8 - (bits - bit)) & 0xff;
        if ((address[bit / 8] & mask) != (prefix[bit / 8] & mask)) {
          return false;
        }
      }
      return true;
    }
  }

  /**
   * Rules that allow further networks.
   *
   * @param cidrs a comma list such as {@code 10.1.0.0/16,fd00::/8}, or empty
   * @throws IllegalArgumentException with a sentence, if it is none
   */
  public static AddressRules allowing(String cidrs) {
    return new AddressRules(cidrs.isBlank() ? List.of() : networks(cidrs));
  }

  private static List<Network> networks(String cidrs) {
    List<Network> networks = new ArrayList<>();
    for (String cidr : cidrs.split(",", -1)) {
      networks.add(network(cidr.strip()));
    }
    if (networks.size() > MOST_NETWORKS) {
      throw new IllegalArgumentException(
          "ERRAND_WEBHOOK_ALLOW_NETWORKS names more than " + MOST_NETWORKS + " networks");
    }
    return networks;
  }

  private static Network network(String cidr) {
    int slash = Math.max(0, cidr.indexOf('/'));
    String address = cidr.substring(0, slash);
    String length = cidr.substring(Math.min(cidr.length(), slash + 1));
    if (ADDRESS.matcher(address).matches()
        && BITS.matcher(length).matches()
        && (address.contains(".") || address.contains(":"))) {
      try {
        byte[] prefix = InetAddress.getByName(address).getAddress(); // a literal
        int bits = Integer.parseInt(length);
        if (bits <= 8 * prefix.length) {
          return new Network(prefix, bits);
        }
      } catch (UnknownHostException e) {
        // said below
      }
    }
    throw new IllegalArgumentException(
        "ERRAND_WEBHOOK_ALLOW_NETWORKS holds '"
            + cidr
            + "', which is no network; set it to a comma list such as 10.1.0.0/16,fd00::/8");
  }

  /** Whether this address may be sent to. */
  public boolean allows(InetAddress address) {
    byte[] bytes = address.getAddress(); // Java makes IPv4 of addresses that are mapped into IPv6
    return allowed.stream().anyMatch(network -> network.holds(bytes)) || isPublic(bytes);
  }

  private static boolean isPublic(byte[] address) {
    if (address.length == IPV4_BYTES) {
      return NOT_PUBLIC_4.stream().noneMatch(network -> network.holds(address));
    }
    if (TRANSLATED.holds(address)) {
      return isPublic(Arrays.copyOfRange(address, address.length - IPV4_BYTES, address.length));
    }
    return UNICAST_6.holds(address)
        && NOT_PUBLIC_6.stream().noneMatch(network -> network.holds(address));
  }
}
