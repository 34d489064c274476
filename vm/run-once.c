/*
 * run-once <operation id> <seconds> <command>
 *
 * Runs a command as dev, at most once per operation, and stays its root-owned parent until it ends. The worker
 * calls it with `docker exec -u root`; Docker itself can neither run an exec at most once nor kill one.
 *
 * The command is one argument for `bash -lc`, in a session of its own, with dev's environment. Everything it
 * starts stays below this process while it runs: an orphan (setsid, double fork) comes back to it as the child
 * subreaper. After the command's end what it left in the background lives on, as after `nohup` in a shell.
 *
 * It ends with the command's exit status (128 + signal when a signal ended it), or
 *   64  wrong arguments
 *   124 the command was still there 10 s after its time limit; it was killed with all that it started. The
 *       worker is expected to call end-exec at the limit; this is for a worker that is gone.
 *   125 nothing was started, because the mark was there: an earlier call runs the command, or ran it. All that it
 *       prints is `berth: this command was started before`, on stderr.
 *   126 nothing was started; stderr says why.
 *   137 end-exec ended it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "subtree.h"

enum { TIMED_OUT = 124, STARTED_BEFORE = 125, NOT_STARTED = 126, ENDED = 137, GRACE = 10, DAY = 24 * 60 * 60 };

static int refuse(const char *what, int error) {
  fprintf(stderr, "berth: not started: %s: %s\n", what, strerror(error));
  return NOT_STARTED;
}

static void become_dev(const char *command, const sigset_t *mask) {
  struct passwd *dev = getpwnam("dev");
  if (!dev) _exit(refuse("user dev", ENOENT));
  setsid();
  if (initgroups(dev->pw_name, dev->pw_gid) < 0 || setresgid(dev->pw_gid, dev->pw_gid, dev->pw_gid) < 0 ||
      setresuid(dev->pw_uid, dev->pw_uid, dev->pw_uid) < 0)
    _exit(refuse("becoming dev", errno));
  clearenv();
  setenv("HOME", dev->pw_dir, 1);
  setenv("USER", dev->pw_name, 1);
  setenv("LOGNAME", dev->pw_name, 1);
  setenv("SHELL", dev->pw_shell, 1);
  setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  setenv("LANG", "C.UTF-8", 1);
  setenv("TERM", "dumb", 1);
  if (chdir(dev->pw_dir) < 0 && chdir("/") < 0) _exit(refuse("working directory", errno));
  sigprocmask(SIG_SETMASK, mask, NULL);
  /* One pipe for both: through two, what was printed first may arrive last. */
  if (dup2(STDOUT_FILENO, STDERR_FILENO) < 0) _exit(refuse("output", errno));
  /* "--": a command may begin with a dash. */
  execl("/bin/bash", "bash", "-lc", "--", command, (char *)NULL);
  _exit(refuse("/bin/bash", errno));
}

/* Once a day, beside the running command; a week is longer than any job is repeated. */
static void prune_marks(void) {
  int marks = open(MARKS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (marks < 0) return;
  struct stat status;
  time_t now = time(NULL);
  if (fstatat(marks, ".pruned", &status, 0) == 0 && now - status.st_mtime < DAY) return;
  close(openat(marks, ".pruned", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  utimensat(marks, ".pruned", NULL, 0);
  DIR *entries = fdopendir(marks);
  for (struct dirent *entry; entries && (entry = readdir(entries));)
    if (fstatat(marks, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
        now - status.st_mtime > 7 * DAY)
      unlinkat(marks, entry->d_name, 0);
}

/* Reaps what has ended. Returns the command's exit status once it is among them, else -1. */
static int reap(pid_t command) {
  int status, result = -1;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    if (pid == command) result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result;
}

static int supervise(pid_t command, const sigset_t *signals, long seconds) {
  struct timespec now, end;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += seconds + GRACE;
  for (;;) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct timespec left = {.tv_sec = end.tv_sec - now.tv_sec};
    int received = left.tv_sec > 0 ? sigtimedwait(signals, NULL, &left) : SIGALRM;
    if (received == SIGCHLD) {
      int status = reap(command);
      if (status >= 0) return status;
    } else if (received > 0) {
      if (end_subtree(10) < 0) fprintf(stderr, "berth: some of the command's processes cannot be killed\n");
      return received == SIGALRM ? TIMED_OUT : ENDED;
    }
  }
}

int main(int argc, char **argv) {
  char *rest = NULL;
  long seconds = argc == 4 ? strtol(argv[2], &rest, 10) : 0;
  if (argc != 4 || *rest || seconds < 1 || seconds > 7 * DAY) {
    fprintf(stderr, "usage: run-once <operation id> <seconds> <command>\n");
    return 64;
  }
  check_operation_id(argv[1]);

  sigset_t signals, before;
  sigemptyset(&signals);
  for (const int *s = (const int[]){SIGCHLD, SIGTERM, SIGINT, SIGHUP, 0}; *s; s++) sigaddset(&signals, *s);
  sigprocmask(SIG_BLOCK, &signals, &before);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return refuse("subreaper", errno);

  int error = take_mark(argv[1]);
  if (error == EEXIST) {
    fprintf(stderr, "berth: this command was started before\n");
    return STARTED_BEFORE;
  }
  if (error) return refuse("mark", error);

  pid_t command = fork();
  if (command < 0) return refuse("fork", errno);
  if (command == 0) become_dev(argv[3], &before);
  prune_marks();
  return supervise(command, &signals, seconds);
}
