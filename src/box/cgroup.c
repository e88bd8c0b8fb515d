#include "box/cgroup_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define CPU_PERIOD 100000 /* microseconds */

struct SpkCgroups {
	SpkCgroupCaps caps;
	SpkCgroupParents found;
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

/* The number behind `key` in lines "key number"; 0 when there is none. */
static guint64 count_of(const char *dir, const char *name, const char *key)
{
	g_autofree char *text = spk_cgroup_read(dir, name);
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	gsize len = strlen(key);

	for (char **line = lines; *line; line++)
		if (g_str_has_prefix(*line, key) && (*line)[len] == ' ')
			return g_ascii_strtoull(*line + len, NULL, 10);
	return 0;
}

/* ---- making ---- */

static gboolean cap_v2(const SpkCgroups *groups, const char *dir)
{
	g_autofree char *cpu = g_strdup_printf("%" G_GINT64_FORMAT " %d",
					       (gint64)(groups->caps.cpus * CPU_PERIOD),
					       CPU_PERIOD);

	(void)spk_cgroup_write(dir, "memory.swap.max",
			       "0"); /* there is none without swap */
	return spk_cgroup_write_number(dir, "memory.max", groups->caps.memory_bytes) &&
	       spk_cgroup_write_number(dir, "pids.max", groups->caps.pids) &&
	       (groups->caps.cpus <= 0 || spk_cgroup_write(dir, "cpu.max", cpu));
}

static gboolean cap_v1(const SpkCgroups *groups, guint which, const char *dir)
{
	switch ((SpkCgroupController)which) {
	case SPK_CGROUP_MEMORY:
		if (!spk_cgroup_write_number(dir, "memory.limit_in_bytes",
					     groups->caps.memory_bytes))
			return FALSE;
		/* where swap is not counted, none is used */
		return spk_cgroup_write_number(dir, "memory.memsw.limit_in_bytes",
					       groups->caps.memory_bytes) ||
		       spk_cgroup_write(dir, "memory.swappiness", "0");
	case SPK_CGROUP_PIDS:
		return spk_cgroup_write_number(dir, "pids.max", groups->caps.pids);
	case SPK_CGROUP_CPU:
		return spk_cgroup_write_number(dir, "cpu.cfs_period_us", CPU_PERIOD) &&
		       spk_cgroup_write_number(dir, "cpu.cfs_quota_us",
					       (gint64)(groups->caps.cpus * CPU_PERIOD));
	case SPK_N_CGROUP_CONTROLLERS:
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
	g_autofree char *name = spk_cgroup_own_name(digits);
	SpkCgroup *group = g_new0(SpkCgroup, 1);

	for (guint i = 0, n = 0; i < SPK_N_CGROUP_CONTROLLERS && groups->found.dirs[i];
	     i++) {
		char *dir = g_build_filename(groups->found.dirs[i], name, NULL);

		group->dirs[n++] = dir;
		if ((mkdir(dir, 0755) == 0 || errno == EEXIST) &&
		    (groups->found.v2 ? cap_v2(groups, dir) : cap_v1(groups, i, dir)))
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
	g_autoptr(SpkCgroups) groups = g_new0(SpkCgroups, 1);
	g_autoptr(GError) error = NULL;
	SpkCgroup *first;

	g_mutex_init(&groups->lock);
	g_queue_init(&groups->idle);
	groups->caps = *caps;
	*ret_why = NULL;
	if (!spk_cgroup_find(caps->cpus > 0, place, &groups->found, ret_why))
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
	for (guint i = 0; i < SPK_N_CGROUP_CONTROLLERS; i++)
		g_free(groups->found.dirs[i]);
	g_mutex_clear(&groups->lock);
	g_free(groups);
}

const char *spk_cgroups_name(const SpkCgroups *groups)
{
	return groups->found.v2 ? "cgroup v2" : "cgroup v1";
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
