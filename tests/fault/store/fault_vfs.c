#include "fault_vfs.h"

#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

typedef struct {
	sqlite3_file base;
	sqlite3_file real[]; /* the system's own, in the memory behind */
} FaultFile;

static sqlite3_vfs *real_vfs;
static sqlite3_vfs fault_vfs;

static struct {
	gboolean armed, stays, fired;
	FaultKind kind;
	int left;
} fault;

void fault_arm(FaultKind kind, int nth, gboolean stays)
{
	fault.armed = TRUE;
	fault.stays = stays;
	fault.fired = FALSE;
	fault.kind = kind;
	fault.left = nth;
}

gboolean fault_disarm(void)
{
	fault.armed = FALSE;
	return fault.fired;
}

/* `code` when this operation has to fail, else SQLITE_OK. */
static int fails(FaultKind kind, int code)
{
	if (!fault.armed || fault.kind != kind)
		return SQLITE_OK;
	fault.left--;
	if (fault.left > 0 || (fault.left < 0 && !fault.stays))
		return SQLITE_OK;
	fault.fired = TRUE;
	return code;
}

static void die(void)
{
	(void)kill(getpid(), SIGKILL);
	pause();
}

/* ---- files ---- */

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((FaultFile *)file)->real;
}

static int file_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *data, int n, sqlite3_int64 offset)
{
	int code = fails(FAULT_IO, SQLITE_IOERR_READ);

	return code ? code
		    : real_of(file)->pMethods->xRead(real_of(file), data, n, offset);
}

static int file_write(sqlite3_file *file, const void *data, int n, sqlite3_int64 offset)
{
	int code = fails(FAULT_FULL, SQLITE_FULL);

	gboolean dies = fails(FAULT_KILL, SQLITE_FULL) != SQLITE_OK;

	if (!code)
		code = fails(FAULT_IO, SQLITE_IOERR_WRITE);
	if (!code && !dies)
		return real_of(file)->pMethods->xWrite(real_of(file), data, n, offset);
	/* how much of it a failing disk has got is unknown: here, half */
	(void)real_of(file)->pMethods->xWrite(real_of(file), data, n / 2, offset);
	if (dies)
		die();
	return code;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int code = fails(FAULT_IO, SQLITE_IOERR_TRUNCATE);

	if (fails(FAULT_KILL, SQLITE_FULL))
		die();
	return code ? code : real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
	/* no power fails here: the real one would only cost time */
	return fails(FAULT_IO, SQLITE_IOERR_FSYNC);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *result)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int file_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_device(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend,
			void volatile **map)
{
	int code = fails(FAULT_IO, SQLITE_IOERR_SHMMAP);

	return code ? code
		    : real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend,
						       map);
}

static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int delete)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), delete);
}

static const sqlite3_io_methods file_methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_lock,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_device,
	.xShmMap = file_shm_map,
	.xShmLock = file_shm_lock,
	.xShmBarrier = file_shm_barrier,
	.xShmUnmap = file_shm_unmap,
};

/* ---- the file system ---- */

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
		    int *out_flags)
{
	int code = fails(FAULT_IO, SQLITE_CANTOPEN);

	file->pMethods = NULL;
	if (!code)
		code = real_vfs->xOpen(real_vfs, name, real_of(file), flags, out_flags);
	if (!code)
		file->pMethods = &file_methods;
	return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	int code = fails(FAULT_IO, SQLITE_IOERR_DELETE);

	return code ? code : real_vfs->xDelete(real_vfs, name, 0);
}

void fault_vfs_install(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	fault_vfs = *real_vfs;
	fault_vfs.zName = "fault";
	fault_vfs.szOsFile = (int)sizeof(FaultFile) + real_vfs->szOsFile;
	fault_vfs.xOpen = vfs_open;
	fault_vfs.xDelete = vfs_delete;
	g_assert(sqlite3_vfs_register(&fault_vfs, 1) == SQLITE_OK);
}
