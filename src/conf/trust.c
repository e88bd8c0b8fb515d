/*
 * Trust in files that came with a repository: SPARKS_HOME/trust holds lines "sha256 path"
 * ("!sha256 path" where the person said no), one per path. The hash is taken of the very
 * bytes that are used, so a file can't change between the look and the use.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/text.h"
#include "conf/conf_priv.h"

enum { MAX_TRUST_BYTES = 4 << 20, HASH_LEN = 64 };

/* The path as it is recorded: absolute, the folder without symlinks (the file itself may be
 * one; what counts is its content). NULL when it can't stand on a line. */
static char *recorded_path(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autofree char *name = g_path_get_basename(path);
	char *real = realpath(folder, NULL);
	char *full = g_build_filename(real ? real : folder, name, NULL);

	free(real);
	if (strchr(full, '\n'))
		g_clear_pointer(&full, g_free);
	return full;
}

static char *trust_file(void)
{
	return spk_fs_expand("~/.sparks/trust");
}

/* A line is about the path when it ends with " path". Returns where its hash begins. */
static const char *line_hash(const char *line, const char *path)
{
	const char *hash = line + (*line == '!');

	if (strlen(hash) <= HASH_LEN || hash[HASH_LEN] != ' ' ||
	    strcmp(hash + HASH_LEN + 1, path) != 0)
		return NULL;
	return hash;
}

SpkTrust spk_trust_look(const char *path, const char *text, gsize len)
{
	g_autofree char *full = recorded_path(path);
	g_autofree char *file = trust_file();
	g_autofree char *record = spk_conf_read(file, MAX_TRUST_BYTES, NULL, NULL);
	g_autofree char *sha = spk_text_sha256(text, len);
	g_auto(GStrv) lines = NULL;

	if (!full || !record)
		return SPK_TRUST_NONE;
	lines = g_strsplit(record, "\n", -1);
	for (char **line = lines; *line; line++) {
		const char *hash = line_hash(*line, full);

		if (hash && !strncmp(hash, sha, HASH_LEN))
			return **line == '!' ? SPK_TRUST_DECLINED : SPK_TRUST_YES;
	}
	return SPK_TRUST_NONE;
}

/* The lines of the record without those about `path`, plus the new one. */
static char *new_record(const char *old, const char *path, const char *sha, gboolean yes)
{
	g_auto(GStrv) lines = g_strsplit(old ? old : "", "\n", -1);
	GString *out = g_string_new(NULL);

	for (char **line = lines; *line; line++)
		if (**line && !line_hash(*line, path))
			g_string_append_printf(out, "%s\n", *line);
	g_string_append_printf(out, "%s%s %s\n", yes ? "" : "!", sha, path);
	return g_string_free(out, FALSE);
}

gboolean spk_trust_record(const char *path, const char *text, gsize len, gboolean yes,
			  GError **error)
{
	g_autofree char *full = recorded_path(path);
	g_autofree char *home = spk_fs_home(error);
	g_autofree char *file = NULL;
	g_autofree char *old = NULL;
	g_autofree char *sha = NULL;
	g_autofree char *record = NULL;
	g_autoptr(GError) broken = NULL;

	if (!home)
		return FALSE;
	if (!full) {
		spk_error_set(error, SPK_ERR_CONFIG, "rename the folder",
			      "a path with a newline cannot be trusted");
		return FALSE;
	}
	file = trust_file();
	old = spk_conf_read(file, MAX_TRUST_BYTES, NULL, &broken);
	if (broken) {
		g_propagate_error(error, g_steal_pointer(&broken));
		return FALSE;
	}
	sha = spk_text_sha256(text, len);
	record = new_record(old, full, sha, yes);
	return spk_fs_write_atomic(file, record, strlen(record), 0600, error);
}

gboolean spk_trust_ask(const char *path, GPtrArray *lines, gboolean *ret_answered)
{
	g_autofree char *where = spk_text_clean(path, -1, SPK_CLEAN_LINE);
	g_autoptr(GString) question = g_string_new(NULL);
	spk_autofd int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char answer[64];
	ssize_t n;

	*ret_answered = FALSE;
	if (tty < 0)
		return FALSE;
	g_string_printf(question, "%s came with this folder and wants to set:\n", where);
	for (guint i = 0; i < lines->len; i++) {
		g_autofree char *clean =
			spk_text_clean(lines->pdata[i], -1, SPK_CLEAN_LINE);

		g_string_append_printf(question, "    %s\n", clean);
	}
	g_string_append(question, "Trust it as it is now? [y/N] ");
	if (!spk_fs_write_all(tty, question->str, question->len, NULL))
		return FALSE;
	n = read(tty, answer, sizeof(answer));
	*ret_answered = n > 0;
	return n > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}
