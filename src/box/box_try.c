/* Live probes: a box in which sparks-box itself plays the hostile program. */
#include "box/box_try.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/text.h"
#include "box/box_priv.h"

#define TRY_MS	20000
#define TRY_OUT 16384

/* What lies outside of the box, for it to reach out to. */
typedef struct {
	char *top, *work, *secret, *socket_name;
	int socket;
} Bait;

static void bait_clear(Bait *bait)
{
	if (bait->top)
		(void)spk_fs_remove_tree(bait->top,
					 NULL); /* in the folder for temporary files */
	spk_fd_close(&bait->socket);
	g_free(bait->top);
	g_free(bait->work);
	g_free(bait->secret);
	g_free(bait->socket_name);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bait, bait_clear)

static int listen_abstract(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	spk_autofd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(at.sun_path + 1, name, MIN(len, sizeof(at.sun_path) - 1));
	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&at,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len)) < 0 ||
	    listen(fd, 1) < 0)
		return -1;
	return spk_fd_steal(&fd);
}

static gboolean lay_bait(Bait *bait, GError **error)
{
	bait->top = g_build_filename(g_get_tmp_dir(), "sparks-try-XXXXXX", NULL);
	if (!g_mkdtemp(bait->top)) {
		spk_error_set_errno(error, SPK_ERR_BOX_FAILED, errno, "set TMPDIR",
				    "cannot create %s", bait->top);
		g_clear_pointer(&bait->top, g_free);
		return FALSE;
	}
	bait->work = g_build_filename(bait->top, "work", NULL);
	bait->secret = g_build_filename(bait->top, "secret", NULL);
	bait->socket_name = g_path_get_basename(bait->top);
	bait->socket = listen_abstract(bait->socket_name);
	if (bait->socket < 0) {
		spk_error_set_errno(error, SPK_ERR_BOX_FAILED, errno, NULL,
				    "cannot make a socket");
		return FALSE;
	}
	return spk_fs_mkdirs(bait->work, 0700, error) &&
	       spk_fs_write_atomic(bait->secret, "secret\n", 7, 0644, error);
}

static gboolean run_try(SpkBox *box, const Bait *bait, const char *const *argv,
			SpkCancel *cancel, SpkBoxResult *ret, GError **error)
{
	const char *readable[] = { argv[0], NULL };
	const SpkBoxRun run = {
		.work = bait->work,
		.read_only = readable,
		.argv = argv,
		.timeout_ms = TRY_MS,
		.max_out = TRY_OUT,
	};

	return spk_box_run(box, &run, cancel, ret, error);
}

static json_t *read_lines(const char *text)
{
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	json_t *all = json_array();

	for (char **line = lines; *line; line++) {
		g_autofree char *clean = spk_text_clean(*line, -1, SPK_CLEAN_TEXT);
		g_auto(GStrv) field = g_strsplit(clean, "\t", 3);

		if (g_strv_length(field) == 3)
			json_array_append_new(
				all, json_pack("{s:s,s:b,s:s}", "attempt", field[1],
					       "held", strcmp(field[0], "held") == 0,
					       "detail", field[2]));
	}
	return all;
}

json_t *spk_box_try(SpkBox *box, SpkCancel *cancel, GError **error)
{
	g_auto(Bait) bait = { .socket = -1 };
	g_autofree char *helper = spk_box_find_helper(error);
	g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
	g_auto(SpkBoxResult) result = { 0 };
	json_t *all;

	if (!helper || !lay_bait(&bait, error))
		return NULL;

	const char *const argv[] = { helper, "--try",	       "walls", bait.secret,
				     pid,    bait.socket_name, NULL };

	if (!run_try(box, &bait, argv, cancel, &result, error))
		return NULL;
	all = read_lines(result.out->str);
	if (result.exit_code == 0 && json_array_size(all) > 0)
		return all;
	json_decref(all);
	spk_error_set(error, SPK_ERR_BOX_FAILED, "see `sparks sandbox probe`",
		      "the attempts ended with exit code %d: %.200s", result.exit_code,
		      result.out->str);
	return NULL;
}

gboolean spk_box_try_limit(SpkBox *box, const char *limit, gboolean *ret_held,
			   SpkCancel *cancel, GError **error)
{
	g_auto(Bait) bait = { .socket = -1 };
	g_autofree char *helper = spk_box_find_helper(error);
	g_auto(SpkBoxResult) result = { 0 };

	if (!helper || !lay_bait(&bait, error))
		return FALSE;

	const char *const argv[] = { helper, "--try", limit, NULL };

	if (!run_try(box, &bait, argv, cancel, &result, error))
		return FALSE;
	*ret_held = result.exit_code != 0 && !result.timed_out;
	return TRUE;
}
