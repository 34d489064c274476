/*
 * end-exec <operation id>
 *
 * Ends a command that run-once started, with everything below it. Run as root. Ends with 0 when nothing of it
 * is left: also when it had ended before, and when it was never started, which it then never will be. Ends with
 * 1 when it is still there after 15 s. The mark stays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "subtree.h"

static void interrupt(int signal) { (void)signal; }

static int fail(const char *what) {
  fprintf(stderr, "berth: %s: %s\n", what, strerror(errno));
  return 1;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: end-exec <operation id>\n");
    return 64;
  }
  check_operation_id(argv[1]);

  /* Whoever takes the mark first decides: a run-once that comes later finds it taken. */
  int error = take_mark(argv[1]);
  if (error == 0) return 0;
  errno = error;
  if (error != EEXIST) return fail("cannot take the mark");

  char path[sizeof MARKS + 80];
  snprintf(path, sizeof path, "%s/%s", MARKS, argv[1]);
  int mark = open(path, O_RDONLY | O_CLOEXEC);
  if (mark < 0) return fail("cannot open the mark");
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
  if (fcntl(mark, F_GETLK, &lock) < 0) return fail("cannot read the mark's lock");
  if (lock.l_type == F_UNLCK) return 0;

  /* run-once kills what is below it: it alone can say for certain that nothing is left. */
  if (kill(lock.l_pid, SIGTERM) < 0 || kill(lock.l_pid, SIGCONT) < 0)
    if (errno != ESRCH) return fail("cannot signal run-once");

  /* Without SA_RESTART the alarm ends the wait for the lock. */
  struct sigaction action = {.sa_handler = interrupt};
  sigaction(SIGALRM, &action, NULL);
  alarm(15);
  lock = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_SET};
  return fcntl(mark, F_SETLKW, &lock) < 0 ? fail("the command is still there") : 0;
}
