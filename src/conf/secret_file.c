/*
 * SPARKS_HOME/secrets: lines key=value, sealed where there is a key for the seal. The key is
 * a key file or a systemd credential (secret_key.c), else a passphrase that is asked once
 * (secret_kept.c). With none of these the lines are plain, and each write says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "conf/conf_priv.h"
#include "conf/secret_impl.h"
#include "conf/secret_priv.h"

#define PLAIN_HEAD     "# Keys of sparks, not sealed: whoever reads this file has them.\n"
#define MAX_PASSPHRASE 1024
#define MIN_PASSPHRASE 8
#define TRIES	       3
#define LOCK_MS	       10000

#define WEAK                                                                              \
	"the file is not sealed: set SPARKS_SECRETS_KEY_FILE to a key file of yours, or " \
	"run `sparks secrets set` on a terminal and give a passphrase"

typedef struct {
	char *home, *path;
	char *bytes; /* NULL: no such file */
	gsize len;
	SpkSeal seal; /* kind 0: plain */
	guint8 key[SPK_SEAL_KEY];
	const char *from; /* of the key, in words */
	char *text;	  /* opened */
} File;

static void file_clear(File *file)
{
	g_free(file->home);
	g_free(file->path);
	if (file->bytes)
		explicit_bzero(file->bytes, file->len);
	g_free(file->bytes);
	spk_secret_wipe(file->text);
	explicit_bzero(file->key, sizeof(file->key));
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(File, file_clear)

static char *file_path(void)
{
	return spk_fs_expand("~/.sparks/secrets");
}

/* ---- the key ---- */
/* FALSE without error: there is no key file and no credential. */
static gboolean key_of_bytes(File *file, const SpkSeal *seal, GError **error)
{
	g_autoptr(GError) broken = NULL;
	GBytes *bytes = spk_secret_key_bytes(file->home, &file->from, &broken);
	gboolean ok;
	gsize len;
	char *data;

	if (!bytes) {
		if (broken)
			g_propagate_error(error, g_steal_pointer(&broken));
		return FALSE;
	}
	data = g_bytes_unref_to_data(bytes, &len);
	ok = spk_seal_derive(seal, data, len, file->key, error);
	explicit_bzero(data, len);
	g_free(data);
	return ok;
}

static gboolean key_of_passphrase(File *file, const char *question, GError **error)
{
	g_autoptr(SpkSecretText) phrase = spk_secret_ask(question, MAX_PASSPHRASE, error);

	return phrase &&
	       spk_seal_derive(&file->seal, phrase, strlen(phrase), file->key, error);
}

/* ---- opening ---- */
static gboolean open_with(File *file, GError **error)
{
	file->text = spk_seal_open(file->bytes, file->len, file->key, error);
	return file->text != NULL;
}

static gboolean open_by_file(File *file, GError **error)
{
	g_autoptr(GError) broken = NULL;

	if (key_of_bytes(file, &file->seal, &broken))
		return open_with(file, error);
	if (broken)
		g_propagate_error(error, g_steal_pointer(&broken));
	else
		spk_error_set(error, SPK_ERR_CONFIG,
			      "set SPARKS_SECRETS_KEY_FILE to that file, or give the "
			      "systemd credential sparks-secrets-key",
			      "it is sealed with a key file, and none is given");
	return FALSE;
}

/* `kernel`: why it keeps no keys, or NULL. */
static gboolean cannot_ask(const GError *kernel, GError **error)
{
	const char *hint = kernel ? "use a key file: SPARKS_SECRETS_KEY_FILE"
				  : "run `sparks secrets list` on a terminal: the kernel "
				    "keeps the key for 8 hours then; or use a key file";

	spk_error_set(error, SPK_ERR_CONFIG, hint,
		      "it is sealed with a passphrase, and %s%s%s",
		      spk_kept_is_declined() ? "none was given that opens it"
					     : "there is no terminal to ask on",
		      kernel ? "; " : "", kernel ? kernel->message : "");
	return FALSE;
}

static gboolean open_by_asking(File *file, const GError *kernel, GError **error)
{
	g_autofree char *question = g_strdup_printf("Passphrase of %s: ", file->path);

	if (spk_kept_is_declined() || !spk_secret_can_ask())
		return cannot_ask(kernel, error);
	for (guint i = 1;; i++) {
		g_autoptr(GError) wrong = NULL;

		if (key_of_passphrase(file, question, &wrong) && open_with(file, &wrong))
			break;
		if (i == TRIES || !spk_error_is(wrong, SPK_ERR_CORRUPT)) {
			spk_kept_decline();
			g_propagate_error(error, g_steal_pointer(&wrong));
			return FALSE;
		}
		spk_warn("secrets", "that does not open it; try again");
	}
	spk_kept_put(&file->seal, file->key);
	return TRUE;
}

static gboolean open_by_passphrase(File *file, GError **error)
{
	g_autoptr(GError) refused = NULL;

	file->from = "a passphrase";
	if (spk_kept_get(&file->seal, file->key, &refused))
		return open_with(file, error);
	return open_by_asking(file, refused, error);
}

static gboolean find_file(File *file, GError **error)
{
	g_autoptr(GError) broken = NULL;

	file->home = spk_fs_home(error);
	if (!file->home)
		return FALSE;
	file->path = file_path();
	file->bytes =
		spk_conf_read(file->path, SPK_SECRETS_MAX_BYTES, &file->len, &broken);
	if (broken && spk_error_is(broken, SPK_ERR_NOT_FOUND))
		broken->code = SPK_ERR_CONFIG; /* something is there, only no file */
	if (!broken && file->bytes && spk_seal_is(file->bytes, file->len) &&
	    !spk_seal_parse(file->bytes, file->len, &file->seal, &broken))
		g_prefix_error(&broken, "%s: ", file->path);
	if (!broken)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&broken));
	return FALSE;
}

