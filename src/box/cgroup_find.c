/* Where the control groups of this process can begin: the folder of each controller. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "box/cgroup_priv.h"
#include "store/store.h"

#define PREFIX	   "sparks."
#define FILE_MAX   (1u << 20)
#define MAX_RELICS 1000

static const char *const controllers[] = {
	[SPK_CGROUP_MEMORY] = "memory",
	[SPK_CGROUP_PIDS] = "pids",
	[SPK_CGROUP_CPU] = "cpu",
};

char *spk_cgroup_read(const char *dir, const char *name)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);

	return spk_fs_read(path, FILE_MAX, NULL, NULL);
}

gboolean spk_cgroup_write(const char *dir, const char *name, const char *text)
{
	g_autofree char *path = g_build_filename(dir, name, NULL);
	/* the kernel's folders refuse to have files made in them */
	spk_autofd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	gsize len = strlen(text);

	return fd >= 0 && write(fd, text, len) == (ssize_t)len;
}

gboolean spk_cgroup_write_number(const char *dir, const char *name, gint64 number)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);

	return spk_cgroup_write(dir, name, text);
}

static gboolean has_word(const char *text, const char *word, const char *between)
{
	g_auto(GStrv) words = g_strsplit_set(text, between, -1);

	return g_strv_contains((const char *const *)words, word);
}

/* ---- whose a group is ---- */

char *spk_cgroup_own_name(const char *number)
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
	g_autofree char *text = spk_cgroup_read(folder, "cgroup.procs");
	g_autofree char *own = g_strdup_printf("%d\n", (int)getpid());

	return text && (!*text || strcmp(text, own) == 0);
}

/* v2 divides a group only when no process stands in it itself: we step into a leaf. */
static gboolean divide(const char *folder, gboolean cpu, char **ret_why)
{
	g_autofree char *name = spk_cgroup_own_name("main");
	g_autofree char *leaf = g_build_filename(folder, name, NULL);
	g_autofree char *enabled = spk_cgroup_read(folder, "cgroup.subtree_control");
	const char *want = cpu ? "+memory +pids +cpu" : "+memory +pids";

	if (enabled && has_word(enabled, "memory", " \n") &&
	    has_word(enabled, "pids", " \n") && (!cpu || has_word(enabled, "cpu", " \n")))
		return TRUE;
	if (!is_alone(folder)) {
		*ret_why = g_strdup("the control group holds other programs too");
		return FALSE;
	}
	if ((mkdir(leaf, 0755) == 0 || errno == EEXIST) &&
	    spk_cgroup_write_number(leaf, "cgroup.procs", getpid()) &&
	    spk_cgroup_write(folder, "cgroup.subtree_control", want))
		return TRUE;
	*ret_why = g_strdup_printf("the control group cannot be divided: %s",
				   g_strerror(errno));
	return FALSE;
}

static gboolean find_v2(gboolean cpu, const SpkCgroupPlace *place,
			SpkCgroupParents *found, char **ret_why)
{
	g_autofree char *folder = own_folder(place, "cgroup2", NULL);
	g_autofree char *has = folder ? spk_cgroup_read(folder, "cgroup.controllers")
				      : NULL;

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
	found->v2 = TRUE;
	found->dirs[0] = g_steal_pointer(&folder);
	return TRUE;
}

static gboolean find_v1(gboolean cpu, const SpkCgroupPlace *place,
			SpkCgroupParents *found)
{
	guint n = cpu ? SPK_N_CGROUP_CONTROLLERS : SPK_CGROUP_CPU;

	for (guint i = 0; i < n; i++) {
		found->dirs[i] = writable_folder(place, controllers[i]);
		if (!found->dirs[i])
			return FALSE;
		remove_relics(found->dirs[i]);
	}
	return TRUE;
}

gboolean spk_cgroup_find(gboolean cpu, const SpkCgroupPlace *place,
			 SpkCgroupParents *ret_found, char **ret_why)
{
	static const SpkCgroupPlace usual = { "/proc/self/mountinfo",
					      "/proc/self/cgroup" };

	place = place ? place : &usual;
	return find_v2(cpu, place, ret_found, ret_why) || find_v1(cpu, place, ret_found);
}
