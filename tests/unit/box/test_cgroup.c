/* Control groups over a tree of plain files: which tree is taken, and what is written there.
 * The real ones are tried by tests/e2e/box/walls.py, root-full. */
#include "suites.h"

#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "box/cgroup.h"
#include "store/store.h"

typedef struct {
	char *top, *mountinfo, *own;
	SpkCgroupPlace place;
} Fake;

static char *at(const Fake *fake, const char *path)
{
	return g_build_filename(fake->top, path, NULL);
}

static void put(const Fake *fake, const char *path, const char *text)
{
	g_autofree char *whole = at(fake, path);
	g_autofree char *folder = g_path_get_dirname(whole);

	assert_true(spk_fs_mkdirs(folder, 0700, NULL));
	assert_true(g_file_set_contents(whole, text, -1, NULL));
}

static char *get(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	char *text = spk_fs_read(path, 4096, NULL, NULL);

	assert_non_null(text);
	return text;
}

static void assert_holds(const char *folder, const char *name, const char *want)
{
	g_autofree char *text = get(folder, name);

	assert_string_equal(text, want);
}

static int setup(void **state)
{
	Fake *fake = *state = g_new0(Fake, 1);
	g_autofree char *mounts = NULL;

	fake->top = g_dir_make_tmp("spk-cgroup-XXXXXX", NULL);
	fake->mountinfo = at(fake, "mountinfo");
	fake->own = at(fake, "own");
	fake->place = (SpkCgroupPlace){ fake->mountinfo, fake->own };
	mounts = g_strdup_printf(
		"20 1 0:1 / / rw - ext4 /dev/x rw\n"
		"30 20 0:2 / %s/v2 rw,relatime shared:4 - cgroup2 cgroup2 rw\n"
		"31 20 0:3 / %s/memory rw - cgroup cgroup rw,memory\n"
		"32 20 0:4 / %s/pids rw - cgroup cgroup rw,pids\n"
		"33 20 0:5 / %s/cpu rw - cgroup cgroup rw,cpu,cpuacct\n",
		fake->top, fake->top, fake->top, fake->top);
	put(fake, "mountinfo", mounts);
	put(fake, "own",
	    "9:cpu,cpuacct:/a\n8:pids:/a\n4:memory:/a/b\n1:name=systemd:/x\n0::/u/s\n");
	return 0;
}

static int teardown(void **state)
{
	Fake *fake = *state;
	gboolean ok = spk_fs_remove_tree(fake->top, NULL);

	g_free(fake->top);
	g_free(fake->mountinfo);
	g_free(fake->own);
	g_free(fake);
	return ok ? 0 : -1;
}

static void put_v2(const Fake *fake, const char *has, const char *procs)
{
	put(fake, "v2/u/s/cgroup.controllers", has);
	put(fake, "v2/u/s/cgroup.subtree_control", "\n");
	put(fake, "v2/u/s/cgroup.procs", procs);
}

static const SpkCgroupCaps caps = { 1 << 30, 264, 1.5 };

static SpkCgroups *open_ok(const Fake *fake, const char *name)
{
	g_autofree char *why = NULL;
	SpkCgroups *groups = spk_cgroups_open(&caps, &fake->place, &why);

	if (!groups)
		print_error("%s\n", why);
	assert_non_null(groups);
	assert_null(why);
	assert_string_equal(spk_cgroups_name(groups), name);
	return groups;
}

static void divides_what_is_delegated(void **state)
{
	Fake *fake = *state;
	g_autofree char *own = g_strdup_printf("%d\n", (int)getpid());
	g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
	g_autofree char *folder = at(fake, "v2/u/s"), *leaf = NULL;
	g_autoptr(SpkCgroups) groups = NULL;
	g_auto(GStrv) parts = NULL;
	SpkCgroup *group, *again;

	put_v2(fake, "cpuset cpu io memory pids\n", own);
	groups = open_ok(fake, "cgroup v2");
	assert_holds(folder, "cgroup.subtree_control", "+memory +pids +cpu");
	group = spk_cgroups_take(groups, NULL);
	assert_non_null(group->dirs[0]);
	assert_null(group->dirs[1]);
	assert_true(g_str_has_prefix(group->dirs[0], folder));
	assert_holds(group->dirs[0], "memory.max", "1073741824");
	assert_holds(group->dirs[0], "memory.swap.max", "0");
	assert_holds(group->dirs[0], "pids.max", "264");
	assert_holds(group->dirs[0], "cpu.max", "150000 100000");
	/* our own process stands in a leaf beside it */
	parts = g_strsplit(group->dirs[0], ".", -1);
	g_free(parts[g_strv_length(parts) - 1]);
	parts[g_strv_length(parts) - 1] = g_strdup("main");
	leaf = g_strjoinv(".", parts);
	assert_holds(leaf, "cgroup.procs", pid);
	spk_cgroups_give(groups, group);
	again = spk_cgroups_take(groups, NULL);
	assert_ptr_equal(again, group);
	spk_cgroups_give(groups, again);
}

static void leaves_others_alone(void **state)
{
	Fake *fake = *state;
	g_autofree char *why = NULL;

	put_v2(fake, "memory pids cpu\n", "1\n2\n");
	assert_null(spk_cgroups_open(&caps, &fake->place, &why));
	assert_non_null(strstr(why, "holds other programs"));
}

