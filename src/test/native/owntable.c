// Holds a removed file of 2 MiB in a descriptor table that only one of its threads has, the last of so many.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *path;

static void *idle(void *unused) {
  for (;;) {
    pause();
  }
}

static void *hold(void *unused) {
  static char block[1 << 20];
  memset(block, 1, sizeof block);
  if (unshare(CLONE_FILES) != 0) {
    exit(1);
  }
  int file = open(path, O_CREAT | O_RDWR, 0600);
  if (write(file, block, sizeof block) < 0 || write(file, block, sizeof block) < 0 || unlink(path) != 0) {
    exit(1);
  }
  puts("ready");
  fflush(stdout);
  return idle(unused);
}

int main(int count, char **arguments) {
  path = arguments[1];
  pthread_attr_t small;
  pthread_t thread;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  for (int i = atoi(arguments[2]); i > 1; i--) {
    if (pthread_create(&thread, &small, idle, 0) != 0) {
      break;
    }
  }
  pthread_create(&thread, 0, hold, 0);
  idle(0);
}
