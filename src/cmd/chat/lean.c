#include "cmd/chat/lean.h"

#include <glib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"

#define VARIABLE "GLIBC_TUNABLES"
#define WANTED	 "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1"
#define ARGS_MAX (2u << 20)

/* The words of our own command line; NULL: not to be had. */
static GPtrArray *own_words(void)
{
	gsize len = 0;
	g_autofree char *text = spk_fs_read("/proc/self/cmdline", ARGS_MAX, &len, NULL);
	GPtrArray *words;

	if (!text || !len || text[len - 1] != '\0')
		return NULL;
	words = g_ptr_array_new_with_free_func(g_free);
	for (gsize at = 0; at < len; at += strlen(text + at) + 1)
		g_ptr_array_add(words, g_strdup(text + at));
	g_ptr_array_add(words, NULL);
	return words;
}

void chat_lean(void)
{
	const char *now = g_getenv(VARIABLE);
	g_autofree char *path = NULL;
	g_autoptr(GPtrArray) words = NULL;

	if (now) {
		if (!strcmp(now, WANTED))
			g_unsetenv(VARIABLE); /* our children have their own ways */
		return;
	}
	path = g_file_read_link("/proc/self/exe", NULL);
	words = path ? own_words() : NULL;
	if (!words || !g_setenv(VARIABLE, WANTED, TRUE))
		return;
	execv(path, (char **)words->pdata);
	g_unsetenv(VARIABLE);
}
