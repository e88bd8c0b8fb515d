/* One command in a container that is there: its plan, the exec, its streams, its end. */
#ifndef SPK_BOX_DOCKER_EXEC_PRIV_H
#define SPK_BOX_DOCKER_EXEC_PRIV_H

#include "box/box_priv.h"
#include "box/docker_container_priv.h"

typedef enum {
	SPK_EXEC_ENDED,	       /* all of it is gone, and the container as good as new */
	SPK_EXEC_NO_CONTAINER, /* nothing ran; the container is not there any more */
	SPK_EXEC_SPOILT,       /* see the result or the error; the container must go */
} SpkExecEnd;

/* spk_box_run() in `container`. *ret_ran: whether there is a result; else *error is set,
 * unless the container is missing. */
SpkExecEnd spk_docker_exec(const SpkDockerSpec *spec, const SpkBoxSettings *settings,
			   const SpkContainer *container, const SpkBoxRun *run,
			   SpkCancel *cancel, SpkBoxResult *ret_result, gboolean *ret_ran,
			   GError **error);
/* Landlock's version as sparks-box sees it in there; 0: none, or not to be had. */
int spk_docker_probe_landlock(const SpkDockerSpec *spec, const SpkContainer *container,
			      SpkCancel *cancel);

#endif