static gboolean is_sealed(const File *file)
{
	return file->bytes && spk_seal_is(file->bytes, file->len);
}

/* text "" when there is no file. */
static gboolean open_file(File *file, GError **error)
{
	gboolean ok = TRUE;

	if (!find_file(file, error))
		return FALSE;
	if (is_sealed(file))
		ok = file->seal.kind == SPK_SEAL_FILE ? open_by_file(file, error)
						      : open_by_passphrase(file, error);
	else
		file->text = g_strdup(file->bytes ? file->bytes : "");
	if (!ok)
		g_prefix_error(error, "%s: ", file->path);
	return ok;
}

/* ---- writing ---- */
static gboolean lock_home(const char *home, int *ret_fd, GError **error)
{
	spk_autofd int fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (guint waited = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
	     waited += 50) {
		if (errno != EWOULDBLOCK || waited >= LOCK_MS) {
			spk_error_set_errno(error, SPK_ERR_BUSY, errno,
					    "end the other `sparks secrets` first",
					    "%s is held", home);
			return FALSE;
		}
		spk_sleep_ms(50, NULL);
	}
	*ret_fd = spk_fd_steal(&fd);
	return TRUE;
}

/* FALSE without error: the person wants none. */
static gboolean new_passphrase(File *file, GError **error)
{
	g_autofree char *question =
		g_strdup_printf("No keyring here. A passphrase to seal %s with (empty: "
				"leave it readable): ",
				file->path);
	g_autoptr(SpkSecretText) first = spk_secret_ask(question, MAX_PASSPHRASE, error);
	g_autoptr(SpkSecretText) again = NULL;

	if (!first || !*first)
		return FALSE;
	if (strlen(first) < MIN_PASSPHRASE) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      "a passphrase has %d characters or more; nothing was kept",
			      MIN_PASSPHRASE);
		return FALSE;
	}
	again = spk_secret_ask("The same again: ", MAX_PASSPHRASE, error);
	if (again && strcmp(first, again) != 0)
		spk_error_set(error, SPK_ERR_BAD_INPUT, NULL,
			      "the two passphrases differ; nothing was kept");
	if (!again || strcmp(first, again) != 0)
		return FALSE;
	spk_seal_init(&file->seal, SPK_SEAL_PASSPHRASE);
	file->from = "a passphrase";
	return spk_seal_derive(&file->seal, first, strlen(first), file->key, error);
}

/* Decides what the next write is sealed with; a seal that holds stays. */
static gboolean choose_seal(File *file, gboolean *ret_new, GError **error)
{
	g_autoptr(GError) broken = NULL;
	SpkSeal seal;

	*ret_new = FALSE;
	spk_seal_init(&seal, SPK_SEAL_FILE);
	if (key_of_bytes(file, &seal, &broken)) {
		file->seal = seal;
		return TRUE;
	}
	if (!broken && !is_sealed(file) && spk_secret_can_ask())
		*ret_new = new_passphrase(file, &broken);
	if (!broken)
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&broken));
	return FALSE;
}

