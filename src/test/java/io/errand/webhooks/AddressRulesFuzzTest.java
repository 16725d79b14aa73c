package io.errand.webhooks;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.errand.job.OnFinish;
import io.errand.network.Networks;
import io.errand.text.FuzzedText;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;

/** No address of a private kind is sent to, however it is written; no name is taken for one. */
@Tag("fuzz")
class AddressRulesFuzzTest {
  private static final AddressRules RULES = AddressRules.allowing("");

  private static void checkIsPublic(InetAddress address) {
    if (RULES.allows(address)) {
      assertThat(
              address.isLoopbackAddress()
                  || address.isAnyLocalAddress()
                  || address.isLinkLocalAddress()
                  || address.isSiteLocalAddress()
                  || address.isMulticastAddress())
          .as(address.toString())
          .isFalse();
    }
  }

  private static void checkLiteral(String text) throws UnknownHostException {
    byte[] address = Networks.address(text);
    if (address != null) {
      // A name of hexadecimal letters and dots would be looked up.
      assertThat(text).matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*");
      InetAddress parsed = InetAddress.getByAddress(address);
      assertThat(Networks.address(parsed.getHostAddress())).isEqualTo(address);
      checkIsPublic(parsed);
    }
  }

  /** The bytes of an address, and a text that may be one or a URL with one. */
  @FuzzTest
  @Timeout(60)
  void noPrivateAddressIsAllowed(byte[] bytes) throws UnknownHostException {
    if (bytes.length >= 16) {
      checkIsPublic(InetAddress.getByAddress(Arrays.copyOf(bytes, 16)));
    }
    if (bytes.length >= 4) {
      checkIsPublic(InetAddress.getByAddress(Arrays.copyOf(bytes, 4)));
    }
    String text = FuzzedText.of(bytes);
    checkLiteral(text);
    if (OnFinish.isUrl(text)) {
      OnFinish.Receiver receiver = new OnFinish(text, null).receiver();
      assertThat(receiver.host()).matches("[a-z0-9_.:-]+");
      assertThat(receiver.target()).startsWith("/").matches("[!-~]+");
      checkLiteral(receiver.host());
    }
  }
}
