/* Writes the plan of one run: the system's part, its folders, the walls, the command. */
#include "box/box_priv.h"
#include "box/tree.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define SOCKET_BYTES (256 << 10) /* what a socket's buffers hold by default */

static gboolean is_below(const char *path, const char *folder)
{
	gsize len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Memory and processes of all together are metered by the helper: a limit on addresses would
 * break programs that reserve much and use little, and RLIMIT_NPROC does not hold root. */
static void put_meters(GByteArray *plan, const SpkBoxSettings *settings, const char *work)
{
	spk_box_put_number(plan, SPK_PLAN_METER, "memory", settings->memory_bytes);
	spk_box_put_number(plan, SPK_PLAN_METER, "pids", settings->pids);
	if (!settings->cgroups)
		spk_box_put_number(plan, SPK_PLAN_METER, "shared",
				   settings->memory_bytes);
	if (!settings->cgroups && settings->tier >= SPK_TIER_NATIVE)
		spk_box_put_number(plan, SPK_PLAN_METER, "sockets",
				   MAX(settings->memory_bytes / SOCKET_BYTES, 64));
	spk_box_put_number(plan, SPK_PLAN_METER, "disk", settings->disk_bytes);
	spk_box_put_number(plan, SPK_PLAN_METER, "inodes", settings->inodes);
	spk_box_put(plan, SPK_PLAN_WATCH, work, NULL);
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

static void put_limits(GByteArray *plan, const SpkBoxSettings *settings,
		       gint64 timeout_ms)
{
	spk_box_put_number(plan, SPK_PLAN_RLIMIT, "core", 0);
	spk_box_put_number(plan, SPK_PLAN_RLIMIT, "nofile", 4096);
	spk_box_put_number(plan, SPK_PLAN_RLIMIT, "memlock", 8 << 20);
	spk_box_put_number(plan, SPK_PLAN_RLIMIT, "fsize", settings->fsize_bytes);
	/* per process: what all cores could do in the time there is */
	spk_box_put_number(plan, SPK_PLAN_RLIMIT, "cpu",
			   (timeout_ms / 1000 + 1) * g_get_num_processors());
	/* counted within the user namespace, of which the helper has one; without a new one
	 * together with all else that this user runs */
	spk_box_put_number(plan, SPK_PLAN_RLIMIT, "nproc",
			   settings->pids + (settings->tier < SPK_TIER_NATIVE
						     ? tasks_of_user()
						     : 1));
}

static void put_tools_environment(GByteArray *plan, const SpkToolchains *tools)
{
	g_autofree char *path =
		g_strconcat("PATH=", tools ? tools->path : SPK_BOX_PATH, NULL);

	spk_box_put(plan, SPK_PLAN_ENV, path, NULL);
	for (char *const *one = tools ? tools->env : NULL; one && *one; one++)
		spk_box_put(plan, SPK_PLAN_ENV, *one, NULL);
}

static void put_environment(GByteArray *plan, const SpkBoxSettings *settings,
			    const char *home, const char *temporary,
			    const char *const *more)
{
	g_autofree char *set_home = g_strconcat("HOME=", home, NULL);
	g_autofree char *set_tmpdir = g_strconcat("TMPDIR=", temporary, NULL);

	put_tools_environment(plan, settings->tools);
	spk_box_put(plan, SPK_PLAN_ENV, set_home, NULL);
	spk_box_put(plan, SPK_PLAN_ENV, "USER=spark", NULL);
	spk_box_put(plan, SPK_PLAN_ENV, "LANG=C.UTF-8", NULL);
	spk_box_put(plan, SPK_PLAN_ENV, "TERM=dumb", NULL);
	spk_box_put(plan, SPK_PLAN_ENV, set_tmpdir, NULL);
	for (; more && *more; more++)
		spk_box_put(plan, SPK_PLAN_ENV, *more, NULL);
}

/* Where programs look for the certificates that they trust. */
static const char *const of_authorities[] = {
	"SSL_CERT_FILE",  "CURL_CA_BUNDLE",	 "REQUESTS_CA_BUNDLE",
	"GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "CARGO_HTTP_CAINFO",
	"PIP_CERT",	  "AWS_CA_BUNDLE",	 "DENO_CERT",
};

/* The names that programs look for (curl reads only the lower-case one of http), and those
 * that the configuration gives. */
static char **proxy_variables(const SpkBoxRun *run)
{
	static const char *const names[] = { "http_proxy",  "https_proxy", "HTTP_PROXY",
					     "HTTPS_PROXY", "ALL_PROXY",   "all_proxy" };
	static const char *const exceptions[] = { "no_proxy", "NO_PROXY" };
	g_autoptr(GStrvBuilder) all = g_strv_builder_new();

	for (gsize i = 0; run->way_out && i < G_N_ELEMENTS(names); i++) {
		g_autofree char *set = g_strconcat(
			names[i], "=http://127.0.0.1:" SPK_BOX_PROXY_PORT, NULL);

		g_strv_builder_add(all, set);
	}
	for (gsize i = 0; run->way_out && i < G_N_ELEMENTS(exceptions); i++) {
		g_autofree char *set = g_strconcat(
			exceptions[i], "=", run->no_proxy ? run->no_proxy : "", NULL);

		g_strv_builder_add(all, set);
	}
	for (gsize i = 0; run->authorities && i < G_N_ELEMENTS(of_authorities); i++) {
		g_autofree char *set =
			g_strconcat(of_authorities[i], "=" SPK_BOX_AUTHORITIES, NULL);

		g_strv_builder_add(all, set);
	}
	if (run->way_env)
		g_strv_builder_addv(all, (const char **)run->way_env);
	return g_strv_builder_end(all);
}

static void put_forward(GByteArray *plan, const SpkBoxRun *run)
{
	if (run->way_out)
		spk_box_put(plan, SPK_PLAN_FORWARD, SPK_BOX_PROXY_PORT,
			    SPK_BOX_PROXY_SOCKET);
}

/* g_environ_setenv() for "K=V". */
static char **set_variable(char **take_environ, const char *pair)
{
	const char *equals = strchr(pair, '=');
	g_autofree char *name = g_strndup(pair, equals ? equals - pair : 0);

	return equals && *name ? g_environ_setenv(take_environ, name, equals + 1, TRUE)
			       : take_environ;
}

static void put_command(GByteArray *plan, const SpkBoxRun *run, const char *work,
			const char *filter)
{
	g_autofree char *cwd = run->cwd ? g_build_filename(work, run->cwd, NULL) : NULL;

	spk_box_put(plan, SPK_PLAN_CHDIR, cwd ? cwd : work, NULL);
	for (const char *const *word = run->argv; *word; word++)
		spk_box_put(plan, SPK_PLAN_ARG, *word, NULL);
	spk_box_put(plan, SPK_PLAN_SECCOMP, filter, NULL);
	spk_box_put(plan, SPK_PLAN_EXEC, NULL, NULL);
}

static void put_tell(GByteArray *plan, const SpkBoxSettings *settings, const char *filter)
{
	if (settings->tell)
		spk_box_put(plan, SPK_PLAN_TELL, filter, NULL);
}

/* A mount point can be neither renamed nor removed, so what is bound over itself stays. */
static void put_kept(GByteArray *plan, const SpkBoxRun *run, const char *work)
{
	for (const char *const *name = run->kept; name && *name; name++) {
		g_autofree char *from = spk_box_kept_source(run, *name);
		g_autofree char *to = g_build_filename(work, *name, NULL);

		if (from)
			spk_box_put(plan, SPK_PLAN_BIND_RO, from, to);
	}
}

static void put_layer(GString *out, const char *root, const char *path)
{
	g_string_append(out, root);
	for (; *path; path++) {
		if (strchr("\\,:", *path))
			g_string_append_c(out, '\\');
		g_string_append_c(out, *path);
	}
}

/* The topmost first. */
static void put_lower(GString *options, const SpkTreeLent *lent, const char *root)
{
	g_string_append(options, "lowerdir=");
	if (lent->middle)
		put_layer(options, root, lent->middle);
	if (lent->middle && lent->from)
		g_string_append_c(options, ':');
	if (lent->from)
		put_layer(options, root, lent->from);
}

void spk_box_put_layers(GString *options, const SpkTreeLent *lent, gboolean write,
			const char *root)
{
	put_lower(options, lent, root);
	if (write) {
		g_string_append(options, ",upperdir=");
		put_layer(options, root, lent->upper);
		g_string_append(options, ",workdir=");
		put_layer(options, root, lent->spare);
	}
	g_string_append(options, ",userxattr");
}

/* Read-only first: where no layer can be laid over it, that is what there is. */
static void put_layers(GByteArray *plan, const SpkTreeLent *lent, const char *to,
		       gboolean write)
{
	g_autoptr(GString) options = g_string_new(NULL);

	spk_box_put(plan, SPK_PLAN_BIND_RO, lent->from ? lent->from : lent->middle, to);
	if (!write && !(lent->from && lent->middle))
		return;
	/* the host's root is still there */
	spk_box_put_layers(options, lent, write, SPK_PLAN_OLD);
	/* else the whole disk is synced when it goes; what it holds need outlive a kill alone */
	if (write)
		g_string_append(options, ",volatile");
	spk_box_put(plan, SPK_PLAN_OVERLAY, to, options->str);
}

static void put_one_lent(GByteArray *plan, const SpkTreeLent *lent, const char *work,
			 gboolean write)
{
	g_autofree char *to = g_path_is_absolute(lent->path)
				      ? g_strdup(lent->path)
				      : g_build_filename(work, lent->path, NULL);

	if (lent->from || lent->middle)
		put_layers(plan, lent, to, write && lent->upper);
	else if (lent->upper)
		spk_box_put(plan, SPK_PLAN_BIND_RW, lent->upper, to);
	if (lent->masked && lent->masked_folder)
		spk_box_put(plan, SPK_PLAN_TMPFS, lent->masked, "mode=0755,size=1m");
	else if (lent->masked)
		spk_box_put(plan, SPK_PLAN_MASK, lent->masked, NULL);
}

static void put_lent(GByteArray *plan, const SpkBoxRun *run, const char *work)
{
	for (guint i = 0; run->lent && i < run->lent->len; i++)
		put_one_lent(plan, run->lent->pdata[i], work, !run->read_only_work);
	for (char *const *path = run->lent ? run->hidden : NULL; path && *path; path++) {
		g_autofree char *to = g_build_filename(work, *path, NULL);

		spk_box_put(plan, SPK_PLAN_MASK, to, NULL);
	}
}

static void put_mounts(GByteArray *plan, const SpkBoxRun *run)
{
	for (guint i = 0; run->mounts && i < run->mounts->len; i++) {
		const SpkBoxMount *mount = run->mounts->pdata[i];

		spk_box_put(plan,
			    spk_box_may_write(run, mount) ? SPK_PLAN_BIND_RW
							  : SPK_PLAN_BIND_RO,
			    mount->from, mount->to);
	}
}

/* The second wall of a box with a root of its own. */
static void put_rules(GByteArray *plan, const SpkBoxSettings *settings,
		      const SpkBoxRun *run, const char *work)
{
	static const char *const writable[] = { "/tmp", SPK_BOX_HOME, "/dev/shm" };

	if (settings->landlock < 2) /* ABI 1 would forbid renames between folders */
		return;
	spk_box_put(plan, SPK_PLAN_RULESET, "net", NULL);
	spk_box_put(plan, SPK_PLAN_ALLOW, "/", "read");
	spk_box_put(plan, SPK_PLAN_ALLOW, "/dev", "device");
	spk_box_put(plan, SPK_PLAN_ALLOW, work, run->read_only_work ? "read" : "write");
	for (gsize i = 0; i < G_N_ELEMENTS(writable); i++)
		spk_box_put(plan, SPK_PLAN_ALLOW, writable[i], "write");
	for (guint i = 0; run->mounts && i < run->mounts->len; i++) {
		const SpkBoxMount *mount = run->mounts->pdata[i];

		if (spk_box_may_write(run, mount))
			spk_box_put(plan, SPK_PLAN_ALLOW, mount->to, "write");
	}
	spk_box_put(plan, SPK_PLAN_RESTRICT, NULL, NULL);
}

static void put_native_run(GByteArray *plan, const SpkBoxSettings *settings,
			   const SpkBoxRun *run, gint64 timeout_ms)
{
	const char *work = settings->path ? settings->path : run->work;
	g_auto(GStrv) proxy = proxy_variables(run);

	for (const char *const *path = run->read_only; path && *path; path++)
		if (!is_below(*path, work))
			spk_box_put(plan, SPK_PLAN_BIND_RO, *path, *path);
	put_mounts(plan, run); /* the work tree may lie below one of them */
	spk_box_put(plan, run->read_only_work ? SPK_PLAN_BIND_RO : SPK_PLAN_BIND_RW,
		    spk_box_run_source(run), work);
	put_kept(plan, run, work);
	put_lent(plan, run, work);
	if (run->way_out)
		spk_box_put(plan, SPK_PLAN_BIND_RO, run->way_out, SPK_BOX_PROXY_SOCKET);
	if (run->authorities)
		spk_box_put(plan, SPK_PLAN_BIND_RO, run->authorities,
			    SPK_BOX_AUTHORITIES);
	spk_box_put(plan, SPK_PLAN_SEAL, NULL, NULL);
	spk_box_put(plan, SPK_PLAN_NO_PRIVS, NULL, NULL);
	put_meters(plan, settings, work);
	put_forward(plan, run);
	put_tell(plan, settings, "native");
	spk_box_put(plan, SPK_PLAN_SUPERVISE, "init", NULL);
	spk_box_put(plan, SPK_PLAN_SESSION, NULL, NULL);
	put_limits(plan, settings, timeout_ms);
	put_rules(plan, settings, run, work);
	for (char **one = proxy; *one; one++)
		spk_box_put(plan, SPK_PLAN_ENV, *one, NULL);
	put_environment(plan, settings, SPK_BOX_HOME, "/tmp", run->env);
	put_command(plan, run, work, "native");
}

/* What the image sets, ours over it (but for the image's PATH), the run's over both. */
static void put_guest_environment(GByteArray *plan, const SpkBoxSettings *settings,
				  const SpkBoxRun *run)
{
	static const char *const ours[] = {
		"HOME=" SPK_BOX_HOME, "USER=spark",  "LANG=C.UTF-8",
		"TERM=dumb",	      "TMPDIR=/tmp",
	};
	g_auto(GStrv) all = g_environ_setenv(NULL, "PATH", SPK_BOX_PATH, TRUE);
	g_auto(GStrv) proxy = proxy_variables(run);

	for (const char *const *one = settings->image_env; one && *one; one++)
		all = set_variable(all, *one);
	for (gsize i = 0; i < G_N_ELEMENTS(ours); i++)
		all = set_variable(all, ours[i]);
	for (char **one = proxy; *one; one++)
		all = set_variable(all, *one);
	for (const char *const *one = run->env; one && *one; one++)
		all = set_variable(all, *one);
	for (char **one = all; *one; one++)
		spk_box_put(plan, SPK_PLAN_ENV, *one, NULL);
}

/* Of a command in a container: its walls are the engine's, and these stand within them. */
static void put_guest_run(GByteArray *plan, const SpkBoxSettings *settings,
			  const SpkBoxRun *run, gint64 timeout_ms)
{
	spk_box_put(plan, SPK_PLAN_NO_PRIVS, NULL, NULL);
	put_meters(plan, settings, settings->path);
	put_forward(plan, run);
	put_tell(plan, settings, "native");
	spk_box_put(plan, SPK_PLAN_SUPERVISE, "guest", NULL);
	spk_box_put(plan, SPK_PLAN_SESSION, NULL, NULL);
	if (!run->split)
		spk_box_put(plan, SPK_PLAN_MERGE, NULL, NULL);
	put_limits(plan, settings, timeout_ms);
	put_rules(plan, settings, run, settings->path);
	put_guest_environment(plan, settings, run);
	put_command(plan, run, settings->path, "native");
}

/* Caches of the user's that are linked to in HOME, which the backend has done. Java asks the
 * list of users for HOME, which is the host's here. */
static void put_links(GByteArray *plan, const SpkBoxSettings *settings, const char *work,
		      const char *home)
{
	guint64 used = spk_caches_of(settings->tools, work);
	g_autofree char *maven = g_strconcat("MAVEN_OPTS=-Duser.home=", home, NULL);

	for (guint i = 0; settings->tools && i < settings->tools->caches->len; i++) {
		const SpkCache *cache = settings->tools->caches->pdata[i];

		if (!(used & (guint64)1 << i) || !spk_box_links(cache))
			continue;
		spk_box_put(plan, SPK_PLAN_ALLOW, cache->from, "read");
		if (!strcmp(cache->name, "maven"))
			spk_box_put(plan, SPK_PLAN_ENV, maven, NULL);
	}
}

static void put_landlock_run(GByteArray *plan, const SpkBoxSettings *settings,
			     const GByteArray *system, const SpkBoxRun *run,
			     const char *scratch, gint64 timeout_ms)
{
	const char *work = spk_box_run_source(run);

	spk_box_put(plan, SPK_PLAN_URGENT, NULL, NULL);
	spk_box_put(plan, SPK_PLAN_NO_PRIVS, NULL, NULL);
	put_meters(plan, settings, work);
	if (!run->read_only_work)
		spk_box_put(plan, SPK_PLAN_DEPUTY, work, NULL);
	spk_box_put(plan, SPK_PLAN_DEPUTY, scratch, NULL);
	put_tell(plan, settings, "landlock");
	spk_box_put(plan, SPK_PLAN_SUPERVISE, "subreaper", NULL);
	spk_box_put(plan, SPK_PLAN_SESSION, NULL, NULL);
	put_limits(plan, settings, timeout_ms);
	g_byte_array_append(plan, system->data, system->len);
	for (const char *const *path = run->read_only; path && *path; path++)
		spk_box_put(plan, SPK_PLAN_ALLOW, *path, "read");
	for (guint i = 0; run->mounts && i < run->mounts->len; i++) {
		const SpkBoxMount *mount = run->mounts->pdata[i];

		spk_box_put(plan, SPK_PLAN_ALLOW, mount->to,
			    spk_box_may_write(run, mount) ? "write" : "read");
	}
	put_links(plan, settings, work, scratch);
	spk_box_put(plan, SPK_PLAN_ALLOW, work, run->read_only_work ? "read" : "write");
	spk_box_put(plan, SPK_PLAN_ALLOW, scratch, "write");
	spk_box_put(plan, SPK_PLAN_RESTRICT, NULL, NULL);
	if (settings->landlock >= 6)
		spk_box_put(plan, SPK_PLAN_JANITOR, NULL, NULL);
	put_environment(plan, settings, scratch, scratch, run->env);
	put_command(plan, run, work, "landlock");
}

GByteArray *spk_box_plan_run(const SpkBoxSettings *settings, const GByteArray *system,
			     const SpkBoxRun *run, const SpkCgroup *group,
			     const char *scratch, GError **error)
{
	gint64 timeout_ms = run->timeout_ms ? run->timeout_ms : settings->timeout_ms;
	g_autoptr(GByteArray) plan = g_byte_array_sized_new(8192);

	spk_box_put_string(plan, SPK_PLAN_MAGIC);
	/* while the folders can still be seen */
	for (char *const *dir = group ? group->dirs : NULL; dir && *dir; dir++)
		spk_box_put(plan, SPK_PLAN_JOIN, *dir, NULL);
	if (settings->tier == SPK_TIER_LANDLOCK) {
		put_landlock_run(plan, settings, system, run, scratch, timeout_ms);
	} else if (settings->tier == SPK_TIER_DOCKER) {
		put_guest_run(plan, settings, run, timeout_ms);
	} else {
		g_byte_array_append(plan, system->data, system->len);
		put_native_run(plan, settings, run, timeout_ms);
	}
	if (plan->len > SPK_PLAN_MAX_BYTES) {
		spk_error_set(error, SPK_ERR_LIMIT, "put it into a file of the work tree",
			      "the command is too long: %u bytes of at most %u",
			      plan->len, SPK_PLAN_MAX_BYTES);
		return NULL;
	}
	return g_steal_pointer(&plan);
}
