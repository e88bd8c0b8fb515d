/* The request that makes a container: its mounts, its caps, and what it may not do. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "box/box_priv.h"
#include "box/docker_container_priv.h"
#include "box/tree.h"
#include "store/store.h"

#define CPU_PERIOD 100000 /* microseconds, what cpu_quota is a part of */

/* ---- what runs share ---- */

/* A folder that was made anew under its old name is another one. */
static void add_identity(GString *key, const char *path)
{
	struct stat st = { 0 };

	(void)stat(path, &st); /* what isn't there is refused by the engine */
	g_string_append_printf(key, "%s\n%llu:%llu\n", path,
			       (unsigned long long)st.st_dev,
			       (unsigned long long)st.st_ino);
}

static void add_lent_identity(GString *key, const SpkBoxRun *run)
{
	for (guint i = 0; run->lent && i < run->lent->len; i++) {
		const SpkTreeLent *lent = run->lent->pdata[i];
		const char *parts[] = { lent->from, lent->middle, lent->upper };

		g_string_append_printf(key, "%s\n", lent->path);
		for (gsize k = 0; k < G_N_ELEMENTS(parts); k++)
			if (parts[k])
				add_identity(key, parts[k]);
	}
}

char *spk_container_key(const SpkBoxRun *run)
{
	GString *key = g_string_new(run->read_only_work ? "read-only\n" : "");

	g_string_append_printf(key, "%s\n%s\n", run->image ? run->image : "", run->work);
	add_identity(key, spk_box_run_source(run));
	for (const char *const *path = run->read_only; path && *path; path++)
		add_identity(key, *path);
	for (const char *const *name = run->kept; name && *name; name++) {
		g_autofree char *path =
			g_build_filename(spk_box_run_source(run), *name, NULL);

		add_identity(key, path);
	}
	for (guint i = 0; run->mounts && i < run->mounts->len; i++) {
		const SpkBoxMount *mount = run->mounts->pdata[i];

		g_string_append_printf(key, "%s %d\n", mount->to,
				       spk_box_may_write(run, mount));
		add_identity(key, mount->from);
	}
	add_lent_identity(key, run);
	if (run->way_out)
		add_identity(key, run->way_out);
	if (run->authorities)
		add_identity(key, run->authorities);
	return g_string_free(key, FALSE);
}

/* ---- mounts ---- */

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
		g_autofree char *from = spk_box_kept_source(run, *name);
		g_autofree char *to = g_build_filename(spec->path, *name, NULL);

		if (from)
			add_mount(mounts, from, to, TRUE);
	}
}

/* ---- lent folders ---- */

static const char *lowest(const SpkTreeLent *lent)
{
	return lent->from ? lent->from : lent->middle;
}

/* Whether one is more than a folder: has what the setup wrote over it. */
static gboolean has_two(const SpkTreeLent *lent)
{
	return lent->from && lent->middle;
}

gboolean spk_container_lends(const SpkDockerSpec *spec, const SpkBoxRun *run,
			     GError **error)
{
	for (guint i = 0; run->lent && i < run->lent->len; i++) {
		const SpkTreeLent *lent = run->lent->pdata[i];

		if (!has_two(lent) || !(spec->podman || spec->no_layers))
			continue;
		spk_error_set(error, SPK_ERR_BOX_TIER,
			      "use Docker, [box] backend = \"native\", or no setup",
			      "%s cannot lay what the setup wrote over %s",
			      spk_engine_name(spec->engine), lent->path);
		return FALSE;
	}
	return TRUE;
}

/* The engine lays the layer over the folder, by a volume that it forgets with the container.
 * The marks in a layer are those of the tier native, which may have written it before. */
static json_t *layered_volume(const SpkTreeLent *lent, gboolean write, const char *to)
{
	g_autoptr(GString) options = g_string_new(NULL);

	spk_box_put_layers(options, lent, write, "");
	return json_pack("{s:s,s:s,s:b,s:{s:b,s:{s:s,s:{s:s,s:s,s:s}}}}", "Type",
			 "volume", "Target", to, "ReadOnly", !write, "VolumeOptions",
			 "NoCopy", TRUE, "DriverConfig", "Name", "local", "Options",
			 "type", "overlay", "device", "overlay", "o", options->str);
}

