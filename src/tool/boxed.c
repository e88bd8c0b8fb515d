/*
 * A command in the box as a tool result. The text holds nothing that differs between equal
 * runs (no times), so that the loop guard and replays can compare it.
 */
#include "tool/tool_priv.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"

/* Output kept in memory; past it the spill file has it all. */
#define MEMORY_MAX (1u << 20)
#define NOTE_ROOM  600 /* of the cap, for the lines round the output */

/* The box's git: no configuration but its own, nothing that waits for a person. */
static const char *const environment[] = {
	"GIT_CONFIG_NOSYSTEM=1",
	"GIT_CONFIG_GLOBAL=/dev/null",
	"GIT_CONFIG_COUNT=1",
	"GIT_CONFIG_KEY_0=safe.directory",
	"GIT_CONFIG_VALUE_0=*",
	"GIT_AUTHOR_NAME=sparks",
	"GIT_AUTHOR_EMAIL=sparks@localhost",
	"GIT_COMMITTER_NAME=sparks",
	"GIT_COMMITTER_EMAIL=sparks@localhost",
	"GIT_EDITOR=true",
	"GIT_PAGER=cat",
	"GIT_TERMINAL_PROMPT=0",
	"GIT_OPTIONAL_LOCKS=0",
	"PAGER=cat",
	NULL,
};

/* The last `max` bytes of the file. */
static GString *read_tail(const char *path, gsize max)
{
	spk_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	GString *tail = g_string_sized_new(max);
	ssize_t n = 0;

	if (fd >= 0 && fstat(fd, &st) == 0)
		n = pread(fd, tail->str, max, MAX(0, st.st_size - (off_t)max));
	return g_string_set_size(tail, MAX(n, 0));
}

/* Head from memory, tail from the spill file, where the output didn't fit into memory. */
static char *head_and_tail(const SpkToolCtx *ctx, const SpkBoxResult *ran,
			   const char *path, gsize room)
{
	gsize half = MIN(room, ran->out->len) / 2;
	g_autoptr(GString) tail = read_tail(path, half);
	g_autofree char *all =
		spk_text_clean(ran->out->str, ran->out->len, SPK_CLEAN_TEXT);
	g_autofree char *seen = spk_redact_text_into(NULL, ctx->vault, all); /* uncut */
	g_autofree char *head_text =
		g_strndup(seen, spk_text_prefix_len(seen, strlen(seen), half));
	g_autofree char *tail_text = spk_text_clean(tail->str, tail->len, SPK_CLEAN_TEXT);
	g_autofree char *whole = g_strdup_printf(
		"%s\n[… most of the output left out …]\n%s", head_text, tail_text);

	return spk_text_clip_middle(whole, strlen(whole), room);
}

static void append_blocked(GString *text, const json_t *blocked)
{
	gsize i;
	json_t *item;

	json_array_foreach(blocked, i, item) {
		const char *rule = spk_json_str(item, "rule");
		const char *what = spk_json_str(item, "what");

		if (i == 5)
			break;
		g_string_append_printf(text, "[the sandbox blocked: %.60s%s%.200s]\n",
				       rule ? rule : "", what ? ": " : "",
				       what ? what : "");
	}
}

/* Of a command that failed, it may be why. Not how often: that differs between equal runs. */
static void append_refused(GString *text, const json_t *refused)
{
	gsize i;
	json_t *item;

	json_array_foreach(refused, i, item)
		g_string_append_printf(text, "%s%.40s",
				       i ? ", " : "[the sandbox refused system calls: ",
				       spk_json_str(item, "call"));
	if (i)
		g_string_append(text, "]\n");
}

/* Returns the number of the spill file, if there is one. */
static gint64 append_output(const SpkToolCtx *ctx, const SpkBoxResult *ran,
			    const char *path, GString *text)
{
	gsize cap = result_cap(ctx);
	g_autofree char *some = NULL;
	gint64 step;

	if (!ran->truncated) {
		g_string_append_len(text, ran->out->str, ran->out->len);
		if (!ran->out->len)
			g_string_append(text, "(no output)");
		return -1;
	}
	some = head_and_tail(ctx, ran, path,
			     cap > 2 * NOTE_ROOM ? cap - NOTE_ROOM : cap / 2);
	step = spill_settle(ctx);
	g_string_append_printf(text,
			       "%s\n[%" G_GUINT64_FORMAT
			       " bytes in all: file_read with path "
			       "\"spill:%" G_GINT64_FORMAT "\"]",
			       some, ran->out_total, step);
	return step;
}

