package io.errand.exec;

import com.sun.jna.Memory;
import java.nio.ByteBuffer;

/**
 * Native memory, and the same memory as a buffer. A call that sleeps writes to it when it goes on,
 * so each thread has one of its own.
 */
record IoBuffer(Memory memory, ByteBuffer bytes) {
  static IoBuffer allocate(int size) {
    Memory memory = new Memory(size);
    return new IoBuffer(memory, memory.getByteBuffer(0, size));
  }

  int size() {
    return bytes.capacity();
  }
}
