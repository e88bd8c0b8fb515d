#include "box/docker_container_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "box/box_priv.h"
#include "store/store.h"

#define HELPER_NAME  "box"
#define LOCK_NAME    "alive"
#define CPU_PERIOD   100000 /* microseconds, what cpu_quota is a part of */
#define REMOVE_MS    20000
#define LIST_MAX     10000 /* containers */
#define LABEL_HOME   "sparks.home"
#define LABEL_WORK   "sparks.work"
#define LABEL_HOLDER "sparks.holder"

/* ---- the folder outside ---- */

static char *boxes_folder(const SpkDockerSpec *spec)
{
	return g_build_filename(spec->home, "boxes", NULL);
}

static int lock_file(const char *folder, const char *name, int flags)
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
	g_autofree char *to = g_build_filename(folder, LOCK_NAME, NULL);
	spk_autofd int fd = lock_file(folder, "new", O_CREAT | O_EXCL);

	return fd < 0 || rename(from, to) < 0 ? -1 : spk_fd_steal(&fd);
}

/* Readable for whoever the engine runs the command as; the folder above is ours alone. */
static gboolean make_control(const SpkDockerSpec *spec, SpkContainer *container,
			     GError **error)
{
	g_autofree char *boxes = boxes_folder(spec), *helper = NULL;
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
	helper = g_build_filename(folder, HELPER_NAME, NULL);
	return spk_fs_copy_file(AT_FDCWD, spec->helper, AT_FDCWD, helper, error);
}

/* ---- what it is made of ---- */

static const char *source_of(const SpkBoxRun *run)
{
	return run->work_from ? run->work_from : run->work;
}

/* A folder that was made anew under its old name is another one. */
static void add_identity(GString *key, const char *path)
{
	struct stat st = { 0 };

	(void)stat(path, &st); /* what isn't there is refused by the engine */
	g_string_append_printf(key, "%s\n%llu:%llu\n", path,
			       (unsigned long long)st.st_dev,
			       (unsigned long long)st.st_ino);
}

char *spk_container_key(const SpkBoxRun *run)
{
	GString *key = g_string_new(run->read_only_work ? "read-only\n" : "");

	g_string_append_printf(key, "%s\n", run->work);
	add_identity(key, source_of(run));
	for (const char *const *path = run->read_only; path && *path; path++)
		add_identity(key, *path);
	for (const char *const *name = run->kept; name && *name; name++) {
		g_autofree char *path = g_build_filename(source_of(run), *name, NULL);

		add_identity(key, path);
	}
	for (guint i = 0; run->mounts && i < run->mounts->len; i++) {
		const SpkBoxMount *mount = run->mounts->pdata[i];

		g_string_append_printf(key, "%s %d\n", mount->to,
				       mount->read_only || run->mounts_read_only);
		add_identity(key, mount->from);
	}
	return g_string_free(key, FALSE);
}

static void add_mount(json_t *mounts, const char *from, const char *to,
		      gboolean read_only)
{
	json_array_append_new(mounts, json_pack("{s:s,s:s,s:s,s:b,s:{s:s}}", "Type",
						"bind", "Source", from, "Target", to,
						"ReadOnly", read_only, "BindOptions",
						"Propagation", "rprivate"));
}

/* A mount point can be neither renamed nor removed, so what is bound over itself stays. */
static void add_kept(json_t *mounts, const SpkDockerSpec *spec, const SpkBoxRun *run)
{
	for (const char *const *name = run->kept; name && *name; name++) {
		g_autofree char *from = g_build_filename(source_of(run), *name, NULL);
		g_autofree char *to = g_build_filename(spec->path, *name, NULL);
		struct stat st;

		if (lstat(from, &st) == 0 && !S_ISLNK(st.st_mode))
			add_mount(mounts, from, to, TRUE);
	}
}

