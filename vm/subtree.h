#ifndef BERTH_SUBTREE_H
#define BERTH_SUBTREE_H

/* Where the marks of commands that were started are kept: an empty file per operation. */
#define MARKS "/var/lib/berth/exec"

/* Exits with status 64 unless `id` can be a file name: 1-64 letters, digits, - and _. */
void check_operation_id(const char *id);

/*
 * Takes the mark of an operation and locks it until this process ends. Returns 0, or the errno: EEXIST means
 * that the mark was taken before.
 */
int take_mark(const char *id);

/*
 * Kills every descendant of this process, which must be a child subreaper, and reaps them. Nobody escapes: all
 * are stopped before the first is killed, again and again until none is left. Returns 0, or -1 when something
 * is still there after `seconds` (a process stuck in the kernel).
 */
int end_subtree(int seconds);

#endif