/* Podman has a form of its own for it, in which some characters can't be. NULL: one is there. */
static json_t *layered_bind(const SpkTreeLent *lent, const char *to)
{
	static const char odd[] = ":,\\";

	if (strpbrk(lowest(lent), odd) || strpbrk(to, odd) || strpbrk(lent->upper, odd) ||
	    strpbrk(lent->spare, odd))
		return NULL;
	return json_sprintf("%s:%s:O,upperdir=%s,workdir=%s", lowest(lent), to,
			    lent->upper, lent->spare);
}

/* What of a cache is not to be seen: a folder is empty, and nothing fits into it. */
static void add_masked(json_t *mounts, const SpkTreeLent *lent)
{
	if (lent->masked && lent->masked_folder)
		json_array_append_new(mounts,
				      json_pack("{s:s,s:s,s:b,s:{s:i,s:i}}", "Type",
						"tmpfs", "Target", lent->masked,
						"ReadOnly", TRUE, "TmpfsOptions",
						"SizeBytes", 4096, "Mode", 0555));
	else if (lent->masked)
		add_mount(mounts, "/dev/null", lent->masked, TRUE);
}

static void add_one_lent(json_t *mounts, json_t *binds, const SpkDockerSpec *spec,
			 const SpkTreeLent *lent, gboolean write)
{
	g_autofree char *to = g_path_is_absolute(lent->path)
				      ? g_strdup(lent->path)
				      : g_build_filename(spec->path, lent->path, NULL);
	gboolean layered = write && lent->upper && !spec->no_layers;
	json_t *bind;

	if (!lowest(lent)) { /* the layer is all there is */
		if (lent->upper)
			add_mount(mounts, lent->upper, to, !write);
		return;
	}
	bind = layered && spec->podman ? layered_bind(lent, to) : NULL;
	if (bind)
		json_array_append_new(binds, bind);
	else if ((layered || has_two(lent)) && !spec->podman)
		json_array_append_new(mounts, layered_volume(lent, layered, to));
	else
		add_mount(mounts, lowest(lent), to, TRUE);
	add_masked(mounts, lent);
}

/* Whether it still is there: the engine would make a place for what isn't. */
static gboolean is_lent(const SpkBoxRun *run, const char *path)
{
	for (guint i = 0; i < run->lent->len; i++) {
		const SpkTreeLent *lent = run->lent->pdata[i];
		gsize len = strlen(lent->path);
		g_autofree char *below = NULL;

		if (!lent->from || strncmp(path, lent->path, len) != 0 ||
		    path[len] != '/')
			continue;
		below = g_build_filename(lent->from, path + len, NULL);
		return access(below, F_OK) == 0;
	}
	return FALSE;
}

