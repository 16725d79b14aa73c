// usage: traced trace PID SECONDS FILE [exit]
//   Traces a process, makes the file, and never waits for the process. Ignores SIGTERM.
//   Ends once the file is gone again, or after that time.
//   With "exit" the kernel stops the process once more when it ends.
// usage: traced wait FILE STATUS
//   Prints its number, and ends with the status once the file is there; below 0 by that signal.
//   It gets no signal of a child meanwhile, which would stop it for its tracer.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

static int trace(char **values, int options) {
  signal(SIGTERM, SIG_IGN);
  if (ptrace(PTRACE_SEIZE, atoi(values[2]), 0, options) != 0) {
    perror("PTRACE_SEIZE");
    return 1;
  }
  close(open(values[4], O_CREAT | O_WRONLY, 0600));
  for (int i = 0; i < 100 * atoi(values[3]) && access(values[4], F_OK) == 0; i++) usleep(10000);
  return 0;
}

static int await(char **values) {
  int status = atoi(values[3]);
  printf("%d\n", getpid());
  fflush(stdout);
  while (access(values[2], F_OK) != 0) usleep(10000);
  if (status < 0) kill(getpid(), -status);
  return status;
}

int main(int count, char **values) {
  if (count >= 5 && strcmp(values[1], "trace") == 0)
    return trace(values, count > 5 ? PTRACE_O_TRACEEXIT : 0);
  if (count == 4 && strcmp(values[1], "wait") == 0) return await(values);
  return 2;
}