static json_t *meta_of(const SpkBoxResult *ran, gint64 step)
{
	json_t *meta = json_pack("{s:i, s:b, s:I, s:f, s:I}", "exit_code", ran->exit_code,
				 "timed_out", ran->timed_out, "bytes",
				 (json_int_t)ran->out_total, "seconds", ran->seconds,
				 "rss_max_kib", (json_int_t)ran->rss_max_kib);

	if (ran->out_sha256)
		spk_json_set(meta, "output_sha256", json_string(ran->out_sha256));
	if (step >= 0)
		spk_json_set(meta, "spill", json_integer(step));
	spk_box_result_tell(ran, meta);
	return meta;
}

static char **variables_of(const char *const *more)
{
	g_autoptr(GStrvBuilder) all = g_strv_builder_new();

	g_strv_builder_addv(all, (const char **)environment);
	if (more)
		g_strv_builder_addv(all, (const char **)more);
	return g_strv_builder_end(all);
}

void boxed_call_clear(BoxedCall *call)
{
	g_strfreev(call->env);
	g_free(call->folder);
	g_clear_pointer(&call->lent, g_ptr_array_unref);
	*call = (BoxedCall){ 0 };
}

gboolean boxed_prepare(const SpkToolCtx *ctx, const char *const *more_env,
		       BoxedCall *ret_call, GError **error)
{
	/* gone when the model removed the folder: then from the top */
	char *folder = path_real_folder(ctx, spk_tree_subdir(ctx->tree), NULL);
	SpkTreeLending how = !spk_box_lends(ctx->box) ? SPK_LEND_NOTHING
			     : ctx->read_only	      ? SPK_LEND_READ_ONLY
						      : SPK_LEND_KEPT;

	*ret_call = (BoxedCall){ .folder = folder };
	ret_call->lent =
		spk_tree_lend(ctx->tree, NULL, how, spk_box_tools(ctx->box), error);
	ret_call->env = variables_of(more_env);
	ret_call->readable[0] = spk_tree_objects(ctx->tree);
	ret_call->run = (SpkBoxRun){
		.work = spk_tree_work(ctx->tree),
		.read_only = ret_call->readable,
		.lent = ret_call->lent,
		.hidden = spk_tree_hidden(ctx->tree),
		.mounts = ctx->mounts,
		.image = ctx->image,
		.mounts_read_only = ctx->read_only,
		.env = (const char *const *)ret_call->env,
		.cwd = folder && *folder ? folder : NULL,
		.read_only_work = ctx->read_only,
	};
	return ret_call->lent != NULL;
}

gboolean boxed_run(const SpkToolCtx *ctx, const char *const *argv, gint64 timeout_ms,
		   SpkCancel *cancel, SpkToolResult *ret_result, GError **error)
{
	g_autofree char *spill = spill_path(ctx, error);
	g_auto(BoxedCall) call = { 0 };
	g_auto(SpkBoxResult) ran = { 0 };
	g_autoptr(GString) text = g_string_new(NULL);
	gint64 step;

	if (!spill || !boxed_prepare(ctx, NULL, &call, error))
		return FALSE;
	call.run.argv = argv;
	call.run.timeout_ms = timeout_ms;
	call.run.max_out = MEMORY_MAX;
	call.run.spill_path = spill;
	spk_way_out_use(ctx->way, &call.run);
	if (!spk_box_run(ctx->box, &call.run, cancel, &ran, error))
		return FALSE;
	spk_way_out_note(ctx->way, &ran);
	g_string_append_printf(text, "exit code %d%s\n", ran.exit_code,
			       ran.timed_out ? " (time ran out, everything was killed)"
					     : "");
	append_blocked(text, ran.blocked);
	if (ran.exit_code)
		append_refused(text, ran.refused);
	step = append_output(ctx, &ran, spill, text);
	ret_result->text = g_string_free(g_steal_pointer(&text), FALSE);
	ret_result->ok = ran.exit_code == 0;
	ret_result->meta = meta_of(&ran, step);
	return TRUE;
}
