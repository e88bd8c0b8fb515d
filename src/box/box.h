/*
 * The sandbox: runs one command in a box around a work tree. Tiers and their meaning:
 * interface.md. How the walls are built is the affair of a backend (box/box_impl.h): the
 * native one, or a container engine. Any thread.
 */
#ifndef SPK_BOX_BOX_H
#define SPK_BOX_BOX_H

#include <glib.h>
#include <jansson.h>

#include "base/cancel.h"
#include "box/toolchains.h"
#include "conf/conf.h"

typedef struct SpkBox SpkBox;

typedef enum { /* weakest first, so that tiers compare with < */
	       SPK_TIER_NONE,
	       SPK_TIER_LANDLOCK,
	       SPK_TIER_DOCKER,
	       SPK_TIER_NATIVE,
	       SPK_TIER_NATIVE_FULL,
} SpkTier;

const char *spk_tier_name(SpkTier tier); /* "native-full", ... */

typedef struct {
	void (*out)(const char *data, gsize len, gpointer user);
	void (*err)(const char *data, gsize len, gpointer user); /* only when split */
	gpointer user;
} SpkBoxSink;

/* A folder or file of the host, shown in the box. */
typedef struct {
	char *from, *to; /* absolute */
	gboolean read_only;
} SpkBoxMount;
SpkBoxMount *spk_box_mount_new(const char *from, const char *to, gboolean read_only);
GPtrArray *spk_box_mounts_new(void); /* frees what is added */

typedef struct {
	const char *work; /* absolute; the only writable place, same path inside */
	const char *
		work_from; /* NULL, or the folder that is shown at `work` instead (a clean
				 * checkout for a check); tier landlock: run there directly */
	const char *const
		*read_only; /* more absolute paths that may be read; may be NULL */
	const char *const *argv;
	const char *const *env; /* "K=V" added to the neutral environment; may be NULL */
	const char *cwd;	/* relative to work; NULL: work */
	/* Folders lent to the box: SpkTreeLent (box/tree.h), or NULL; `hidden`: files below
	 * `work` that are masked then. Tier landlock has no mounts: they are not there. */
	const GPtrArray *lent;
	const GPtrArray *mounts;   /* SpkBoxMount; NULL: none */
	gboolean mounts_read_only; /* all of them, whatever they say */
	char *const *hidden;
	gint64 timeout_ms; /* wall clock; 0: from [box] timeout_secs */
	gsize max_out;	   /* bytes kept in memory; 0: 64 KiB */
	const char
		*spill_path; /* all of the output when it passes max_out; may be NULL */
	gboolean split;	     /* keep stderr apart; else merged into out */
	/* Socket of a proxy (net/proxy.h), the only way out of the box; NULL: there is none.
	 * POLICY where the tier has no network of its own (landlock). */
	const char *way_out;
	/* Image that its container is made of; NULL: [docker] image. No other tier has one. */
	const char *image;
	/* Hosts that programs ask directly, not the proxy; NULL: none. */
	const char *no_proxy;
	/* "K=V" that go with it: base URLs; `env` wins. NULL: none. */
	const char *const *way_env;
	/* File with the certificates that programs are to trust, shown in the box; NULL: as they
	 * do by themselves. */
	const char *authorities;
	gboolean
		read_only_work; /* `work` can't be written either (sparks that only read) */
	const char *const
		*kept; /* names below `work` that stay read-only where they exist; may be
			* NULL. Tier landlock has no such rule: BOX_TIER when one exists */
	int stdin_fd;  /* borrowed; 0: /dev/null */
	/* Hears the output as it comes, without a limit; may be NULL. */
	const SpkBoxSink *sink;
	gboolean
		stop_flood; /* without a sink: more output than may be kept ends the box */
} SpkBoxRun;

typedef struct {
	int exit_code; /* interface.md: 124 time-out, 125 box failed, 126/127, 128+N */
	int signal;
	gboolean timed_out;
	gboolean truncated;
	GString *out, *err; /* err NULL unless split */
	guint64 out_total;
	char *out_sha256;
	double seconds;
	glong rss_max_kib;
	json_t *blocked; /* array of {"rule","what"}, best effort; NULL: none */
	json_t *refused; /* array of {"call","times"}: what seccomp refused; NULL: none */
	char *untold;	 /* why nothing is known of such calls; NULL: it is known */
} SpkBoxResult;
void spk_box_result_clear(SpkBoxResult *result);
/* Sets `blocked`, `refused` and `untold` of an object, each where there is something to say. */
void spk_box_result_tell(const SpkBoxResult *result, json_t *object);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkBoxResult, spk_box_result_clear)

/* Finds `sparks-box` ($SPARKS_BOX, beside our own binary, or ../libexec/sparks), probes once what
 * this machine allows, and takes the strongest tier. BOX_TIER when that is below [box]
 * require_tier: the message says why it is weaker and what to do. */
SpkBox *spk_box_open(SpkConf *conf, GError **error);
void spk_box_free(SpkBox *box);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkBox, spk_box_free)

SpkTier spk_box_tier(SpkBox *box);
/* One line for people: which walls stand, and why the tier isn't stronger. */
const char *spk_box_describe(SpkBox *box);
/* What would make it stronger here; NULL: nothing stands in the way. Static. */
const char *spk_box_remedy(SpkBox *box);
/* [{"control":"user namespace","ok":true,"detail":…}…] for doctor. */
json_t *spk_box_controls(SpkBox *box);

/* Whether a run can be lent folders here (SpkBoxRun.lent). */
gboolean spk_box_lends(SpkBox *box);

/* What commands have of the user's toolchains and caches; NULL: nothing. Of the box. */
const SpkToolchains *spk_box_tools(SpkBox *box);

/* Whether commands can have a way out here (SpkBoxRun.way_out). */
gboolean spk_box_has_way_out(SpkBox *box);

/* TRUE when the command ran (whatever exit code, also time-out). BOX_FAILED when the walls
 * could not be built: then nothing ran. CANCELLED: the whole process tree is gone. */
gboolean spk_box_run(SpkBox *box, const SpkBoxRun *run, SpkCancel *cancel,
		     SpkBoxResult *ret_result, GError **error);

/* Ends the boxes around `work` that somebody else's run has left alive (a holder that hangs, or
 * died a moment ago). To be called before a task is taken over; waits at most 2 s for each.
 * Returns how many there were. */
guint spk_box_end_stale(SpkBox *box, const char *work);

/* Nothing more is to be run around `work` for now: what was kept warm for it may go. */
void spk_box_leave(SpkBox *box, const char *work);

#endif