static void add_lent(json_t *config, const SpkDockerSpec *spec, const SpkBoxRun *run)
{
	json_t *mounts = json_object_get(config, "Mounts"), *binds = json_array();

	for (guint i = 0; run->lent && i < run->lent->len; i++)
		add_one_lent(mounts, binds, spec, run->lent->pdata[i],
			     !run->read_only_work);
	spk_json_set(config, "Binds", binds);
	for (char *const *path = run->lent ? run->hidden : NULL; path && *path; path++) {
		g_autofree char *to = g_build_filename(spec->path, *path, NULL);

		if (is_lent(run, *path))
			add_mount(mounts, "/dev/null", to, TRUE);
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
	add_mount(mounts, spk_box_run_source(run), spec->path, run->read_only_work);
	add_kept(mounts, spec, run);
	for (guint i = 0; run->mounts && i < run->mounts->len; i++) {
		const SpkBoxMount *mount = run->mounts->pdata[i];

		add_mount(mounts, mount->from, mount->to, !spk_box_may_write(run, mount));
	}
	if (run->way_out)
		add_mount(mounts, run->way_out, SPK_BOX_PROXY_SOCKET, TRUE);
	if (run->authorities)
		add_mount(mounts, run->authorities, SPK_BOX_AUTHORITIES, TRUE);
	return mounts;
}

/* Options of one in memory: a quarter of the memory that they are all paid from. Podman 4
 * knows neither an owner nor a number of files; there is nobody else in there, and what files
 * take is memory. */
static char *tmpfs_options(const SpkDockerSpec *spec, gboolean own)
{
	GString *options = g_string_new("rw,exec,nosuid,nodev");

	g_string_append_printf(options, ",size=%" G_GINT64_FORMAT,
			       spec->memory_bytes / 4);
	if (!spec->podman)
		g_string_append_printf(options, ",nr_inodes=%" G_GINT64_FORMAT,
				       spec->memory_bytes / SPK_BOX_TMPFS_BYTES_PER_FILE);
	if (own && !spec->podman)
		g_string_append_printf(options, ",mode=0700,uid=%u,gid=%u", spec->uid,
				       spec->gid);
	else
		g_string_append(options, ",mode=1777");
	return g_string_free(options, FALSE);
}

/* What the image declares as volumes would be folders on disk without a limit. */
static json_t *tmpfs_of(const SpkDockerSpec *spec, const SpkContainer *container)
{
	static const char *const places[] = { "/tmp", "/dev/shm" };
	const json_t *config = json_object_get(container->image->json, "Config");
	json_t *volumes = json_object_get(config, "Volumes"), *ignored;
	g_autofree char *shared = tmpfs_options(spec, FALSE);
	g_autofree char *own = tmpfs_options(spec, TRUE);
	json_t *tmpfs = json_object();
	const char *path;

	json_object_foreach(volumes, path, ignored)
		spk_json_set(tmpfs, path, json_string(shared));
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
		spk_json_set(tmpfs, places[i], json_string(shared));
	spk_json_set(tmpfs, SPK_BOX_HOME, json_string(own));
	return tmpfs;
}

/* ---- the whole ---- */

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
	spk_json_set(config, "PidsLimit", json_integer(spec->pids + SPK_DOCKER_OWN_PIDS));
	if (spec->cpu_quota) {
		spk_json_set(config, "CpuPeriod", json_integer(CPU_PERIOD));
		spk_json_set(config, "CpuQuota", json_integer(spec->cpu_quota));
	}
	if (*spec->runtime)
		spk_json_set(config, "Runtime", json_string(spec->runtime));
	if (spec->host_users)
		spk_json_set(config, "UsernsMode", json_string("host"));
	spk_json_set(config, "Mounts", mounts_of(spec, container, run));
	add_lent(config, spec, run);
	spk_json_set(config, "Tmpfs", tmpfs_of(spec, container));
	return config;
}

json_t *spk_container_request(const SpkDockerSpec *spec, const SpkContainer *container,
			      const SpkBoxRun *run)
{
	g_autofree char *user = g_strdup_printf("%u:%u", spec->uid, spec->gid);
	json_t *request = json_pack("{s:s,s:s,s:s,s:s,s:[s],s:[s,s],s:b,s:{s:[s]}}",
				    "Image", container->image->id, "User", user,
				    "WorkingDir", "/", "Hostname", "box", "Entrypoint",
				    SPK_DOCKER_HELPER, "Cmd", "--keep", SPK_DOCKER_LOCK,
				    "NetworkDisabled", TRUE, "Healthcheck", "Test",
				    "NONE");

	spk_json_set(request, "Labels",
		     json_pack("{s:s,s:s,s:s}", SPK_LABEL_HOME, spec->home,
			       SPK_LABEL_WORK, run->work, SPK_LABEL_HOLDER,
			       spk_holder_self()));
	spk_json_set(request, "HostConfig", host_config(spec, container, run));
	return request;
}
