/*
 * Who holds a lease: "boot-id/pid-namespace/pid/start-time". A process id alone is reused,
 * and means another process in another namespace or after a boot.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/text.h"
#include "store/store_priv.h"

enum { BOOT, NAMESPACE, PID, START, N_PARTS };

/* The fields of /proc/…/stat from the third (state) on; the second may hold blanks. */
static char **read_stat(const char *path, gint64 pid)
{
	g_autofree char *text = spk_fs_read(path, 4096, NULL, NULL);
	const char *end = text ? strrchr(text, ')') : NULL;
	char **fields;

	/* A /proc of another namespace shows us under another number. */
	if (!end || end[1] != ' ' || g_ascii_strtoll(text, NULL, 10) != pid)
		return NULL;
	fields = g_strsplit(end + 2, " ", -1);
	if (g_strv_length(fields) > 19) /* [0] is field 3, so that [19] is field 22 */
		return fields;
	g_strfreev(fields);
	return NULL;
}

static char *read_namespace(void)
{
	g_autofree char *link = g_file_read_link("/proc/self/ns/pid", NULL);

	if (!link || !g_str_has_prefix(link, "pid:[") || !g_str_has_suffix(link, "]"))
		return NULL;
	return g_strndup(link + 5, strlen(link) - 6);
}

static char *name_process(gint64 pid)
{
	g_autofree char *boot =
		spk_fs_read("/proc/sys/kernel/random/boot_id", 128, NULL, NULL);
	g_autofree char *space = read_namespace();
	g_auto(GStrv) fields = read_stat("/proc/self/stat", pid);
	g_autofree char *id = NULL;

	if (boot && space && fields)
		return g_strdup_printf("%s/%s/%" G_GINT64_FORMAT "/%s", g_strstrip(boot),
				       space, pid, fields[19]);
	/* Without /proc nobody can look for us: a name that is ours alone, and the leases
	 * end by their time. */
	id = spk_id_new();
	return g_strdup_printf("unknown-%s/0/%" G_GINT64_FORMAT "/0", id, pid);
}

const char *spk_holder_self(void)
{
	static GMutex lock;
	static const char *name;
	static gint64 of; /* a fork is another process */
	gint64 pid = getpid();
	const char *result;

	g_mutex_lock(&lock);
	if (of != pid) {
		g_autofree char *fresh = name_process(pid);

		name = g_intern_string(fresh);
		of = pid;
	}
	result = name;
	g_mutex_unlock(&lock);
	return result;
}

static gboolean process_lives(gint64 pid, const char *start)
{
	g_autofree char *path = NULL;
	g_auto(GStrv) fields = NULL;

	/* Not by /proc alone, which may hide the processes of other users. */
	if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
		return FALSE;
	path = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/stat", pid);
	fields = read_stat(path, pid);
	if (!fields)
		return TRUE;
	return fields[0][0] != 'Z' && fields[0][0] != 'X' && !strcmp(fields[19], start);
}

/* The parts of a holder that ran on this boot in this namespace, else NULL. */
static char **split_local(const char *holder)
{
	g_auto(GStrv) self = g_strsplit(spk_holder_self(), "/", -1);
	g_auto(GStrv) parts = g_strsplit(holder, "/", -1);

	if (g_strv_length(parts) != N_PARTS || strcmp(self[BOOT], parts[BOOT]) != 0 ||
	    strcmp(self[NAMESPACE], parts[NAMESPACE]) != 0)
		return NULL;
	return g_steal_pointer(&parts);
}

gboolean spk_holder_alive(const char *holder)
{
	g_auto(GStrv) parts = split_local(holder);
	gint64 pid;

	if (!parts || !spk_text_to_int(parts[PID], 1, G_MAXINT32, &pid))
		return TRUE;
	return process_lives(pid, parts[START]);
}

gboolean spk_holder_local(const char *holder)
{
	g_auto(GStrv) parts = split_local(holder);

	return parts != NULL;
}

gint64 spk_holder_pid(const char *holder)
{
	g_auto(GStrv) parts = g_strsplit(holder, "/", -1);
	gint64 pid;

	if (g_strv_length(parts) == N_PARTS &&
	    spk_text_to_int(parts[PID], 1, G_MAXINT32, &pid))
		return pid;
	return 0;
}

gint64 spk_holder_here(const char *holder)
{
	if (!spk_holder_local(holder) || !spk_holder_alive(holder) ||
	    !strcmp(holder, spk_holder_self()))
		return 0;
	return spk_holder_pid(holder);
}
