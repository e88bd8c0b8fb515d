/* Copies of the whole store to a file and back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "store/halt.h"
#include "store/memory/memory_priv.h"
#include "store/store_priv.h"

/* Far above any token that was ever given out: a holder from before a restore is refused. */
#define TOKEN_STRIDE "1000000000"

/* ---- out ---- */

/* Of the store itself: to put another file there would take its work from whoever has it open. */
static gboolean is_own_file(const SpkStore *store, const struct stat *st)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (gsize i = 0; i < G_N_ELEMENTS(ends); i++) {
		g_autofree char *own = g_strconcat(store->path, ends[i], NULL);
		struct stat of;

		if (stat(own, &of) == 0 && of.st_dev == st->st_dev &&
		    of.st_ino == st->st_ino)
			return TRUE;
	}
	return FALSE;
}

static gboolean may_write(const SpkStore *store, const char *path, gboolean replace,
			  GError **error)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return TRUE; /* what else is wrong with it, the writing says */
	if (is_own_file(store, &st)) {
		spk_error_set(error, SPK_ERR_USAGE, "name another file",
			      "%s is the store itself", path);
		return FALSE;
	}
	if (replace && S_ISREG(st.st_mode))
		return TRUE;
	spk_error_set(error, SPK_ERR_CONFLICT,
		      S_ISREG(st.st_mode) ? "name another file, or say --force"
					  : "name a file",
		      "%s is there already%s", path,
		      S_ISREG(st.st_mode) ? "" : " and no regular file");
	return FALSE;
}

/* An empty file of that name for its owner only, in the folder of `path`. */
static char *make_temporary(const char *path, GError **error)
{
	g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
	spk_autofd int fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return g_steal_pointer(&temporary);
	spk_error_set_errno(error, SPK_ERR_IO, errno, "name a file in a folder of yours",
			    "cannot write beside %s", path);
	return NULL;
}

static gboolean check_file(const char *path, GError **error)
{
	g_autoptr(SpkStore) copy = spk_store_open_as_is(
		path, "normal", SPK_STORE_READ_ONLY | SPK_STORE_MUST_EXIST, error);

	if (copy && copy->version > spk_store_newest) {
		spk_error_set(error, SPK_ERR_STORE_NEWER,
			      "restore it with the sparks that made it, or a newer one",
			      "%s has schema version %d, and this sparks knows versions "
			      "up to %d",
			      path, copy->version, spk_store_newest);
		return FALSE;
	}
	return copy && spk_store_check(copy, error);
}

static gboolean sync_path(const char *path, GError **error)
{
	spk_autofd int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fsync(fd) == 0)
		return TRUE;
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot write %s", path);
	return FALSE;
}

static gboolean put_in_place(const char *temporary, const char *path, GError **error)
{
	g_autofree char *folder = g_path_get_dirname(path);

	if (!sync_path(temporary, error))
		return FALSE;
	if (rename(temporary, path) != 0) {
		spk_error_set_errno(error, SPK_ERR_IO, errno, NULL, "cannot make %s",
				    path);
		return FALSE;
	}
	return sync_path(folder, error);
}

gboolean spk_store_backup(SpkStore *store, const char *path, gboolean replace,
			  SpkCancel *cancel, GError **error)
{
	g_autofree char *temporary = NULL;
	gboolean ok;

	if (!may_write(store, path, replace, error))
		return FALSE;
	temporary = make_temporary(path, error);
	if (!temporary)
		return FALSE;
	ok = store->impl->copy(store->db, temporary, FALSE, cancel, error) &&
	     check_file(temporary, error) && put_in_place(temporary, path, error);
	if (!ok)
		(void)unlink(temporary); /* of the first failure alone is told */
	return ok;
}

/* ---- back ---- */

static gboolean refuse_busy(const char *holder, const char *what, GError **error)
{
	spk_error_set(error, SPK_ERR_BUSY, "stop it first (SIGTERM drains a daemon)",
		      "%s: process %" G_GINT64_FORMAT, what, spk_holder_pid(holder));
	return FALSE;
}

static gboolean is_idle(SpkStore *store, GError **error)
{
	g_autoptr(GError) failed = NULL;
	g_autofree char *daemon = spk_worker_find(store, &failed);
	g_autofree char *holder = NULL;

	if (daemon)
		return refuse_busy(daemon, "a daemon runs on this store", error);
	if (!failed)
		holder = spk_lease_find_living(store, NULL, &failed);
	if (holder)
		return refuse_busy(holder, "a task is being worked on", error);
	if (failed)
		g_propagate_error(error, g_steal_pointer(&failed));
	return failed == NULL && holder == NULL;
}

/* A stop that is on stays on, whatever was so when the copy was taken. */
static gboolean keep_halt(SpkStore *store, const SpkHalt *halt, GError **error)
{
	return !halt || spk_halt_set(store, halt->by, halt->note, NULL, error);
}

/* A copy taken while tasks ran holds leases and daemons of then; caches over the memories know of
 * changes that never were. */
static gboolean end_all_holds(SpkStore *store, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);

	return tx &&
	       spk_tx_exec(tx,
			   "UPDATE leases SET token = token + " TOKEN_STRIDE
			   ", holder = NULL, until_us = 0",
			   NULL, NULL, error) &&
	       spk_tx_exec(tx, "DELETE FROM workers", NULL, NULL, error) &&
	       spk_memory_rename_store(tx, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}

/* The id keeps two of one second apart. */
static char *aside_path(SpkStore *store)
{
	g_autofree char *time = spk_time_format(spk_now_us());
	g_autofree char *id = spk_id_new();

	time[10] = '\0'; /* the day */
	return g_strdup_printf("%s.before-restore-%s-%s", store->path, time, id);
}

gboolean spk_store_restore(SpkStore *store, const char *path, char **ret_aside,
			   SpkCancel *cancel, GError **error)
{
	g_autofree char *aside = aside_path(store);
	g_autoptr(SpkHalt) halt = NULL;

	if (access(path, F_OK) < 0) {
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "name a file that `sparks store backup` has written",
			      "there is no %s", path);
		return FALSE;
	}
	if (!check_file(path, error) || !is_idle(store, error) ||
	    !spk_halt_find(store, &halt, error))
		return FALSE;
	if (!spk_store_backup(store, aside, FALSE, cancel, error)) {
		g_prefix_error(error, "nothing was restored, for what is there could not "
				      "be put aside: ");
		return FALSE;
	}
	if (!store->impl->copy(store->db, path, TRUE, cancel, error))
		return FALSE;
	*ret_aside = g_steal_pointer(&aside);
	if (!spk_store_migrate(store, spk_store_newest, error))
		return FALSE;
	store->version = spk_store_newest;
	return keep_halt(store, halt, error) && end_all_holds(store, error);
}
