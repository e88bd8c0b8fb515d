/* What tasks have on record in the words of a memory: in the store, in the files beside it, and in
 * what was typed in chats. */
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
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

/* What the store had is out of it by now: one file that can't be read or written keeps none of the
 * others from losing it. */
static void pass_over(const char *path, GError *take_error)
{
	spk_warn("memory", "%s is passed over, and may still have it: %s", path,
		 take_error->message);
	g_error_free(take_error);
}

/* ---- long outputs ---- */

static void unsay_file(const Unsay *unsay, const char *task, gboolean over,
		       const char *path)
{
	GError *error = NULL;
	gsize len;
	g_autofree char *data = spk_fs_read(path, FILE_MAX, &len, &error);
	g_autoptr(GString) rest = data ? spk_memory_unsay(unsay->texts, data, len) : NULL;

	if (rest)
		add_task(over ? unsay->said->over : unsay->said->going_on, task);
	if (rest && over && unsay->take_out)
		(void)spk_fs_write_atomic(path, rest->str, rest->len, 0600, &error);
	if (error)
		pass_over(path, error);
}

/* One that isn't on record any more is over. */
static gboolean is_over(const Unsay *unsay, const char *task, gboolean *ret,
			GError **error)
{
	g_autoptr(GError) problem = NULL;
	g_autoptr(SpkTask) row = spk_task_get(unsay->core->store, task, &problem);

	*ret = !row || spk_state_is_terminal(row->status);
	if (row || spk_error_is(problem, SPK_ERR_NOT_FOUND))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&problem));
	return FALSE;
}

static void unsay_folder(const Unsay *unsay, const char *task, const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	GError *error = NULL;
	const char *name;
	gboolean over;

	if (!is_over(unsay, task, &over, &error)) {
		pass_over(path, error);
		return;
	}
	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *file = g_build_filename(path, name, NULL);

		if (g_file_test(file, G_FILE_TEST_IS_REGULAR))
			unsay_file(unsay, task, over, file);
	}
}

static void unsay_spill(const Unsay *unsay)
{
	g_autofree char *path = g_build_filename(unsay->core->home, "spill", NULL);
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *task;

	while (dir && (task = g_dir_read_name(dir))) {
		g_autofree char *folder = g_build_filename(path, task, NULL);

		unsay_folder(unsay, task, folder);
	}
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
static GString *untyped(const Unsay *unsay, const char *data)
{
	g_auto(GStrv) lines = g_strsplit(data, "\n", -1);
	GString *rest = g_string_new(NULL);

	for (char **line = lines; *line; line++) {
		g_autofree char *text = typed(*line);
		g_autoptr(GString)
			clean = spk_memory_unsay(unsay->texts, text, strlen(text));

		if (!clean)
			g_string_append_printf(rest, "%s%s", *line, line[1] ? "\n" : "");
	}
	return rest;
}

static void unsay_typed(const Unsay *unsay)
{
	g_autofree char *path = g_build_filename(unsay->core->home, HISTORY, NULL);
	g_autofree char *data = NULL;
	g_autoptr(GString) rest = NULL;
	GError *error = NULL;
	gsize len;

	if (!g_file_test(path, G_FILE_TEST_EXISTS))
		return;
	data = spk_fs_read(path, FILE_MAX, &len, &error);
	rest = data ? untyped(unsay, data) : NULL;
	if (rest && rest->len != len)
		(void)spk_fs_write_atomic(path, rest->str, rest->len, 0600, &error);
	if (error)
		pass_over(path, error);
}

gboolean spk_core_said(SpkCore *core, const GPtrArray *texts, gboolean take_out,
		       SpkMemorySaid *ret, GError **error)
{
	g_auto(SpkMemorySaid) said = { 0 };
	Unsay unsay = { core, texts, take_out, &said };

	if (!spk_memories_said(core->store, texts, take_out, &said, error))
		return FALSE;
	unsay_spill(&unsay);
	if (take_out)
		unsay_typed(&unsay);
	*ret = said;
	said = (SpkMemorySaid){ 0 };
	return TRUE;
}
