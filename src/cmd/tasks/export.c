#include "cmd/tasks/export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "box/tree.h"
#include "cmd/cmd.h"

#define MAX_BYTES	(256u << 10)
#define MAX_FILES	500
#define EXPORT_CHECKOUT "export"

/* ---- the conversation ---- */

static void append_line(GString *out, const SpkRedact *redact, json_t *take_value)
{
	g_autoptr(json_t) value = take_value;
	g_autoptr(json_t) clean = redact ? spk_redact_json(redact, value)
					 : json_incref(value);
	g_autofree char *text = spk_cmd_json_text(clean);

	g_string_append(out, text);
	g_string_append_c(out, '\n');
}

/* What must hold of the request with which this answer was got. The first one pins the
 * prefix, the others that it has stayed so. */
static json_t *expect_of(const json_t *intent, gboolean first)
{
	const char *prefix = spk_json_str(intent, "prefix");
	json_t *expect = json_object();

	if (first && prefix)
		spk_json_set(expect, "prefix", json_string(prefix));
	else
		spk_json_set(expect, "prefix_stable", json_true());
	return json_pack("{s:o}", "expect", expect);
}

static json_t *say_of(const json_t *result)
{
	json_t *say = json_object();
	static const char *const kept[] = { "text", "tool_calls", "finish", "usage",
					    NULL };

	for (const char *const *key = kept; *key; key++) {
		json_t *value = json_object_get(result, *key);

		if (value && !json_is_null(value))
			spk_json_set(say, *key, json_incref(value));
	}
	return json_pack("{s:o}", "say", say);
}

static guint append_turns(GString *out, const SpkTrail *trail, const SpkRedact *redact)
{
	const json_t *intent = NULL;
	guint turns = 0;

	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];

		if (!strcmp(entry->kind, "model.intent"))
			intent = entry->payload;
		if (strcmp(entry->kind, "model.result") != 0)
			continue;
		append_line(out, redact, expect_of(intent, turns == 0));
		append_line(out, redact, say_of(entry->payload));
		turns++;
	}
	return turns;
}

static json_t *end_of(const SpkTask *task, const SpkTrail *trail, guint turns)
{
	const char *tree = trail->committed ? trail->committed : trail->last;

	return json_pack("{s:{s:s,s:s,s:o,s:{s:i}}}", "end", "status",
			 spk_state_name(task->status), "verdict",
			 spk_verdict_name(task->verdict), "tree", spk_json_text(tree),
			 "limits", "calls", (int)turns);
}

/* Who was asked about a call, and what was said: a replay has nobody to ask. */
static void add_answers(const SpkTrail *trail, json_t *options)
{
	g_autoptr(json_t) answers = json_object();

	json_object_del(options, "yes");
	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];
		const json_t *p = entry->payload, *law = json_object_get(p, "law");
		const char *answer = spk_json_str(law, "answer");
		g_autofree char *key = NULL;

		if (!g_str_has_prefix(entry->kind, "tool.") || !answer)
			continue;
		key = g_strdup_printf("%" G_GINT64_FORMAT "/%" G_GINT64_FORMAT,
				      spk_json_int(p, "turn", -1),
				      spk_json_int(p, "index", -1));
		spk_json_set(answers, key,
			     json_pack("{s:s,s:o}", "answer", answer, "note",
				       spk_json_text(spk_json_str(law, "note"))));
	}
	if (json_object_size(answers))
		spk_json_set(options, "answers", json_incref(answers));
}

/* The play answers, so the model's name is no option of it; and a turn of a chat stands alone. */
static json_t *header_options(const SpkTask *task, const SpkTrail *trail)
{
	json_t *critics = json_array(), *judges = json_array();
	json_t *options = task->options ? json_copy(task->options) : json_object();

	json_object_del(options, "model");
	json_object_del(options, "session");
	json_object_del(options, "route"); /* it has been decided */
	/* what critic and judge said is no answer of the play's model: it goes along */
	for (guint i = 0; i < trail->entries->len; i++) {
		const SpkJournalEntry *entry = trail->entries->pdata[i];

		if (!strcmp(entry->kind, "critic"))
			json_array_append(critics, entry->payload);
		if (!strcmp(entry->kind, "judge"))
			json_array_append(judges, entry->payload);
	}
	if (json_array_size(critics))
		spk_json_set(options, "critics", json_incref(critics));
	json_decref(critics);
	if (json_array_size(judges))
		spk_json_set(options, "judges", json_incref(judges));
	json_decref(judges);
	/* what it was told of a memory that a replay hasn't got */
	if (spk_trail_last(trail, "recall", G_MAXUINT))
		spk_json_set(options, "recall",
			     json_deep_copy(spk_trail_last(trail, "recall", G_MAXUINT)));
	add_answers(trail, options);
	spk_json_set(options, "spark", spk_json_text(task->spark));
	return options;
}

char *spk_export_play(const SpkTask *task, const SpkTrail *trail, json_t *repo,
		      const SpkRedact *redact)
{
	GString *out = g_string_new(NULL);
	guint turns;

	append_line(out, redact,
		    json_pack("{s:i,s:o,s:O,s:o}", "play", 1, "goal",
			      spk_json_text(task->goal), "repo", repo, "options",
			      header_options(task, trail)));
	turns = append_turns(out, trail, redact);
	append_line(out, redact, end_of(task, trail, turns));
	return g_string_free(out, FALSE);
}

/* ---- the files ---- */

typedef struct {
	json_t *files;
	gsize bytes;
} Embed;

