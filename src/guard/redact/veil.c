#include "guard/veil.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/veil.h"
#include "guard/redact/redact_priv.h"

static GMutex lock;
static SpkRedact *shared; /* these guarded by lock */
static guint made_at;
static gboolean keeps_key;
static guint8 tag_key[REDACT_TAG_KEY];
static gboolean tag_key_there;

/* ---- the key of the tags ---- */

static gboolean read_key(const char *path)
{
	spk_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0 && read(fd, tag_key, sizeof(tag_key)) == sizeof(tag_key);
}

/* Whoever is first writes it: a file that is there stays. */
static void keep_key(const char *path)
{
	g_autofree char *fresh = g_strdup_printf("%s.%d", path, (int)getpid());
	spk_autofd int fd =
		open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return;
	if (spk_fs_write_all(fd, (const char *)tag_key, sizeof(tag_key), NULL) &&
	    link(fresh, path) < 0 && errno == EEXIST)
		(void)read_key(path); /* else ours holds for this process */
	(void)unlink(fresh);
}

void redact_tag_key(guint8 *ret_key)
{
	g_mutex_lock(&lock);
	if (!tag_key_there) {
		g_autofree char *home = keeps_key ? spk_fs_home(NULL) : NULL;
		g_autofree char *path = home ? g_build_filename(home, "redact.key", NULL)
					     : NULL;

		if (!path || !read_key(path)) {
			if (getrandom(tag_key, sizeof(tag_key), 0) != sizeof(tag_key))
				memset(tag_key, 0, sizeof(tag_key));
			if (path)
				keep_key(path);
		}
		tag_key_there = TRUE;
	}
	memcpy(ret_key, tag_key, sizeof(tag_key));
	g_mutex_unlock(&lock);
}

void spk_guard_veil_key(void)
{
	guint8 key[REDACT_TAG_KEY];

	redact_tag_key(key);
	explicit_bzero(key, sizeof(key));
}

void veil_keep_key(void)
{
	g_mutex_lock(&lock);
	keeps_key = TRUE;
	g_mutex_unlock(&lock);
}

/* ---- what is in force ---- */

static void add(const char *name, const char *value, gpointer user)
{
	g_ptr_array_add(user, g_strdup(name));
	g_ptr_array_add(user, g_strdup(value));
}

static void wipe_all(GPtrArray *pairs)
{
	for (guint i = 0; i < pairs->len; i++)
		explicit_bzero(pairs->pdata[i], strlen(pairs->pdata[i]));
	g_ptr_array_unref(pairs);
}

static SpkRedact *make(void)
{
	g_auto(GStrv) env = g_get_environ();
	GPtrArray *pairs = g_ptr_array_new_with_free_func(g_free);
	SpkRedact *redact;

	made_at = spk_veil_generation();
	spk_veil_each(add, pairs);
	redact = redact_new_of((const char *const *)env, pairs);
	wipe_all(pairs);
	return redact;
}

SpkRedact *spk_guard_redact(void)
{
	SpkRedact *redact;

	g_mutex_lock(&lock);
	if (!shared || made_at != spk_veil_generation()) {
		spk_redact_free(shared);
		shared = make();
	}
	redact = redact_ref(shared);
	g_mutex_unlock(&lock);
	return redact;
}
