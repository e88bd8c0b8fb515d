#include "agent/persona.h"

#include "agent/prompt_file.h"
#include "base/error.h"

static gboolean read_one(const SpkConf *conf, const char *option, char **ret_text,
			 char **ret_path, GError **error)
{
	const char *name = spk_conf_str(conf, option);
	g_autofree char *folder = spk_conf_folder(conf, option);
	g_autofree char *place = NULL, *why = NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	const char *hint;

	if (!*name)
		return TRUE;
	*ret_path = spk_prompt_add(text, folder, "souls", name, &why, &hint);
	if (*ret_path) {
		*ret_text = g_string_free(g_steal_pointer(&text), FALSE);
		return TRUE;
	}
	place = spk_conf_place(conf, option);
	spk_error_set(error, SPK_ERR_CONFIG, hint, "%s: %s %s", place, option, why);
	return FALSE;
}

gboolean spk_persona_read(const SpkConf *conf, SpkPersona *ret_persona, GError **error)
{
	g_auto(SpkPersona) read = { 0 };

	if (!read_one(conf, "persona.soul_file", &read.soul.text, &read.soul.path,
		      error) ||
	    !read_one(conf, "persona.self_file", &read.self.text, &read.self.path,
		      error) ||
	    !read_one(conf, "persona.tools_file", &read.tools.text, &read.tools.path,
		      error))
		return FALSE;
	*ret_persona = read;
	read = (SpkPersona){ 0 };
	return TRUE;
}

void spk_persona_clear(SpkPersona *persona)
{
	g_free(persona->soul.text);
	g_free(persona->soul.path);
	g_free(persona->self.text);
	g_free(persona->self.path);
	g_free(persona->tools.text);
	g_free(persona->tools.path);
	*persona = (SpkPersona){ 0 };
}

static void add(GString *prompt, const char *text)
{
	g_string_append_printf(prompt, "%s%s", prompt->len ? "\n\n" : "", text);
}

void spk_persona_apply(const SpkPersona *persona, SpkSpark *spark)
{
	gboolean soul = persona->soul.text && !spark->soul_file;
	GPtrArray *paths = g_ptr_array_new();
	GString *prompt = g_string_new(soul ? persona->soul.text : NULL);

	if (soul)
		g_ptr_array_add(paths, g_strdup(persona->soul.path));
	if (persona->self.text) {
		add(prompt, persona->self.text);
		g_ptr_array_add(paths, g_strdup(persona->self.path));
	}
	add(prompt, spark->soul);
	if (persona->tools.text) {
		add(prompt, persona->tools.text);
		g_ptr_array_add(paths, g_strdup(persona->tools.path));
	}
	g_ptr_array_add(paths, NULL);
	g_free((char *)spark->soul);
	spark->soul = g_string_free(prompt, FALSE);
	g_strfreev((char **)spark->persona_files);
	spark->persona_files = (const char *const *)g_ptr_array_free(paths, FALSE);
}
