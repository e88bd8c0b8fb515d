/* Paths: what is allowed stays in the work tree, is no name of .git or of a secret under any of the
 * forms that it may be taken for, and is allowed in other spellings of the same path. */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "guard/guard.h"
#include "guard/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gboolean allowed(const char *path, gboolean write)
{
	g_auto(SpkDecision) decision = { 0 };

	spk_path_judge(path, write, NULL, &decision);
	g_assert(decision.verdict != SPK_LAW_ASK);
	g_assert(decision.rule && decision.why);
	g_assert(!decision.what || g_utf8_validate(decision.what, -1, NULL));
	return decision.verdict == SPK_LAW_ALLOW;
}

static void check_allowed(const char *path)
{
	g_auto(GStrv) parts = g_strsplit(path, "/", -1);
	g_autofree char *dotted = g_strconcat("./", path, NULL);
	g_autofree char *folded = g_utf8_normalize(path, -1, G_NORMALIZE_ALL);
	int depth = 0;

	g_assert(*path && *path != '/' && g_utf8_validate(path, -1, NULL));
	g_assert(strlen(dotted) >= 4096 || allowed(dotted, FALSE));
	for (const char *at = path; *at; at++)
		g_assert(!g_ascii_iscntrl(*at));
	for (char **part = parts; *part; part++) {
		g_assert(g_ascii_strcasecmp(*part, ".git") || part[1] == NULL ||
			 !strcmp(part[1], ".."));
		if (!strcmp(*part, ".."))
			depth--;
		else if (**part && strcmp(*part, "."))
			depth++;
		g_assert(depth >= 0);
	}
	/* ".." takes names back, so only the plain ones can be looked at as they are */
	if (!strstr(path, "..")) {
		g_assert(!spk_guard_sensitive(path));
		g_assert(!spk_guard_sensitive(folded));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *path = g_strndup((const char *)data, size);
	gboolean read = allowed(path, FALSE), write = allowed(path, TRUE);
	g_auto(SpkDecision) real = { 0 }, word = { 0 };
	g_autofree char *option = g_strconcat("--file=", path, NULL);
	const char *pattern = spk_path_word(path, NULL);

	g_assert(read || !write);
	if (read)
		check_allowed(path);
	spk_path_judge_real(path, TRUE, NULL, &real);
	g_assert(real.rule);
	spk_path_judge_word(path, NULL, &word);
	g_assert((word.verdict == SPK_LAW_DENY) == (pattern != NULL));
	if (pattern && strlen(option) < 4096)
		g_assert(spk_path_word(option, NULL));
	return 0;
}
