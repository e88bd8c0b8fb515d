#include "cmd/demo/demo.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "cmd/tasks/playrepo.h"
#include "llm/play.h"

#define FILE_MAX       (1u << 20)
#define NOBODY_LISTENS 9 /* the discard port */

void spk_demo_clear(SpkDemo *demo)
{
	g_free(demo->folder);
	g_free(demo->repo);
	g_free(demo->play);
	g_free(demo->secret_path);
	g_free(demo->token);
	if (demo->port) /* 0: nothing was set up yet */
		spk_fd_close(&demo->listener);
}

/* ---- the listener ---- */

/* Connects from outside the box: what the model tries is possible here. */
static gboolean prove_listener(int listener, const struct sockaddr_in *address)
{
	spk_autofd int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	spk_autofd int accepted = -1;

	if (client < 0 ||
	    connect(client, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return FALSE;
	accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return accepted >= 0;
}

static gboolean start_listener(SpkDemo *demo, GError **error)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	spk_autofd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 8) < 0 || getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
	    !prove_listener(fd, &address)) {
		spk_error_set_errno(error, SPK_ERR_IO, errno,
				    "is the loopback interface up?",
				    "cannot listen on 127.0.0.1");
		return FALSE;
	}
	demo->port = ntohs(address.sin_port);
	demo->listener = spk_fd_steal(&fd);
	return TRUE;
}

gboolean spk_demo_was_called(const SpkDemo *demo)
{
	struct pollfd wake = { .fd = demo->listener, .events = POLLIN };

	return poll(&wake, 1, 0) > 0;
}

/* ---- the files ---- */

static char *random_token(void)
{
	guint8 bytes[16];
	GString *out = g_string_new("host-secret-");

	spk_random(bytes, sizeof(bytes));
	for (gsize i = 0; i < sizeof(bytes); i++)
		g_string_append_printf(out, "%02x", bytes[i]);
	return g_string_free(out, FALSE);
}

/* Something of the user's own that is not committed: it must outlive apply and undo. */
static gboolean write_unsaved_work(const SpkDemo *demo, GError **error)
{
	static const char text[] = "my own notes, in no commit\n";
	g_autofree char *path = g_build_filename(demo->repo, "notes.txt", NULL);

	return spk_fs_write_atomic(path, text, strlen(text), 0644, error);
}

static gboolean write_world(SpkDemo *demo, GError **error)
{
	g_autofree char *text = spk_demo_play(demo->port, demo->secret_path);
	g_autoptr(SpkPlay) play = spk_play_parse(text, strlen(text), "the demo", error);

	return play && spk_fs_write_atomic(demo->play, text, strlen(text), 0600, error) &&
	       spk_fs_write_atomic(demo->secret_path, demo->token, strlen(demo->token),
				   0600, error) &&
	       spk_playrepo_write(json_object_get(spk_play_header(play), "repo"),
				  demo->repo, error) &&
	       write_unsaved_work(demo, error);
}

gboolean spk_demo_prepare(SpkDemo *demo, const char *folder, gboolean listen,
			  GError **error)
{
	*demo = (SpkDemo){
		.folder = g_strdup(folder),
		.repo = g_build_filename(folder, "repo", NULL),
		.play = g_build_filename(folder, "demo.play", NULL),
		.secret_path = g_build_filename(folder, "host-secret", NULL),
		.token = random_token(),
		.listener = -1,
		.port = NOBODY_LISTENS,
	};
	return (!listen || start_listener(demo, error)) && write_world(demo, error);
}

/* ---- the hash ---- */

static gint by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *sorted_names(const char *folder)
{
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	const char *name;

	while (dir && (name = g_dir_read_name(dir)))
		g_ptr_array_add(names, g_strdup(name));
	g_ptr_array_sort(names, by_name);
	return names;
}

static gboolean hash_folder(GChecksum *sum, const char *folder, const char *prefix,
			    GError **error);

static gboolean hash_entry(GChecksum *sum, const char *path, const char *name,
			   GError **error)
{
	g_autofree char *head = NULL, *text = NULL;
	struct stat st;
	gsize len;

	if (lstat(path, &st) < 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot look at %s",
				    path);
		return FALSE;
	}
	if (S_ISDIR(st.st_mode))
		return hash_folder(sum, path, name, error);
	text = spk_fs_read(path, FILE_MAX, &len, error);
	if (!text)
		return FALSE;
	head = g_strdup_printf("%s %o %" G_GSIZE_FORMAT, name, st.st_mode, len);
	g_checksum_update(sum, (const guchar *)head, strlen(head) + 1);
	g_checksum_update(sum, (const guchar *)text, len);
	return TRUE;
}

static gboolean hash_folder(GChecksum *sum, const char *folder, const char *prefix,
			    GError **error)
{
	g_autoptr(GPtrArray) names = sorted_names(folder);

	for (guint i = 0; i < names->len; i++) {
		g_autofree char *path = g_build_filename(folder, names->pdata[i], NULL);
		g_autofree char *name = g_build_filename(prefix, names->pdata[i], NULL);

		if (!strcmp(name, "./.git"))
			continue;
		if (!hash_entry(sum, path, name, error))
			return FALSE;
	}
	return TRUE;
}

char *spk_demo_hash(const SpkDemo *demo, GError **error)
{
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

	if (!hash_folder(sum, demo->repo, ".", error))
		return NULL;
	return g_strdup(g_checksum_get_string(sum));
}
