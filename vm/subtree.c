#define _GNU_SOURCE
#include "subtree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void check_operation_id(const char *id) {
  size_t length = strlen(id);
  for (const char *c = id; *c; c++)
    if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_') length = 0;
  if (length >= 1 && length <= 64) return;
  fprintf(stderr, "berth: not an operation id\n");
  exit(64);
}

/*
 * The file is locked under another name before it gets its own: whoever finds a mark without a lock knows that
 * its command has ended. The kernel keeps the holder's pid with the lock and drops both when the holder ends,
 * so no pid is ever written down that somebody else could have later. An empty file needs no block on a full
 * disk, which people clear with a command.
 */
int take_mark(const char *id) {
  char name[128];
  snprintf(name, sizeof name, ".%s.%d", id, (int)getpid());
  int marks = open(MARKS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (marks < 0) return errno;
  int mark = openat(marks, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (mark < 0) return errno;
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  if (fcntl(mark, F_SETLK, &lock) < 0 || renameat2(marks, name, marks, id, RENAME_NOREPLACE) < 0) {
    int error = errno;
    unlinkat(marks, name, 0);
    return error;
  }
  /* At most once holds for a host that loses power, too. */
  return fsync(marks) < 0 ? errno : 0;
}

struct process {
  pid_t pid, parent;
  char state;
  unsigned long long start;
};

struct processes {
  struct process *all;
  size_t count, room;
};

static int by_pid(const void *a, const void *b) {
  pid_t left = ((const struct process *)a)->pid, right = ((const struct process *)b)->pid;
  return (left > right) - (left < right);
}

static void add(struct processes *list, struct process process) {
  if (list->count == list->room) {
    list->room = list->room ? list->room * 2 : 1024;
    list->all = realloc(list->all, list->room * sizeof *list->all);
    if (!list->all) abort();
  }
  list->all[list->count++] = process;
}

/* Reads /proc/<pid>/stat; a process that is gone meanwhile is no error. The name may hold anything, ")" too. */
static int read_process(const char *pid, struct process *process) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return -1;
  text[length] = 0;
  char *rest = strrchr(text, ')');
  process->pid = atoi(pid);
  return rest && sscanf(rest + 1,
                        " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                        &process->state, &process->parent, &process->start) == 3 ? 0 : -1;
}

static void read_processes(struct processes *list) {
  list->count = 0;
  DIR *proc = opendir("/proc");
  if (!proc) abort();
  for (struct dirent *entry; (entry = readdir(proc));) {
    struct process process;
    if (isdigit((unsigned char)entry->d_name[0]) && read_process(entry->d_name, &process) == 0)
      add(list, process);
  }
  closedir(proc);
  if (list->count) qsort(list->all, list->count, sizeof *list->all, by_pid);
}

static int descends_from(const struct processes *list, const struct process *process, pid_t ancestor) {
  for (size_t steps = 0; process && steps <= list->count; steps++) {
    if (process->parent == ancestor) return 1;
    struct process key = {.pid = process->parent};
    process = bsearch(&key, list->all, list->count, sizeof key, by_pid);
  }
  return 0;
}

static int contains(const struct processes *list, const struct process *process) {
  for (size_t i = 0; i < list->count; i++)
    if (list->all[i].pid == process->pid && list->all[i].start == process->start) return 1;
  return 0;
}

/*
 * Stops all descendants before any is killed: a stopped process cannot fork, and it keeps its place under the
 * container's limit of processes, so a fork bomb runs out of room at last.
 */
static void kill_descendants(void) {
  struct processes list = {0}, stopped = {0};
  size_t before;
  do {
    before = stopped.count;
    read_processes(&list);
    for (size_t i = 0; i < list.count; i++) {
      struct process *process = &list.all[i];
      if (process->state == 'Z' || contains(&stopped, process)) continue;
      if (!descends_from(&list, process, getpid())) continue;
      kill(process->pid, SIGSTOP);
      add(&stopped, *process);
    }
  } while (stopped.count > before);
  for (size_t i = 0; i < stopped.count; i++) kill(stopped.all[i].pid, SIGKILL);
  free(list.all);
  free(stopped.all);
}

int end_subtree(int seconds) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  time_t deadline = time(NULL) + seconds;
  while (time(NULL) <= deadline) {
    kill_descendants();
    pid_t reaped;
    while ((reaped = waitpid(-1, NULL, WNOHANG)) > 0) continue;
    /* Orphans become our children, so without a child there is no descendant. */
    if (reaped < 0 && errno == ECHILD) return 0;
    struct timespec moment = {.tv_nsec = 50 * 1000 * 1000};
    sigtimedwait(&child, NULL, &moment);
  }
  return -1;
}
