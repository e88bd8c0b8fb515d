/*
 * Writes plans for sparks-box: what of the host a command sees, and which walls stand. The
 * tables name things; whether they exist here is looked up once, in spk_box_plan_system().
 */
#include "box/box_priv.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "box/box_plan.h"

#define HOME	    "/home/spark"
#define ID	    "1000"
#define COPIED_MAX  16384	/* bytes */
#define SEARCH_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

/* Folders of the system, read-only. Links among them (/bin -> usr/bin) stay links. */
static const char *const system_dirs[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt",
};

/* What programs need of /etc, and nothing that tells of users, keys or networks. A star at
 * the end stands for any rest. */
static const char *const etc_names[] = {
	"alternatives", "ca-certificates.conf", "crypto-policies", "debian_version", "fonts",
	"java-*", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "lsb-release",
	"magic", "maven", "mime.types", "nsswitch.conf", "os-release", "perl", "pki", "protocols",
	"python3*", "services", "ssl/certs", "ssl/openssl.cnf", "terminfo", "timezone",
	"xattr.conf",
};

/* Of a host whose user is in the box as itself (tier landlock). */
static const char *const etc_of_users[] = {
	"passwd", "group", "hosts", "hostname", "gitconfig",
};

static const struct {
	const char *path, *content;
} generated[] = {
	{ "/etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\n"
			 "spark:x:" ID ":" ID ":spark:" HOME ":/bin/sh\n"
			 "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n" },
	{ "/etc/group", "root:x:0:\ntty:x:5:\nspark:x:" ID ":\nnogroup:x:65534:\n" },
	{ "/etc/hosts", "127.0.0.1 localhost box\n::1 localhost\n" },
	{ "/etc/hostname", "box\n" },
};

static const char *const devices[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
};

static const struct {
	const char *target, *path;
} links[] = {
	{ "pts/ptmx", "/dev/ptmx" },	      { "/proc/self/fd", "/dev/fd" },
	{ "/proc/self/fd/0", "/dev/stdin" },  { "/proc/self/fd/1", "/dev/stdout" },
	{ "/proc/self/fd/2", "/dev/stderr" }, { "../tmp", "/var/tmp" },
};

/* /proc is read-only in the box; these tell too much when the box's user is the host's root. */
static const char *const masked[] = {
	"/proc/kcore", "/proc/keys", "/proc/key-users", "/proc/kmsg", "/proc/kpagecount",
	"/proc/kpageflags", "/proc/slabinfo", "/proc/timer_list", "/proc/vmallocinfo",
};

/* ---- writing steps ---- */

static void put_string(GByteArray *plan, const char *text)
{
	g_byte_array_append(plan, (const guint8 *)text, strlen(text) + 1);
}

static void put(GByteArray *plan, SpkPlanOp op, const char *first, const char *second)
{
	static const char *const names[SPK_N_PLAN_OPS] = {
#define X(sym, name, n_args) [SPK_PLAN_##sym] = name,
		SPK_PLAN_TABLE(X)
#undef X
	};
	static const int n_args[SPK_N_PLAN_OPS] = {
#define X(sym, name, n) [SPK_PLAN_##sym] = n,
		SPK_PLAN_TABLE(X)
#undef X
	};

	g_assert(n_args[op] == (first != NULL) + (second != NULL));
	put_string(plan, names[op]);
	if (first)
		put_string(plan, first);
	if (second)
		put_string(plan, second);
}

static void put_number(GByteArray *plan, SpkPlanOp op, const char *what, gint64 number)
{
	g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);

	put(plan, op, what, text);
}

/* ---- what of the system is seen ---- */

typedef void (*ShowFn)(GByteArray *plan, const char *path);

/* Small text files are copied, which is quicker than a mount each. */
static gboolean show_copied(GByteArray *plan, const char *path)
{
	gsize len = 0;
	g_autofree char *text = spk_fs_read(path, COPIED_MAX, &len, NULL);

	if (!text || memchr(text, '\0', len))
		return FALSE;
	put(plan, SPK_PLAN_FILE, path, text);
	return TRUE;
}

static void show_bound(GByteArray *plan, const char *path)
{
	g_autofree char *real = NULL;
	struct stat st;

	if (lstat(path, &st) < 0)
		return;
	if (S_ISREG(st.st_mode) && show_copied(plan, path))
		return;
	if (!S_ISLNK(st.st_mode)) {
		put(plan, SPK_PLAN_BIND_RO, path, path);
		return;
	}
	real = realpath(path, NULL);
	if (real)
		put(plan, SPK_PLAN_SYMLINK, real, path);
}

