/* What the files of the sandbox share: what was probed, the settings, and the plan builder. */
#ifndef SPK_BOX_BOX_PRIV_H
#define SPK_BOX_BOX_PRIV_H

#include "box/box.h"
#include "box/box_plan.h"
#include "box/cgroup.h"
#include "box/toolchains.h"
#include "box/tree.h"

typedef struct {
	gboolean userns; /* every namespace, and a private root in them */
	gboolean seccomp;
	gboolean
		process_list; /* /proc/…/children: how the landlock tier finds what to kill */
	gboolean
		listener; /* refused calls can be counted, and modes changed by a deputy */
	int landlock;	  /* ABI, 0: none */
	char *failed; /* "user namespace: Operation not permitted"; NULL when userns */
	json_t *controls; /* for spk_box_controls() */
} SpkBoxProbe;

void spk_box_probe_clear(SpkBoxProbe *probe);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkBoxProbe, spk_box_probe_clear)

/* Path of sparks-box. NOT_FOUND naming the places that were tried. */
char *spk_box_find_helper(GError **error);
/* Runs `helper --probe`. */
gboolean spk_box_probe(const char *helper, SpkBoxProbe *ret_probe, GError **error);
/* What to do about user namespaces that are refused here. Static. */
const char *spk_box_probe_remedy(void);

typedef struct {
	SpkTier tier;
	int landlock; /* ABI */
	gint64 timeout_ms;
	gint64 memory_bytes, pids, fsize_bytes, disk_bytes, inodes;
	gboolean tell;	  /* refused calls are counted */
	gboolean cgroups; /* memory is held by them, and needs no meter */
	const char *path; /* where the work tree appears; NULL: same place (not docker) */
	const char *const *image_env; /* tier docker: variables of the image; or NULL */
	const SpkToolchains *tools;   /* NULL: none, and the PATH of the system */
} SpkBoxSettings;

/* The user inside, and where their files go in tier native. */
#define SPK_BOX_ID   "1000"
#define SPK_BOX_HOME "/home/spark"
#define SPK_BOX_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
#define SPK_BOX_TMPFS_BYTES_PER_FILE \
	16384 /* of the box's memory; an empty file takes 1 KiB */
/* The proxy as a program in the box knows it; outside of what the kernel gives by itself. */
#define SPK_BOX_PROXY_PORT   "61080"
#define SPK_BOX_PROXY_SOCKET "/run/sparks-proxy"
#define SPK_BOX_AUTHORITIES  "/run/sparks-ca.pem"

/* One step with as many arguments as the table of box_plan.h says; the others are NULL. */
void spk_box_put(GByteArray *plan, SpkPlanOp op, const char *first, const char *second);
void spk_box_put_number(GByteArray *plan, SpkPlanOp op, const char *what, gint64 number);
void spk_box_put_string(GByteArray *plan, const char *text);

/* ---- box_run.c ---- */
/* The folder that is shown as the work tree. */
const char *spk_box_run_source(const SpkBoxRun *run);
gboolean spk_box_may_write(const SpkBoxRun *run, const SpkBoxMount *mount);
/* Whether tier landlock links to the cache. */
gboolean spk_box_links(const SpkCache *cache);
/* The path outside of one of `kept`, or NULL: there is nothing to keep. */
char *spk_box_kept_source(const SpkBoxRun *run, const char *name);
/* What [box] says; the tier and what it knows are the backend's to add. */
SpkBoxSettings spk_box_settings_read(SpkConf *conf);
/* Adds to `blocked`. */
void spk_box_result_block(SpkBoxResult *result, const char *rule, const char *what);

/* Options of an overlay for a folder with layers, whose paths are below `root`; `write`: with
 * the one that takes what is written. */
void spk_box_put_layers(GString *options, const SpkTreeLent *lent, gboolean write,
			const char *root);
/* The part of a plan that is the same for every run. */
GByteArray *spk_box_plan_system(const SpkBoxSettings *settings);
/* The whole plan of one run. `system` is NULL in tier docker, `scratch` is the private folder
 * for temporary files (tier landlock, else NULL), `group` the control group, or NULL. LIMIT
 * when the command is too long. */
GByteArray *spk_box_plan_run(const SpkBoxSettings *settings, const GByteArray *system,
			     const SpkBoxRun *run, const SpkCgroup *group,
			     const char *scratch, GError **error);
/* BOX_TIER when the tier landlock can't keep what `kept` names. */
gboolean spk_box_plan_keeps(const SpkBoxRun *run, GError **error);
/* USAGE when a path of the run can't be used. */
gboolean spk_box_plan_check(const SpkBoxRun *run, GError **error);

/* Ends the processes sparks-box around `work`; returns how many there were. */
guint spk_box_end_processes(const char *work);

#endif
