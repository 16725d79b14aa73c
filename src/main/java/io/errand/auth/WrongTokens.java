package io.errand.auth;

import io.errand.network.Networks;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * How many wrong tokens come from an address: {@value #BURST} at once and {@value #PER_SECOND} a
 * second are looked at, of the {@value #MOST_ADDRESSES} addresses that sent one last. All IPv6
 * addresses of one network of 64 bits, which one host may have, count as one.
 */
@ApplicationScoped
public class WrongTokens {
  static final int BURST = 100;
  static final int PER_SECOND = 5;
  static final int MOST_ADDRESSES = 10_000;
  private static final int NETWORK_BYTES = 8; // of the 16 of IPv6
  private static final double NANOS = TimeUnit.SECONDS.toNanos(1);

  /** Guarded by itself. */
  private final Map<String, Allowance> byAddress =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Allowance> eldest) {
          return size() > MOST_ADDRESSES;
        }
      };

  private record Allowance(double left, long nanos) {
    double at(long now) {
      return Math.min(BURST, left + PER_SECOND * ((now - nanos) / NANOS));
    }
  }

  /** Counts one. */
  public void add(String address, long nowNanos) {
    synchronized (byAddress) {
      byAddress.compute(
          source(address),
          (key, known) ->
              new Allowance(
                  Math.max(0, (known == null ? BURST : known.at(nowNanos)) - 1), nowNanos));
    }
  }

  /** After how many seconds another token of this address is looked at; 0 for now. */
  public int waitSeconds(String address, long nowNanos) {
    synchronized (byAddress) {
      Allowance known = byAddress.get(source(address));
      double left = known == null ? BURST : known.at(nowNanos);
      return left >= 1 ? 0 : (int) Math.ceil((1 - left) / PER_SECOND);
    }
  }

  /** Whose tokens count together: an IPv4 address, or a network of IPv6. */
  private static String source(String address) {
    int zone = address.indexOf('%');
    byte[] bytes = Networks.address(zone < 0 ? address : address.substring(0, zone));
    return bytes == null || bytes.length <= NETWORK_BYTES
        ? address
        : HexFormat.of().formatHex(bytes, 0, NETWORK_BYTES);
  }
}
