package io.errand.secrets;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Queue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds secrets in a stream of bytes: an automaton of Aho and Corasick over all their forms,
 * another over those that are broken into lines, and one over what is percent-encoded. A byte costs
 * the same whatever there is to find, so no output can make it slow. Does not change once it is
 * made.
 */
public final class SecretPatterns {
  /** How many bytes of memory one takes for each byte of a form. */
  public static final int BYTES_A_NODE = 24;

  /** The forms of all secrets of a job have at most this many bytes. */
  public static final int MOST_NODES = 524_288;

  private static final int ROOT = 0;
  private static final int NONE = -1;

  private final int[] ofRoot = new int[256]; // the nodes below the root, by their byte
  private final byte[] label;
  private final int[] child; // the first one
  private final int[] sibling; // the next child of the same parent
  private final int[] fallback; // the node of the longest end of this one that is a beginning
  private final int[] found; // the length of the longest form that ends here, 0 for none
  private final int[] depth;
  private final @Nullable SecretPatterns wrapped;
  private final @Nullable SecretPatterns decoded;
  private int size = 1;

  private SecretPatterns(
      Set<String> forms, @Nullable SecretPatterns wrapped, @Nullable SecretPatterns decoded) {
    this.wrapped = wrapped;
    this.decoded = decoded;
    int nodes = (int) nodes(forms);
    label = new byte[nodes];
    child = filled(nodes);
    sibling = filled(nodes);
    fallback = new int[nodes];
    found = new int[nodes];
    depth = new int[nodes];
    Arrays.fill(ofRoot, NONE);
    forms.forEach(this::add);
    link();
  }

  /**
   * How many bytes of memory the patterns of these secrets take, at most.
   *
   * @param values the secrets
   */
  public static long memoryBytes(Collection<byte[]> values) {
    long nodes = nodes(SecretForms.of(values)) + nodes(SecretForms.decoded(values));
    long wrapped = nodes(SecretForms.wrapped(values));
    return BYTES_A_NODE * (areBoth(nodes, wrapped) ? nodes + wrapped : nodes);
  }

  /** Whether there is room for forms that are broken into lines. */
  private static boolean areBoth(long nodes, long wrapped) {
    return nodes + wrapped <= MOST_NODES;
  }

  /**
   * The patterns of these secrets.
   *
   * @throws IllegalArgumentException if they have more than {@value #MOST_NODES} bytes
   */
  public static SecretPatterns of(Collection<byte[]> values) {
    Set<String> forms = SecretForms.of(values);
    Set<String> decoded = SecretForms.decoded(values);
    long nodes = nodes(forms) + nodes(decoded);
    if (nodes > MOST_NODES) {
      throw new IllegalArgumentException("The secrets are too large to be masked");
    }
    Set<String> wrapped = SecretForms.wrapped(values);
    return new SecretPatterns(
        forms,
        areBoth(nodes, nodes(wrapped)) && !wrapped.isEmpty()
            ? new SecretPatterns(wrapped, null, null)
            : null,
        decoded.isEmpty() ? null : new SecretPatterns(decoded, null, null));
  }

  private static long nodes(Set<String> forms) {
    return 1 + forms.stream().mapToLong(String::length).sum();
  }

  private static int[] filled(int nodes) {
    int[] array = new int[nodes];
    Arrays.fill(array, NONE);
    return array;
  }

  private void add(String form) {
    int node = ROOT;
    for (int i = 0; i < form.length(); i++) {
      byte next = (byte) form.charAt(i);
      int below = below(node, next);
      if (below == NONE) {
        below = size++;
        label[below] = next;
        depth[below] = i + 1;
        sibling[below] = child[node];
        child[node] = below;
        if (node == ROOT) {
          ofRoot[next & 0xff] = below;
        }
      }
      node = below;
    }
    found[node] = form.length();
  }

  /** Breadth first, so that shorter ends are linked before longer ones. */
  private void link() {
    Queue<Integer> nodes = new ArrayDeque<>();
    nodes.add(ROOT);
    while (!nodes.isEmpty()) {
      int node = nodes.remove();
      for (int each = child[node]; each != NONE; each = sibling[each]) {
        fallback[each] = node == ROOT ? ROOT : next(fallback[node], label[each]);
        found[each] = Math.max(found[each], found[fallback[each]]);
        nodes.add(each);
      }
    }
  }

  private int below(int node, byte next) {
    if (node == ROOT) {
      return ofRoot[next & 0xff];
    }
    int each = child[node];
    while (each != NONE && label[each] != next) {
      each = sibling[each];
    }
    return each;
  }

  /** The patterns of what is broken into lines, which are to be given no line ends; or null. */
  @Nullable SecretPatterns wrapped() {
    return wrapped;
  }

  /** The patterns of what {@link PercentDecoded} reads, or null. */
  @Nullable SecretPatterns decoded() {
    return decoded;
  }

  /** The node behind another one and a byte. */
  int next(int from, byte next) {
    int node = from;
    int below = below(node, next);
    while (below == NONE && node != ROOT) {
      node = fallback[node];
      below = below(node, next);
    }
    return below == NONE ? ROOT : below;
  }

  /** How many of the last bytes are a secret, 0 for none. */
  int found(int node) {
    return found[node];
  }

  /** How many of the last bytes may be the beginning of a secret. */
  int depth(int node) {
    return depth[node];
  }

  /** A stream in which these are masked. */
  public MaskedStream stream() {
    return new MaskedStream(this);
  }
}
