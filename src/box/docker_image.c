#include "box/docker_image_priv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

struct SpkDockerImages {
	SpkEngine *engine;
	GMutex lock;
	GHashTable *known; /* name -> SpkDockerImage, borrowed; guarded by lock */
	GPtrArray *all;	   /* likewise guarded; what was lent lives as long as we do */
};

static void image_free(SpkDockerImage *image)
{
	json_decref(image->json);
	g_strfreev(image->env);
	g_free(image);
}

SpkDockerImages *spk_docker_images_new(SpkEngine *engine)
{
	SpkDockerImages *images = g_new0(SpkDockerImages, 1);

	images->engine = engine;
	g_mutex_init(&images->lock);
	images->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	images->all = g_ptr_array_new_with_free_func((GDestroyNotify)image_free);
	return images;
}

void spk_docker_images_free(SpkDockerImages *images)
{
	if (!images)
		return;
	g_hash_table_unref(images->known);
	g_ptr_array_unref(images->all);
	g_mutex_clear(&images->lock);
	g_free(images);
}

static char **env_of(const json_t *image)
{
	const json_t *config = json_object_get(image, "Config");
	const json_t *env = json_object_get(config, "Env"), *one;
	g_autoptr(GStrvBuilder) all = g_strv_builder_new();
	gsize i;

	json_array_foreach(env, i, one)
		if (json_is_string(one))
			g_strv_builder_add(all, json_string_value(one));
	return g_strv_builder_end(all);
}

static const char *digest_of(const json_t *image)
{
	const json_t *digests = json_object_get(image, "RepoDigests");
	const char *first = json_string_value(json_array_get(digests, 0));
	const char *at = first ? strchr(first, '@') : NULL;

	return at ? at + 1 : spk_json_str(image, "Id");
}

static SpkDockerImage *ask(SpkDockerImages *images, const char *name, const char *who,
			   SpkCancel *cancel, GError **error)
{
	/* names hold slashes, which belong to the path */
	g_autofree char *escaped = g_uri_escape_string(name, "/:@", FALSE);
	g_autofree char *path = g_strdup_printf("/images/%s/json", escaped);
	g_autofree char *hint = g_strdup_printf(
		"fetch it: `docker pull %s`, or name another one there", name);
	SpkEngineCall call = { .method = "GET", .path = path };
	g_autoptr(GError) why = NULL;
	g_autoptr(json_t) json = spk_engine_call(images->engine, &call, cancel, &why);
	SpkDockerImage *image;

	if (!spk_json_str(json, "Id")) {
		if (why && !spk_error_is(why, SPK_ERR_NOT_FOUND))
			g_propagate_error(error, g_steal_pointer(&why));
		else
			spk_error_set(error, SPK_ERR_BOX_TIER, hint,
				      "%s has no image %s (%s)",
				      spk_engine_name(images->engine), name, who);
		return NULL;
	}
	image = g_new0(SpkDockerImage, 1);
	image->json = g_steal_pointer(&json);
	image->id = spk_json_str(image->json, "Id");
	image->digest = digest_of(image->json);
	image->env = env_of(image->json);
	return image;
}

static SpkDockerImage *look_up(SpkDockerImages *images, const char *name)
{
	SpkDockerImage *image;

	g_mutex_lock(&images->lock);
	image = g_hash_table_lookup(images->known, name);
	g_mutex_unlock(&images->lock);
	return image;
}

/* Who was first stays: others have its id already. */
static const SpkDockerImage *keep(SpkDockerImages *images, const char *name,
				  SpkDockerImage *take_image)
{
	SpkDockerImage *kept;

	g_mutex_lock(&images->lock);
	g_ptr_array_add(images->all, take_image);
	kept = g_hash_table_lookup(images->known, name);
	if (!kept) {
		g_hash_table_insert(images->known, g_strdup(name), take_image);
		kept = take_image;
	}
	g_mutex_unlock(&images->lock);
	return kept;
}

const SpkDockerImage *spk_docker_images_find(SpkDockerImages *images, const char *name,
					     const char *who, SpkCancel *cancel,
					     GError **error)
{
	SpkDockerImage *image = look_up(images, name);

	if (image)
		return image;
	image = ask(images, name, who, cancel, error);
	return image ? keep(images, name, image) : NULL;
}

static gboolean is_it(gpointer name, gpointer image, gpointer wanted)
{
	return image == wanted;
}

void spk_docker_images_forget(SpkDockerImages *images, const SpkDockerImage *image)
{
	g_mutex_lock(&images->lock);
	g_hash_table_foreach_remove(images->known, is_it, (gpointer)image);
	g_mutex_unlock(&images->lock);
}
