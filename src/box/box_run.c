/* What both backends ask of a run and of the settings, and say of a result. */
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "box/box_priv.h"

const char *spk_box_run_source(const SpkBoxRun *run)
{
	return run->work_from ? run->work_from : run->work;
}

gboolean spk_box_may_write(const SpkBoxRun *run, const SpkBoxMount *mount)
{
	return !mount->read_only && !run->mounts_read_only;
}

gboolean spk_box_links(const SpkCache *cache)
{
	return cache->by_link && cache->from && !cache->masked;
}

char *spk_box_kept_source(const SpkBoxRun *run, const char *name)
{
	g_autofree char *path = g_build_filename(spk_box_run_source(run), name, NULL);
	struct stat st;

	return lstat(path, &st) == 0 && !S_ISLNK(st.st_mode) ? g_steal_pointer(&path)
							     : NULL;
}

SpkBoxSettings spk_box_settings_read(SpkConf *conf)
{
	return (SpkBoxSettings){
		.timeout_ms = spk_conf_int(conf, "box.timeout_secs") * 1000,
		.memory_bytes = spk_conf_int(conf, "box.memory_bytes"),
		.pids = spk_conf_int(conf, "box.pids"),
		.fsize_bytes = spk_conf_int(conf, "box.fsize_bytes"),
		.disk_bytes = spk_conf_int(conf, "box.disk_bytes"),
		.inodes = spk_conf_int(conf, "box.inodes"),
		.tell = spk_conf_bool(conf, "box.count_refused"),
	};
}

void spk_box_result_block(SpkBoxResult *result, const char *rule, const char *what)
{
	if (!result->blocked)
		result->blocked = json_array();
	json_array_append_new(result->blocked,
			      json_pack("{s:s,s:s}", "rule", rule, "what", what));
}

/* ---- checks ---- */

static gboolean check_absolute(const char *what, const char *path, GError **error)
{
	if (path && g_path_is_absolute(path) && !strstr(path, "/../") &&
	    strcmp(path, "/") != 0)
		return TRUE;
	spk_error_set(error, SPK_ERR_USAGE, "give the absolute path of a folder",
		      "%s of the sandbox cannot be %s", what, path ? path : "(nothing)");
	return FALSE;
}

/* Landlock's rights only ever add up on the way down, and nothing can be shown elsewhere. */
gboolean spk_box_plan_keeps(const SpkBoxRun *run, GError **error)
{
	for (guint i = 0; run->mounts && i < run->mounts->len; i++) {
		const SpkBoxMount *mount = run->mounts->pdata[i];

		if (!strcmp(mount->from, mount->to))
			continue;
		spk_error_set(error, SPK_ERR_BOX_TIER,
			      "leave container_path out, or see `sparks sandbox probe` "
			      "for what the tier native lacks here",
			      "the tier landlock cannot show %s at %s", mount->from,
			      mount->to);
		return FALSE;
	}
	for (const char *const *name = run->kept; name && *name; name++) {
		g_autofree char *path = g_build_filename(
			run->work_from ? run->work_from : run->work, *name, NULL);
		struct stat st;

		if (run->read_only_work || lstat(path, &st) < 0)
			continue;
		spk_error_set(error, SPK_ERR_BOX_TIER,
			      "let it work on a copy (--copy), or see `sparks sandbox "
			      "probe` for what the tier native lacks here",
			      "the tier landlock cannot keep %s from being written",
			      path);
		return FALSE;
	}
	return TRUE;
}

gboolean spk_box_plan_check(const SpkBoxRun *run, GError **error)
{
	if (!check_absolute("the work tree", run->work, error) ||
	    (run->work_from && !check_absolute("the work tree", run->work_from, error)))
		return FALSE;
	for (const char *const *path = run->read_only; path && *path; path++)
		if (!check_absolute("a read-only path", *path, error))
			return FALSE;
	if (run->way_out && !check_absolute("the proxy's socket", run->way_out, error))
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
