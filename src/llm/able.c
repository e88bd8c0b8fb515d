#include "llm/able_priv.h"

#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"

#define FILE_MAX    (256u << 10)
#define ENTRIES_MAX 200
#define KEEP_S	    (30 * 86400)

static char *file_path(void)
{
	g_autofree char *home = spk_fs_home(NULL);

	return home ? g_build_filename(home, "models.json", NULL) : NULL;
}

/* {"URL MODEL": {"tools": bool, "at": seconds}}; empty when there is none that can be read. */
static json_t *load(const char *path)
{
	gsize len = 0;
	g_autofree char *text = spk_fs_read(path, FILE_MAX, &len, NULL);
	json_t *all = text ? spk_json_parse(text, len, FILE_MAX, NULL) : NULL;

	if (json_is_object(all) && json_object_size(all) <= ENTRIES_MAX)
		return all;
	json_decref(all);
	return json_object();
}

SpkAble spk_able_recall(const char *url, const char *model)
{
	g_autofree char *path = file_path();
	g_autofree char *key = g_strdup_printf("%s %s", url, model);
	g_autoptr(json_t) all = path ? load(path) : NULL;
	const json_t *entry = json_object_get(all, key);
	gint64 age = spk_now_us() / G_USEC_PER_SEC - spk_json_int(entry, "at", 0);

	if (!json_is_boolean(json_object_get(entry, "tools")) || age < 0 || age > KEEP_S)
		return SPK_ABLE_UNKNOWN;
	return spk_json_bool(entry, "tools", FALSE) ? SPK_ABLE_TOOLS : SPK_ABLE_TEXT;
}

void spk_able_remember(const char *url, const char *model, SpkAble able)
{
	g_autofree char *path = file_path();
	g_autofree char *key = g_strdup_printf("%s %s", url, model), *text = NULL;
	g_autoptr(json_t) all = path ? load(path) : NULL;
	g_autoptr(GError) error = NULL;

	if (!path)
		return;
	if (json_object_size(all) >= ENTRIES_MAX)
		json_object_clear(all);
	spk_json_set(all, key,
		     json_pack("{s:b,s:I}", "tools", able == SPK_ABLE_TOOLS, "at",
			       (json_int_t)(spk_now_us() / G_USEC_PER_SEC)));
	text = spk_json_dump(all);
	if (!spk_fs_write_atomic(path, text, strlen(text), 0600, &error))
		spk_info("llm", "what %s can do is not remembered: %s", model,
			 error->message);
}