static void takes_v1_where_v2_has_nothing(void **state)
{
	Fake *fake = *state;
	g_autofree char *memory = at(fake, "memory/a/b"), *pids = at(fake, "pids");
	g_autoptr(SpkCgroups) groups = NULL;
	SpkCgroup *group;

	put_v2(fake, "hugetlb\n", "1\n");
	put(fake, "memory/a/b/x", "");
	put(fake, "pids/x", ""); /* our own folder is not to be seen: the top is taken */
	put(fake, "cpu/a/x", "");
	groups = open_ok(fake, "cgroup v1");
	group = spk_cgroups_take(groups, NULL);
	assert_true(g_str_has_prefix(group->dirs[0], memory));
	assert_true(g_str_has_prefix(group->dirs[1], pids));
	assert_holds(group->dirs[0], "memory.limit_in_bytes", "1073741824");
	assert_holds(group->dirs[0], "memory.memsw.limit_in_bytes", "1073741824");
	assert_holds(group->dirs[1], "pids.max", "264");
	assert_holds(group->dirs[2], "cpu.cfs_quota_us", "150000");
	spk_cgroups_give(groups, group);
}

static void counts_since_it_was_taken(void **state)
{
	Fake *fake = *state;
	g_autofree char *own = g_strdup_printf("%d\n", (int)getpid());
	g_autofree char *events = NULL;
	g_autoptr(SpkCgroups) groups = NULL;
	SpkCgroup *group;

	put_v2(fake, "memory pids cpu\n", own);
	groups = open_ok(fake, "cgroup v2");
	group = spk_cgroups_take(groups, NULL);
	events = g_build_filename(group->dirs[0], "memory.events", NULL);
	assert_int_equal(spk_cgroup_ooms(group), 0);
	assert_true(g_file_set_contents(events, "low 0\noom 5\noom_kill 2\n", -1, NULL));
	assert_int_equal(spk_cgroup_ooms(group), 2);
	spk_cgroups_give(groups, group);
	group = spk_cgroups_take(groups, NULL);
	assert_int_equal(spk_cgroup_ooms(group), 0);
	assert_int_equal(spk_cgroup_refused(group), 0);
	spk_cgroups_give(groups, group);
}

/* A folder beside ours, named after that holder. */
static char *put_group(const Fake *fake, const char *holder)
{
	g_autofree char *name = g_strdup_printf("v2/u/s/sparks.%s.0", holder);
	char *folder;

	g_strdelimit(strstr(name, "sparks."), "/", ',');
	folder = at(fake, name);
	assert_true(spk_fs_mkdirs(folder, 0700, NULL));
	return folder;
}

static void removes_what_the_dead_left(void **state)
{
	Fake *fake = *state;
	g_autofree char *own = g_strdup_printf("%d\n", (int)getpid());
	g_auto(GStrv) parts = g_strsplit(spk_holder_self(), "/", -1);
	g_autofree char *gone = NULL, *other = NULL, *left = NULL, *kept = NULL;
	g_autoptr(SpkCgroups) groups = NULL;

	put_v2(fake, "memory pids cpu\n", own);
	/* our own number with another start: it was used before us */
	gone = g_strdup_printf("%s/%s/%s/1", parts[0], parts[1], parts[2]);
	/* one of another container, whose processes we cannot see */
	other = g_strdup_printf("%s/1%s/%s/1", parts[0], parts[1], parts[2]);
	left = put_group(fake, gone);
	kept = put_group(fake, other);
	groups = open_ok(fake, "cgroup v2");
	assert_int_not_equal(access(left, F_OK), 0);
	assert_int_equal(access(kept, F_OK), 0);
}

static void makes_one_anew_that_was_removed(void **state)
{
	Fake *fake = *state;
	g_autofree char *own = g_strdup_printf("%d\n", (int)getpid()), *first = NULL;
	g_autoptr(SpkCgroups) groups = NULL;
	SpkCgroup *group;

	put_v2(fake, "memory pids cpu\n", own);
	groups = open_ok(fake, "cgroup v2");
	group = spk_cgroups_take(groups, NULL);
	first = g_strdup(group->dirs[0]);
	spk_cgroups_give(groups, group);
	assert_true(spk_fs_remove_tree(first, NULL));
	group = spk_cgroups_take(groups, NULL);
	assert_non_null(group);
	assert_string_not_equal(group->dirs[0], first);
	assert_holds(group->dirs[0], "pids.max", "264");
	spk_cgroups_give(groups, group);
}

static void says_when_there_is_none(void **state)
{
	Fake *fake = *state;
	g_autofree char *why = NULL;

	put(fake, "mountinfo",
	    "20 1 0:1 / / rw - ext4 /dev/x rw\ngarbage\n\n30 - cgroup2\n");
	assert_null(spk_cgroups_open(&caps, &fake->place, &why));
	assert_non_null(why);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
static const struct CMUnitTest tests[] = {
	T(divides_what_is_delegated),	  T(leaves_others_alone),
	T(takes_v1_where_v2_has_nothing), T(counts_since_it_was_taken),
	T(removes_what_the_dead_left),	  T(makes_one_anew_that_was_removed),
	T(says_when_there_is_none),
};
const Suite cgroup_suite = { tests, G_N_ELEMENTS(tests) };
