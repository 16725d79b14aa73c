// Shows 3 GiB as its arguments and its environment, prints "ready" and waits.
#include <linux/prctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void) {
  size_t size = 3UL << 30;
  char *area = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  char line[4096];
  FILE *stat = fopen("/proc/self/stat", "r");
  if (area == MAP_FAILED || !stat || !fgets(line, sizeof line, stat)) return 1;
  fclose(stat);
  unsigned long fields[60] = {0};
  int at = 3;
  for (char *word = strtok(strrchr(line, ')') + 1, " "); word && at < 60; word = strtok(0, " "))
    sscanf(word, "%lu", &fields[at++]);
  struct prctl_mm_map map = {
      .start_code = fields[26], .end_code = fields[27], .start_stack = fields[28],
      .start_data = fields[45], .end_data = fields[46], .start_brk = fields[47],
      .brk = (unsigned long)sbrk(0), .exe_fd = -1u};
  map.arg_start = map.env_start = (unsigned long)area;
  map.arg_end = map.env_end = map.arg_start + size;
  if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0)) return 2;
  puts("ready");
  fflush(stdout);
  pause();
}