static json_t *mounts_of(const SpkDockerSpec *spec, const SpkContainer *container,
			 const SpkBoxRun *run)
{
	json_t *mounts = json_array();

	add_mount(mounts, container->control, SPK_DOCKER_CONTROL, TRUE);
	for (const char *const *path = run->read_only; path && *path; path++)
		if (access(*path, F_OK) == 0)
			add_mount(mounts, *path, *path, TRUE);
	add_mount(mounts, source_of(run), spec->path, run->read_only_work);
	add_kept(mounts, spec, run);
	for (guint i = 0; run->mounts && i < run->mounts->len; i++) {
		const SpkBoxMount *mount = run->mounts->pdata[i];

		add_mount(mounts, mount->from, mount->to,
			  mount->read_only || run->mounts_read_only);
	}
	return mounts;
}

/* Each a quarter of the memory that they are paid from. What the image declares as volumes
 * would be folders on disk without a limit. */
static json_t *tmpfs_of(const SpkDockerSpec *spec)
{
	const json_t *config = json_object_get(spec->image, "Config");
	json_t *volumes = json_object_get(config, "Volumes"), *ignored;
	gint64 quarter = spec->memory_bytes / 4;
	g_autofree char *shared = g_strdup_printf(
		"rw,exec,nosuid,nodev,mode=1777,size=%" G_GINT64_FORMAT, quarter);
	g_autofree char *own = g_strdup_printf("rw,exec,nosuid,nodev,mode=0700,uid=%u,"
					       "gid=%u,size=%" G_GINT64_FORMAT,
					       spec->uid, spec->gid, quarter);
	json_t *tmpfs = json_object();
	const char *path;

	json_object_foreach(volumes, path, ignored)
		spk_json_set(tmpfs, path, json_string(shared));
	spk_json_set(tmpfs, "/tmp", json_string(shared));
	spk_json_set(tmpfs, SPK_BOX_HOME, json_string(own));
	return tmpfs;
}

static json_t *host_config(const SpkDockerSpec *spec, const SpkContainer *container,
			   const SpkBoxRun *run)
{
	json_t *config = json_pack("{s:s,s:b,s:[s],s:[s],s:s,s:s,s:b,s:b}", "NetworkMode",
				   "none", "ReadonlyRootfs", TRUE, "CapDrop", "ALL",
				   "SecurityOpt", "no-new-privileges", "IpcMode",
				   "private", "CgroupnsMode", "private", "AutoRemove",
				   TRUE, "Privileged", FALSE);

	spk_json_set(config, "Memory", json_integer(spec->memory_bytes));
	spk_json_set(config, "MemorySwap", json_integer(spec->memory_bytes));
	spk_json_set(config, "ShmSize", json_integer(spec->memory_bytes / 4));
	spk_json_set(config, "PidsLimit", json_integer(spec->pids + 2)); /* and ours */
	if (spec->cpu_quota) {
		spk_json_set(config, "CpuPeriod", json_integer(CPU_PERIOD));
		spk_json_set(config, "CpuQuota", json_integer(spec->cpu_quota));
	}
	if (*spec->runtime)
		spk_json_set(config, "Runtime", json_string(spec->runtime));
	if (spec->host_users)
		spk_json_set(config, "UsernsMode", json_string("host"));
	spk_json_set(config, "Mounts", mounts_of(spec, container, run));
	spk_json_set(config, "Tmpfs", tmpfs_of(spec));
	return config;
}

static json_t *request_of(const SpkDockerSpec *spec, const SpkContainer *container,
			  const SpkBoxRun *run)
{
	g_autofree char *user = g_strdup_printf("%u:%u", spec->uid, spec->gid);
	json_t *request = json_pack("{s:s,s:s,s:s,s:s,s:[s],s:[s,s],s:b,s:{s:[s]}}",
				    "Image", spk_json_str(spec->image, "Id"), "User",
				    user, "WorkingDir", "/", "Hostname", "box",
				    "Entrypoint", SPK_DOCKER_CONTROL "/" HELPER_NAME,
				    "Cmd", "--keep", SPK_DOCKER_CONTROL "/" LOCK_NAME,
				    "NetworkDisabled", TRUE, "Healthcheck", "Test",
				    "NONE");

	spk_json_set(request, "Labels",
		     json_pack("{s:s,s:s,s:s}", LABEL_HOME, spec->home, LABEL_WORK,
			       run->work, LABEL_HOLDER, spk_holder_self()));
	spk_json_set(request, "HostConfig", host_config(spec, container, run));
	return request;
}