static json_t *link_to_json(int dir, const char *name, GError **error)
{
	char target[4096];
	ssize_t n = readlinkat(dir, name, target, sizeof(target));

	if (n < 0 || n == sizeof(target)) {
		spk_error_set_errno(error, SPK_ERR_IO, n < 0 ? errno : ENAMETOOLONG, NULL,
				    "cannot read the link %s", name);
		return NULL;
	}
	return json_pack("{s:o}", "link", spk_json_text_n(target, n));
}

static json_t *file_to_json(int dir, const char *name, mode_t mode, gsize *bytes,
			    GError **error)
{
	spk_autofd int fd =
		openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	g_autofree char *text = NULL, *base64 = NULL;
	json_t *value;
	gsize len;

	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot open %s",
				    name);
		return NULL;
	}
	text = spk_fs_read_fd(fd, name, MAX_BYTES, &len, error);
	if (!text)
		return NULL;
	*bytes += len;
	if (memchr(text, '\0', len) || !g_utf8_validate_len(text, len, NULL)) {
		base64 = g_base64_encode((const guchar *)text, len);
		value = json_pack("{s:s}", "base64", base64);
	} else if (!(mode & 0111)) {
		return json_string(text);
	} else {
		value = json_pack("{s:s}", "text", text);
	}
	if (mode & 0111)
		spk_json_set(value, "mode", json_string("755"));
	return value;
}

static gboolean embed_folder(Embed *embed, int dir, const char *prefix, GError **error);

static gboolean embed_entry(Embed *embed, int dir, const char *name, const char *path,
			    GError **error)
{
	json_t *value = NULL;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot look at %s",
				    path);
		return FALSE;
	}
	if (S_ISDIR(st.st_mode)) {
		int fd = openat(dir, name,
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		return embed_folder(embed, fd, path, error);
	}
	if (S_ISLNK(st.st_mode))
		value = link_to_json(dir, name, error);
	else
		value = file_to_json(dir, name, st.st_mode, &embed->bytes, error);
	if (!value)
		return FALSE;
	/* A name that isn't UTF-8 has no place in JSON. */
	if (!g_utf8_validate(path, -1, NULL) || embed->bytes > MAX_BYTES ||
	    json_object_size(embed->files) >= MAX_FILES) {
		json_decref(value);
		spk_error_set(error, SPK_ERR_LIMIT, NULL, "more than a play holds");
		return FALSE;
	}
	spk_json_set(embed->files, path, value);
	return TRUE;
}

/* Takes dir. */
static gboolean embed_folder(Embed *embed, int dir, const char *prefix, GError **error)
{
	DIR *stream = dir < 0 ? NULL : fdopendir(dir);
	struct dirent *entry;
	gboolean ok = TRUE;

	if (!stream) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot read %s",
				    prefix);
		spk_fd_close(&dir);
		return FALSE;
	}
	while (ok && (entry = readdir(stream))) {
		const char *name = entry->d_name;
		g_autofree char *path = *prefix ? g_strconcat(prefix, "/", name, NULL)
						: g_strdup(name);

		if (!strcmp(name, ".") || !strcmp(name, "..") || !strcmp(path, ".git"))
			continue;
		ok = embed_entry(embed, dirfd(stream), name, path, error);
	}
	closedir(stream);
	return ok;
}

/* Readdir's order is nobody's: the play shall be the same each time. */
static json_t *sorted(json_t *take_files)
{
	g_autoptr(json_t) files = take_files;
	g_autofree char *text = spk_json_canon(files);

	return spk_json_parse(text, strlen(text), G_MAXSIZE, NULL);
}

static json_t *embed_checkout(const char *folder, GError **error)
{
	Embed embed = { json_object(), 0 };
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (embed_folder(&embed, fd, "", error))
		return sorted(embed.files);
	json_decref(embed.files);
	return NULL;
}

json_t *spk_export_repo(SpkCore *core, const SpkTask *task, const SpkTrail *trail,
			GError **error)
{
	g_autoptr(SpkTree) tree = NULL;
	g_autofree char *folder = NULL;
	g_autoptr(GError) failed = NULL;
	json_t *files;

	if (spk_trail_pruned(trail, "steps") || spk_trail_pruned(trail, "copies")) {
		spk_error_set(error, SPK_ERR_CONFLICT,
			      "`sparks tasks explain` tells what is still on record",
			      "steps or files of task %s were dropped by housekeeping",
			      task->id);
		return NULL;
	}
	/* a turn of a chat that only talked */
	if (!trail->base && task->status == SPK_STATE_DONE)
		return json_pack("{s:{},s:b}", "files", "git", FALSE);
	if (!trail->base) {
		spk_error_set(error, SPK_ERR_CONFLICT, NULL, "task %s has not begun",
			      task->id);
		return NULL;
	}
	tree = spk_tree_open(spk_core_home(core), task->id, error);
	folder = tree ? spk_tree_checkout(tree, trail->base, EXPORT_CHECKOUT, NULL, error)
		      : NULL;
	if (!folder)
		return NULL;
	files = embed_checkout(folder, &failed);
	(void)spk_tree_drop_checkout(tree, EXPORT_CHECKOUT,
				     NULL); /* the next one replaces it */
	if (files)
		return json_pack("{s:o,s:b}", "files", files, "git",
				 spk_tree_is_git(tree));
	if (spk_error_is(failed, SPK_ERR_LIMIT))
		return spk_json_text(task->repo);
	g_propagate_error(error, g_steal_pointer(&failed));
	return NULL;
}
