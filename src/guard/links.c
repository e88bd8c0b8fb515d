#include "guard/links.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/fs.h"
#include "guard/guard.h"

#define ENTRIES_MAX 2000000
#define DEPTH_MAX   128
#define HOME_DEPTH  4

struct SpkLinks {
	const char *const *sensitive;
	GHashTable *names; /* "DEV:INODE" -> path */
	guint n;
	gboolean partly; /* there was too much */
};

SpkLinks *spk_links_new(const char *const *sensitive)
{
	SpkLinks *links = g_new0(SpkLinks, 1);

	links->sensitive = sensitive;
	links->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return links;
}

void spk_links_free(SpkLinks *links)
{
	if (!links)
		return;
	g_hash_table_unref(links->names);
	g_free(links);
}

static char *key_of(const struct stat *st)
{
	return g_strdup_printf("%" G_GINT64_MODIFIER "x:%" G_GINT64_MODIFIER "x",
			       (guint64)st->st_dev, (guint64)st->st_ino);
}

/* A file with a single name has no other, but by a symlink. */
static void add(SpkLinks *links, int dir, const char *name, const char *path)
{
	struct stat st, own;

	if (fstatat(dir, name, &own, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(dir, name, &st, 0) < 0 || !S_ISREG(st.st_mode))
		return;
	if (st.st_nlink > 1 || S_ISLNK(own.st_mode))
		g_hash_table_insert(links->names, key_of(&st), g_strdup(path));
}

void spk_links_add(SpkLinks *links, int dir, const char *name, const char *path)
{
	if (spk_guard_match(links->sensitive, path))
		add(links, dir, name, path);
}

static void walk(SpkLinks *links, int dir, GString *path, guint depth, gboolean all);

static void enter(SpkLinks *links, int dir, const char *name, GString *path, guint depth,
		  gboolean all)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	gsize len = path->len;

	if (fd < 0)
		return;
	g_string_append_c(path, '/');
	walk(links, fd, path, depth, all);
	g_string_truncate(path, len);
}

/* `all`: every file counts, whatever its name. Takes `dir`. */
static void walk(SpkLinks *links, int dir, GString *path, guint depth, gboolean all)
{
	DIR *stream = fdopendir(dir);
	gsize len = path->len;
	struct dirent *entry;

	if (!stream)
		spk_fd_close(&dir);
	links->partly |= depth == 0;
	while (stream && depth && (entry = readdir(stream))) {
		const char *name = entry->d_name;

		if (!strcmp(name, ".") || !strcmp(name, "..") ||
		    !strcasecmp(name, ".git"))
			continue;
		if (++links->n > ENTRIES_MAX) {
			links->partly = TRUE;
			break;
		}
		g_string_append(path, name);
		if (all || spk_guard_match(links->sensitive, path->str))
			add(links, dirfd(stream), name, path->str);
		if (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)
			enter(links, dirfd(stream), name, path, depth - 1, all);
		g_string_truncate(path, len);
	}
	if (stream)
		closedir(stream);
}

void spk_links_walk(SpkLinks *links, int top)
{
	g_autoptr(GString) path = g_string_new(NULL);
	int fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0)
		walk(links, fd, path, DEPTH_MAX, FALSE);
	else
		links->partly = TRUE;
}

static void look_at_files(SpkLinks *links, int home)
{
	int fd = openat(home, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		if (entry->d_type != DT_DIR)
			spk_links_add(links, home, entry->d_name, entry->d_name);
	if (stream)
		closedir(stream);
}

void spk_links_walk_home(SpkLinks *links, const char *home)
{
	static const char *const folders[] = { ".ssh",	    ".gnupg", ".aws",
					       ".docker",   ".kube",  ".config/gcloud",
					       ".config/gh" };
	spk_autofd int top = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	gboolean partly = links->partly;

	if (top < 0)
		return;
	look_at_files(links, top);
	for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
		g_autoptr(GString) path = g_string_new(folders[i]);

		enter(links, top, folders[i], path, HOME_DEPTH, TRUE);
	}
	links->partly = partly; /* caches of programs may be deep */
}

gboolean spk_links_any(const SpkLinks *links)
{
	return links->partly || g_hash_table_size(links->names);
}

const char *spk_links_find(const SpkLinks *links, const struct stat *st)
{
	g_autofree char *key = key_of(st);
	const char *path = g_hash_table_lookup(links->names, key);

	if (!path && links->partly && st->st_nlink > 1)
		return "a file that was not looked at";
	return path;
}
