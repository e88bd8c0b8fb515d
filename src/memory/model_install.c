#include "memory/model_install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "memory/embedder.h"
#include "memory/model_dir.h"
#include "memory/model_get.h"
#include "memory/model_pick.h"

#define WORK	   ".install-"
#define LOCK	   ".install.lock"
#define RECORD	   "sparks-install.json"
#define MANIFEST   "sparks-model.json"
#define POOLING	   "1_Pooling"
#define RECORD_MAX (64u << 10)
#define POLL_MS	   100
#define PART_DAYS  7

void spk_model_installed_clear(SpkModelInstalled *installed)
{
	g_free(installed->dir);
	g_free(installed->from);
	json_decref(installed->model);
	*installed = (SpkModelInstalled){ 0 };
}

/* ---- the place ---- */

/* A model is nobody's secret; what else lies in the folder of all state is. */
static gboolean make_parent(const char *parent, GError **error)
{
	g_autofree char *state = spk_fs_expand("~/.sparks");
	g_autofree char *below = g_strconcat(state, "/", NULL);
	g_autofree char *home = g_str_has_prefix(parent, below) ? spk_fs_home(error)
								: g_strdup("");

	return home && spk_fs_mkdirs(parent, 0755, error);
}

/* Held to the end of the process or close(). -1: CANCELLED, IO. */
static int take_lock(const char *parent, SpkCancel *cancel, GError **error)
{
	g_autofree char *path = g_build_filename(parent, LOCK, NULL);
	spk_autofd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", path);
		return -1;
	}
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		spk_sleep_ms(POLL_MS, cancel);
		if (!spk_cancel_check(cancel, error))
			return -1;
	}
	return spk_fd_steal(&fd);
}

/* A download that nobody has gone on with for a week. */
static gboolean is_given_up(const char *name, const char *path)
{
	struct stat st;

	return g_str_has_prefix(name, SPK_MODEL_PART) && stat(path, &st) == 0 &&
	       st.st_mtime < spk_now_us() / G_USEC_PER_SEC - PART_DAYS * 86400;
}

/* Under the lock: what killed installs left. */
static void sweep(const char *parent)
{
	g_autoptr(GDir) dir = g_dir_open(parent, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(parent, name, NULL);

		if (g_str_has_prefix(name, WORK) || is_given_up(name, path))
			(void)spk_fs_remove_tree(path, NULL); /* tried again next time */
	}
}

static gboolean is_model_file(const char *name)
{
	for (const SpkModelFile *file = spk_model_files; file->to; file++)
		if (!strcmp(file->to, name))
			return TRUE;
	return FALSE;
}

/* What may lie beside the weights of a model that somebody put there by hand. */
static gboolean is_beside(const char *name)
{
	return is_model_file(name) || g_str_has_suffix(name, ".onnx") ||
	       !strcmp(name, "README.md");
}

/* What tells that a folder is a model's. */
static gboolean is_proof(const char *name)
{
	return !strcmp(name, RECORD) || !strcmp(name, "model.safetensors") ||
	       g_str_has_suffix(name, ".onnx");
}

/* The first file below place/sub (NULL: place) that is none of a model, or NULL. */
static char *find_other(const char *place, const char *sub, gboolean *ret_proof)
{
	g_autofree char *folder = g_build_filename(place, sub, NULL);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)) != NULL) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *to = sub ? g_build_filename(sub, name, NULL)
					  : g_strdup(name);
		char *other = NULL;

		if (!sub && !strcmp(name, POOLING))
			other = find_other(place, name, ret_proof);
		else if (!is_beside(to) || g_file_test(path, G_FILE_TEST_IS_DIR))
			other = g_strdup(to);
		else
			*ret_proof |= is_proof(to);
		if (other)
			return other;
	}
	return dir ? NULL : g_strdup(sub ? sub : "");
}

static gboolean is_empty(const char *place)
{
	g_autoptr(GDir) dir = g_dir_open(place, 0, NULL);

	return dir && !g_dir_read_name(dir);
}

/* What is replaced must be a model and nothing else: a wrong model_dir costs nobody a folder. */
static gboolean check_place(const char *place, GError **error)
{
	g_autofree char *other = NULL;
	gboolean proof = FALSE;

	if (!g_file_test(place, G_FILE_TEST_EXISTS) || is_empty(place))
		return TRUE;
	other = find_other(place, NULL, &proof);
	if (!other && proof)
		return TRUE;
	spk_error_set(error, SPK_ERR_CONFLICT,
		      "move it away, or choose another folder: [embedding] model_dir",
		      !other   ? "%s holds files, but no model%s"
		      : *other ? "%s holds more than a model: %s"
			       : "%s is no folder%s",
		      place, other ? other : "");
	return FALSE;
}

