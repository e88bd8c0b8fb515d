#include "memory/embed_silence.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"

#define FILE_MAX 4096

static char *path_of(const char *home)
{
	return home ? g_build_filename(home, "models", "silent", NULL) : NULL;
}

/* The file says who, its time since when; one of the future says nothing. */
gboolean spk_embed_is_silent(const char *home, const char *server)
{
	g_autofree char *path = path_of(home), *text = NULL;
	gint64 age_s;
	struct stat st;
	gsize len;

	if (!path || stat(path, &st) < 0)
		return FALSE;
	age_s = spk_now_us() / G_USEC_PER_SEC - st.st_mtime;
	if (age_s < 0 || age_s > SPK_EMBED_SILENCE_S)
		return FALSE;
	text = spk_fs_read(path, FILE_MAX, &len, NULL);
	return text && !strcmp(text, server);
}

void spk_embed_set_silent(const char *home, const char *server, gboolean silent)
{
	g_autofree char *path = path_of(home);
	g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;

	if (!path)
		return;
	if (!silent)
		(void)unlink(path); /* mostly there is none */
	else if (spk_fs_mkdirs(folder, 0700, NULL))
		(void)spk_fs_write_atomic(path, server, strlen(server), 0600, NULL);
}
