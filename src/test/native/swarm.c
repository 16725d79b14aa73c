// Ten lineages. Each process lives for 1.5 ms: it leaves its session, starts its successor and
// ends. Each starts lineages anew that have not been heard of for 10 ms; a lineage that was only
// slow sees that and ends. All end after 20 s.
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { LINEAGES = 10 };
static struct {
  volatile long heard;
  volatile long number;
} *slots;

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static void live(int mine, long number, long end) {
  for (;;) {
    setsid();
    if (now() > end || slots[mine].number != number) _exit(0);
    slots[mine].heard = now();
    for (int i = 0; i < LINEAGES; i++) {
      long old = slots[i].number;
      if (now() - slots[i].heard > 10000 && __sync_bool_compare_and_swap(&slots[i].number, old, old + 1)) {
        slots[i].heard = now();
        if (!fork()) {
          mine = i;
          number = old + 1;
        }
      }
    }
    usleep(1500);
    if (fork()) _exit(0);
  }
}

int main(int argc, char **argv) {
  (void)argv;
  signal(SIGTERM, SIG_IGN);
  slots = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  long end = now() + 20000000L;
  slots[0].heard = now();
  if (!fork()) live(0, 0, end);
  puts("ready");
  fflush(stdout);
  if (argc > 1) pause();
}
