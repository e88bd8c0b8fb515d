/* `sparks memory export`: memories as JSON lines, for `import` here or elsewhere. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/veil.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/memory_all.h"
#include "memory/portable.h"
#include "store/memory_moves.h"

static void append_line(GString *out, const json_t *object)
{
	g_autoptr(json_t) clean = spk_veil_json((json_t *)object);
	g_autofree char *text = spk_cmd_json_text(clean);

	g_string_append(out, text);
	g_string_append_c(out, '\n');
}

static gboolean add_vector(const SpkDesk *desk, const SpkMemoryRow *row, json_t *object,
			   GError **error)
{
	g_autofree float *vector = NULL;
	json_t *numbers;
	guint dims = 0;

	if (!row->model)
		return TRUE;
	if (!spk_memories_vector(desk->store, row->num, row->model, &vector, &dims,
				 error))
		return FALSE;
	if (!vector)
		return TRUE;
	numbers = json_array();
	for (guint i = 0; i < dims; i++)
		json_array_append_new(numbers, json_real(vector[i]));
	spk_json_set(object, "embedding", numbers);
	return TRUE;
}

/* What is taken out of use goes along: an import knows what replaced what. */
static GString *lines_of(const SpkDesk *desk, const GPtrArray *rows, gboolean vectors,
			 GError **error)
{
	g_autoptr(GString) out = g_string_new(NULL);
	g_autofree char *now = spk_time_format(spk_now_us());
	g_autoptr(json_t)
		head = json_pack("{s:i,s:s,s:i}", "memories", SPK_PORTABLE_VERSION,
				 "exported", now, "count", (int)rows->len);

	append_line(out, head);
	for (guint i = 0; i < rows->len; i++) {
		g_autoptr(json_t) object = spk_portable_row(rows->pdata[i]);

		if (vectors && !add_vector(desk, rows->pdata[i], object, error))
			return NULL;
		append_line(out, object);
	}
	return g_steal_pointer(&out);
}

static gboolean add_full_line(const char *line, gpointer user, GError **error)
{
	g_string_append(user, line);
	g_string_append_c(user, '\n');
	return TRUE;
}

/* As the store has them: history and vectors of each. */
static GString *full_lines(const SpkDesk *desk, guint *ret_n, GError **error)
{
	g_autoptr(GString) out = g_string_new(NULL);

	if (!spk_memories_export(desk->store, TRUE, add_full_line, out, error))
		return NULL;
	*ret_n = 0;
	for (const char *p = out->str; (p = strchr(p, '\n')); p++)
		++*ret_n;
	--*ret_n; /* the first says what follows */
	return g_steal_pointer(&out);
}

static GString *chosen_lines(const SpkDesk *desk, const SpkArgs *args, guint *ret_n,
			     GError **error)
{
	g_auto(SpkDeskHold) hold = { 0 };
	g_autoptr(GPtrArray) rows = NULL;
	SpkMemoryList what = { .state = -1, .oldest_first = TRUE };

	if (!spk_desk_which(desk, args, &what, &hold, error))
		return NULL;
	rows = spk_memories_list(desk->store, &what, error);
	if (!rows)
		return NULL;
	*ret_n = rows->len;
	return lines_of(desk, rows, spk_args_flag(args, "vectors"), error);
}

static gboolean check_words(const SpkArgs *args, GError **error)
{
	if (!spk_args_flag(args, "full") ||
	    !(spk_desk_narrowed(args) || spk_args_flag(args, "vectors")))
		return TRUE;
	spk_error_set(error, SPK_ERR_USAGE, "without --full there is a choice",
		      "--full is all there is, with vectors");
	return FALSE;
}

static gboolean write_file(const char *path, const GString *lines, gboolean force,
			   GError **error)
{
	if (!force && g_file_test(path, G_FILE_TEST_EXISTS)) {
		spk_error_set(error, SPK_ERR_CONFLICT, "--force replaces it",
			      "%s is there already", path);
		return FALSE;
	}
	return spk_fs_write_atomic(path, lines->str, lines->len, 0600, error);
}

static void print(const SpkDesk *desk, const char *path, guint n)
{
	g_autoptr(json_t) object =
		json_pack("{s:o,s:i}", "file", spk_json_text(path), "count", (int)n);

	if (desk->json)
		spk_cmd_print_json(object);
	else
		printf("%s: %u %s\n", path, n, n == 1 ? "memory" : "memories");
}

static int run(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { .json = spk_args_flag(args, "json") };
	g_autoptr(GError) error = NULL;
	g_autoptr(GString) lines = NULL;
	const char *path = spk_args_rest(args)[0];
	guint n;
	int code;

	if (!check_words(args, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (!spk_desk_open(&desk, args, &code))
		return code;
	lines = spk_args_flag(args, "full") ? full_lines(&desk, &n, &error)
					    : chosen_lines(&desk, args, &n, &error);
	if (!lines)
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (!path || !strcmp(path, "-")) {
		fwrite(lines->str, 1, lines->len, stdout);
		return 0;
	}
	if (!write_file(path, lines, spk_args_flag(args, "force"), &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	print(&desk, path, n);
	return 0;
}

static const SpkCmdOpt options[] = {
	SPK_DESK_OPTS_WHICH,
	{ "vectors", .type = SPK_CMD_FLAG,
	  .sentence = "their vectors too; without, an import makes them anew" },
	{ "full", .type = SPK_CMD_FLAG,
	  .sentence = "all there is, with history and vectors, for `import --full`" },
	{ "force", .type = SPK_CMD_FLAG,
	  .sentence = "replace the file when it is there" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_memory_cmd_export = {
	.name = "export",
	.usage = "[FILE|-]",
	.max_args = 1,
	.summary = "Write the memories as JSON lines, to stdout or into a file.",
	.details =
		"A first line {\"memories\": 1, …}, then an object each, oldest first, in any "
		"state: what `sparks memory list --json` prints, with --vectors also "
		"embedding. Earlier texts of edited ones and what was merged are only in "
		"--full, whose lines are not meant to be written by hand.\n"
		"--json, with FILE: {\"file\", \"count\"}",
	.example = "sparks memory export ~/memories.jsonl\n"
		   "sparks memory export --scope repo | ssh other sparks memory import -",
	.options = options,
	.run = run,
};
