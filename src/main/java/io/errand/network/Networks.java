package io.errand.network;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Networks of IP addresses, at most {@value #MOST_NETWORKS}.
 *
 * @param list each of them
 */
public record Networks(List<Network> list) {
  private static final int MOST_NETWORKS = 100;

  /** Anything else with dots in it may be a name, which Java would look up. */
  private static final Pattern ADDRESS =
      Pattern.compile(
          "[0-9]{1,3}(?:\\.[0-9]{1,3}){3}|(?=[0-9A-Fa-f]*:)[0-9A-Fa-f:][0-9A-Fa-f:.]{1,44}");

  private static final Pattern BITS = Pattern.compile("[0-9]{1,3}");

  /** None. */
  public static final Networks NONE = new Networks(List.of());

  /**
   * The addresses that begin with the same bits.
   *
   * @param prefix an address, of 4 or 16 bytes
   * @param bits how many bits of it count
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Network(byte[] prefix, int bits) {
    /** Whether it has this address, given as bytes. */
    public boolean holds(byte[] address) {
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
   * Those of a comma list.
   *
   * @param name of the setting, for the message
   * @param cidrs a comma list such as {@code 10.1.0.0/16,fd00::/8}, or blank
   * @throws IllegalArgumentException with a sentence, if it is none
   */
  public static Networks of(String name, String cidrs) {
    if (cidrs.isBlank()) {
      return NONE;
    }
    List<Network> networks = new ArrayList<>();
    for (String cidr : cidrs.split(",", -1)) {
      networks.add(network(name, cidr.strip()));
    }
    if (networks.size() > MOST_NETWORKS) {
      throw new IllegalArgumentException(
          name + " names more than " + MOST_NETWORKS + " networks; set it to fewer, larger ones");
    }
    return new Networks(List.copyOf(networks));
  }

  private static Network network(String name, String cidr) {
    int slash = Math.max(0, cidr.indexOf('/'));
    String length = cidr.substring(Math.min(cidr.length(), slash + 1));
    byte[] prefix = address(cidr.substring(0, slash));
    if (prefix != null && BITS.matcher(length).matches()) {
      int bits = Integer.parseInt(length);
      if (bits <= 8 * prefix.length) {
        return new Network(prefix, bits);
      }
    }
    throw new IllegalArgumentException(
        name
            + " holds '"
            + cidr
            + "', which is no network; set it to a comma list such as 10.1.0.0/16,fd00::/8");
  }

  /** The bytes of an address that is written as one, or null; no name is looked up. */
  public static byte @Nullable [] address(String literal) {
    if (ADDRESS.matcher(literal).matches()) {
      try {
        return InetAddress.getByName(literal).getAddress();
      } catch (UnknownHostException e) {
        return null;
      }
    }
    return null;
  }

  /** Whether one of them has this address, given as bytes. */
  public boolean hold(byte[] address) {
    return list.stream().anyMatch(network -> network.holds(address));
  }
}
