#include "agent/prompt_file.h"

#include <string.h>

#include "base/fs.h"

#define FILE_MAX (32u << 10)

static char *shelf_path(const char *shelf)
{
	g_autofree char *folder = g_strconcat("~/.sparks/", shelf, NULL);
	g_autofree char *home = spk_fs_expand(folder);

	return g_canonicalize_filename(home, NULL);
}

static gboolean is_on(const char *shelf, const char *path)
{
	g_autofree char *folder = shelf_path(shelf);
	gsize len = strlen(folder);

	return !strncmp(path, folder, len) && path[len] == '/';
}

/* NULL: it came with the current folder, and is on no shelf. */
static char *find(const char *folder, const char *shelf, const char *name)
{
	g_autofree char *expanded = spk_fs_expand(name);
	g_autofree char *home = shelf_path(shelf);
	g_autofree char *shelved = strchr(name, '/') ? NULL
						     : g_build_filename(home, name, NULL);
	g_autofree char *path = NULL;

	if (folder || g_path_is_absolute(expanded))
		path = g_canonicalize_filename(expanded, folder);
	if (!folder && path && !is_on("souls", path) && !is_on("skills", path))
		return NULL;
	if (!path || (shelved && !g_file_test(path, G_FILE_TEST_EXISTS) &&
		      g_file_test(shelved, G_FILE_TEST_EXISTS)))
		return g_steal_pointer(&shelved);
	return g_steal_pointer(&path);
}

char *spk_prompt_add(GString *prompt, const char *folder, const char *shelf,
		     const char *name, char **ret_why, const char **ret_hint)
{
	g_autofree char *path = find(folder, shelf, name);
	g_autoptr(GError) error = NULL;
	g_autofree char *text = NULL;
	gsize len = 0;

	*ret_hint =
		"put the file into ~/.sparks/souls and name it by itself, or move the key to "
		"~/.sparks/config.toml";
	*ret_why = NULL;
	if (path && g_file_test(path, G_FILE_TEST_EXISTS) &&
	    !g_file_test(path, G_FILE_TEST_IS_REGULAR)) /* a FIFO would hold us up */
		*ret_why = g_strdup_printf("names %s, which is not a regular file", path);
	else if (path)
		text = spk_fs_read(path, FILE_MAX, &len, &error);
	else /* what was trusted is the config file: others beside it change with any pull */
		*ret_why =
			g_strdup("of a file of the current folder names one that isn't "
				 "in ~/.sparks/souls or skills: it is not read");
	if (error) {
		*ret_hint = "make the file, or take the key out";
		*ret_why = g_strdup(error->message);
	} else if (text && !g_utf8_validate_len(text, len, NULL)) {
		*ret_hint = "save the file as UTF-8";
		*ret_why = g_strdup("names a file that is not UTF-8");
	} else if (text && prompt->len + len > SPK_PROMPT_MAX) {
		*ret_hint = "shorten the files";
		*ret_why = g_strdup("makes the prompt longer than 128 KiB");
	}
	if (*ret_why)
		return NULL;
	if (prompt->len)
		g_string_append(prompt, "\n\n");
	g_string_append_len(prompt, text, (gssize)len);
	return g_steal_pointer(&path);
}
