/*
 * Starts processes that share its memory and print their numbers, and then keeps the lock of that memory nearly all the time, so
 * that reading what they say of themselves is slow: slow PROCESSES MAPPINGS
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int child(void *none) {
  for (;;) {
    pause();
  }
  return none != 0;
}

int main(int count, char **arguments) {
  if (count < 3) {
    return 2;
  }
  int processes = atoi(arguments[1]);
  size_t mappings = (size_t)atol(arguments[2]);
  int memory = memfd_create("m", 0);
  if (ftruncate(memory, 2 << 20)) {
    return 1;
  }
  char *region = mmap(0, mappings << 21, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  for (size_t i = 0; i < mappings; i++) {
    mmap(region + (i << 21), 2 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, memory, 0);
  }
  for (int i = 0; i < processes; i++) {
    char *stack = malloc(16384);
    printf("%d\n", clone(child, stack + 16384, CLONE_VM | CLONE_FILES | SIGCHLD, 0));
  }
  printf("ready\n");
  fflush(stdout);
  for (;;) {
    mprotect(region, mappings << 21, PROT_READ);
    mprotect(region, mappings << 21, PROT_READ | PROT_WRITE);
  }
}
