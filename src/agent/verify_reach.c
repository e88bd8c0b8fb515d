#include "agent/verify_reach.h"

#include <string.h>

#include "agent/verify_rules.h"

#define FILES_MAX 50 /* read in one go */

/* What runs the next word that is no option. */
static const char *const runners[] = {
	"sh",	"bash",		"dash",	   "zsh",    "ksh",  "python", "python3",
	"perl", "ruby",		"node",	   "deno",   "bun",  "tsx",    "php",
	"lua",	"tclsh",	"awk",	   "source", ".",    "exec",   "env",
	"time", "find_program", "COMMAND", "gawk",   "pwsh", "nohup",  "timeout",
	"nice", "xargs",	"command", "shell",  NULL,
};

typedef struct {
	const char *at;
	GString *word;
	gboolean starts; /* the word begins a command */
} Words;

/* Past a variable's name: in $(TOP)/tools/x the word is /tools/x. But $(PYTHON) stands for the
 * interpreter; then that is the word. */
static const char *skip_variable(const char *p, GString *word)
{
	gsize open = *p == '(' || *p == '{';
	gsize len = strspn(p + open, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_");
	g_autofree char *name = g_ascii_strdown(p + open, len);

	if (open && p[1 + len] != ')' && p[1 + len] != '}')
		return p + 1; /* no variable, but $(a command) */
	if (g_strv_contains(runners, name))
		g_string_assign(word, name);
	return p + len + 2 * open + (open || len ? 0 : strspn(p, "<@^*?$#!"));
}

static gboolean next_word(Words *words)
{
	const char *p = words->at;

	words->starts = FALSE;
	g_string_truncate(words->word, 0);
	while (!words->word->len) {
		p += strspn(p, " \t\r\"'@+,=:[]");
		if (*p == '$')
			p = skip_variable(p + 1, words->word);
		else if (*p && strchr("\n;|&()<>`{}", *p))
			words->starts |= !strchr("<>()", *p++);
		else
			break;
	}
	if (!words->word->len) {
		gsize len = strcspn(p, " \t\r\n;|&()<>`{}\"',=$[]");

		g_string_append_len(words->word, p, len);
		p += len;
	}
	words->at = p;
	return words->word->len > 0;
}

typedef struct {
	GHashTable *paths; /* of the tree */
	GHashTable *reached;
	GQueue *unread;
} Reach;

static void queue(Reach *reach, const char *path)
{
	if (g_hash_table_add(reach->reached, (gpointer)path))
		g_queue_push_tail(reach->unread, (gpointer)path);
}

/* Of what is run, most often the code itself (`run: python3 app.py`), what by its name or
 * place is there to judge or to build. */
static gboolean is_judge(const char *path)
{
	static const char *const folders[] = {
		"tools", "scripts", "script", "ci",   ".ci",   ".github", "build-aux",
		"hack",	 "dev",	    "etc",    "util", "utils", "support", NULL,
	};
	static const char *const names[] = { "*test*", "*check*", "*verify*", "*spec*",
					     "*lint*", "ci*",	  NULL };
	g_autofree char *base = g_path_get_basename(path);
	g_autofree char *name = g_utf8_make_valid(base, -1);
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	guint n = g_strv_length(parts);

	for (guint i = 0; i + 1 < n; i++)
		if (g_strv_contains(folders, parts[i]))
			return TRUE;
	for (gsize i = 0; names[i]; i++)
		if (g_pattern_match_simple(names[i], name))
			return TRUE;
	return FALSE;
}

static gboolean try_below(Reach *reach, const char *word, const char *folder)
{
	g_autofree char *base = g_strconcat("/", folder, NULL);
	g_autofree char *absolute = g_canonicalize_filename(word, base);
	const char *path = g_hash_table_lookup(reach->paths, absolute + 1);

	if (path && is_judge(path))
		queue(reach, path);
	return path != NULL;
}

/* An option, or the number of `timeout 10 sh x`. What -m names is no path. */
static gboolean stands_between(const char *word)
{
	return (*word == '-' && strcmp(word, "-m")) || g_ascii_isdigit(*word);
}

static void read_text(Reach *reach, const char *text, const char *folder)
{
	g_autoptr(GString) word = g_string_new(NULL);
	Words words = { text, word, FALSE };
	gboolean runs = FALSE;

	while (next_word(&words)) {
		const char *name = word->str + strspn(word->str, "/");

		if (words.starts)
			runs = FALSE;
		if ((runs || (words.starts && strchr(name, '/'))) && *name &&
		    !try_below(reach, name, folder))
			(void)try_below(reach, name, "");
		runs = g_strv_contains(runners, word->str) ||
		       (runs && stands_between(word->str));
	}
}

/* The build files of the tree are where it starts, and nothing a result of their own. */
static void start(Reach *reach, const char *const *tree_paths, char *const *checks,
		  const char *subdir)
{
	for (; checks && *checks; checks++) {
		g_auto(GStrv) scripts = verify_scripts(*checks, tree_paths, subdir);

		for (char **script = scripts; *script; script++)
			queue(reach, g_hash_table_lookup(reach->paths, *script));
	}
	for (; *tree_paths; tree_paths++)
		if (verify_is_build(*tree_paths))
			queue(reach, *tree_paths);
}

GHashTable *verify_reached(const char *const *tree_paths, char *const *checks,
			   const char *subdir, VerifyReadFn read, gpointer user)
{
	g_autoptr(GHashTable) paths = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GQueue) unread = g_queue_new();
	Reach reach = {
		.paths = paths,
		.reached = g_hash_table_new(g_str_hash, g_str_equal),
		.unread = unread,
	};

	for (const char *const *path = tree_paths; *path; path++)
		g_hash_table_add(paths, (gpointer)*path);
	start(&reach, tree_paths, checks, subdir);
	for (guint n = 0; n < FILES_MAX && !g_queue_is_empty(unread); n++) {
		const char *path = g_queue_pop_head(unread);
		g_autofree char *text = read(path, user);
		g_autofree char *folder = g_path_get_dirname(path);

		if (text)
			read_text(&reach, text, folder);
	}
	return reach.reached;
}

static gboolean is_module(const char *path, const char *module, const char *subdir)
{
	gsize len = strcspn(module, "."), below = strlen(subdir);

	if (below && (strncmp(path, subdir, below) || path[below] != '/'))
		return FALSE;
	path += below ? below + 1 : 0;
	return len && !strncmp(path, module, len) &&
	       (path[len] == '/' || !strcmp(path + len, ".py"));
}

gboolean verify_replaces_runner(const char *path, char *const *checks, const char *subdir)
{
	for (; *checks; checks++) {
		g_auto(GStrv) words = g_strsplit_set(*checks, " \t\n;|&()\"'", -1);

		for (char **word = words; *word && word[1]; word++)
			if (!strcmp(*word, "-m") && (is_module(path, word[1], subdir) ||
						     is_module(path, word[1], "")))
				return TRUE;
	}
	return FALSE;
}
