/*
 * The backend of container engines: tier docker. One container for a work tree, kept warm
 * from the first command to spk_box_leave(); each command is an exec in it, under sparks-box.
 */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "box/box_impl.h"
#include "box/box_priv.h"
#include "box/docker_container_priv.h"
#include "box/docker_engine_priv.h"
#include "box/docker_exec_priv.h"

#define DEFAULT_PATH "/workspace"

typedef struct {
	SpkEngine *engine;
	char *helper, *home, *socket_path, *image, *runtime, *path;
	char **image_env;
	SpkDockerSpec spec;
	GMutex lock;		 /* guards the two that follow */
	GPtrArray *idle;	 /* SpkContainer */
	SpkBoxSettings settings; /* its landlock is known with the first container */
	gboolean probed;
} Docker;

/* ---- opening ---- */

/* What `docker info` says of how it treats users and system calls: "name=rootless". */
static gboolean has_option(const json_t *info, const char *name)
{
	const json_t *options = json_object_get(info, "SecurityOptions"), *one;
	g_autofree char *wanted = g_strconcat("name=", name, NULL);
	gsize i, len = strlen(wanted);

	json_array_foreach(options, i, one) {
		const char *text = json_string_value(one);

		if (text && !strncmp(text, wanted, len) &&
		    (text[len] == ',' || text[len] == '\0'))
			return TRUE;
	}
	return FALSE;
}

static json_t *get(Docker *docker, const char *path, GError **error)
{
	return spk_engine_call(docker->engine,
			       &(SpkEngineCall){ .method = "GET", .path = path }, NULL,
			       error);
}

static gboolean find_image(Docker *docker, GError **error)
{
	/* names hold slashes, which belong to the path */
	g_autofree char *escaped = g_uri_escape_string(docker->image, "/:@", FALSE);
	g_autofree char *path = g_strdup_printf("/images/%s/json", escaped);
	g_autofree char *hint = g_strdup_printf("fetch it: `docker pull %s`, or name "
						"another one in [docker] image",
						docker->image);
	g_autoptr(GError) why = NULL;

	docker->spec.image = get(docker, path, &why);
	if (docker->spec.image && spk_json_str(docker->spec.image, "Id"))
		return TRUE;
	if (why && !spk_error_is(why, SPK_ERR_NOT_FOUND)) {
		g_propagate_error(error, g_steal_pointer(&why));
		return FALSE;
	}
	spk_error_set(error, SPK_ERR_BOX_TIER, hint,
		      "%s has no image %s, that [docker] image names",
		      spk_engine_name(docker->engine), docker->image);
	return FALSE;
}

static void read_image_env(Docker *docker)
{
	const json_t *config = json_object_get(docker->spec.image, "Config");
	const json_t *env = json_object_get(config, "Env"), *one;
	g_autoptr(GStrvBuilder) all = g_strv_builder_new();
	gsize i;

	json_array_foreach(env, i, one)
		if (json_is_string(one))
			g_strv_builder_add(all, json_string_value(one));
	docker->image_env = g_strv_builder_end(all);
}

/* Who a command runs as: the owner of the work tree, which we are. Where the engine itself has
 * no rights (rootless), its root is us. */
static void choose_user(Docker *docker, const json_t *info)
{
	gboolean rootless = has_option(info, "rootless");

	docker->spec.uid = rootless ? 0 : geteuid();
	docker->spec.gid = rootless ? 0 : getegid();
	docker->spec.host_users = !rootless && has_option(info, "userns");
}

static gboolean check_runtime(const Docker *docker, const json_t *info, GError **error)
{
	const json_t *runtimes = json_object_get(info, "Runtimes");

	if (!*docker->runtime || !json_is_object(runtimes) ||
	    json_object_get(runtimes, docker->runtime))
		return TRUE;
	spk_error_set(error, SPK_ERR_BOX_TIER,
		      "install it and name it in /etc/docker/daemon.json (\"runtimes\"), "
		      "or unset [docker] runtime",
		      "%s knows no runtime \"%s\"", spk_engine_name(docker->engine),
		      docker->runtime);
	return FALSE;
}

static void add_control(json_t *controls, const char *name, gboolean ok,
			const char *detail)
{
	json_array_append_new(controls, json_pack("{s:s,s:b,s:s}", "control", name, "ok",
						  ok, "detail", detail));
}

static json_t *controls_of(const Docker *docker, const json_t *info)
{
	json_t *all = json_array();
	const char *driver = spk_json_str(info, "CgroupVersion");
	g_autofree char *cgroups =
		g_strdup_printf("cgroup version %s", driver ? driver : "?");

	add_control(all, "container engine", TRUE, spk_engine_name(docker->engine));
	add_control(all, "image", TRUE, spk_json_str(docker->spec.image, "Id"));
	add_control(all, "seccomp of the engine", has_option(info, "seccomp"),
		    "beside the one of sparks-box");
	add_control(all, "memory cap", spk_json_bool(info, "MemoryLimit", FALSE),
		    cgroups);
	add_control(all, "processes cap", spk_json_bool(info, "PidsLimit", FALSE),
		    cgroups);
	add_control(all, "processor cap", spk_json_bool(info, "CpuCfsQuota", FALSE),
		    cgroups);
	return all;
}

