// Starts a process beside itself with CLONE_PARENT, which says its number and sleeps for a minute in a session of its own.
// Prints "refused" where the kernel does not allow that, and ends.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
  long child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
  if (child < 0) {
    puts("refused");
  } else if (child == 0) {
    setsid();
    signal(SIGTERM, SIG_IGN);
    close(0), close(1), close(2);
    sleep(60);
    _exit(0);
  } else {
    printf("%ld\n", child);
  }
  return 0;
}
