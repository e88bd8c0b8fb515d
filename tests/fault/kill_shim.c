/*
 * Preloaded by tests/fault/kill-anywhere: ends the program by SIGKILL around its Nth journal
 * write. KILL_AT=N counts INSERTs into the journal table and that of memories; KILL_WHEN=before
 * kills as the Nth is about to be made, =after as soon as the transaction that holds it has been
 * committed. KILL_COUNT=FILE kills nothing and writes the number of such writes there at exit.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct sqlite3_stmt sqlite3_stmt;
int sqlite3_step(sqlite3_stmt *stmt);
int sqlite3_exec(void *db, const char *sql, void *callback, void *user, char **message);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int writes;
static int armed;

static int starts_with(const char *text, const char *prefix)
{
	return text && !strncasecmp(text, prefix, strlen(prefix));
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	pause();
}

__attribute__((destructor)) static void report(void)
{
	const char *path = getenv("KILL_COUNT");
	FILE *file = path ? fopen(path, "w") : NULL;

	if (!file)
		return;
	fprintf(file, "%d\n", writes);
	fclose(file);
}

int sqlite3_step(sqlite3_stmt *stmt)
{
	static int (*real_step)(sqlite3_stmt *);
	static const char *(*real_sql)(sqlite3_stmt *);
	const char *at = getenv("KILL_AT"), *when = getenv("KILL_WHEN"), *sql;
	int result;

	if (!real_step) {
		real_step = dlsym(RTLD_NEXT, "sqlite3_step");
		real_sql = dlsym(RTLD_NEXT, "sqlite3_sql");
	}
	sql = real_sql(stmt);
	if (starts_with(sql, "INSERT INTO journal") ||
	    starts_with(sql, "INSERT INTO memories ")) {
		pthread_mutex_lock(&lock);
		if (++writes == (at ? atoi(at) : -1)) {
			if (when && !strcmp(when, "before"))
				die();
			armed = 1;
		}
		pthread_mutex_unlock(&lock);
	}
	result = real_step(stmt);
	if (armed && starts_with(sql, "COMMIT"))
		die();
	return result;
}

/* Some commits go through sqlite3_exec(). */
int sqlite3_exec(void *db, const char *sql, void *callback, void *user, char **message)
{
	static int (*real_exec)(void *, const char *, void *, void *, char **);
	int result;

	if (!real_exec)
		real_exec = dlsym(RTLD_NEXT, "sqlite3_exec");
	result = real_exec(db, sql, callback, user, message);
	if (armed && starts_with(sql, "COMMIT"))
		die();
	return result;
}