/* ---- its life ---- */

static gboolean remove_by_id(const SpkDockerSpec *spec, const char *id, GError **error)
{
	g_autofree char *path = g_strdup_printf("/containers/%s?force=1&v=1", id);
	SpkEngineCall call = { .method = "DELETE", .path = path, .wait_ms = REMOVE_MS };
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
	if (container->id && !remove_by_id(spec, container->id, &error))
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
static gboolean is_id(const char *id)
{
	return id && *id && strlen(id) <= 128 &&
	       !id[strspn(id, "0123456789abcdefABCDEF")];
}

static gboolean create(const SpkDockerSpec *spec, SpkContainer *container,
		       const SpkBoxRun *run, SpkCancel *cancel, GError **error)
{
	g_autoptr(json_t) request = request_of(spec, container, run);
	SpkEngineCall call = { .method = "POST",
			       .path = "/containers/create",
			       .body = request };
	g_autoptr(json_t) answer = spk_engine_call(spec->engine, &call, cancel, error);
	const char *id = spk_json_str(answer, "Id");

	if (!answer)
		return FALSE;
	if (!is_id(id)) {
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

SpkContainer *spk_container_new(const SpkDockerSpec *spec, const SpkBoxRun *run,
				SpkCancel *cancel, GError **error)
{
	SpkContainer *container = g_new0(SpkContainer, 1);

	container->lock = -1;
	container->key = spk_container_key(run);
	container->work = g_strdup(run->work);
	container->from = g_strdup(run->work_from);
	if (make_control(spec, container, error) &&
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
	SpkEngineCall call = { .method = "GET", .path = path, .wait_ms = REMOVE_MS };
	g_autoptr(json_t) answer = spk_engine_call(spec->engine, &call, NULL, NULL);

	return spk_json_bool(json_object_get(answer, "State"), "OOMKilled", FALSE);
}

/* ---- after a crash ---- */

/* Containers of this home, running or not, that also have the label KEY=VALUE (KEY NULL: any). */
static json_t *list(const SpkDockerSpec *spec, const char *key, const char *value)
{
	g_autofree char *home = g_strconcat(LABEL_HOME "=", spec->home, NULL);
	g_autofree char *more = key ? g_strconcat(key, "=", value, NULL) : NULL;
	g_autoptr(json_t) filters = json_pack("{s:[s,s*]}", "label", home, more);
	g_autofree char *text = spk_json_dump(filters);
	g_autofree char *escaped = g_uri_escape_string(text, NULL, FALSE);
	g_autofree char *path =
		g_strconcat("/containers/json?all=1&filters=", escaped, NULL);
	SpkEngineCall call = { .method = "GET", .path = path, .wait_ms = REMOVE_MS };
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
			spk_json_str(json_object_get(one, "Labels"), LABEL_HOLDER);
		g_autoptr(GError) error = NULL;

		if (i == LIST_MAX)
			break;
		if (!is_id(id) || !holder || !is_due(holder))
			continue;
		if (remove_by_id(spec, id, &error))
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
	g_autofree char *boxes = boxes_folder(spec);
	g_autoptr(GDir) dir = g_dir_open(boxes, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *folder = g_build_filename(boxes, name, NULL);
		spk_autofd int lock = lock_file(folder, LOCK_NAME, 0);

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
	g_autoptr(json_t) around = list(spec, LABEL_WORK, work);

	return end_those(spec, around, is_other);
}
