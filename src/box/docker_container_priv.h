/*
 * Containers of the sandbox: made, kept warm, removed, and found again after a crash. Each
 * has a folder of its own outside, ~/.sparks/boxes/NAME: a copy of sparks-box, the plan of the
 * command under way, and a file that is locked as long as we live (box/helper/guest.c).
 */
#ifndef SPK_BOX_DOCKER_CONTAINER_PRIV_H
#define SPK_BOX_DOCKER_CONTAINER_PRIV_H

#include "box/box.h"
#include "box/docker_engine_priv.h"

/* Where that folder is seen inside. */
#define SPK_DOCKER_CONTROL "/.sparks"

typedef struct {
	SpkEngine *engine;
	const char *helper;  /* sparks-box */
	const char *home;    /* $SPARKS_HOME */
	const char *runtime; /* "": the engine's default */
	const char *path;    /* of the work tree inside */
	json_t *image;	     /* as the engine describes it */
	gint64 memory_bytes, cpu_quota, pids;
	guint uid, gid;	     /* inside */
	gboolean host_users; /* the engine maps users, and must not for us */
} SpkDockerSpec;

typedef struct {
	char *id;
	char *key;  /* equal for runs that may share it */
	char *work; /* SpkBoxRun's */
	char *from; /* likewise; NULL */
	char *control;
	int lock;
} SpkContainer;

/* What two runs must have in common to share a container. */
char *spk_container_key(const SpkBoxRun *run);
/* Creates and starts it. BOX_FAILED, NOT_FOUND (the image), DISK_FULL, ENGINE, CANCELLED. */
SpkContainer *spk_container_new(const SpkDockerSpec *spec, const SpkBoxRun *run,
				SpkCancel *cancel, GError **error);
/* Ends all that runs in it and removes it; what the engine has against that is logged. */
void spk_container_free(const SpkDockerSpec *spec, SpkContainer *container);
/* Whether the kernel has killed for want of memory in it; FALSE when that can't be found out. */
gboolean spk_container_out_of_memory(const SpkDockerSpec *spec,
				     const SpkContainer *container);

/* Removes the containers and folders whose makers are gone. Returns how many containers. */
guint spk_container_sweep(const SpkDockerSpec *spec);
/* Removes those around `work` that other processes have made. Likewise. */
guint spk_container_end_stale(const SpkDockerSpec *spec, const char *work);

#endif
