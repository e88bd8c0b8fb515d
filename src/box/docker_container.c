#include "box/docker_container_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"

/* ---- the folder outside ---- */

char *spk_container_folders(const SpkDockerSpec *spec)
{
	return g_build_filename(spec->home, "boxes", NULL);
}

int spk_container_lock(const char *folder, const char *name, int flags)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	spk_autofd int fd = open(path, O_RDWR | flags | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -1;
	return spk_fd_steal(&fd);
}

/* It has its name only once it is locked, so that no sweep takes the folder for a dead one. */
static int make_lock(const char *folder)
{
	g_autofree char *from = g_build_filename(folder, "new", NULL);
	g_autofree char *to = g_build_filename(folder, SPK_DOCKER_LOCK_NAME, NULL);
	spk_autofd int fd = spk_container_lock(folder, "new", O_CREAT | O_EXCL);

	return fd < 0 || rename(from, to) < 0 ? -1 : spk_fd_steal(&fd);
}

/* Readable for whoever the engine runs the command as; the folder above is ours alone. */
static gboolean make_control(const SpkDockerSpec *spec, SpkContainer *container,
			     GError **error)
{
	g_autofree char *boxes = spk_container_folders(spec), *helper = NULL;
	char *folder;

	if (!spk_fs_mkdirs(boxes, 0700, error))
		return FALSE;
	folder = g_build_filename(boxes, "XXXXXX", NULL);
	if (!g_mkdtemp_full(folder, 0755)) {
		spk_error_set_errno(error, SPK_ERR_BOX_FAILED, errno, NULL,
				    "cannot make a folder in %s", boxes);
		g_free(folder);
		return FALSE;
	}
	container->control = folder;
	container->lock = make_lock(folder);
	if (container->lock < 0) {
		spk_error_set_errno(error, SPK_ERR_BOX_FAILED, errno, NULL,
				    "cannot make a locked file in %s", folder);
		return FALSE;
	}
	helper = g_build_filename(folder, SPK_DOCKER_HELPER_NAME, NULL);
	return spk_fs_copy_file(AT_FDCWD, spec->helper, AT_FDCWD, helper, error);
}

/* ---- its life ---- */

gboolean spk_container_remove(const SpkDockerSpec *spec, const char *id, GError **error)
{
	g_autofree char *path = g_strdup_printf("/containers/%s?force=1&v=1", id);
	SpkEngineCall call = { .method = "DELETE",
			       .path = path,
			       .wait_ms = SPK_CONTAINER_REMOVE_MS };
	g_autoptr(GError) why = NULL;
	g_autoptr(json_t) answer = spk_engine_call(spec->engine, &call, NULL, &why);

	/* it has gone by itself, or is going: AutoRemove */
	if (answer || spk_error_is(why, SPK_ERR_NOT_FOUND) ||
	    spk_error_is(why, SPK_ERR_CONFLICT))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&why));
	return FALSE;
}

void spk_container_free(const SpkDockerSpec *spec, SpkContainer *container)
{
	g_autoptr(GError) error = NULL;

	if (!container)
		return;
	if (container->id && !spk_container_remove(spec, container->id, &error))
		spk_warn("box", "container %.12s: %s", container->id, error->message);
	/* from here on it would end by itself, too */
	spk_fd_close(&container->lock);
	if (container->control)
		(void)spk_fs_remove_tree(container->control, NULL); /* the sweep's then */
	g_free(container->id);
	g_free(container->key);
	g_free(container->work);
	g_free(container->from);
	g_free(container->control);
	g_free(container);
}

/* An id goes into paths of requests. */
gboolean spk_container_is_id(const char *id)
{
	return id && *id && strlen(id) <= 128 &&
	       !id[strspn(id, "0123456789abcdefABCDEF")];
}

static gboolean create(const SpkDockerSpec *spec, SpkContainer *container,
		       const SpkBoxRun *run, SpkCancel *cancel, GError **error)
{
	g_autoptr(json_t) request = spk_container_request(spec, container, run);
	SpkEngineCall call = { .method = "POST",
			       .path = "/containers/create",
			       .body = request };
	g_autoptr(json_t) answer = spk_engine_call(spec->engine, &call, cancel, error);
	const char *id = spk_json_str(answer, "Id");

	if (!answer)
		return FALSE;
	if (!spk_container_is_id(id)) {
		spk_error_set(error, SPK_ERR_BOX_FAILED, NULL,
			      "the container engine names no container");
		return FALSE;
	}
	container->id = g_strdup(id);
	return TRUE;
}

static gboolean start(const SpkDockerSpec *spec, const SpkContainer *container,
		      SpkCancel *cancel, GError **error)
{
	g_autofree char *path = g_strdup_printf("/containers/%s/start", container->id);
	SpkEngineCall call = { .method = "POST", .path = path };
	g_autoptr(json_t) answer = spk_engine_call(spec->engine, &call, cancel, error);

	return answer != NULL;
}

SpkContainer *spk_container_new(const SpkDockerSpec *spec, const SpkDockerImage *image,
				const SpkBoxRun *run, SpkCancel *cancel, GError **error)
{
	SpkContainer *container = g_new0(SpkContainer, 1);

	container->lock = -1;
	container->key = spk_container_key(run);
	container->image = image;
	container->work = g_strdup(run->work);
	container->from = g_strdup(run->work_from);
	if (spk_container_lends(spec, run, error) &&
	    make_control(spec, container, error) &&
	    create(spec, container, run, cancel, error) &&
	    start(spec, container, cancel, error))
		return container;
	g_prefix_error(error, "cannot start a container: ");
	spk_container_free(spec, container);
	return NULL;
}

gboolean spk_container_out_of_memory(const SpkDockerSpec *spec,
				     const SpkContainer *container)
{
	g_autofree char *path = g_strdup_printf("/containers/%s/json", container->id);
	SpkEngineCall call = { .method = "GET",
			       .path = path,
			       .wait_ms = SPK_CONTAINER_REMOVE_MS };
	g_autoptr(json_t) answer = spk_engine_call(spec->engine, &call, NULL, NULL);

	return spk_json_bool(json_object_get(answer, "State"), "OOMKilled", FALSE);
}
