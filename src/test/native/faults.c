// Says whether it may handle page faults of its own: "allowed" or "refused".
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
  puts(syscall(SYS_userfaultfd, 1) < 0 ? "refused" : "allowed"); // UFFD_USER_MODE_ONLY
  return 0;
}