/* ---- the record ---- */

static json_t *read_record(const char *place)
{
	g_autofree char *path = g_build_filename(place, RECORD, NULL);
	gsize len = 0;
	g_autofree char *text = spk_fs_read(path, RECORD_MAX, &len, NULL);

	return text ? spk_json_parse(text, len, RECORD_MAX, NULL) : NULL;
}

static gboolean write_json(const char *folder, const char *name, const json_t *json,
			   GError **error)
{
	g_autofree char *path = g_build_filename(folder, name, NULL);
	g_autofree char *text = spk_json_dump(json);

	return spk_fs_write_atomic(path, text, strlen(text), 0644, error);
}

/* What came out of the archive with that check sum lies there, each file of the length it had. */
static gboolean is_there(const char *place, const char *sha256)
{
	g_autoptr(json_t) record = read_record(place);
	const char *name;
	json_t *size;

	if (!sha256 || g_strcmp0(spk_json_str(record, "sha256"), sha256) != 0)
		return FALSE;
	json_object_foreach(json_object_get(record, "files"), name, size) {
		g_autofree char *path = g_build_filename(place, name, NULL);
		struct stat st;

		if (!is_model_file(name) || stat(path, &st) < 0 ||
		    st.st_size != json_integer_value(size))
			return FALSE;
	}
	return TRUE;
}

/* The check sum of what is to be installed, as far as that is known before: of the pinned one, or
 * of a folder that was installed before. */
static char *wanted_sha256(const char *from)
{
	g_autoptr(json_t) record = NULL;
	const char *sha256;

	if (!from)
		return g_strdup(spk_model_pinned.sha256);
	record = read_record(from);
	sha256 = spk_json_str(record, "sha256");
	return sha256 && is_there(from, sha256) ? g_strdup(sha256) : NULL;
}

/* {"from","sha256","files":{"vocab.txt":231508}} */
static gboolean write_record(const char *folder, const SpkModelGot *got, GError **error)
{
	json_t *files = json_object();
	g_autoptr(json_t)
		record = json_pack("{s:o,s:o,s:o}", "from", spk_json_text(got->from),
				   "sha256", spk_json_text(got->sha256), "files", files);

	if (!got->sha256) { /* a folder: it keeps what it was installed from */
		g_autofree char *sha256 = wanted_sha256(got->path);

		spk_json_set(record, "sha256", spk_json_text(sha256));
	}
	for (const SpkModelFile *file = spk_model_files; file->to; file++) {
		g_autofree char *path = g_build_filename(folder, file->to, NULL);
		struct stat st;

		if (strcmp(file->to, RECORD) != 0 && stat(path, &st) == 0)
			spk_json_set(files, file->to, json_integer(st.st_size));
	}
	return write_json(folder, RECORD, record, error);
}

/* What the sources and the name say of the model, so that it holds under any folder's name. */
static gboolean write_manifest(const char *folder, GError **error)
{
	g_autofree char *path = g_build_filename(folder, MANIFEST, NULL);
	g_auto(SpkModelDir) model = { 0 };
	g_autoptr(json_t) manifest = NULL;

	if (!spk_model_dir_read(&model, folder, error))
		return FALSE;
	if (g_file_test(path, G_FILE_TEST_EXISTS))
		return TRUE;
	manifest = json_pack("{s:s,s:s,s:s,s:s,s:i}", "name", model.name, "pooling",
			     spk_pooling_name(model.pooling), "query_prefix", model.query,
			     "passage_prefix", model.passage, "max_tokens",
			     (int)model.max_tokens);
	return write_json(folder, MANIFEST, manifest, error);
}

/* ---- trying and exchanging ---- */

static json_t *try_model(const char *folder, const SpkConf *conf, GError **error)
{
	static const char *const texts[] = { "Is anybody there?" };
	g_autoptr(SpkEmbedder) embedder = spk_embedder_open_dir(folder, conf, error);
	g_autofree float *vector = NULL;

	if (!embedder)
		return NULL;
	vector = g_new0(float, spk_embedder_dims(embedder));
	if (!spk_embedder_embed(embedder, texts, 1, SPK_EMBED_QUERY, vector, NULL, error))
		return NULL;
	return spk_embedder_describe(embedder);
}

static gboolean sync_folder(const char *path, GError **error)
{
	spk_autofd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && fsync(fd) == 0)
		return TRUE;
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", path);
	return FALSE;
}

/* Whoever opens the model sees the old one or the new one. The old one is at `from` then. Where a
 * file system can't exchange, there is a moment without. */
