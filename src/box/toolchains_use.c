/* Which caches a project uses: each that is lent costs every command of the task its layer. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "box/toolchains.h"

#define LOOK_DEPTH   3	  /* folders below the project's */
#define LOOK_ENTRIES 3000 /* names that are looked at */

typedef struct {
	GHashTable *signs; /* name -> the bits of its caches, as a pointer */
	guint64 found, all;
	guint left;
} Look;

static void add_signs(Look *look, const SpkToolchains *tools)
{
	for (guint i = 0; i < tools->caches->len; i++) {
		const SpkCache *cache = tools->caches->pdata[i];
		g_auto(GStrv) names = g_strsplit(cache->signs, ":", -1);

		look->all |= (guint64)1 << i;
		for (char **name = names; *name; name++) {
			gpointer bits = g_hash_table_lookup(look->signs, *name);

			bits = GSIZE_TO_POINTER(GPOINTER_TO_SIZE(bits) | (gsize)1 << i);
			g_hash_table_insert(look->signs, g_strdup(*name), bits);
		}
	}
}

/* What others made, and what is hidden, tells nothing of the project. */
static gboolean is_passed_over(const char *name)
{
	static const char *const names[] = { "node_modules", "target", "vendor", "venv",
					     NULL };

	return *name == '.' || g_strv_contains(names, name);
}

/* FALSE: not all of it was seen. */
static gboolean look_in(Look *look, int parent, const char *name, guint depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	gboolean whole = TRUE;
	struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && look->found != look->all && (entry = readdir(dir))) {
		if (!look->left--) {
			look->left = 0;
			whole = FALSE;
			break;
		}
		look->found |=
			GPOINTER_TO_SIZE(g_hash_table_lookup(look->signs, entry->d_name));
		if (entry->d_type == DT_DIR && depth < LOOK_DEPTH &&
		    !is_passed_over(entry->d_name))
			whole &= look_in(look, dirfd(dir), entry->d_name, depth + 1);
	}
	if (dir)
		closedir(dir);
	return whole;
}

guint64 spk_caches_of(const SpkToolchains *tools, const char *folder)
{
	Look look = { .left = LOOK_ENTRIES };

	if (!tools || !tools->caches->len)
		return 0;
	g_assert(tools->caches->len <= 64);
	look.signs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	add_signs(&look, tools);
	if (!look_in(&look, AT_FDCWD, folder, 0))
		look.found = look.all;
	g_hash_table_unref(look.signs);
	return look.found;
}
