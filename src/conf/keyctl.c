/*
 * The kernel's keyring by raw system calls: libkeyutils would be one more library for five
 * of them. Keys lie in the keyring of the user; a link from the process's own keyring gives
 * us the right to read there, also where the session was set up without one.
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "conf/secret_priv.h"

#define TYPE "user"

static long keyctl(int what, unsigned long a, unsigned long b, unsigned long c,
		   unsigned long d)
{
	return syscall(SYS_keyctl, what, a, b, c, d);
}

static gboolean refused(GError **error)
{
	spk_error_set_errno(error, SPK_ERR_IO, errno, NULL,
			    "the kernel's keyring is not to be had");
	return FALSE;
}

static gboolean reach(GError **error)
{
	return keyctl(KEYCTL_LINK, (unsigned long)KEY_SPEC_USER_KEYRING,
		      (unsigned long)KEY_SPEC_PROCESS_KEYRING, 0, 0) == 0 ||
	       refused(error);
}

gboolean spk_keyctl_get(const char *name, guint8 key[SPK_SEAL_KEY], GError **error)
{
	guint8 found[SPK_SEAL_KEY];
	long id, n;

	if (!reach(error))
		return FALSE;
	id = keyctl(KEYCTL_SEARCH, (unsigned long)KEY_SPEC_USER_KEYRING,
		    (unsigned long)TYPE, (unsigned long)name, 0);
	if (id < 0 && (errno == ENOKEY || errno == EKEYEXPIRED || errno == EKEYREVOKED))
		return FALSE;
	n = id < 0 ? -1
		   : keyctl(KEYCTL_READ, (unsigned long)id, (unsigned long)found,
			    sizeof(found), 0);
	if (n < 0)
		return refused(error);
	if (n != sizeof(found))
		return FALSE;
	memcpy(key, found, sizeof(found));
	explicit_bzero(found, sizeof(found));
	return TRUE;
}

gboolean spk_keyctl_put(const char *name, const guint8 key[SPK_SEAL_KEY], guint seconds,
			GError **error)
{
	long id;

	if (!reach(error))
		return FALSE;
	id = syscall(SYS_add_key, TYPE, name, key, (gsize)SPK_SEAL_KEY,
		     KEY_SPEC_USER_KEYRING);
	if (id < 0)
		return refused(error);
	if (keyctl(KEYCTL_SET_TIMEOUT, (unsigned long)id, seconds, 0, 0) == 0)
		return TRUE;
	(void)refused(error);
	/* a key without an end is not what was promised */
	(void)keyctl(KEYCTL_REVOKE, (unsigned long)id, 0, 0, 0);
	return FALSE;
}
