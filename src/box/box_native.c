/*
 * The native backend: tiers native and landlock. The threaded program only builds a plan
 * (box/box_plan.h) and spawns `sparks-box`, which carries it out and execs.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "box/box_impl.h"
#include "box/box_plan.h"
#include "box/box_priv.h"
#include "box/box_status_priv.h"
#include "box/native_reach_priv.h"
#include "net/child.h"

#define DEFAULT_OUT  (64u << 10)
#define GRACE_MS     3000 /* for the helper to end the box before it is killed itself */
#define EXIT_TIMEOUT 124
#define EXIT_KILLED  137

typedef struct {
	char *helper;
	char *path;
	SpkBoxProbe probe;
	SpkBoxSettings settings;
	SpkCgroups *groups; /* NULL: rlimits and meters hold the caps */
	char *no_groups;    /* why */
	GByteArray *system;
	SpkToolchains *tools; /* NULL: [box] toolchains is off */
} Native;

/* ---- opening ---- */

static gboolean choose_tier(Native *native, SpkConf *conf, SpkBoxReach *reach,
			    GError **error)
{
	const SpkNativeFound found = { &native->probe, &native->settings, native->groups,
				       native->no_groups };
	SpkTier possible = spk_native_strongest(&found);
	const char *wanted = spk_conf_str(conf, "box.tier");
	SpkTier most = !strcmp(wanted, "landlock") ? SPK_TIER_LANDLOCK
		       : !strcmp(wanted, "native") ? SPK_TIER_NATIVE
						   : SPK_TIER_NATIVE_FULL;

	native->settings.tier = MIN(possible, most);
	reach->tier = native->settings.tier;
	reach->why = spk_native_why_weaker(&found, possible);
	reach->remedy = spk_box_probe_remedy();
	reach->describe = spk_native_describe(&found, reach->why);
	reach->controls = json_deep_copy(native->probe.controls);
	if (!native->settings.path || reach->tier != SPK_TIER_LANDLOCK)
		return TRUE;
	spk_error_set(error, SPK_ERR_BOX_TIER,
		      "unset [box] path, or see why the tier is weak",
		      "[box] path needs the tier native: %s", reach->why);
	return FALSE;
}

static void read_settings(Native *native, SpkConf *conf)
{
	const char *path = spk_conf_str(conf, "box.path");

	native->path = *path ? g_strdup(path) : NULL;
	native->settings = spk_box_settings_read(conf);
	native->settings.landlock = native->probe.landlock;
	native->settings.path = native->path;
}

static void native_free(gpointer self)
{
	Native *native = self;

	g_free(native->helper);
	g_free(native->path);
	spk_box_probe_clear(&native->probe);
	spk_cgroups_free(native->groups);
	g_free(native->no_groups);
	if (native->system)
		g_byte_array_unref(native->system);
	spk_toolchains_free(native->tools);
	g_free(native);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Native, native_free)

/* The helper's own processes are in the group, too. The meter still ends a box that has more
 * than it may; the kernel holds what is too quick for it. */
#define OWN_PIDS 8

static gboolean open_groups(Native *native, SpkConf *conf, GError **error)
{
	const char *wanted = spk_conf_str(conf, "box.tier");
	SpkCgroupCaps caps = { native->settings.memory_bytes,
			       native->settings.pids + OWN_PIDS,
			       spk_conf_real(conf, "box.cpus") };

	if (!strcmp(wanted, "native") || !strcmp(wanted, "landlock"))
		native->no_groups = g_strdup("chosen by [box] tier");
	else
		native->groups = spk_cgroups_open(&caps, NULL, &native->no_groups);
	native->settings.cgroups = native->groups != NULL;
	if (native->groups || caps.cpus <= 0)
		return TRUE;
	spk_error_set(error, SPK_ERR_BOX_TIER, "unset it, or see `sparks sandbox probe`",
		      "[box] cpus needs control groups: %s",
		      native->no_groups ? native->no_groups : "there are none");
	return FALSE;
}

static void find_tools(Native *native, SpkConf *conf)
{
	gboolean can_mask = native->settings.tier >= SPK_TIER_NATIVE;
	g_autofree char *state = NULL;
	g_auto(GStrv) env = NULL;

	if (!spk_conf_bool(conf, "box.toolchains"))
		return;
	state = spk_fs_home(NULL);
	env = g_get_environ();
	native->tools = spk_toolchains_find(g_get_home_dir(), env, state, can_mask);
	native->settings.tools = native->tools;
}

