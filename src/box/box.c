#include "box/box.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "box/box_plan.h"
#include "box/box_priv.h"
#include "net/child.h"

#define DEFAULT_OUT  (64u << 10)
#define STATUS_MAX   4096
#define GRACE_MS     3000 /* for the helper to end the box before it is killed itself */
#define EXIT_TIMEOUT 124

struct SpkBox {
	char *helper;
	char *path;
	char *describe;
	SpkBoxProbe probe;
	SpkBoxSettings settings;
	GByteArray *system;
};

static const char *const tier_names[] = {
	[SPK_TIER_NONE] = "none",
	[SPK_TIER_LANDLOCK] = "landlock",
	[SPK_TIER_DOCKER] = "docker",
	[SPK_TIER_NATIVE] = "native",
	[SPK_TIER_NATIVE_FULL] = "native-full",
};

const char *spk_tier_name(SpkTier tier)
{
	g_assert((gsize)tier < G_N_ELEMENTS(tier_names));
	return tier_names[tier];
}

static SpkTier tier_of(const char *name)
{
	gsize tier = 0;

	while (strcmp(tier_names[tier], name) != 0)
		g_assert(++tier < G_N_ELEMENTS(tier_names)); /* conf has checked it */
	return (SpkTier)tier;
}

/* ---- opening ---- */

static SpkTier strongest(const SpkBoxProbe *probe)
{
	if (!probe->seccomp)
		return SPK_TIER_NONE;
	if (probe->userns)
		return SPK_TIER_NATIVE;
	return probe->landlock && probe->process_list ? SPK_TIER_LANDLOCK : SPK_TIER_NONE;
}

/* Why the tier is not a stronger one; NULL when nothing stronger is built. */
static char *why_weaker(const SpkBox *box, SpkTier possible)
{
	const SpkBoxProbe *probe = &box->probe;

	if (box->settings.tier < possible)
		return g_strdup("chosen by [box] tier");
	if (possible == SPK_TIER_NATIVE)
		return NULL;
	if (!probe->seccomp)
		return g_strdup("this kernel has no seccomp");
	if (possible == SPK_TIER_LANDLOCK)
		return g_strdup(probe->failed);
	return g_strdup_printf("%s; %s", probe->failed,
			       probe->landlock
				       ? "/proc with its lists of children is missing"
				       : "this kernel has no Landlock");
}

/* What tier landlock cannot wall off, in words. */
static const char *gaps(int landlock)
{
	return landlock >= 6
		       ? "the list of the host's processes; modes and times of this "
			 "user's files"
		       : "the list of the host's processes and signals to those of this "
			 "user; modes and times of this user's files";
}

static char *describe(const SpkBox *box, const char *why)
{
	g_autofree char *memory = spk_text_bytes((guint64)box->settings.memory_bytes);
	g_autofree char *landlock =
		box->probe.landlock ? g_strdup_printf("Landlock %d", box->probe.landlock)
				    : g_strdup("no Landlock");
	g_autofree char *caps =
		g_strdup_printf("capped by rlimits and meters (%s, %" G_GINT64_FORMAT
				" processes), not by cgroups",
				memory, box->settings.pids);

	if (box->settings.tier == SPK_TIER_NATIVE)
		return g_strdup_printf(
			"native: own user, mount, pid, network, ipc, uts and cgroup "
			"namespaces, seccomp, %s; %s",
			landlock, caps);
	return g_strdup_printf(
		"%s: no namespaces, no sockets; %s, seccomp; %s; not walled off: %s%s%s",
		spk_tier_name(box->settings.tier), landlock, caps,
		gaps(box->probe.landlock), why ? " — weaker because: " : "",
		why ? why : "");
}

static gboolean refuse(SpkErr code, const char *hint, GError **error, const char *what,
		       const char *why)
{
	spk_error_set(error, code, hint, "%s: %s", what, why);
	return FALSE;
}

static gboolean choose_tier(SpkBox *box, SpkConf *conf, GError **error)
{
	SpkTier possible = strongest(&box->probe);
	SpkTier required = tier_of(spk_conf_str(conf, "box.require_tier"));
	const char *wanted = spk_conf_str(conf, "box.tier");
	g_autofree char *why = NULL;

	box->settings.tier = possible;
	if (strcmp(wanted, "auto") != 0)
		box->settings.tier = MIN(possible, tier_of(wanted));
	why = why_weaker(box, possible);
	box->describe = describe(box, why);
	if (box->settings.tier == SPK_TIER_NONE)
		return refuse(SPK_ERR_BOX_TIER, spk_box_probe_remedy(), error,
			      "no sandbox can be built here", why);
	if (box->settings.tier < required) {
		g_autofree char *what = g_strdup_printf(
			"[box] require_tier is %s, but here the sandbox reaches %s",
			spk_tier_name(required), spk_tier_name(box->settings.tier));

		return refuse(SPK_ERR_BOX_TIER,
			      why ? spk_box_probe_remedy() : "lower [box] require_tier",
			      error, what, why ? why : "cgroup caps are not built yet");
	}
	if (box->settings.path && box->settings.tier == SPK_TIER_LANDLOCK)
		return refuse(SPK_ERR_BOX_TIER,
			      "unset [box] path, or see why the tier is weak", error,
			      "[box] path needs the tier native", why);
	return TRUE;
}

