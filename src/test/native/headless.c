// Ends its first thread and goes on in another. usage: headless SECONDS MEBIBYTES
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t bytes;
static int seconds;

static void *rest(void *unused) {
  volatile char *area = malloc(bytes + 1);
  for (size_t i = 0; area && i < bytes; i += 4096) area[i] = 1;
  sleep(seconds);
  _exit(0);
}

int main(int count, char **values) {
  pthread_t thread;
  seconds = count > 1 ? atoi(values[1]) : 60;
  bytes = count > 2 ? (size_t)atoi(values[2]) << 20 : 0;
  signal(SIGTERM, SIG_IGN);
  if (pthread_create(&thread, 0, rest, 0)) return 1;
  syscall(SYS_exit, 0);
}