static gpointer native_open(SpkConf *conf, SpkBoxReach *ret_reach, GError **error)
{
	g_autoptr(Native) native = g_new0(Native, 1);
	g_auto(SpkBoxReach) reach = { 0 };

	native->helper = spk_box_find_helper(error);
	if (!native->helper || !spk_box_probe(native->helper, &native->probe, error))
		return NULL;
	read_settings(native, conf);
	if (!open_groups(native, conf, error))
		return NULL;
	if (!choose_tier(native, conf, &reach, error))
		return NULL;
	find_tools(native, conf);
	native->system = spk_box_plan_system(&native->settings);
	*ret_reach = reach;
	reach = (SpkBoxReach){ 0 };
	return g_steal_pointer(&native);
}

/* ---- running ---- */

/* The plan as a file without a name. */
static int plan_file(const GByteArray *plan, GError **error)
{
	spk_autofd int fd = memfd_create("sparks-plan", MFD_CLOEXEC);

	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_BOX_FAILED, errno, NULL,
				    "cannot make a file in memory");
		return -1;
	}
	if (!spk_fs_write_all(fd, plan->data, plan->len, error))
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0) {
		spk_error_set_errno(error, SPK_ERR_BOX_FAILED, errno, NULL, "the plan");
		return -1;
	}
	return spk_fd_steal(&fd);
}

/* The pipe is read after the helper is gone: what it had to say is in there, or never was. */
static void read_status(int fd, SpkBoxStatus *status)
{
	char text[SPK_BOX_STATUS_MAX + 1];
	ssize_t n = read(fd, text, SPK_BOX_STATUS_MAX);

	text[MAX(n, 0)] = '\0';
	spk_box_status_read(status, text);
}

/* FALSE when the walls did not stand. Where the memory of a group belongs to no process (files
 * without a name), the kernel may end the helper for it as well. */
static gboolean judge(const SpkBoxStatus *status, const SpkChildResult *child,
		      const SpkCgroup *group, GError **error)
{
	if (!spk_box_status_built(status, error))
		return FALSE;
	if (status->exited || child->timed_out || child->flooded)
		return TRUE;
	if (group && child->exit_code == EXIT_KILLED && spk_cgroup_ooms(group))
		return TRUE;
	spk_error_set(error, SPK_ERR_BOX_FAILED,
		      "was it killed from outside, or out of memory?",
		      "sparks-box ended with %d and did not say why", child->exit_code);
	return FALSE;
}

static void fill_result(SpkChildResult *child, SpkBoxStatus *status, SpkBoxResult *result)
{
	result->timed_out = child->timed_out;
	result->exit_code = child->timed_out ? EXIT_TIMEOUT : child->exit_code;
	result->truncated = child->truncated || child->flooded;
	result->out = g_steal_pointer(&child->out);
	result->err = g_steal_pointer(&child->err);
	result->out_total = child->out_total;
	result->out_sha256 = g_steal_pointer(&child->out_sha256);
	result->seconds = child->seconds;
	/* the helper's own figure, where it gives one, does not start from the memory of the
	 * process that spawned it */
	result->rss_max_kib = child->rss_max_kib;
	spk_box_status_tell(status, child->flooded, result);
}

static gboolean run_plan(Native *native, const GByteArray *plan, const SpkBoxRun *run,
			 const SpkCgroup *group, SpkCancel *cancel,
			 SpkBoxResult *ret_result, GError **error)
{
	const char *const argv[] = { native->helper, run->work, NULL };
	spk_autofd int file = plan_file(plan, error);
	spk_autofd int status_in = -1, status_out = -1;
	g_auto(SpkChildResult) child = { 0 };
	g_auto(SpkBoxStatus) status = { 0 };
	int ends[2];

	if (file < 0)
		return FALSE;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		spk_error_set_errno(error, SPK_ERR_BOX_FAILED, errno, NULL,
				    "cannot make a pipe");
		return FALSE;
	}
	status_in = ends[0];
	status_out = ends[1];

	const SpkChildFd fds[] = { { file, SPK_PLAN_FD },
				   { status_out, SPK_STATUS_FD },
				   { run->stdin_fd, 0 } };
	const SpkBoxSink *sink = run->sink;
	const SpkChildSpec spec = {
		.argv = argv,
		.max_out = run->max_out ? run->max_out : DEFAULT_OUT,
		.max_err = run->max_out ? run->max_out : DEFAULT_OUT,
		.merge = !run->split,
		.spill_path = run->spill_path,
		.timeout_ms = run->timeout_ms ? run->timeout_ms
					      : native->settings.timeout_ms,
		.grace_ms = GRACE_MS,
		.fds = fds,
		.n_fds = run->stdin_fd ? 3 : 2,
		.on_output = sink ? sink->out : NULL,
		.on_error = sink ? sink->err : NULL,
		.user = sink ? sink->user : NULL,
		.max_spill = sink ? G_MAXUINT64 : 0,
		.kill_on_flood = run->stop_flood,
	};

	if (!spk_child_run(&spec, cancel, &child, error))
		return FALSE;
	read_status(status_in, &status);
	if (!judge(&status, &child, group, error))
		return FALSE;
	fill_result(&child, &status, ret_result);
	return TRUE;
}