static gboolean write_file(File *file, const char *text, GError **error)
{
	g_autofree char *sealed = NULL;
	gsize len = 0;

	if (!file->seal.kind) {
		g_autoptr(SpkSecretText)
			plain = g_str_has_prefix(text, PLAIN_HEAD)
					? g_strdup(text)
					: g_strconcat(PLAIN_HEAD, text, NULL);

		return spk_fs_write_atomic(file->path, plain, strlen(plain), 0600, error);
	}
	sealed = spk_seal_close(&file->seal, file->key, text, &len, error);
	return sealed && spk_fs_write_atomic(file->path, sealed, len, 0600, error);
}

static char *words(const File *file)
{
	if (!file->seal.kind)
		return g_strdup_printf("%s, not sealed, mode 0600", file->path);
	return g_strdup_printf("%s, sealed with %s", file->path,
			       file->from			  ? file->from
			       : file->seal.kind == SPK_SEAL_FILE ? "a key file"
								  : "a passphrase");
}

/* ---- the place ---- */
static gboolean here(void)
{
	g_autofree char *path = file_path();

	return g_file_test(path, G_FILE_TEST_EXISTS);
}

static char *describe(char **ret_weak, GError **error)
{
	g_auto(File) file = { 0 };
	struct stat st;

	*ret_weak = NULL;
	if (!find_file(&file, error))
		return NULL;
	if (!file.bytes) {
		spk_error_set(error, SPK_ERR_NOT_FOUND, NULL, "there is no %s",
			      file.path);
		return NULL;
	}
	if (file.seal.kind == SPK_SEAL_FILE && !open_by_file(&file, error)) {
		g_prefix_error(error, "%s: ", file.path);
		return NULL;
	}
	if (stat(file.path, &st) == 0 && (st.st_mode & 077))
		*ret_weak =
			g_strdup_printf("others can read it: chmod 600 %s", file.path);
	else if (!file.seal.kind)
		*ret_weak = g_strdup(WEAK);
	return words(&file);
}

static char *get(const char *key, GError **error)
{
	g_auto(File) file = { 0 };

	return open_file(&file, error) ? spk_secret_text_get(file.text, key) : NULL;
}

static char **keys(GError **error)
{
	g_auto(File) file = { 0 };

	return open_file(&file, error) ? spk_secret_text_keys(file.text) : NULL;
}

static char *set(const SpkSecret *secret, const char *value, char **ret_weak,
		 GError **error)
{
	g_autofree char *home = spk_fs_home(error);
	g_autoptr(SpkSecretText) text = NULL;
	g_auto(File) file = { 0 };
	spk_autofd int lock = -1;
	gboolean fresh = FALSE;

	*ret_weak = NULL;
	if (!home || !lock_home(home, &lock, error) || !open_file(&file, error) ||
	    !choose_seal(&file, &fresh, error))
		return NULL;
	text = spk_secret_text_put(file.text, secret->key, value);
	if (!write_file(&file, text, error))
		return NULL;
	if (fresh)
		spk_kept_put(&file.seal, file.key);
	if (!file.seal.kind)
		*ret_weak = g_strdup(WEAK);
	return words(&file);
}

/* The last one takes the file with it. */
static gboolean remove_key(const char *key, GError **error)
{
	g_autofree char *home = spk_fs_home(error);
	g_autoptr(SpkSecretText) text = NULL;
	g_auto(GStrv) left = NULL;
	g_auto(File) file = { 0 };
	spk_autofd int lock = -1;

	if (!home || !lock_home(home, &lock, error) || !open_file(&file, error))
		return FALSE;
	left = spk_secret_text_keys(file.text);
	if (!g_strv_contains((const char *const *)left, key))
		return FALSE;
	text = spk_secret_text_put(file.text, key, NULL);
	if (left[1])
		return write_file(&file, text, error);
	if (unlink(file.path) == 0)
		return TRUE;
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot remove %s",
			    file.path);
	return FALSE;
}

const SpkSecretPlace spk_secret_file = {
	.here = here,
	.describe = describe,
	.get = get,
	.keys = keys,
	.set = set,
	.remove = remove_key,
};
