/* [[ghosts.mounts]]: folders and files of the host that a spark's commands are given. */
#include "agent/sparks_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"

#define MOUNTS_MAX 100

static gboolean fail(const SpkConfTable *table, const char *key, const char *hint,
		     const char *text, GError **error)
{
	spk_error_set(error, SPK_ERR_CONFIG, hint, "%s:%u: %s %s",
		      spk_conf_table_file(table), spk_conf_table_line(table, key), key,
		      text);
	return FALSE;
}

static gboolean is_below(const char *path, const char *folder)
{
	gsize len = strlen(folder);

	return !strncmp(path, folder, len) && (path[len] == '/' || !path[len]);
}

/* Our own state has keys and the records of other tasks. */
static gboolean is_ours(const char *path)
{
	g_autofree char *home = spk_fs_home(NULL);

	return home && (is_below(path, home) || is_below(home, path));
}

static gboolean check_from(const SpkConfTable *table, const char *key, const char *from,
			   GError **error)
{
	if (is_ours(from))
		return fail(table, key, "name what the spark needs, and no more",
			    "holds the state of sparks, which no box may see", error);
	return TRUE;
}

/* What the box has of its own must stay its own. */
static gboolean check_to(const SpkConfTable *table, const char *key, const char *to,
			 GError **error)
{
	static const char *const own[] = { "/proc", "/dev", "/sys", "/run" };
	gboolean taken = !strcmp(to, "/");

	for (gsize i = 0; i < G_N_ELEMENTS(own); i++)
		taken |= is_below(to, own[i]);
	if (!g_path_is_absolute(to))
		return fail(table, key, "as in container_path = \"/data\"",
			    "must be an absolute path", error);
	return !taken || fail(table, key, "choose another place, as /data",
			      "is a place of the box's own", error);
}

static char *read_path(const SpkConfTable *table, const char *key)
{
	g_autofree char *path = spk_fs_expand(spk_conf_table_str(table, key));

	/* a relative one stays as it is, and is refused */
	return g_path_is_absolute(path) ? g_canonicalize_filename(path, NULL)
					: g_steal_pointer(&path);
}

static gboolean read_one(const SpkConfTable *table, guint i, GPtrArray *mounts,
			 GError **error)
{
	g_autofree char *from_key = g_strdup_printf("mounts[%u].host_path", i);
	g_autofree char *to_key = g_strdup_printf("mounts[%u].container_path", i);
	g_autofree char *ro_key = g_strdup_printf("mounts[%u].read_only", i);
	g_autofree char *from = read_path(table, from_key);
	g_autofree char *to = read_path(table, to_key);

	/* as configurations of the reference have it; which folder it was meant from is not
	 * known, and the repository is there anyway */
	if (!g_path_is_absolute(from)) {
		spk_warn("ghosts",
			 "%s:%u: host_path \"%s\" is left out: give an absolute "
			 "path, or one that begins with ~/",
			 spk_conf_table_file(table), spk_conf_table_line(table, from_key),
			 from);
		return TRUE;
	}
	if (!check_from(table, from_key, from, error))
		return FALSE;
	if (*to && !check_to(table, to_key, to, error))
		return FALSE;
	if (!*to && !check_to(table, from_key, from, error))
		return FALSE;
	g_ptr_array_add(
		mounts,
		spk_box_mount_new(from, *to ? to : from,
				  !strcmp(spk_conf_table_str(table, ro_key), "true")));
	return TRUE;
}

GPtrArray *spk_mounts_of_table(const SpkConfTable *table, GError **error)
{
	static const char *const parts[] = { "host_path", "container_path", "read_only" };
	g_autoptr(GPtrArray) mounts = spk_box_mounts_new();

	for (guint i = 0; i < MOUNTS_MAX; i++) {
		gboolean there = FALSE;

		for (gsize k = 0; k < G_N_ELEMENTS(parts); k++) {
			g_autofree char *key =
				g_strdup_printf("mounts[%u].%s", i, parts[k]);

			there |= spk_conf_table_has(table, key);
		}
		if (!there)
			break;
		if (!read_one(table, i, mounts, error))
			return NULL;
	}
	return g_steal_pointer(&mounts);
}

json_t *spk_mounts_record(const GPtrArray *mounts)
{
	json_t *list = json_array();

	for (guint i = 0; mounts && i < mounts->len; i++) {
		const SpkBoxMount *mount = mounts->pdata[i];

		json_array_append_new(list, json_pack("{s:o,s:o,s:b}", "from",
						      spk_json_text(mount->from), "to",
						      spk_json_text(mount->to),
						      "read_only", mount->read_only));
	}
	return list;
}

GPtrArray *spk_mounts_recorded(const json_t *list)
{
	GPtrArray *mounts = spk_box_mounts_new();
	const json_t *row;
	gsize i;

	json_array_foreach(list, i, row) {
		const char *from = spk_json_str(row, "from");
		const char *to = spk_json_str(row, "to");

		if (from && to && mounts->len < MOUNTS_MAX)
			g_ptr_array_add(
				mounts,
				spk_box_mount_new(from, to,
						  spk_json_bool(row, "read_only", TRUE)));
	}
	return mounts;
}
