// Has the kernel make page tables for pages that are not resident. usage: tables GIBIBYTES SECONDS
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int count, char **values) {
  if (count != 3) return 2;
  size_t bytes = (size_t)atol(values[1]) << 30;
  volatile char *area =
      mmap(0, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (area == MAP_FAILED) return 3;
  madvise((void *)area, bytes, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < bytes; i += 2 << 20) {
    (void)area[i];
    madvise((void *)(area + i), 4096, MADV_DONTNEED); // the table stays
  }
  sleep(atoi(values[2]));
  return 0;
}
