/*
 * Preloaded by tests/fault/kill-memory: ends the program by SIGKILL around its Nth change of a
 * file, whoever makes it: bytes written, a length changed, a name given or taken, a sync.
 * WRITE_AT=N with WRITE_WHEN=before, after, or half (of the bytes of a write: a torn one).
 * WRITE_COUNT=FILE kills nothing and puts the number of changes there at exit.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int changes, at = -1;
static char when = 'b';

__attribute__((constructor)) static void begin(void)
{
	const char *number = getenv("WRITE_AT"), *word = getenv("WRITE_WHEN");

	at = number ? atoi(number) : -1;
	when = word ? *word : 'b';
}

__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("WRITE_COUNT");
	FILE *file = path ? fopen(path, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%d\n", changes);
	fclose(file);
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	pause();
}

/* 0: not now; else the letter of when. */
static char due(void)
{
	if (__sync_add_and_fetch(&changes, 1) != at)
		return 0;
	if (when == 'b')
		die();
	return when;
}

static int is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define AROUND(call)                       \
	do {                               \
		char now = due();          \
		__auto_type result = call; \
                                           \
		if (now)                   \
			die();             \
		return result;             \
	} while (0)

ssize_t write(int fd, const void *data, size_t len)
{
	char now = is_file(fd) ? due() : 0;
	ssize_t result = REAL(write)(fd, data, now == 'h' ? len / 2 : len);

	if (now)
		die();
	return result;
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t offset)
{
	char now = is_file(fd) ? due() : 0;
	ssize_t result = REAL(pwrite64)(fd, data, now == 'h' ? len / 2 : len, offset);

	if (now)
		die();
	return result;
}

int ftruncate64(int fd, off64_t len)
{
	AROUND(REAL(ftruncate64)(fd, len));
}

int fsync(int fd)
{
	AROUND(REAL(fsync)(fd));
}

int fdatasync(int fd)
{
	AROUND(REAL(fdatasync)(fd));
}

int rename(const char *from, const char *to)
{
	AROUND(REAL(rename)(from, to));
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	AROUND(REAL(renameat)(from_dir, from, to_dir, to));
}

int unlink(const char *path)
{
	AROUND(REAL(unlink)(path));
}
