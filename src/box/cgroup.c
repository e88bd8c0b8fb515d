#include "box/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "store/store.h"

#define PREFIX	   "sparks."
#define FILE_MAX   (1u << 20)
#define CPU_PERIOD 100000 /* microseconds */
#define MAX_RELICS 1000

typedef enum { MEMORY, PIDS, CPU, N_CONTROLLERS } Controller;

static const char *const controllers[] = { "memory", "pids", "cpu" };

struct SpkCgroups {
	SpkCgroupCaps caps;
	gboolean v2;
	char *parents
		[N_CONTROLLERS]; /* v2: only the first; NULL: not there, or not asked for */
	GMutex lock;
	GQueue idle; /* SpkCgroup; guarded by lock */
	guint made;  /* likewise */
};

static void group_free(SpkCgroup *group)
{
	for (char **dir = group->dirs; *dir; dir++)
		g_free(*dir);
	g_free(group);
}

/* ---- files of the kernel ---- */

static char *read_file(const char *dir, const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	return spk_fs_read(path, FILE_MAX, NULL, NULL);
}

static gboolean write_file(const char *dir, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	/* the kernel's folders refuse to have files made in them */
	spk_autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	gsize len = strlen(text);

	return fd >= 0 && write(fd, text, len) == (ssize_t)len;
}

static gboolean write_number(const char *dir, const char *name, gint64 number)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);

	return write_file(dir, name, text);
}

/* The number behind `key` in lines "key number"; 0 when there is none. */
static guint64 count_of(const char *dir, const char *name, const char *key)
{
	g_autofree char *text = read_file(dir, name);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	gsize len = strlen(key);

	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, key) && (*line)[len] == ' ')
			return g_ascii_strtoull(*line + len, NULL, 10);
	return 0;
}

static gboolean has_word(const char *text, const char *word, const char *between)
{
	g_auto(GStrv) words = g_strsplit_set(text, between, -1);

	return g_strv_contains((const char *const *)words, word);
}

/* ---- whose a group is: sparks.HOLDER.NUMBER (store/holder.c), with "," for its "/" ---- */

static char *group_name(const char *number)
{
	g_autofree char *holder = g_strdelimit(g_strdup(spk_holder_self()), "/", ',');

	return g_strdup_printf(PREFIX "%s.%s", holder, number);
}

/* Of a process that is gone; those of other machines and containers are theirs to remove. */
static gboolean is_relic(const char *name)
{
	g_auto(GStrv) parts = g_strsplit(name, ".", 3);

	return g_str_has_prefix(name, PREFIX) && g_strv_length(parts) == 3 &&
	       !spk_holder_alive(g_strdelimit(parts[1], ",", '/'));
}

/* One that still has processes stays: they are a box that spk_box_end_stale() will end. */
static void remove_relics(const char *parent)
{
	g_autoptr(GDir) dir = g_dir_open(parent, 0, NULL);
	const char *name;

	for (guint n = 0; dir && n < MAX_RELICS && (name = g_dir_read_name(dir)); n++) {
		g_autofree char *path =
			is_relic(name) ? g_build_filename(parent, name, NULL) : NULL;

		if (path)
			(void)rmdir(path); /* EBUSY: see above */
	}
}

/* ---- where ours begin ---- */

/* The folder in which this process stands: of the mount whose type is `type` and, for v1, that
 * has the controller among its options. */
static char *own_folder(const SpkCgroupPlace *place, const char *type,
			const char *controller)
{
	g_autofree char *mounts = spk_fs_read(place->mountinfo, FILE_MAX, NULL, NULL);
	g_autofree char *own = spk_fs_read(place->own, FILE_MAX, NULL, NULL);
	g_auto(GStrv) lines = g_strsplit(mounts ? mounts : "", "\n", -1);
	g_auto(GStrv) groups = g_strsplit(own ? own : "", "\n", -1);
	const char *mount = NULL, *root = NULL, *group = NULL;

	for (char **line = lines; *line; line++) {
		/* id parent dev ROOT MOUNT options … - TYPE source SUPER-OPTIONS */
		char *dash = strstr(*line, " - ");
		g_auto(GStrv) tail = g_strsplit(dash ? dash + 3 : "", " ", 3);
		g_auto(GStrv) head = g_strsplit(*line, " ", 6);

		if (!dash || g_strv_length(tail) < 3 || g_strv_length(head) < 6 ||
		    strcmp(tail[0], type) != 0 ||
		    (controller && !has_word(tail[2], controller, ",")))
			continue;
		root = g_intern_string(head[3]);
		mount = g_intern_string(head[4]);
		break;
	}
	for (char **line = groups; *line; line++) {
		g_auto(GStrv) parts = g_strsplit(*line, ":", 3);

		if (g_strv_length(parts) == 3 &&
		    (controller ? has_word(parts[1], controller, ",") : !*parts[1]))
			group = g_intern_string(parts[2]);
	}
	if (!mount || !group)
		return NULL;
	if (strcmp(root, "/") != 0 && g_str_has_prefix(group, root))
		group += strlen(root);
	return g_build_filename(mount, group, NULL);
}