static gboolean exchange(const char *from, const char *place, GError **error)
{
	g_autofree char *old = g_strconcat(from, ".old", NULL);
	int failed;

	if (!sync_folder(from, error))
		return FALSE;
	if (renameat2(AT_FDCWD, from, AT_FDCWD, place, RENAME_EXCHANGE) == 0 ||
	    rename(from, place) == 0)
		return TRUE;
	if (rename(place, old) == 0) {
		if (rename(from, place) == 0)
			return TRUE;
		failed = errno;
		(void)rename(old, place); /* as it was, if that can be had */
		errno = failed;
	}
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", place);
	return FALSE;
}

/* ---- all of it ---- */

typedef struct {
	const SpkModelInstall *install;
	SpkModelInstalled *ret;
	char *parent, *work;
	SpkCancel *cancel;
} Install;

static void install_clear(Install *all)
{
	if (all->work)
		(void)spk_fs_remove_tree(all->work, NULL); /* the next one sweeps */
	g_free(all->work);
	g_free(all->parent);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Install, install_clear)

/* A name that can be a folder's. */
static char *fit_name(const char *given)
{
	char *name = g_strdup(given);

	for (char *p = name; *p; p++)
		if (!g_ascii_isalnum(*p) && !strchr("-_.", *p))
			*p = '-';
	if (*name == '.' || strlen(name) > 100) {
		g_free(name);
		return g_strdup("model");
	}
	return name;
}

/* Unpacked into work/NAME, because the name says what a model needs where no file does. */
static char *unpack(const Install *all, const SpkModelGot *got, GError **error)
{
	const SpkModelInstall *install = all->install;
	g_autofree char *fresh = g_build_filename(all->work, ".new", NULL);
	g_autofree char *inner = NULL, *name = NULL, *folder = NULL;
	SpkModelUnpack unpack = { got->path, fresh, install->progress, install->user };

	if (!spk_fs_mkdirs(fresh, 0755, error) ||
	    !spk_model_unpack(&unpack, &inner, all->cancel, error))
		return NULL;
	name = fit_name(install->name	 ? install->name
			: !install->from ? spk_model_pinned.name
			: inner		 ? inner
			: got->name	 ? got->name
					 : "model");
	folder = g_build_filename(all->work, name, NULL);
	if (rename(fresh, folder) < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", folder);
		return NULL;
	}
	return g_steal_pointer(&folder);
}

static gboolean put_in_place(Install *all, const SpkModelGot *got, GError **error)
{
	SpkModelInstalled *ret = all->ret;
	g_autofree char *folder = unpack(all, got, error);

	if (!folder || !write_manifest(folder, error) ||
	    !write_record(folder, got, error))
		return FALSE;
	ret->model = try_model(folder, all->install->conf, error);
	if (!ret->model || !exchange(folder, ret->dir, error) ||
	    !sync_folder(all->parent, error))
		return FALSE;
	spk_json_set(ret->model, "folder", spk_json_text(ret->dir));
	ret->from = g_strdup(got->from);
	if (got->is_ours)
		(void)unlink(got->path); /* a download that is unpacked */
	return TRUE;
}

static gboolean install_it(Install *all, GError **error)
{
	const SpkModelInstall *install = all->install;
	SpkModelGet get = { install->from, install->sha256, all->parent,
			    install->progress, install->user };
	g_auto(SpkModelGot) got = { 0 };

	if (!check_place(all->ret->dir, error) ||
	    !spk_model_get(&get, &got, all->cancel, error))
		return FALSE;
	all->work = g_build_filename(all->parent, WORK "XXXXXX", NULL);
	if (!g_mkdtemp_full(all->work, 0755)) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "%s", all->work);
		g_clear_pointer(&all->work, g_free);
		return FALSE;
	}
	return put_in_place(all, &got, error);
}

gboolean spk_model_install(const SpkModelInstall *install, SpkModelInstalled *ret,
			   SpkCancel *cancel, GError **error)
{
	g_auto(SpkModelInstalled) installed = { 0 };
	g_auto(Install) all = { install, &installed, NULL, NULL, cancel };
	g_autofree char *wanted = NULL;
	spk_autofd int lock = -1;
	gboolean ok;

	installed.dir = g_strdup(spk_conf_str(install->conf, "embedding.model_dir"));
	all.parent = g_path_get_dirname(installed.dir);
	if (!make_parent(all.parent, error))
		return FALSE;
	lock = take_lock(all.parent, cancel, error);
	if (lock < 0)
		return FALSE;
	sweep(all.parent);
	wanted = wanted_sha256(install->from);
	if (!install->force && !install->name && is_there(installed.dir, wanted)) {
		installed.was_there = TRUE;
		installed.model = try_model(installed.dir, install->conf, NULL);
	}
	ok = installed.model || install_it(&all, error);
	if (!ok)
		return FALSE;
	installed.was_there &= installed.from == NULL;
	*ret = installed;
	installed = (SpkModelInstalled){ 0 };
	return TRUE;
}
