/*
 * Vectors that memories lack (they were added where there was no model, or by another model), made
 * by the daemon while no task runs. One thread, of low priority, that lives as long as there is
 * something to do; what it loaded goes with it.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "core/core_priv.h"
#include "memory/memory.h"

#define AT_ONCE 8 /* texts between two looks at whether to stop */
#define NICE	10
/* From a failure to the next try, doubled with each up to the second. */
#define LATER_US (60 * (gint64)G_USEC_PER_SEC)
#define MOST_US	 (3600 * (gint64)G_USEC_PER_SEC)

struct Filler {
	SpkCore *core;
	GThread *thread;   /* of the main thread: the last one; NULL: joined */
	SpkCancel *cancel; /* of that thread */
	gint done;	   /* atomic: it has nothing to do any more */
	gint64 change;	   /* of the memories when it ended; only between two threads */
	gboolean complete; /* … and none was without a vector, or none can be made */
	gboolean failed;   /* … for a reason that may pass */
	gint64 wait_us;	   /* since the last failure; 0: it was none */
	gint64 next_us;	   /* monotonic: when it is tried again */
};

Filler *filler_new(SpkCore *core)
{
	Filler *filler = g_new0(Filler, 1);

	filler->core = core;
	filler->change = -1;
	return filler;
}

/* Whether what embeds may be back later without anybody having done something here. */
static gboolean is_server(const SpkConf *conf)
{
	const char *provider = spk_conf_str(conf, "embedding.provider");

	return spk_conf_bool(conf, "embedding.enabled") &&
	       (!strcmp(provider, "openai") || !strcmp(provider, "ollama"));
}

/* FALSE: it is to stop, or cannot go on. */
static gboolean fill(Filler *filler, const SpkConf *conf, SpkMemory *memory)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *model = spk_memory_model(memory);
	guint left = G_MAXUINT, before;

	if (!model) {
		filler->failed = is_server(conf);
		return !filler->failed;
	}
	do {
		before = left;
		if (!spk_memory_fill(memory, AT_ONCE, &left, filler->cancel, &error)) {
			if (!spk_error_is(error, SPK_ERR_CANCELLED) &&
			    !spk_error_is(error, SPK_ERR_NOT_FOUND))
				spk_info("core", "memories stay without vectors: %s",
					 error->message);
			/* what is not there at all is not asked for again and again */
			filler->failed = !spk_error_is(error, SPK_ERR_CANCELLED) &&
					 !spk_error_is(error, SPK_ERR_NOT_FOUND);
			return spk_error_is(error, SPK_ERR_NOT_FOUND);
		}
	} while (left && left < before && !spk_cancel_is_fired(filler->cancel));
	return !spk_cancel_is_fired(filler->cancel);
}

static gpointer work(gpointer data)
{
	Filler *filler = data;
	SpkStore *store = spk_core_store(filler->core);
	g_autoptr(SpkConf) conf = spk_core_conf(filler->core);
	g_autoptr(SpkMemory) memory = NULL;
	SpkMemoryStamp stamp;

	(void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE); /* a courtesy */
	memory = spk_memory_open(store, conf, spk_core_home(filler->core), NULL);
	if (memory)
		spk_memory_set_patience(memory, 0);
	filler->failed = FALSE;
	filler->complete = memory && fill(filler, conf, memory);
	/* its own vectors are writes, too */
	if (spk_memories_stamp(store, &stamp, NULL))
		filler->change = stamp.change;
	filler->wait_us = !filler->failed   ? 0
			  : filler->wait_us ? MIN(2 * filler->wait_us, MOST_US)
					    : LATER_US;
	filler->next_us = spk_mono_us() + filler->wait_us;
	g_atomic_int_set(&filler->done, 1);
	return NULL;
}

static void join(Filler *filler)
{
	if (filler->thread)
		g_thread_join(filler->thread);
	filler->thread = NULL;
	g_clear_pointer(&filler->cancel, spk_cancel_unref);
}

void filler_start(Filler *filler)
{
	SpkMemoryStamp stamp;

	if (filler->thread && !g_atomic_int_get(&filler->done))
		return;
	join(filler);
	if (!spk_memories_stamp(spk_core_store(filler->core), &stamp, NULL) ||
	    !stamp.change ||
	    (stamp.change == filler->change &&
	     (filler->complete || (filler->failed && spk_mono_us() < filler->next_us))))
		return;
	filler->cancel = spk_cancel_new(NULL);
	g_atomic_int_set(&filler->done, 0);
	filler->thread = g_thread_new("spk-filler", work, filler);
}

int filler_due(Filler *filler)
{
	/* how it ended is seen then, at the latest */
	if (filler->thread && !g_atomic_int_get(&filler->done))
		return (int)(LATER_US / 1000);
	if (!filler->failed)
		return -1;
	return (int)CLAMP((filler->next_us - spk_mono_us()) / 1000 + 10, 10,
			  MOST_US / 1000);
}

void filler_stop(Filler *filler)
{
	if (filler->cancel)
		spk_cancel_fire(filler->cancel, "a task is to run");
}

void filler_free(Filler *filler)
{
	filler_stop(filler);
	join(filler);
	g_free(filler);
}
