/* Containers whose makers are gone, and the folders they leave. */
#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "box/docker_container_priv.h"
#include "store/store.h"

#define LIST_MAX 10000 /* containers */

/* Containers of this home, running or not, that also have the label KEY=VALUE (KEY NULL: any). */
static json_t *list(const SpkDockerSpec *spec, const char *key, const char *value)
{
	g_autofree char *home = g_strconcat(SPK_LABEL_HOME "=", spec->home, NULL);
	g_autofree char *more = key ? g_strconcat(key, "=", value, NULL) : NULL;
	g_autoptr(json_t) filters = json_pack("{s:[s,s*]}", "label", home, more);
	g_autofree char *text = spk_json_dump(filters);
	g_autofree char *escaped = g_uri_escape_string(text, NULL, FALSE);
	g_autofree char *path =
		g_strconcat("/containers/json?all=1&filters=", escaped, NULL);
	SpkEngineCall call = { .method = "GET",
			       .path = path,
			       .wait_ms = SPK_CONTAINER_REMOVE_MS };
	g_autoptr(GError) error = NULL;
	json_t *answer = spk_engine_call(spec->engine, &call, NULL, &error);

	if (!answer)
		spk_warn("box", "cannot look for containers: %s", error->message);
	return answer;
}

static guint end_those(const SpkDockerSpec *spec, const json_t *containers,
		       gboolean (*is_due)(const char *holder))
{
	const json_t *one;
	guint n = 0;
	gsize i;

	json_array_foreach(containers, i, one) {
		const char *id = spk_json_str(one, "Id");
		const char *holder =
			spk_json_str(json_object_get(one, "Labels"), SPK_LABEL_HOLDER);
		g_autoptr(GError) error = NULL;

		if (i == LIST_MAX)
			break;
		if (!spk_container_is_id(id) || !holder || !is_due(holder))
			continue;
		if (spk_container_remove(spec, id, &error))
			n++;
		else
			spk_warn("box", "container %.12s: %s", id, error->message);
	}
	return n;
}

static gboolean is_gone(const char *holder)
{
	return !spk_holder_alive(holder);
}

static gboolean is_other(const char *holder)
{
	return strcmp(holder, spk_holder_self()) != 0;
}

static void sweep_folders(const SpkDockerSpec *spec)
{
	g_autofree char *boxes = spk_container_folders(spec);
	g_autoptr(GDir) dir = g_dir_open(boxes, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *folder = g_build_filename(boxes, name, NULL);
		spk_autofd int lock = spk_container_lock(folder, SPK_DOCKER_LOCK_NAME, 0);

		if (lock >= 0)
			(void)spk_fs_remove_tree(folder, NULL); /* next time then */
	}
}

guint spk_container_sweep(const SpkDockerSpec *spec)
{
	g_autoptr(json_t) all = list(spec, NULL, NULL);
	guint n = end_those(spec, all, is_gone);

	sweep_folders(spec);
	return n;
}

guint spk_container_end_stale(const SpkDockerSpec *spec, const char *work)
{
	g_autoptr(json_t) around = list(spec, SPK_LABEL_WORK, work);

	return end_those(spec, around, is_other);
}