/* The digest that the registry knows it by, else the engine's own. */
static const char *digest_of(const json_t *image)
{
	const json_t *digests = json_object_get(image, "RepoDigests");
	const char *first = json_string_value(json_array_get(digests, 0));
	const char *at = first ? strchr(first, '@') : NULL;

	return at ? at + 1 : spk_json_str(image, "Id");
}

static char *describe(const Docker *docker)
{
	const SpkDockerSpec *spec = &docker->spec;
	g_autofree char *memory = spk_text_bytes((guint64)spec->memory_bytes);
	g_autofree char *runtime =
		*docker->runtime ? g_strdup_printf(", runtime %s", docker->runtime)
				 : g_strdup("");
	g_autofree char *cpu =
		spec->cpu_quota
			? g_strdup_printf("%.2g processors, ", spec->cpu_quota / 100000.0)
			: g_strdup("");

	return g_strdup_printf(
		"docker: a container of %s (%s) by %s%s; no network, no capabilities, "
		"read-only root, seccomp, as user %u; %s of memory, %s%" G_GINT64_FORMAT
		" processes; the work is at %s",
		docker->image, digest_of(spec->image), spk_engine_name(docker->engine),
		runtime, spec->uid, memory, cpu, spec->pids, docker->path);
}

static void read_settings(Docker *docker, SpkConf *conf)
{
	const char *path = spk_conf_str(conf, "box.path");

	docker->socket_path = g_strdup(spk_conf_str(conf, "docker.socket_path"));
	docker->image = g_strdup(spk_conf_str(conf, "docker.image"));
	docker->runtime = g_strdup(spk_conf_str(conf, "docker.runtime"));
	docker->path = g_strdup(*path ? path : DEFAULT_PATH);
	docker->spec = (SpkDockerSpec){
		.helper = docker->helper,
		.home = docker->home,
		.runtime = docker->runtime,
		.path = docker->path,
		.memory_bytes = spk_conf_int(conf, "docker.memory_limit"),
		.cpu_quota = spk_conf_int(conf, "docker.cpu_quota"),
		.pids = spk_conf_int(conf, "box.pids"),
	};
	docker->settings = (SpkBoxSettings){
		.tier = SPK_TIER_DOCKER,
		.timeout_ms = spk_conf_int(conf, "docker.timeout_secs") * 1000,
		.memory_bytes = docker->spec.memory_bytes,
		.pids = docker->spec.pids,
		.fsize_bytes = spk_conf_int(conf, "box.fsize_bytes"),
		.disk_bytes = spk_conf_int(conf, "box.disk_bytes"),
		.inodes = spk_conf_int(conf, "box.inodes"),
		.path = docker->path,
	};
}

/* What the engine is asked before anything runs. */
static gboolean ask_engine(Docker *docker, SpkBoxReach *reach, GError **error)
{
	g_autoptr(json_t) info = NULL;

	docker->engine = spk_engine_open(docker->socket_path, error);
	docker->spec.engine = docker->engine;
	if (!docker->engine)
		return FALSE;
	info = get(docker, "/info", error);
	if (!info || !check_runtime(docker, info, error) || !find_image(docker, error))
		return FALSE;
	read_image_env(docker);
	docker->settings.image_env = (const char *const *)docker->image_env;
	choose_user(docker, info);
	reach->controls = controls_of(docker, info);
	return TRUE;
}

static void docker_free(gpointer self)
{
	Docker *docker = self;

	for (guint i = 0; i < docker->idle->len; i++)
		spk_container_free(&docker->spec, docker->idle->pdata[i]);
	g_ptr_array_unref(docker->idle);
	g_mutex_clear(&docker->lock);
	json_decref(docker->spec.image);
	spk_engine_free(docker->engine);
	g_strfreev(docker->image_env);
	g_free(docker->helper);
	g_free(docker->home);
	g_free(docker->socket_path);
	g_free(docker->image);
	g_free(docker->runtime);
	g_free(docker->path);
	g_free(docker);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Docker, docker_free)

static gpointer docker_open(SpkConf *conf, SpkBoxReach *ret_reach, GError **error)
{
	g_autoptr(Docker) docker = g_new0(Docker, 1);
	guint swept;

	docker->idle = g_ptr_array_new();
	g_mutex_init(&docker->lock);
	docker->helper = spk_box_find_helper(error);
	docker->home = docker->helper ? spk_fs_home(error) : NULL;
	if (!docker->home)
		return NULL;
	read_settings(docker, conf);
	if (!ask_engine(docker, ret_reach, error)) {
		spk_box_reach_clear(ret_reach);
		return NULL;
	}
	swept = spk_container_sweep(&docker->spec);
	if (swept)
		spk_info("box", "%u containers of processes that are gone were removed",
			 swept);
	ret_reach->tier = SPK_TIER_DOCKER;
	ret_reach->describe = describe(docker);
	ret_reach->why = g_strdup("containers share the host's kernel and are built by "
				  "an engine that is root");
	ret_reach->remedy = "set [box] backend to \"native\" for a stronger one";
	return g_steal_pointer(&docker);
}

