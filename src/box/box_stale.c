/* Boxes that are still there when their task is taken over: found by their command line. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "box/box_priv.h"

#define CMDLINE_MAX 16384
#define PATIENCE_MS 1000

/* Whether process `pid` is a sparks-box around `work`; whose it is, kill() knows. */
static gboolean is_box_around(const char *pid, const char *work)
{
	g_autofree char *path = g_build_filename("/proc", pid, "cmdline", NULL);
	gsize len = 0, first;
	g_autofree char *text = spk_fs_read(path, CMDLINE_MAX, &len, NULL);
	g_autofree char *name = NULL;

	first = text ? strlen(text) + 1 : 0;
	if (!text || first >= len)
		return FALSE;
	name = g_path_get_basename(text);
	return !strcmp(name, "sparks-box") && !strcmp(text + first, work);
}

/* SIGTERM lets the helper end what it supervises; SIGKILL when it doesn't. */
static void end(const char *pid_text, const char *work)
{
	pid_t pid = (pid_t)strtol(pid_text, NULL, 10);

	for (int signal = SIGTERM;; signal = SIGKILL) {
		gint64 start = spk_mono_us();

		if (kill(pid, signal) < 0)
			return;
		while (spk_mono_us() - start < PATIENCE_MS * 1000) {
			if (!is_box_around(pid_text, work))
				return;
			spk_clock_sleep_us(5000, -1);
		}
		if (signal == SIGKILL)
			return;
	}
}

guint spk_box_end_processes(const char *work)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	guint n = 0;

	while (proc && (entry = readdir(proc))) {
		if (!g_ascii_isdigit(entry->d_name[0]) ||
		    !is_box_around(entry->d_name, work))
			continue;
		end(entry->d_name, work);
		n++;
	}
	if (proc)
		closedir(proc);
	return n;
}
