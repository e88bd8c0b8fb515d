/*
 * Scripts that the task itself made: when a later call runs one, the law reads it like code that
 * is handed over by -c. Those of the repository are not read: what they do is the box's to hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/law_priv.h"
#include "agent/run_priv.h"
#include "base/fs.h"

#define MAX_MADE 4096	   /* files of a task that are remembered */
#define MAX_TEXT (1 << 20) /* bytes; the judge asks about less than that */

void law_scripts_made(RunLaw *law, const json_t *record)
{
	const json_t *path;
	size_t i;

	json_array_foreach(json_object_get(record, "made"), i, path)
		if (json_is_string(path) && g_hash_table_size(law->made) < MAX_MADE)
			g_hash_table_add(law->made, g_strdup(json_string_value(path)));
}

char *law_path_in_tree(SpkRun *run, const char *path)
{
	SpkTree *tree = run->env.tree;
	const char *sub = tree ? spk_tree_subdir(tree) : "";
	const char *inside = spk_conf_str(run->env.conf, "box.path");
	const char *const tops[] = { tree ? spk_tree_work(tree) : "", inside };

	for (gsize i = 0; i < G_N_ELEMENTS(tops); i++) {
		gsize len = strlen(tops[i]);

		if (len && !strncmp(path, tops[i], len) && path[len] == '/')
			return g_strdup(path[len + 1] ? path + len + 1 : ".");
		if (len && !strcmp(path, tops[i]))
			return g_strdup(".");
	}
	if (*path == '/' || !*sub)
		return g_strdup(path);
	return g_build_filename(sub, path, NULL);
}

/* The name decides: a file may have been moved since, or be told from another folder. */
static gboolean is_made(const RunLaw *law, const char *path)
{
	g_autofree char *name = g_path_get_basename(path);
	GHashTableIter iter;
	gpointer made;

	g_hash_table_iter_init(&iter, law->made);
	while (g_hash_table_iter_next(&iter, &made, NULL)) {
		g_autofree char *its = g_path_get_basename(made);

		if (!strcmp(its, name))
			return TRUE;
	}
	return FALSE;
}

/* bash leaves NUL bytes out. */
static char *without_nul(char *text, gsize len)
{
	gsize to = 0;

	for (gsize i = 0; i < len; i++)
		if (text[i])
			text[to++] = text[i];
	text[to] = '\0';
	return text;
}

static char *text_of(SpkRun *run, const char *path)
{
	g_autofree char *text = NULL;
	struct stat st;
	gssize got = -1;
	gsize len = 0;
	int fd = spk_fs_open_beneath(spk_tree_work_fd(run->env.tree), path,
				     O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, 0, NULL);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		text = g_malloc(MAX_TEXT + 1);
		while (len < MAX_TEXT) {
			got = read(fd, text + len, MAX_TEXT - len);
			if (got == 0 || (got < 0 && errno != EINTR))
				break;
			len += got > 0 ? (gsize)got : 0;
		}
	}
	if (fd >= 0)
		close(fd);
	return text ? without_nul(g_steal_pointer(&text), len) : NULL;
}

/* Where the line says that it is, else wherever one of that name was made. */
static char *find_text(SpkRun *run, const char *told)
{
	g_autofree char *name = g_path_get_basename(told);
	char *text = *told ? text_of(run, told) : NULL;
	GHashTableIter iter;
	gpointer made;

	g_hash_table_iter_init(&iter, run->law->made);
	while (!text && g_hash_table_iter_next(&iter, &made, NULL)) {
		g_autofree char *its = g_path_get_basename(made);

		if (!strcmp(its, name))
			text = text_of(run, made);
	}
	return text;
}

char *law_scripts_read(gpointer user, const char *folder, const char *path)
{
	LawReading *reading = user;
	SpkRun *run = reading->run;
	g_autofree char *joined = folder && *path != '/'
					  ? g_build_filename(folder, path, NULL)
					  : g_strdup(path);
	g_autofree char *told = NULL;
	char *text;

	if (!run->env.tree || !is_made(run->law, path))
		return NULL;
	told = law_path_in_tree(run, joined);
	text = find_text(run, told);
	if (!text)
		return NULL;
	if (!reading->sum)
		reading->sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_checksum_update(reading->sum, (const guchar *)text, (gssize)strlen(text) + 1);
	return text;
}