/* ---- containers ---- */

/* One that waits with this key, or NULL. */
static SpkContainer *take_idle(Docker *docker, const char *key)
{
	SpkContainer *found = NULL;

	g_mutex_lock(&docker->lock);
	for (guint i = 0; i < docker->idle->len && !found; i++) {
		SpkContainer *one = docker->idle->pdata[i];

		if (strcmp(one->key, key) == 0)
			found = g_ptr_array_steal_index(docker->idle, i);
	}
	g_mutex_unlock(&docker->lock);
	return found;
}

static void give_back(Docker *docker, SpkContainer *container)
{
	g_mutex_lock(&docker->lock);
	g_ptr_array_add(docker->idle, container);
	g_mutex_unlock(&docker->lock);
}

/* Removes the idle ones around `work`; `only_checkouts`: those of clean checkouts. */
static void drop_idle(Docker *docker, const char *work, gboolean only_checkouts)
{
	g_autoptr(GPtrArray) going = g_ptr_array_new();

	g_mutex_lock(&docker->lock);
	for (guint i = docker->idle->len; i-- > 0;) {
		SpkContainer *one = docker->idle->pdata[i];

		if (!strcmp(one->work, work) && (one->from || !only_checkouts))
			g_ptr_array_add(going, g_ptr_array_steal_index(docker->idle, i));
	}
	g_mutex_unlock(&docker->lock);
	for (guint i = 0; i < going->len; i++)
		spk_container_free(&docker->spec, going->pdata[i]);
}

static void learn_landlock(Docker *docker, const SpkContainer *container,
			   SpkCancel *cancel)
{
	gboolean probed;
	int landlock;

	g_mutex_lock(&docker->lock);
	probed = docker->probed;
	g_mutex_unlock(&docker->lock);
	if (probed)
		return;
	landlock = spk_docker_probe_landlock(&docker->spec, container, cancel);
	g_mutex_lock(&docker->lock);
	docker->settings.landlock = landlock;
	docker->probed = TRUE;
	g_mutex_unlock(&docker->lock);
}

/* A check runs on a checkout that the next one doesn't share: the last one's may go. */
static SpkContainer *make_container(Docker *docker, const SpkBoxRun *run,
				    SpkCancel *cancel, GError **error)
{
	SpkContainer *container;

	if (run->work_from)
		drop_idle(docker, run->work, TRUE);
	container = spk_container_new(&docker->spec, run, cancel, error);
	if (container)
		learn_landlock(docker, container, cancel);
	return container;
}

static SpkBoxSettings settings_now(Docker *docker)
{
	SpkBoxSettings settings;

	g_mutex_lock(&docker->lock);
	settings = docker->settings;
	g_mutex_unlock(&docker->lock);
	return settings;
}

static gboolean docker_run(gpointer self, const SpkBoxRun *run, SpkCancel *cancel,
			   SpkBoxResult *ret_result, GError **error)
{
	Docker *docker = self;
	g_autofree char *key = spk_container_key(run);
	SpkContainer *container = take_idle(docker, key);
	gboolean was_idle = container != NULL, ran;
	SpkBoxSettings settings;
	SpkExecEnd end;

	if (!container)
		container = make_container(docker, run, cancel, error);
	if (!container)
		return FALSE;
	settings = settings_now(docker);
	end = spk_docker_exec(&docker->spec, &settings, container, run, cancel,
			      ret_result, &ran, error);
	if (end == SPK_EXEC_ENDED) {
		give_back(docker, container);
		return ran;
	}
	spk_container_free(&docker->spec, container);
	if (end == SPK_EXEC_SPOILT)
		return ran;
	if (was_idle) /* it went while nobody looked: a new one, and those beside it too */
		return docker_run(self, run, cancel, ret_result, error);
	spk_error_set(error, SPK_ERR_BOX_FAILED, "see what the engine logs about it",
		      "a new container ended at once");
	return FALSE;
}

static void docker_leave(gpointer self, const char *work)
{
	drop_idle(self, work, FALSE);
}

static guint docker_end_stale(gpointer self, const char *work)
{
	return spk_container_end_stale(&((Docker *)self)->spec, work);
}

const SpkBoxBackend spk_box_docker = {
	.name = "docker",
	.open = docker_open,
	.free = docker_free,
	.run = docker_run,
	.end_stale = docker_end_stale,
	.leave = docker_leave,
};