static void show_allowed(GByteArray *plan, const char *path)
{
	if (access(path, F_OK) == 0)
		put(plan, SPK_PLAN_ALLOW, path, "read");
}

static void show_etc(GByteArray *plan, const char *name, ShowFn show)
{
	g_autofree char *path = g_build_filename("/etc", name, NULL);
	g_autoptr(GDir) dir = NULL;
	const char *entry;

	if (!g_str_has_suffix(name, "*")) {
		show(plan, path);
		return;
	}
	dir = g_dir_open("/etc", 0, NULL);
	while (dir && (entry = g_dir_read_name(dir))) {
		g_autofree char *found = g_build_filename("/etc", entry, NULL);

		if (strncmp(entry, name, strlen(name) - 1) == 0)
			show(plan, found);
	}
}

static void put_system(GByteArray *plan, ShowFn show)
{
	for (gsize i = 0; i < G_N_ELEMENTS(system_dirs); i++)
		show(plan, system_dirs[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(etc_names); i++)
		show_etc(plan, etc_names[i], show);
}

static void put_dev(GByteArray *plan, const char *shm_options)
{
	for (gsize i = 0; i < G_N_ELEMENTS(devices); i++)
		if (access(devices[i], F_OK) == 0)
			put(plan, SPK_PLAN_BIND_DEV, devices[i], devices[i]);
	put(plan, SPK_PLAN_DEVPTS, "/dev/pts", NULL);
	put(plan, SPK_PLAN_TMPFS, "/dev/shm", shm_options);
}

static void put_native_system(GByteArray *plan, const SpkBoxSettings *settings)
{
	/* each a quarter, so that files in memory cannot go past the limit of memory */
	g_autofree char *quarter = g_strdup_printf("size=%" G_GINT64_FORMAT,
						   settings->memory_bytes / 4);
	g_autofree char *shared = g_strconcat("mode=1777,", quarter, NULL);
	g_autofree char *own = g_strconcat("mode=0700,", quarter, NULL);

	put(plan, SPK_PLAN_URGENT, NULL, NULL);
	put(plan, SPK_PLAN_ISOLATE, ID, ID);
	put(plan, SPK_PLAN_LOOPBACK, NULL, NULL);
	put(plan, SPK_PLAN_HOSTNAME, "box", NULL);
	put(plan, SPK_PLAN_ROOT, "/usr", "mode=0755,size=8m,nr_inodes=4096");
	put_system(plan, show_bound);
	put_dev(plan, shared);
	put(plan, SPK_PLAN_PROC, "/proc", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(masked); i++)
		if (access(masked[i], F_OK) == 0)
			put(plan, SPK_PLAN_MASK, masked[i], NULL);
	put(plan, SPK_PLAN_TMPFS, "/tmp", shared);
	put(plan, SPK_PLAN_TMPFS, HOME, own);
	put(plan, SPK_PLAN_DIR, "/run", "0755");
	put(plan, SPK_PLAN_DIR, "/sys", "0755");
	for (gsize i = 0; i < G_N_ELEMENTS(links); i++)
		put(plan, SPK_PLAN_SYMLINK, links[i].target, links[i].path);
	for (gsize i = 0; i < G_N_ELEMENTS(generated); i++)
		put(plan, SPK_PLAN_FILE, generated[i].path, generated[i].content);
}

static void put_landlock_system(GByteArray *plan)
{
	put(plan, SPK_PLAN_RULESET, "no-net", NULL);
	put_system(plan, show_allowed);
	for (gsize i = 0; i < G_N_ELEMENTS(etc_of_users); i++)
		show_etc(plan, etc_of_users[i], show_allowed);
	put(plan, SPK_PLAN_ALLOW, "/proc", "read");
	for (gsize i = 0; i < G_N_ELEMENTS(devices); i++)
		if (access(devices[i], F_OK) == 0)
			put(plan, SPK_PLAN_ALLOW, devices[i], "device");
}

GByteArray *spk_box_plan_system(const SpkBoxSettings *settings)
{
	GByteArray *plan = g_byte_array_new();

	if (settings->tier == SPK_TIER_LANDLOCK)
		put_landlock_system(plan);
	else
		put_native_system(plan, settings);
	return plan;
}

/* ---- one run ---- */

static gboolean is_below(const char *path, const char *folder)
{
	gsize len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Memory and processes of all together are metered by the helper: a limit on addresses would
 * break programs that reserve much and use little, and RLIMIT_NPROC does not hold root. */
static void put_meters(GByteArray *plan, const SpkBoxSettings *settings)
{
	put_number(plan, SPK_PLAN_METER, "memory", settings->memory_bytes);
	put_number(plan, SPK_PLAN_METER, "pids", settings->pids);
}

/* Threads that run as our user, as far as /proc shows them. */
static gint64 tasks_of_user(void)
{
	g_autoptr(GDir) proc = g_dir_open("/proc", 0, NULL);
	const char *name;
	gint64 n = 0;

	while (proc && (name = g_dir_read_name(proc))) {
		g_autofree char *path = NULL;
		struct stat st;

		if (!g_ascii_isdigit(name[0]))
			continue;
		path = g_build_filename("/proc", name, "task", NULL);
		if (stat(path, &st) == 0 && st.st_uid == geteuid())
			n += st.st_nlink - 2;
	}
	return n;
}

static void put_limits(GByteArray *plan, const SpkBoxSettings *settings, gint64 timeout_ms)
{
	put_number(plan, SPK_PLAN_RLIMIT, "core", 0);
	put_number(plan, SPK_PLAN_RLIMIT, "nofile", 4096);
	put_number(plan, SPK_PLAN_RLIMIT, "memlock", 8 << 20);
	put_number(plan, SPK_PLAN_RLIMIT, "fsize", settings->fsize_bytes);
	/* per process: what all cores could do in the time there is */
	put_number(plan, SPK_PLAN_RLIMIT, "cpu",
		   (timeout_ms / 1000 + 1) * g_get_num_processors());
	/* counted within the user namespace, of which the helper has one; without it together
	 * with all else that this user runs */
	put_number(plan, SPK_PLAN_RLIMIT, "nproc",
		   settings->pids + (settings->tier == SPK_TIER_LANDLOCK ? tasks_of_user() : 1));
}

static void put_environment(GByteArray *plan, const char *home, const char *temporary,
			    const char *const *more)
{
	g_autofree char *set_home = g_strconcat("HOME=", home, NULL);
	g_autofree char *set_tmpdir = g_strconcat("TMPDIR=", temporary, NULL);

	put(plan, SPK_PLAN_ENV, "PATH=" SEARCH_PATH, NULL);
	put(plan, SPK_PLAN_ENV, set_home, NULL);
	put(plan, SPK_PLAN_ENV, "USER=spark", NULL);
	put(plan, SPK_PLAN_ENV, "LANG=C.UTF-8", NULL);
	put(plan, SPK_PLAN_ENV, "TERM=dumb", NULL);
	put(plan, SPK_PLAN_ENV, set_tmpdir, NULL);
	for (; more && *more; more++)
		put(plan, SPK_PLAN_ENV, *more, NULL);
}

static void put_command(GByteArray *plan, const SpkBoxRun *run, const char *work,
			const char *filter)
{
	g_autofree char *cwd = run->cwd ? g_build_filename(work, run->cwd, NULL) : NULL;

	put(plan, SPK_PLAN_CHDIR, cwd ? cwd : work, NULL);
	for (const char *const *word = run->argv; *word; word++)
		put(plan, SPK_PLAN_ARG, *word, NULL);
	put(plan, SPK_PLAN_SECCOMP, filter, NULL);
	put(plan, SPK_PLAN_EXEC, NULL, NULL);
}

static void put_native_run(GByteArray *plan, const SpkBoxSettings *settings,
			   const SpkBoxRun *run, gint64 timeout_ms)
{
	static const char *const writable[] = { "/tmp", HOME, "/dev/shm" };
	const char *work = settings->path ? settings->path : run->work;

	for (const char *const *path = run->read_only; path && *path; path++)
		if (!is_below(*path, work))
			put(plan, SPK_PLAN_BIND_RO, *path, *path);
	put(plan, run->read_only_work ? SPK_PLAN_BIND_RO : SPK_PLAN_BIND_RW,
	    run->work_from ? run->work_from : run->work, work);
	put(plan, SPK_PLAN_SEAL, NULL, NULL);
	put(plan, SPK_PLAN_NO_PRIVS, NULL, NULL);
	put_meters(plan, settings);
	put(plan, SPK_PLAN_SUPERVISE, "init", NULL);
	put(plan, SPK_PLAN_SESSION, NULL, NULL);
	put_limits(plan, settings, timeout_ms);
	/* the second wall; before ABI 2 it would forbid renames between folders */
	if (settings->landlock >= 2) {
		put(plan, SPK_PLAN_RULESET, "net", NULL);
		put(plan, SPK_PLAN_ALLOW, "/", "read");
		put(plan, SPK_PLAN_ALLOW, "/dev", "device");
		put(plan, SPK_PLAN_ALLOW, work, run->read_only_work ? "read" : "write");
		for (gsize i = 0; i < G_N_ELEMENTS(writable); i++)
			put(plan, SPK_PLAN_ALLOW, writable[i], "write");
		put(plan, SPK_PLAN_RESTRICT, NULL, NULL);
	}
	put_environment(plan, HOME, "/tmp", run->env);
	put_command(plan, run, work, "native");
}

static void put_landlock_run(GByteArray *plan, const SpkBoxSettings *settings,
			     const GByteArray *system, const SpkBoxRun *run,
			     const char *scratch, gint64 timeout_ms)
{
	const char *work = run->work_from ? run->work_from : run->work;

	put(plan, SPK_PLAN_URGENT, NULL, NULL);
	put(plan, SPK_PLAN_NO_PRIVS, NULL, NULL);
	put_meters(plan, settings);
	put(plan, SPK_PLAN_SUPERVISE, "subreaper", NULL);
	put(plan, SPK_PLAN_SESSION, NULL, NULL);
	put_limits(plan, settings, timeout_ms);
	g_byte_array_append(plan, system->data, system->len);
	for (const char *const *path = run->read_only; path && *path; path++)
		put(plan, SPK_PLAN_ALLOW, *path, "read");
	put(plan, SPK_PLAN_ALLOW, work, run->read_only_work ? "read" : "write");
	put(plan, SPK_PLAN_ALLOW, scratch, "write");
	put(plan, SPK_PLAN_RESTRICT, NULL, NULL);
	if (settings->landlock >= 6)
		put(plan, SPK_PLAN_JANITOR, NULL, NULL);
	put_environment(plan, scratch, scratch, run->env);
	put_command(plan, run, work, "landlock");
}

GByteArray *spk_box_plan_run(const SpkBoxSettings *settings, const GByteArray *system,
			     const SpkBoxRun *run, const char *scratch, GError **error)
{
	gint64 timeout_ms = run->timeout_ms ? run->timeout_ms : settings->timeout_ms;
	g_autoptr(GByteArray) plan = g_byte_array_sized_new(8192);

	put_string(plan, SPK_PLAN_MAGIC);
	if (settings->tier == SPK_TIER_LANDLOCK) {
		put_landlock_run(plan, settings, system, run, scratch, timeout_ms);
	} else {
		g_byte_array_append(plan, system->data, system->len);
		put_native_run(plan, settings, run, timeout_ms);
	}
	if (plan->len > SPK_PLAN_MAX_BYTES) {
		spk_error_set(error, SPK_ERR_LIMIT, "put it into a file of the work tree",
			      "the command is too long: %u bytes of at most %u", plan->len,
			      SPK_PLAN_MAX_BYTES);
		return NULL;
	}
	return g_steal_pointer(&plan);
}

static gboolean check_absolute(const char *what, const char *path, GError **error)
{
	if (path && g_path_is_absolute(path) && !strstr(path, "/../") && strcmp(path, "/") != 0)
		return TRUE;
	spk_error_set(error, SPK_ERR_USAGE, "give the absolute path of a folder",
		      "%s of the sandbox cannot be %s", what, path ? path : "(nothing)");
	return FALSE;
}

gboolean spk_box_plan_check(const SpkBoxRun *run, GError **error)
{
	if (!check_absolute("the work tree", run->work, error) ||
	    (run->work_from && !check_absolute("the work tree", run->work_from, error)))
		return FALSE;
	for (const char *const *path = run->read_only; path && *path; path++)
		if (!check_absolute("a read-only path", *path, error))
			return FALSE;
	if (!run->argv || !run->argv[0]) {
		spk_error_set(error, SPK_ERR_USAGE, NULL, "no command for the sandbox");
		return FALSE;
	}
	if (run->cwd && g_path_is_absolute(run->cwd)) {
		spk_error_set(error, SPK_ERR_USAGE, "give it relative to the work tree",
			      "the folder of a command cannot be %s", run->cwd);
		return FALSE;
	}
	return TRUE;
}