/* v1: groups that this process can't see (a container without its own view) begin at the top. */
static char *writable_folder(const SpkCgroupPlace *place, const char *controller)
{
	g_autofree char *own = own_folder(place, "cgroup", controller);
	g_autofree char *name = g_strconcat("/", controller, NULL);
	char *end;

	if (!own)
		return NULL;
	if (access(own, W_OK) == 0)
		return g_steal_pointer(&own);
	end = strstr(own, name);
	if (!end)
		return NULL;
	end[strlen(name)] = '\0';
	return access(own, W_OK) == 0 ? g_steal_pointer(&own) : NULL;
}

static gboolean is_alone(const char *folder)
{
	g_autofree char *text = read_file(folder, "cgroup.procs");
	g_autofree char *own = g_strdup_printf("%d\n", (int)getpid());

	return text && (!*text || strcmp(text, own) == 0);
}

/* v2 divides a group only when no process stands in it itself: we step into a leaf. */
static gboolean divide(const char *folder, gboolean cpu, char **ret_why)
{
	g_autofree char *name = group_name("main");
	g_autofree char *leaf = g_build_filename(folder, name, NULL);
	g_autofree char *enabled = read_file(folder, "cgroup.subtree_control");
	const char *want = cpu ? "+memory +pids +cpu" : "+memory +pids";

	if (enabled && has_word(enabled, "memory", " \n") &&
	    has_word(enabled, "pids", " \n") && (!cpu || has_word(enabled, "cpu", " \n")))
		return TRUE;
	if (!is_alone(folder)) {
		*ret_why = g_strdup("the control group holds other programs too");
		return FALSE;
	}
	if ((mkdir(leaf, 0755) == 0 || errno == EEXIST) &&
	    write_number(leaf, "cgroup.procs", getpid()) &&
	    write_file(folder, "cgroup.subtree_control", want))
		return TRUE;
	*ret_why = g_strdup_printf("the control group cannot be divided: %s",
				   g_strerror(errno));
	return FALSE;
}

static gboolean find_v2(SpkCgroups *groups, const SpkCgroupPlace *place, char **ret_why)
{
	g_autofree char *folder = own_folder(place, "cgroup2", NULL);
	g_autofree char *has = folder ? read_file(folder, "cgroup.controllers") : NULL;
	gboolean cpu = groups->caps.cpus > 0;

	if (!has || !has_word(has, "memory", " \n") || !has_word(has, "pids", " \n") ||
	    (cpu && !has_word(has, "cpu", " \n"))) {
		*ret_why = g_strdup("no control group here has controllers of its own");
		return FALSE;
	}
	if (access(folder, W_OK) != 0) {
		*ret_why = g_strdup("the control group is not delegated to this user");
		return FALSE;
	}
	remove_relics(folder);
	if (!divide(folder, cpu, ret_why))
		return FALSE;
	groups->v2 = TRUE;
	groups->parents[0] = g_steal_pointer(&folder);
	return TRUE;
}

static gboolean find_v1(SpkCgroups *groups, const SpkCgroupPlace *place)
{
	guint n = groups->caps.cpus > 0 ? N_CONTROLLERS : CPU;

	for (guint i = 0; i < n; i++) {
		groups->parents[i] = writable_folder(place, controllers[i]);
		if (!groups->parents[i])
			return FALSE;
		remove_relics(groups->parents[i]);
	}
	return TRUE;
}

/* ---- making ---- */

static gboolean cap_v2(const SpkCgroups *groups, const char *dir)
{
	g_autofree char *cpu = g_strdup_printf("%" G_GINT64_FORMAT " %d",
					       (gint64)(groups->caps.cpus * CPU_PERIOD),
					       CPU_PERIOD);

	(void)write_file(dir, "memory.swap.max", "0"); /* there is none without swap */
	return write_number(dir, "memory.max", groups->caps.memory_bytes) &&
	       write_number(dir, "pids.max", groups->caps.pids) &&
	       (groups->caps.cpus <= 0 || write_file(dir, "cpu.max", cpu));
}

static gboolean cap_v1(const SpkCgroups *groups, guint which, const char *dir)
{
	switch ((Controller)which) {
	case MEMORY:
		if (!write_number(dir, "memory.limit_in_bytes",
				  groups->caps.memory_bytes))
			return FALSE;
		/* where swap is not counted, none is used */
		return write_number(dir, "memory.memsw.limit_in_bytes",
				    groups->caps.memory_bytes) ||
		       write_file(dir, "memory.swappiness", "0");
	case PIDS:
		return write_number(dir, "pids.max", groups->caps.pids);
	case CPU:
		return write_number(dir, "cpu.cfs_period_us", CPU_PERIOD) &&
		       write_number(dir, "cpu.cfs_quota_us",
				    (gint64)(groups->caps.cpus * CPU_PERIOD));
	case N_CONTROLLERS:
		break;
	}
	return FALSE;
}

