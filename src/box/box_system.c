/*
 * What a command sees of the host. The tables name things; whether they exist here is looked
 * up once, when the sandbox is opened.
 */
#include "box/box_priv.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

#define COPIED_MAX 16384 /* bytes */

/* Folders of the system, read-only. Links among them (/bin -> usr/bin) stay links. */
static const char *const system_dirs[] = {
	"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt",
};

/* What programs need of /etc, and nothing that tells of users, keys or networks. A star at
 * the end stands for any rest. */
static const char *const etc_names[] = {
	"alternatives",
	"ca-certificates.conf",
	"crypto-policies",
	"debian_version",
	"fonts",
	"groff",
	"java-*",
	"ld.so.cache",
	"ld.so.conf",
	"ld.so.conf.d",
	"localtime",
	"lsb-release",
	"magic",
	"maven",
	"mime.types",
	"nsswitch.conf",
	"os-release",
	"perl",
	"pki",
	"protocols",
	"python3*",
	"services",
	"ssl/certs",
	"ssl/openssl.cnf",
	"terminfo",
	"timezone",
	"xattr.conf",
};

/* Of a host whose user is in the box as itself (tier landlock). */
static const char *const etc_of_users[] = {
	"passwd", "group", "hosts", "hostname", "gitconfig",
};

static const struct {
	const char *path, *content;
} generated[] = {
	{ "/etc/passwd",
	  "root:x:0:0:root:/root:/usr/sbin/nologin\n"
	  "spark:x:" SPK_BOX_ID ":" SPK_BOX_ID ":spark:" SPK_BOX_HOME ":/bin/sh\n"
	  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n" },
	{ "/etc/group",
	  "root:x:0:\ntty:x:5:\nspark:x:" SPK_BOX_ID ":\nnogroup:x:65534:\n" },
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
	"/proc/kcore",	  "/proc/keys",	      "/proc/key-users",
	"/proc/kmsg",	  "/proc/kpagecount", "/proc/kpageflags",
	"/proc/slabinfo", "/proc/timer_list", "/proc/vmallocinfo",
};

typedef void (*ShowFn)(GByteArray *plan, const char *path);

/* Small text files are copied, which is quicker than a mount each. */
static gboolean show_copied(GByteArray *plan, const char *path)
{
	gsize len = 0;
	g_autofree char *text = spk_fs_read(path, COPIED_MAX, &len, NULL);

	if (!text || memchr(text, '\0', len))
		return FALSE;
	spk_box_put(plan, SPK_PLAN_FILE, path, text);
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
		spk_box_put(plan, SPK_PLAN_BIND_RO, path, path);
		return;
	}
	real = realpath(path, NULL);
	if (real)
		spk_box_put(plan, SPK_PLAN_SYMLINK, real, path);
}

static void show_allowed(GByteArray *plan, const char *path)
{
	if (access(path, F_OK) == 0)
		spk_box_put(plan, SPK_PLAN_ALLOW, path, "read");
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
			spk_box_put(plan, SPK_PLAN_BIND_DEV, devices[i], devices[i]);
	spk_box_put(plan, SPK_PLAN_DEVPTS, "/dev/pts", NULL);
	spk_box_put(plan, SPK_PLAN_TMPFS, "/dev/shm", shm_options);
}

static void put_tools(GByteArray *plan, const SpkToolchains *tools)
{
	for (guint i = 0; tools && i < tools->shown->len; i++) {
		const SpkShown *one = tools->shown->pdata[i];

		spk_box_put(plan, SPK_PLAN_BIND_RO, one->from, one->to);
	}
	for (char *const *path = tools ? tools->masked : NULL; path && *path; path++)
		spk_box_put(plan, SPK_PLAN_MASK, *path, NULL);
}

static void put_native_system(GByteArray *plan, const SpkBoxSettings *settings)
{
	/* each a quarter, so that files in memory cannot go past the limit of memory */
	g_autofree char *quarter =
		g_strdup_printf("size=%" G_GINT64_FORMAT ",nr_inodes=%" G_GINT64_FORMAT,
				settings->memory_bytes / 4,
				settings->memory_bytes / SPK_BOX_TMPFS_BYTES_PER_FILE);
	g_autofree char *shared = g_strconcat("mode=1777,", quarter, NULL);
	g_autofree char *own = g_strconcat("mode=0700,", quarter, NULL);

	spk_box_put(plan, SPK_PLAN_URGENT, NULL, NULL);
	spk_box_put(plan, SPK_PLAN_ISOLATE, SPK_BOX_ID, SPK_BOX_ID);
	spk_box_put(plan, SPK_PLAN_LOOPBACK, NULL, NULL);
	spk_box_put(plan, SPK_PLAN_HOSTNAME, "box", NULL);
	spk_box_put(plan, SPK_PLAN_ROOT, "/usr", "mode=0755,size=8m,nr_inodes=4096");
	put_system(plan, show_bound);
	put_dev(plan, shared);
	spk_box_put(plan, SPK_PLAN_PROC, "/proc", NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(masked); i++)
		if (access(masked[i], F_OK) == 0)
			spk_box_put(plan, SPK_PLAN_MASK, masked[i], NULL);
	spk_box_put(plan, SPK_PLAN_TMPFS, "/tmp", shared);
	spk_box_put(plan, SPK_PLAN_TMPFS, SPK_BOX_HOME, own);
	spk_box_put(plan, SPK_PLAN_DIR, "/run", "0755");
	spk_box_put(plan, SPK_PLAN_DIR, "/sys", "0755");
	for (gsize i = 0; i < G_N_ELEMENTS(links); i++)
		spk_box_put(plan, SPK_PLAN_SYMLINK, links[i].target, links[i].path);
	for (gsize i = 0; i < G_N_ELEMENTS(generated); i++)
		spk_box_put(plan, SPK_PLAN_FILE, generated[i].path, generated[i].content);
	put_tools(plan, settings->tools);
}

static void put_landlock_system(GByteArray *plan, const SpkToolchains *tools)
{
	spk_box_put(plan, SPK_PLAN_RULESET, "no-net", NULL);
	put_system(plan, show_allowed);
	for (gsize i = 0; i < G_N_ELEMENTS(etc_of_users); i++)
		show_etc(plan, etc_of_users[i], show_allowed);
	spk_box_put(plan, SPK_PLAN_ALLOW, "/proc", "read");
	for (gsize i = 0; i < G_N_ELEMENTS(devices); i++)
		if (access(devices[i], F_OK) == 0)
			spk_box_put(plan, SPK_PLAN_ALLOW, devices[i], "device");
	for (guint i = 0; tools && i < tools->shown->len; i++)
		show_allowed(plan, ((SpkShown *)tools->shown->pdata[i])->from);
}

GByteArray *spk_box_plan_system(const SpkBoxSettings *settings)
{
	GByteArray *plan = g_byte_array_new();

	if (settings->tier == SPK_TIER_LANDLOCK)
		put_landlock_system(plan, settings->tools);
	else
		put_native_system(plan, settings);
	return plan;
}
