/* Work in a child process: what fails there is told by its exit status and its last words. */
#ifndef SPK_FAULT_CHILD_H
#define SPK_FAULT_CHILD_H

#include <glib.h>
#include <sys/types.h>

/* NULL when all is well, else what is not (freed). Runs in the child. */
typedef char *(*ChildFn)(gpointer user);

/* Runs fn in a child and waits; its complaint, NULL when there is none. */
char *child_run(ChildFn fn, gpointer user);

#endif