static void remove_group(SpkCgroup *group)
{
	for (char **dir = group->dirs; *dir; dir++)
		(void)rmdir(*dir); /* what is left is a relic, see above */
	group_free(group);
}

static SpkCgroup *make(SpkCgroups *groups, guint number, GError **error)
{
	g_autofree char *digits = g_strdup_printf("%u", number);
	g_autofree char *name = group_name(digits);
	SpkCgroup *group = g_new0(SpkCgroup, 1);

	for (guint i = 0, n = 0; i < N_CONTROLLERS && groups->parents[i]; i++) {
		char *dir = g_build_filename(groups->parents[i], name, NULL);

		group->dirs[n++] = dir;
		if ((mkdir(dir, 0755) == 0 || errno == EEXIST) &&
		    (groups->v2 ? cap_v2(groups, dir) : cap_v1(groups, i, dir)))
			continue;
		spk_error_set_errno(error, SPK_ERR_IO, errno, "see `sparks doctor`",
				    "cannot make the control group %s", dir);
		remove_group(group);
		return NULL;
	}
	return group;
}

SpkCgroups *spk_cgroups_open(const SpkCgroupCaps *caps, const SpkCgroupPlace *place,
			     char **ret_why)
{
	static const SpkCgroupPlace usual = { "/proc/self/mountinfo",
					      "/proc/self/cgroup" };
	g_autoptr(SpkCgroups) groups = g_new0(SpkCgroups, 1);
	g_autoptr(GError) error = NULL;
	SpkCgroup *first;

	g_mutex_init(&groups->lock);
	g_queue_init(&groups->idle);
	groups->caps = *caps;
	*ret_why = NULL;
	if (!find_v2(groups, place ? place : &usual, ret_why) &&
	    !find_v1(groups, place ? place : &usual))
		return NULL;
	first = make(groups, groups->made++, &error);
	g_clear_pointer(ret_why, g_free);
	if (!first) {
		*ret_why = g_strdup(error->message);
		return NULL;
	}
	g_queue_push_head(&groups->idle, first);
	return g_steal_pointer(&groups);
}

void spk_cgroups_free(SpkCgroups *groups)
{
	if (!groups)
		return;
	g_queue_clear_full(&groups->idle, (GDestroyNotify)remove_group);
	for (guint i = 0; i < N_CONTROLLERS; i++)
		g_free(groups->parents[i]);
	g_mutex_clear(&groups->lock);
	g_free(groups);
}

const char *spk_cgroups_name(const SpkCgroups *groups)
{
	return groups->v2 ? "cgroup v2" : "cgroup v1";
}

/* ---- using ---- */

/* v1 has the counters in the folders of their controllers, in the order of the table. */
static guint64 read_ooms(const SpkCgroup *group)
{
	return count_of(group->dirs[0],
			group->dirs[1] ? "memory.oom_control" : "memory.events",
			"oom_kill");
}

static guint64 read_refused(const SpkCgroup *group)
{
	return count_of(group->dirs[1] ? group->dirs[1] : group->dirs[0], "pids.events",
			"max");
}

/* Whoever tidies up here may have taken it for left over. */
static gboolean is_whole(const SpkCgroup *group)
{
	for (char *const *dir = group->dirs; *dir; dir++)
		if (access(*dir, F_OK) < 0)
			return FALSE;
	return TRUE;
}

SpkCgroup *spk_cgroups_take(SpkCgroups *groups, GError **error)
{
	SpkCgroup *group;
	guint number;

	g_mutex_lock(&groups->lock);
	group = g_queue_pop_head(&groups->idle);
	number = group && is_whole(group) ? 0 : groups->made++;
	g_mutex_unlock(&groups->lock);
	if (group && number)
		g_clear_pointer(&group, remove_group);
	if (!group)
		group = make(groups, number, error);
	if (group) {
		group->ooms = read_ooms(group);
		group->refused = read_refused(group);
	}
	return group;
}

void spk_cgroups_give(SpkCgroups *groups, SpkCgroup *group)
{
	g_mutex_lock(&groups->lock);
	g_queue_push_head(&groups->idle, group);
	g_mutex_unlock(&groups->lock);
}

guint64 spk_cgroup_ooms(const SpkCgroup *group)
{
	return read_ooms(group) - group->ooms;
}

guint64 spk_cgroup_refused(const SpkCgroup *group)
{
	return read_refused(group) - group->refused;
}
