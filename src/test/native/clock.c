/* Preloaded into a server, this makes its wall clock wrong by ERRAND_TEST_CLOCK seconds; how much time passes stays true. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t error_seconds(void) {
  const char *text = getenv("ERRAND_TEST_CLOCK");
  return text ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *result) {
  int status = syscall(SYS_clock_gettime, clock, result);
  if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    result->tv_sec += error_seconds();
  return status;
}

int gettimeofday(struct timeval *restrict result, void *restrict zone) {
  int status = syscall(SYS_gettimeofday, result, zone);
  if (status == 0) result->tv_sec += error_seconds();
  return status;
}

time_t time(time_t *result) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}
