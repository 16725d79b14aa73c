/*
 * Keeps a file locked in the kernel, and after some seconds its directory too: hold FILE SECONDS MAPPINGS
 *
 * A thread changes the protection of many mappings without end, which keeps the lock of the process's memory. A write(2) of
 * 2 GB then faults page by page with the lock of the file. A second process unlinks the file: it waits for that lock and
 * has the lock of the directory meanwhile. Both end when they are killed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static char *region;
static size_t mappings;
static volatile int rounds;

static void *lock(void *none) {
  for (;;) {
    mprotect(region, mappings << 21, PROT_READ);
    mprotect(region, mappings << 21, PROT_READ | PROT_WRITE);
    rounds++;
  }
  return none;
}

int main(int count, char **arguments) {
  if (count < 4) {
    return 2;
  }
  const char *path = arguments[1];
  mappings = (size_t)atol(arguments[3]);
  int file = open(path, O_CREAT | O_RDWR, 0600);
  if (file < 0) {
    perror(path);
    return 1;
  }
  volatile int *writing = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!fork()) {
    int memory = memfd_create("m", 0);
    if (ftruncate(memory, 2 << 20)) {
      return 1;
    }
    region = mmap(0, mappings << 21, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (size_t i = 0; i < mappings; i++) {
      mmap(region + (i << 21), 2 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, memory, 0);
    }
    size_t length = 2000u << 20;
    char *bytes = mmap(0, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    madvise(bytes, length, MADV_NOHUGEPAGE);
    pthread_t thread;
    pthread_create(&thread, 0, lock, 0);
    while (rounds < 3) {
      usleep(1000);
    }
    *writing = 1;
    return write(file, bytes, length) < 0;
  }
  while (!*writing) {
    usleep(10000);
  }
  sleep((unsigned)atoi(arguments[2]));
  if (!fork()) {
    unlink(path);
    return 0;
  }
  for (;;) {
    pause();
  }
}
