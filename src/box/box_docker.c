/*
 * The backend of container engines: tier docker. One container for a work tree, kept warm
 * from the first command to spk_box_leave(); each command is an exec in it, under sparks-box.
 */
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "box/box_impl.h"
#include "box/box_priv.h"
#include "box/docker_container_priv.h"
#include "box/docker_engine_priv.h"
#include "box/docker_exec_priv.h"
#include "box/docker_reach_priv.h"

#define DEFAULT_PATH  "/workspace"
#define DEFAULT_IMAGE "[docker] image"
#define SPARKS_IMAGE  "image of the spark"

typedef struct {
	SpkEngine *engine;
	SpkDockerImages *images;
	char *helper, *home, *socket_path, *image, *runtime, *path;
	SpkDockerSpec spec;
	GMutex lock;		 /* guards what follows */
	GPtrArray *idle;	 /* SpkContainer */
	SpkToolchains *tools;	 /* NULL: [box] toolchains is off */
	gboolean no_layers;	 /* SpkDockerSpec's */
	SpkBoxSettings settings; /* its landlock is known with the first container */
	gboolean probed;
} Docker;

/* ---- opening ---- */

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
	docker->settings = spk_box_settings_read(conf);
	if (spk_conf_bool(conf, "box.toolchains")) {
		g_auto(GStrv) env = g_get_environ();

		docker->tools =
			spk_toolchains_caches(g_get_home_dir(), env, docker->home);
	}
	docker->settings.tier = SPK_TIER_DOCKER;
	docker->settings.timeout_ms = spk_conf_int(conf, "docker.timeout_secs") * 1000;
	docker->settings.memory_bytes = docker->spec.memory_bytes;
	docker->settings.path = docker->path;
}

/* What the engine is asked before anything runs. */
static gboolean ask_engine(Docker *docker, SpkBoxReach *reach, GError **error)
{
	SpkEngineCall call = { .method = "GET", .path = "/info" };
	SpkDockerSpec *spec = &docker->spec;
	const SpkDockerImage *image;
	g_autoptr(json_t) info = NULL;

	docker->engine = spk_engine_open(docker->socket_path, error);
	spec->engine = docker->engine;
	if (!docker->engine)
		return FALSE;
	spec->podman = spk_engine_is_podman(docker->engine);
	docker->images = spk_docker_images_new(docker->engine);
	info = spk_engine_call(docker->engine, &call, NULL, error);
	if (!info || !spk_docker_check_runtime(spec, info, error))
		return FALSE;
	image = spk_docker_images_find(docker->images, docker->image, DEFAULT_IMAGE, NULL,
				       error);
	if (!image)
		return FALSE;
	spk_docker_choose_user(spec, info);
	reach->controls = spk_docker_controls(spec, image, info);
	reach->describe = spk_docker_describe(spec, docker->image, image);
	return TRUE;
}

static void docker_free(gpointer self)
{
	Docker *docker = self;

	for (guint i = 0; i < docker->idle->len; i++)
		spk_container_free(&docker->spec, docker->idle->pdata[i]);
	g_ptr_array_unref(docker->idle);
	g_mutex_clear(&docker->lock);
	spk_docker_images_free(docker->images);
	spk_engine_free(docker->engine);
	spk_toolchains_free(docker->tools);
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

static const SpkDockerImage *image_of(Docker *docker, const SpkBoxRun *run,
				      SpkCancel *cancel, GError **error)
{
	return spk_docker_images_find(docker->images,
				      run->image ? run->image : docker->image,
				      run->image ? SPARKS_IMAGE : DEFAULT_IMAGE, cancel,
				      error);
}

static gboolean has_layers(const SpkBoxRun *run)
{
	for (guint i = 0; run->lent && i < run->lent->len; i++)
		if (((const SpkTreeLent *)run->lent->pdata[i])->upper)
			return TRUE;
	return FALSE;
}

/* Lent folders are read-only where the engine can't mount a layer over them. */
static SpkContainer *new_container(Docker *docker, const SpkDockerImage *image,
				   const SpkBoxRun *run, SpkCancel *cancel,
				   GError **error)
{
	SpkDockerSpec spec = docker->spec;
	g_autoptr(GError) why = NULL;
	SpkContainer *container;

	g_mutex_lock(&docker->lock);
	spec.no_layers = docker->no_layers;
	g_mutex_unlock(&docker->lock);
	container = spk_container_new(&spec, image, run, cancel, &why);
	if (container || spec.no_layers || !has_layers(run) ||
	    !spk_error_is(why, SPK_ERR_BOX_FAILED)) {
		if (why)
			g_propagate_error(error, g_steal_pointer(&why));
		return container;
	}
	spec.no_layers = TRUE;
	container = spk_container_new(&spec, image, run, cancel, error);
	if (!container)
		return NULL;
	spk_warn("box", "lent folders are read-only here: %s", why->message);
	g_mutex_lock(&docker->lock);
	docker->no_layers = TRUE;
	g_mutex_unlock(&docker->lock);
	return container;
}

/* A check runs on a checkout that the next one doesn't share: the last one's may go. */
static SpkContainer *make_container(Docker *docker, const SpkBoxRun *run,
				    SpkCancel *cancel, GError **error)
{
	const SpkDockerImage *image = image_of(docker, run, cancel, error);
	g_autoptr(GError) why = NULL;
	SpkContainer *container;

	if (!image)
		return NULL;
	if (run->work_from)
		drop_idle(docker, run->work, TRUE);
	container = new_container(docker, image, run, cancel, &why);
	if (container) {
		learn_landlock(docker, container, cancel);
		return container;
	}
	if (spk_error_is(why, SPK_ERR_NOT_FOUND)) { /* it was there: removed since */
		spk_docker_images_forget(docker->images, image);
		(void)image_of(docker, run, cancel, error); /* says so */
	}
	if (error && !*error)
		g_propagate_error(error, g_steal_pointer(&why));
	return NULL;
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
	settings.image_env = (const char *const *)container->image->env;
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

/* Its socket can be shown in any container. */
static gboolean docker_has_way_out(gpointer self)
{
	return TRUE;
}

/* Caches have a layer over them, or they are of no use. */
static const SpkToolchains *docker_tools(gpointer self)
{
	Docker *docker = self;
	gboolean layers;

	g_mutex_lock(&docker->lock);
	layers = !docker->no_layers && !docker->spec.podman;
	g_mutex_unlock(&docker->lock);
	return layers ? docker->tools : NULL;
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
	.has_way_out = docker_has_way_out,
	.tools = docker_tools,
	.leave = docker_leave,
};
