/*
 * Containers of the sandbox: made, kept warm, removed, and found again after a crash. Each
 * has a folder of its own outside, ~/.sparks/boxes/NAME: a copy of sparks-box, the plan of the
 * command under way, and a file that is locked as long as we live (box/helper/guest.c).
 */
#ifndef SPK_BOX_DOCKER_CONTAINER_PRIV_H
#define SPK_BOX_DOCKER_CONTAINER_PRIV_H

#include "box/box.h"
#include "box/docker_engine_priv.h"
#include "box/docker_image_priv.h"

/* That folder, as it is seen inside. */
#define SPK_DOCKER_CONTROL     "/.sparks"
#define SPK_DOCKER_HELPER_NAME "box"
#define SPK_DOCKER_LOCK_NAME   "alive"
#define SPK_DOCKER_PLAN_NAME   "plan"
#define SPK_DOCKER_HELPER      SPK_DOCKER_CONTROL "/" SPK_DOCKER_HELPER_NAME
#define SPK_DOCKER_LOCK	       SPK_DOCKER_CONTROL "/" SPK_DOCKER_LOCK_NAME
#define SPK_DOCKER_PLAN	       SPK_DOCKER_CONTROL "/" SPK_DOCKER_PLAN_NAME

/* Processes of ours in it: process 1, the supervisor of a command, the forwarder. */
#define SPK_DOCKER_OWN_PIDS 3

#define SPK_LABEL_HOME		"sparks.home"
#define SPK_LABEL_WORK		"sparks.work"
#define SPK_LABEL_HOLDER	"sparks.holder"
#define SPK_CONTAINER_REMOVE_MS 20000

typedef struct {
	SpkEngine *engine;
	gboolean podman;    /* that is what the engine is */
	gboolean no_layers; /* it can't lay them over lent folders: these are read-only */
	const char *helper; /* sparks-box */
	const char *home;   /* $SPARKS_HOME */
	const char *runtime; /* "": the engine's default */
	const char *path;    /* of the work tree inside */
	gint64 memory_bytes, cpu_quota, pids;
	guint uid, gid;	     /* inside */
	gboolean host_users; /* the engine maps users, and must not for us */
} SpkDockerSpec;

typedef struct {
	char *id;
	char *key;		     /* equal for runs that may share it */
	const SpkDockerImage *image; /* borrowed */
	char *work;		     /* SpkBoxRun's */
	char *from;		     /* likewise; NULL */
	char *control;
	int lock;
} SpkContainer;

/* What two runs must have in common to share a container. */
char *spk_container_key(const SpkBoxRun *run);
/* BOX_TIER when the engine can't show what the run is lent. */
gboolean spk_container_lends(const SpkDockerSpec *spec, const SpkBoxRun *run,
			     GError **error);
/* The body of the request that makes it. */
json_t *spk_container_request(const SpkDockerSpec *spec, const SpkContainer *container,
			      const SpkBoxRun *run);
/* Creates and starts it. BOX_FAILED, NOT_FOUND (the image), DISK_FULL, ENGINE, CANCELLED. */
SpkContainer *spk_container_new(const SpkDockerSpec *spec, const SpkDockerImage *image,
				const SpkBoxRun *run, SpkCancel *cancel, GError **error);
/* Ends all that runs in it and removes it; what the engine has against that is logged. */
void spk_container_free(const SpkDockerSpec *spec, SpkContainer *container);
/* Whether the kernel has killed for want of memory in it; FALSE when that can't be found out. */
gboolean spk_container_out_of_memory(const SpkDockerSpec *spec,
				     const SpkContainer *container);

/* By its id alone; TRUE also when there is none. */
gboolean spk_container_remove(const SpkDockerSpec *spec, const char *id, GError **error);
/* An id goes into paths of requests. */
gboolean spk_container_is_id(const char *id);
/* Where the folders are. */
char *spk_container_folders(const SpkDockerSpec *spec);
/* A descriptor of `name` in `folder`, locked, or -1; `flags`: more ones of open(2). */
int spk_container_lock(const char *folder, const char *name, int flags);

/* ---- docker_sweep.c ---- */
/* Removes the containers and folders whose makers are gone. Returns how many containers. */
guint spk_container_sweep(const SpkDockerSpec *spec);
/* Removes those around `work` that other processes have made. Likewise. */
guint spk_container_end_stale(const SpkDockerSpec *spec, const char *work);

#endif
