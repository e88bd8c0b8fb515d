/*
 * Preloaded by kill-install: ends the program by SIGKILL before its Nth step that changes files
 * (KILL_AT=N), of those that an install of a model is made of. KILL_COUNT=FILE kills nothing and
 * writes their number there at exit.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int steps; /* the program is single-threaded while it installs */

__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("KILL_COUNT");
	FILE *file = path ? fopen(path, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%d", steps);
	fclose(file);
}

static void step(void)
{
	const char *at = getenv("KILL_AT");

	steps++;
	if (!at || atoi(at) != steps)
		return;
	kill(getpid(), SIGKILL);
	pause();
}

#define WRAP(name, takes, gives)                                   \
	int name takes;                                            \
	int name takes                                             \
	{                                                          \
		static int(*real) takes;                           \
                                                                   \
		if (!real)                                         \
			*(void **)&real = dlsym(RTLD_NEXT, #name); \
		step();                                            \
		return real gives;                                 \
	}

WRAP(rename, (const char *from, const char *to), (from, to))
WRAP(renameat2, (int a, const char *from, int b, const char *to, unsigned how),
     (a, from, b, to, how))
WRAP(fsync, (int fd), (fd))
WRAP(unlink, (const char *path), (path))
WRAP(unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
WRAP(mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(flock, (int fd, int how), (fd, how))
