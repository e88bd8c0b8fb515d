/* Images of containers. Each name is resolved once, to an id, so that a tag that moves while
 * we live changes nothing. Any thread. */
#ifndef SPK_BOX_DOCKER_IMAGE_PRIV_H
#define SPK_BOX_DOCKER_IMAGE_PRIV_H

#include "box/docker_engine_priv.h"

typedef struct {
	const char *id;
	const char *digest; /* that its registry knows it by, else the id */
	json_t *json;	    /* as the engine describes it */
	char **env;	    /* "K=V" that it sets */
} SpkDockerImage;

typedef struct SpkDockerImages SpkDockerImages;

/* `engine` is borrowed. */
SpkDockerImages *spk_docker_images_new(SpkEngine *engine);
void spk_docker_images_free(SpkDockerImages *images);
/* Valid as long as `images` is. BOX_TIER when the engine has none of that name; `who` says
 * in the message where the name is from ("[docker] image"). */
const SpkDockerImage *spk_docker_images_find(SpkDockerImages *images, const char *name,
					     const char *who, SpkCancel *cancel,
					     GError **error);
/* The engine has lost it: the next one who wants that name asks again. */
void spk_docker_images_forget(SpkDockerImages *images, const SpkDockerImage *image);

#endif