/* What the kernel did that no meter saw. */
static void tell_caps(const SpkCgroup *group, SpkBoxResult *result)
{
	guint64 ooms = spk_cgroup_ooms(group), refused = spk_cgroup_refused(group);

	if (ooms)
		spk_box_result_block(result, "memory",
				     "the kernel ended a process: all of the box "
				     "reached [box] memory_bytes");
	if (refused)
		spk_box_result_block(result, "pids",
				     "the kernel refused a process: the box has "
				     "[box] pids of them");
}

static gboolean run_in_group(Native *native, const SpkBoxRun *run, const char *scratch,
			     SpkCancel *cancel, SpkBoxResult *ret_result, GError **error)
{
	SpkCgroup *group = NULL;
	g_autoptr(GByteArray) plan = NULL;
	gboolean ok;

	if (native->groups) {
		group = spk_cgroups_take(native->groups, error);
		if (!group)
			return FALSE;
	}
	plan = spk_box_plan_run(&native->settings, native->system, run, group, scratch,
				error);
	ok = plan && run_plan(native, plan, run, group, cancel, ret_result, error);
	if (ok && group)
		tell_caps(group, ret_result);
	if (group)
		spk_cgroups_give(native->groups, group);
	return ok;
}

/* A mark in there that an overlay was not synced would forbid the next one. */
static gboolean forget_unsynced(const SpkBoxRun *run, GError **error)
{
	for (guint i = 0; run->lent && i < run->lent->len; i++) {
		const SpkTreeLent *lent = run->lent->pdata[i];
		g_autofree char *work =
			lent->spare ? g_build_filename(lent->spare, "work", NULL) : NULL;

		if (work && !spk_fs_remove_tree(work, error))
			return FALSE;
	}
	return TRUE;
}

/* What can't be laid over is linked to, where reading is all that is needed. */
static gboolean link_caches(const Native *native, const SpkBoxRun *run,
			    const char *scratch, GError **error)
{
	guint64 used = spk_caches_of(native->tools, spk_box_run_source(run));

	for (guint i = 0; native->tools && i < native->tools->caches->len; i++) {
		const SpkCache *cache = native->tools->caches->pdata[i];
		g_autofree char *to =
			g_strconcat(scratch, cache->to + strlen(SPK_BOX_HOME), NULL);
		g_autofree char *folder = g_path_get_dirname(to);

		if (!(used & (guint64)1 << i) || !spk_box_links(cache))
			continue;
		if (!spk_fs_mkdirs(folder, 0700, error))
			return FALSE;
		if (symlink(cache->from, to) < 0) {
			spk_error_set_errno(error, SPK_ERR_BOX_FAILED, errno, NULL,
					    "cannot link to %s", cache->from);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean native_run(gpointer self, const SpkBoxRun *run, SpkCancel *cancel,
			   SpkBoxResult *ret_result, GError **error)
{
	Native *native = self;
	g_autofree char *scratch = NULL;
	gboolean ok;

	if (native->settings.tier == SPK_TIER_LANDLOCK) {
		if (!spk_box_plan_keeps(run, error))
			return FALSE;
		scratch = g_build_filename(g_get_tmp_dir(), "sparks-box-XXXXXX", NULL);
		if (!g_mkdtemp(scratch)) {
			spk_error_set_errno(error, SPK_ERR_BOX_FAILED, errno,
					    "set TMPDIR", "cannot create %s", scratch);
			return FALSE;
		}
	}
	ok = forget_unsynced(run, error) &&
	     (!scratch || link_caches(native, run, scratch, error)) &&
	     run_in_group(native, run, scratch, cancel, ret_result, error);
	/* what a command left there is no reason to lose its result */
	if (scratch)
		(void)spk_fs_remove_tree(scratch, NULL);
	return ok;
}

/* Tier landlock allows no sockets at all. */
static gboolean native_has_way_out(gpointer self)
{
	return ((Native *)self)->settings.tier != SPK_TIER_LANDLOCK;
}

static guint native_end_stale(gpointer self, const char *work)
{
	return spk_box_end_processes(work);
}

static const SpkToolchains *native_tools(gpointer self)
{
	return ((Native *)self)->tools;
}

const SpkBoxBackend spk_box_native = {
	.name = "native",
	.open = native_open,
	.free = native_free,
	.run = native_run,
	.end_stale = native_end_stale,
	.has_way_out = native_has_way_out,
	.tools = native_tools,
};
