/* What follows from the `info` of an engine, and how the tier is described. */
#ifndef SPK_BOX_DOCKER_REACH_PRIV_H
#define SPK_BOX_DOCKER_REACH_PRIV_H

#include "box/docker_container_priv.h"

void spk_docker_choose_user(SpkDockerSpec *spec, const json_t *info);
/* BOX_TIER when it lacks the runtime that is asked for. */
gboolean spk_docker_check_runtime(const SpkDockerSpec *spec, const json_t *info,
				  GError **error);
/* As spk_box_controls(). */
json_t *spk_docker_controls(const SpkDockerSpec *spec, const SpkDockerImage *image,
			    const json_t *info);
char *spk_docker_describe(const SpkDockerSpec *spec, const char *name,
			  const SpkDockerImage *image);

#endif
