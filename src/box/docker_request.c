/* The request that makes a container: its mounts, its caps, and what it may not do. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

		g_string_append_printf(key, "%s\n", lent->path);
		add_identity(key, lent->from);
		if (lent->upper)
			add_identity(key, lent->upper);
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

/* The engine lays the layer over the folder, by a volume that it forgets with the container.
 * The marks in a layer are those of the tier native, which may have written it before. */
static json_t *layered_volume(const SpkTreeLent *lent, gboolean write, const char *to)
{
	g_autoptr(GString) options = g_string_new(NULL);

	spk_box_put_layers(options, lent, write, "");
	return json_pack("{s:s,s:s,s:{s:b,s:{s:s,s:{s:s,s:s,s:s}}}}", "Type", "volume",
			 "Target", to, "VolumeOptions", "NoCopy", TRUE, "DriverConfig",
			 "Name", "local", "Options", "type", "overlay", "device",
			 "overlay", "o", options->str);
}

/* Podman has a form of its own for it, in which some characters can't be. NULL: one is there. */
static json_t *layered_bind(const SpkTreeLent *lent, const char *to)
{
	if (strpbrk(lent->from, ":,\\") || strpbrk(to, ":,\\") ||
	    strpbrk(lent->upper, ":,\\") || strpbrk(lent->spare, ":,\\"))
		return NULL;
	return json_sprintf("%s:%s:O,upperdir=%s,workdir=%s", lent->from, to, lent->upper,
			    lent->spare);
}

static void add_lent(json_t *config, const SpkDockerSpec *spec, const SpkBoxRun *run)
{
	json_t *mounts = json_object_get(config, "Mounts"), *binds = json_array();

	for (guint i = 0; run->lent && i < run->lent->len; i++) {
		const SpkTreeLent *lent = run->lent->pdata[i];
		g_autofree char *to = g_build_filename(spec->path, lent->path, NULL);
		gboolean layered = lent->upper && !run->read_only_work;
		json_t *bind = layered && spec->podman ? layered_bind(lent, to) : NULL;

		if (bind)
			json_array_append_new(binds, bind);
		else if (layered && !spec->podman)
			json_array_append_new(mounts, layered_volume(lent, layered, to));
		else
			add_mount(mounts, lent->from, to, TRUE);
	}
	spk_json_set(config, "Binds", binds);
	for (char *const *path = run->lent ? run->hidden : NULL; path && *path; path++) {
		g_autofree char *to = g_build_filename(spec->path, *path, NULL);

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

/* Each a quarter of the memory that they are paid from. What the image declares as volumes
 * would be folders on disk without a limit. */
static json_t *tmpfs_of(const SpkDockerSpec *spec, const SpkContainer *container)
{
	const json_t *config = json_object_get(container->image->json, "Config");
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
	spk_json_set(config, "ShmSize", json_integer(spec->memory_bytes / 4));
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