static void read_settings(SpkBox *box, SpkConf *conf)
{
	const char *path = spk_conf_str(conf, "box.path");

	box->path = *path ? g_strdup(path) : NULL;
	box->settings = (SpkBoxSettings){
		.landlock = box->probe.landlock,
		.timeout_ms = spk_conf_int(conf, "box.timeout_secs") * 1000,
		.memory_bytes = spk_conf_int(conf, "box.memory_bytes"),
		.pids = spk_conf_int(conf, "box.pids"),
		.fsize_bytes = spk_conf_int(conf, "box.fsize_bytes"),
		.path = box->path,
	};
}

SpkBox *spk_box_open(SpkConf *conf, GError **error)
{
	g_autoptr(SpkBox) box = g_new0(SpkBox, 1);

	if (strcmp(spk_conf_str(conf, "box.backend"), "docker") == 0) {
		spk_error_set(error, SPK_ERR_BOX_TIER,
			      "set [box] backend to \"auto\" or \"native\"",
			      "[box] backend = \"docker\" is not built yet");
		return NULL;
	}
	box->helper = spk_box_find_helper(error);
	if (!box->helper || !spk_box_probe(box->helper, &box->probe, error))
		return NULL;
	read_settings(box, conf);
	if (!choose_tier(box, conf, error))
		return NULL;
	box->system = spk_box_plan_system(&box->settings);
	return g_steal_pointer(&box);
}

void spk_box_free(SpkBox *box)
{
	if (!box)
		return;
	g_free(box->helper);
	g_free(box->path);
	g_free(box->describe);
	spk_box_probe_clear(&box->probe);
	if (box->system)
		g_byte_array_unref(box->system);
	g_free(box);
}

SpkTier spk_box_tier(SpkBox *box)
{
	return box->settings.tier;
}

const char *spk_box_describe(SpkBox *box)
{
	return box->describe;
}

json_t *spk_box_controls(SpkBox *box)
{
	return json_deep_copy(box->probe.controls);
}

/* ---- running ---- */

void spk_box_result_clear(SpkBoxResult *result)
{
	if (result->out)
		g_string_free(result->out, TRUE);
	if (result->err)
		g_string_free(result->err, TRUE);
	g_free(result->out_sha256);
	json_decref(result->blocked);
	*result = (SpkBoxResult){ 0 };
}

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

typedef struct {
	gboolean exited;
	int signal;
	glong rss_max_kib; /* 0: not told */
	json_t *blocked;
	char *step, *text; /* of what failed; NULL */
} Status;

static void status_clear(Status *status)
{
	json_decref(status->blocked);
	g_free(status->step);
	g_free(status->text);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Status, status_clear)

static void block(Status *status, const char *rule, const char *what)
{
	if (!status->blocked)
		status->blocked = json_array();
	json_array_append_new(status->blocked,
			      json_pack("{s:s, s:s}", "rule", rule, "what", what));
}

/* The pipe is read after the helper is gone: what it had to say is in there, or never was. */
static void read_status(int fd, Status *status)
{
	char text[STATUS_MAX + 1];
	ssize_t n = read(fd, text, STATUS_MAX);
	g_auto(GStrv) lines = NULL;

	text[MAX(n, 0)] = '\0';
	lines = g_strsplit(text, "\n", -1);
	for (char **line = lines; *line; line++) {
		g_autofree char *clean = spk_text_clean(*line, -1, SPK_CLEAN_TEXT);
		g_auto(GStrv) field = g_strsplit(clean, "\t", 3);

		if (g_strv_length(field) != 3)
			continue;
		if (strcmp(field[0], "exited") == 0) {
			status->exited = TRUE;
			status->signal = (int)g_ascii_strtoll(field[2], NULL, 10);
		} else if (strcmp(field[0], "usage") == 0) {
			status->rss_max_kib = (glong)g_ascii_strtoll(field[2], NULL, 10);
		} else if (strcmp(field[0], "blocked") == 0) {
			block(status, field[1], field[2]);
		} else if (strcmp(field[0], "error") == 0 && !status->step) {
			status->step = g_strdup(field[1]);
			status->text = g_strdup(field[2]);
		}
	}
}

