/* What tasks have on record in the words of a memory: in the store, in the files beside it, and in
 * what was typed in chats. */
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "core/core_priv.h"

#define FILE_MAX (256u << 20)
#define HISTORY	 "chat_history" /* of the line editor */

typedef struct {
	SpkCore *core;
	const GPtrArray *texts;
	gboolean take_out;
	SpkMemorySaid *said;
} Unsay;

static void add_task(GPtrArray *tasks, const char *task)
{
	if (!g_ptr_array_find_with_equal_func(tasks, task, g_str_equal, NULL))
		g_ptr_array_add(tasks, g_strdup(task));
}

/* ---- long outputs ---- */

static gboolean unsay_file(const Unsay *unsay, const char *task, gboolean over,
			   const char *path, GError **error)
{
	gsize len;
	g_autofree char *data = spk_fs_read(path, FILE_MAX, &len, error);
	g_autoptr(GString) rest = data ? spk_memory_unsay(unsay->texts, data, len) : NULL;

	if (!rest)
		return data != NULL;
	add_task(over ? unsay->said->over : unsay->said->going_on, task);
	return !over || !unsay->take_out ||
	       spk_fs_write_atomic(path, rest->str, rest->len, 0600, error);
}

static gboolean unsay_folder(const Unsay *unsay, const char *task, const char *path,
			     GError **error)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	g_autoptr(SpkTask) row = spk_task_get(unsay->core->store, task, NULL);
	gboolean over = !row || spk_state_is_terminal(row->status), ok = TRUE;
	const char *name;

	while (ok && dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		ok = !g_file_test(file, G_FILE_TEST_IS_REGULAR) ||
		     unsay_file(unsay, task, over, file, error);
	}
	return ok;
}

static gboolean unsay_spill(const Unsay *unsay, GError **error)
{
	g_autofree char *path = g_build_filename(unsay->core->home, "spill", NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *task;

	while (dir && (task = g_dir_read_name(dir))) {
		g_autofree char *folder = g_build_filename(path, task, NULL);

		if (!unsay_folder(unsay, task, folder, error))
			return FALSE;
	}
	return TRUE;
}

/* ---- what was typed ---- */

/* Blanks and the like stand there as \040. */
static char *typed(const char *line)
{
	GString *text = g_string_new(NULL);

	for (const char *p = line; *p; p++) {
		guint c = 0, n = 0;

		if (*p != '\\') {
			g_string_append_c(text, *p);
			continue;
		}
		while (n < 3 && p[1 + n] >= '0' && p[1 + n] <= '7')
			c = c * 8 + (guint)(p[1 + n++] - '0');
		g_string_append_c(text, n && c ? (char)c : '\\');
		p += n ? n : p[1] == '\\';
	}
	return g_string_free(text, FALSE);
}

/* A line that says it goes as a whole: it is offered again by the arrow keys. */
static gboolean unsay_typed(const Unsay *unsay, GError **error)
{
	g_autofree char *path = g_build_filename(unsay->core->home, HISTORY, NULL);
	g_autofree char *data = NULL;
	g_auto(GStrv) lines = NULL;
	g_autoptr(GString) rest = g_string_new(NULL);
	gsize len;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return TRUE;
	data = spk_fs_read(path, FILE_MAX, &len, error);
	if (!data)
		return FALSE;
	lines = g_strsplit(data, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_autofree char *text = typed(*line);
		g_autoptr(GString)
			clean = spk_memory_unsay(unsay->texts, text, strlen(text));

		if (!clean)
			g_string_append_printf(rest, "%s%s", *line, line[1] ? "\n" : "");
	}
	return rest->len == len ||
	       spk_fs_write_atomic(path, rest->str, rest->len, 0600, error);
}

gboolean spk_core_said(SpkCore *core, const GPtrArray *texts, gboolean take_out,
		       SpkMemorySaid *ret, GError **error)
{
	g_auto(SpkMemorySaid) said = { 0 };
	Unsay unsay = { core, texts, take_out, &said };

	if (!spk_memories_said(core->store, texts, take_out, &said, error) ||
	    !unsay_spill(&unsay, error) || (take_out && !unsay_typed(&unsay, error)))
		return FALSE;
	*ret = said;
	said = (SpkMemorySaid){ 0 };
	return TRUE;
}
