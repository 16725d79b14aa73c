package io.errand.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;

/** What the socket of one connection has not taken yet, and since when it has taken nothing. */
final class UnsentBytes {
  private long stalledSince;
  private long progress;
  private int message;
  private boolean waiting;

  /** How many there are. */
  static long count(Channel channel) {
    ChannelOutboundBuffer unsent = channel.unsafe().outboundBuffer();
    return unsent == null ? 0 : unsent.totalPendingWriteBytes();
  }

  /** Whether there are some, and none was taken for so long; to be asked again and again. */
  boolean isStalled(Channel channel, long now, long nanos) {
    ChannelOutboundBuffer unsent = channel.unsafe().outboundBuffer();
    if (unsent == null || unsent.totalPendingWriteBytes() == 0) {
      waiting = false;
      return false;
    }
    int current = System.identityHashCode(unsent.current());
    if (!waiting || current != message || unsent.currentProgress() != progress) {
      waiting = true;
      message = current;
      progress = unsent.currentProgress();
      stalledSince = now;
    }
    return now - stalledSince > nanos;
  }
}