/* FALSE when the walls did not stand. */
static gboolean judge(const Status *status, const SpkChildResult *child, GError **error)
{
	if (status->step) {
		spk_error_set(error, SPK_ERR_BOX_FAILED, "see `sparks doctor`",
			      "the sandbox could not be built: %s: %s", status->step,
			      status->text);
		return FALSE;
	}
	if (status->exited || child->timed_out || child->flooded)
		return TRUE;
	spk_error_set(error, SPK_ERR_BOX_FAILED,
		      "was it killed from outside, or out of memory?",
		      "sparks-box ended with %d and did not say why", child->exit_code);
	return FALSE;
}

static void fill_result(SpkChildResult *child, Status *status, SpkBoxResult *result)
{
	result->timed_out = child->timed_out;
	result->signal = child->timed_out ? 0 : status->signal;
	result->exit_code = child->timed_out ? EXIT_TIMEOUT : child->exit_code;
	result->truncated = child->truncated || child->flooded;
	result->out = g_steal_pointer(&child->out);
	result->err = g_steal_pointer(&child->err);
	result->out_total = child->out_total;
	result->out_sha256 = g_steal_pointer(&child->out_sha256);
	result->seconds = child->seconds;
	/* the helper's own figure starts from the memory of the process that spawned it */
	result->rss_max_kib = status->rss_max_kib ? status->rss_max_kib
						  : child->rss_max_kib;
	if (status->signal == SIGXFSZ)
		block(status, "fsize", "a file grew past [box] fsize_bytes");
	if (status->signal == SIGXCPU)
		block(status, "cpu", "a process used up its processor time");
	if (status->signal == SIGSYS)
		block(status, "seccomp", "a system call of another architecture");
	if (child->timed_out)
		block(status, "timeout", "the command ran past its wall-clock limit");
	if (child->flooded)
		block(status, "output", "the command wrote more than may be kept");
	result->blocked = g_steal_pointer(&status->blocked);
}

static gboolean run_plan(SpkBox *box, const GByteArray *plan, const SpkBoxRun *run,
			 SpkCancel *cancel, SpkBoxResult *ret_result, GError **error)
{
	const char *const argv[] = { box->helper, run->work, NULL };
	spk_autofd int file = plan_file(plan, error);
	spk_autofd int status_in = -1, status_out = -1;
	g_auto(SpkChildResult) child = { 0 };
	g_auto(Status) status = { 0 };
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

	const SpkChildFd fds[] = { { file, SPK_PLAN_FD }, { status_out, SPK_STATUS_FD } };
	const SpkChildSpec spec = {
		.argv = argv,
		.max_out = run->max_out ? run->max_out : DEFAULT_OUT,
		.max_err = run->max_out ? run->max_out : DEFAULT_OUT,
		.merge = !run->split,
		.spill_path = run->spill_path,
		.timeout_ms = run->timeout_ms ? run->timeout_ms
					      : box->settings.timeout_ms,
		.grace_ms = GRACE_MS,
		.fds = fds,
		.n_fds = G_N_ELEMENTS(fds),
	};

	if (!spk_child_run(&spec, cancel, &child, error))
		return FALSE;
	read_status(status_in, &status);
	if (!judge(&status, &child, error))
		return FALSE;
	fill_result(&child, &status, ret_result);
	return TRUE;
}

gboolean spk_box_run(SpkBox *box, const SpkBoxRun *run, SpkCancel *cancel,
		     SpkBoxResult *ret_result, GError **error)
{
	g_autoptr(GByteArray) plan = NULL;
	g_autofree char *scratch = NULL;
	gboolean ok;

	if (!spk_box_plan_check(run, error))
		return FALSE;
	if (box->settings.tier == SPK_TIER_LANDLOCK) {
		scratch = g_build_filename(g_get_tmp_dir(), "sparks-box-XXXXXX", NULL);
		if (!g_mkdtemp(scratch)) {
			spk_error_set_errno(error, SPK_ERR_BOX_FAILED, errno,
					    "set TMPDIR", "cannot create %s", scratch);
			return FALSE;
		}
	}
	plan = spk_box_plan_run(&box->settings, box->system, run, scratch, error);
	ok = plan && run_plan(box, plan, run, cancel, ret_result, error);
	/* what a command left there is no reason to lose its result */
	if (scratch)
		(void)spk_fs_remove_tree(scratch, NULL);
	return ok;
}
