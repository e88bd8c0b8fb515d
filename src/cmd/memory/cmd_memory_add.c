/* `sparks memory add`: keep one, as a person says it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "cmd/memory/desk.h"
#include "cmd/memory/memory_all.h"
#include "cmd/ui.h"

/* More than a memory may have, so that the refusal can say how much came. */
#define STDIN_MAX (16u << 20)

/* The text itself, or what stdin holds without the line end that closes it. */
static char *text_of(const char *word, GError **error)
{
	g_autofree char *text = NULL;
	gsize len;

	if (strcmp(word, "-") != 0)
		return g_strdup(word);
	text = spk_fs_read_fd(STDIN_FILENO, "stdin", STDIN_MAX, &len, error);
	if (text && strlen(text) != len) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, "a memory is text in UTF-8",
			      "stdin holds a zero byte");
		return NULL;
	}
	return text ? g_strchomp(g_steal_pointer(&text)) : NULL;
}

/* Those that sparks writes itself: one alone is a text that was left out. */
static const char *const kinds[] = { "fact",	"preference", "failure",
				     "success", "repo",	      NULL };

static gboolean refuse_kind(const char *word, GError **error)
{
	g_autofree char *hint = g_strdup_printf(
		"sparks memory add %s 'TEXT'; the bare word: sparks memory add fact %s",
		word, word);

	spk_error_set(error, SPK_ERR_USAGE, hint,
		      "\"%s\" is a kind of memory, and its text is missing", word);
	return FALSE;
}

/* `add TEXT`, or as the reference has it `add CATEGORY CONTENT`. */
static gboolean read_words(const SpkArgs *args, SpkMemoryNew *add, char **ret_text,
			   GError **error)
{
	const char *const *words = spk_args_rest(args);
	const char *kind = spk_args_str(args, "kind");

	if (kind && words[1]) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "one of both; a text of several words goes in quotes",
			      "the kind is given twice: \"%s\" and --kind \"%s\"",
			      words[0], kind);
		return FALSE;
	}
	if (!words[1] && !kind && g_strv_contains(kinds, words[0]))
		return refuse_kind(words[0], error);
	add->kind = words[1] ? words[0] : kind;
	if (add->kind && !*add->kind) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "fact, preference, or one of your own",
			      "the kind of a memory is a word");
		return FALSE;
	}
	add->text = *ret_text = text_of(words[words[1] ? 1 : 0], error);
	return add->text != NULL;
}

static gboolean read_options(const SpkArgs *args, SpkMemoryNew *add, char **ret_scope,
			     GError **error)
{
	const char *scope = spk_args_str(args, "scope"),
		   *time = spk_args_str(args, "time"),
		   *confidence = spk_args_str(args, "confidence");

	add->id = spk_args_str(args, "id");
	add->source = spk_args_str(args, "source");
	add->untrusted = spk_args_flag(args, "untrusted");
	add->scope = *ret_scope = scope ? spk_desk_scope(scope, error) : NULL;
	return (!scope || add->scope) &&
	       (!time || spk_desk_time("time", time, &add->time_us, error)) &&
	       (!confidence || spk_desk_real("confidence", confidence, 0.001, 1,
					     &add->confidence, error));
}

static void print(const SpkMemoryAdded *added)
{
	const char *of = added->merged_into ? added->merged_into : added->superseded;
	g_autofree char *id = spk_ui_line(added->id, SPK_MEMORY_ID_MAX);
	g_autofree char *other = spk_ui_line(of, SPK_MEMORY_ID_MAX);

	if (added->merged_into)
		printf("%s: says what %s says, and counts towards it\n", id, other);
	else if (added->superseded)
		printf("%s: kept, in the place of %s (sparks memory why %s)\n", id, other,
		       id);
	else
		printf("%s: kept\n", id);
}

static int run(const SpkArgs *args)
{
	g_auto(SpkDesk) desk = { 0 };
	g_auto(SpkMemoryAdded) added = { 0 };
	g_autoptr(SpkMemoryRow) old = NULL;
	g_autoptr(GError) error = NULL;
	g_autoptr(json_t) object = NULL;
	g_autofree char *text = NULL, *scope = NULL;
	const char *supersedes = spk_args_str(args, "supersedes");
	SpkMemoryNew add = { 0 };
	int code;

	desk.json = spk_args_flag(args, "json");
	if (!read_words(args, &add, &text, &error) ||
	    !read_options(args, &add, &scope, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	if (!spk_desk_open(&desk, args, &code))
		return code;
	if (supersedes) {
		old = spk_desk_find(desk.store, supersedes, &error);
		if (!old)
			return spk_desk_fail(&desk, g_steal_pointer(&error));
		add.supersedes = old->id;
	}
	if (!spk_memory_add(desk.memory, &add, &added, &error))
		return spk_desk_fail(&desk, g_steal_pointer(&error));
	object = json_pack("{s:s,s:o,s:o}", "id", added.id, "merged_into",
			   spk_json_text(added.merged_into), "superseded",
			   spk_json_text(added.superseded));
	if (desk.json)
		spk_cmd_print_json(object);
	else
		print(&added);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "kind", .type = SPK_CMD_STRING, .value = "KIND",
	  .sentence = "what it is: fact (default), preference, or a word of your own" },
	{ "scope", .type = SPK_CMD_STRING, .value = "SCOPE",
	  .sentence = "whom it concerns: user (default), repo (the one here), repo:PATH, "
		      "spark:NAME, task:ID, or a word of your own" },
	{ "supersedes", .type = SPK_CMD_STRING, .value = "ID",
	  .sentence = "the memory whose place it takes; that one stays in history" },
	{ "time", .type = SPK_CMD_STRING, .value = "TIME",
	  .sentence = "when it was said, if not now: 2026-01-31, or RFC 3339" },
	{ "confidence", .type = SPK_CMD_STRING, .value = "N",
	  .sentence = "how sure it is, up to 1 (default)" },
	{ "source", .type = SPK_CMD_STRING, .value = "WHO",
	  .sentence = "who says it (default: user)" },
	{ "untrusted", .type = SPK_CMD_FLAG,
	  .sentence = "it comes from strangers: who is told of it is as if they had read "
		      "it there" },
	{ "id", .type = SPK_CMD_STRING, .value = "ID",
	  .sentence = "its name; what has that name already is replaced" },
	SPK_OPT_JSON,
	{ NULL },
};

const SpkCmd spk_memory_cmd_add = {
	.name = "add",
	.usage = "[KIND] TEXT|-",
	.min_args = 1,
	.max_args = 2,
	.summary = "Keep a memory; `-` reads its text from stdin.",
	.details =
		"A text that says what a memory of the same scope and kind says already is "
		"merged into it. Secrets are taken out before anything is stored. `Name: ` "
		"at its beginning is who said it.\n"
		"--json: {\"id\", \"merged_into\", \"superseded\"}",
	.example = "sparks memory add 'the staging database is called pg-stage-2'\n"
		   "sparks memory add preference 'tabs, never spaces' --scope repo",
	.options = options,
	.run = run,
};
