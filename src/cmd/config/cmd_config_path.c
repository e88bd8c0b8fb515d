/* `sparks config path`: the file in force, and all places looked at, in order. */
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/config/config_all.h"
#include "cmd/session.h"

static void add_place(json_t *places, const char *path, const char *kind,
		      const char *in_force)
{
	json_array_append_new(places,
			      json_pack("{s:o,s:s,s:b,s:b}", "path", spk_json_text(path),
					"kind", kind, "exists",
					g_file_test(path, G_FILE_TEST_IS_REGULAR),
					"in_force", g_strcmp0(path, in_force) == 0));
}

/* Beside the file in force; where there is none, here or at home: the first that is there. */
static void add_dotenv(json_t *places, const char *file)
{
	g_autofree char *home = spk_fs_expand("~/.sparks/.env");
	g_autofree char *folder = NULL;
	g_autofree char *beside = NULL;
	gboolean here = !file || !strcmp(file, "./config.toml");
	const char *first;

	folder = here ? g_strdup(".") : g_path_get_dirname(file);
	beside = g_build_filename(folder, ".env", NULL);
	first = g_file_test(beside, G_FILE_TEST_IS_REGULAR) ? beside : home;
	add_place(places, beside, ".env", first);
	if (!file)
		add_place(places, home, ".env",
			  g_file_test(home, G_FILE_TEST_IS_REGULAR) ? first : NULL);
}

static json_t *find_places(const SpkArgs *args, const SpkConf *conf)
{
	const char *file = spk_conf_path(conf);
	g_autofree char *home = spk_fs_expand("~/.sparks/config.toml");
	json_t *places = json_array();

	if (spk_args_config(args)) {
		add_place(places, spk_args_config(args), "config", file);
	} else {
		add_place(places, "./config.toml", "config", file);
		add_place(places, home, "config", file);
	}
	add_dotenv(places, file);
	return places;
}

static void print_places(const SpkConf *conf, const json_t *places)
{
	const char *file = spk_conf_path(conf);
	gsize i;
	json_t *place;

	printf("%s%s\n", file ? file : "none: built-in values",
	       spk_conf_is_trusted(conf) ? "" : " (not trusted: `sparks config trust`)");
	puts("looked at, in this order:");
	json_array_foreach(places, i, place) {
		g_autofree char *path =
			spk_text_clean(spk_json_str(place, "path"), -1, SPK_CLEAN_LINE);
		gboolean force = json_is_true(json_object_get(place, "in_force"));
		gboolean there = json_is_true(json_object_get(place, "exists"));

		printf("  %-9s %s\n",
		       force && there ? "in force"
		       : there	      ? "not read"
				      : "absent",
		       path);
	}
}

static int run(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	int exit_code = 0;
	g_autoptr(SpkConf) conf = spk_cmd_conf(args, json, &exit_code);
	g_autoptr(json_t) places = NULL, object = NULL;

	if (!conf)
		return exit_code;
	places = find_places(args, conf);
	if (!json) {
		print_places(conf, places);
		return 0;
	}
	object = json_pack("{s:o,s:b,s:O}", "file", spk_json_text(spk_conf_path(conf)),
			   "trusted", spk_conf_is_trusted(conf), "places", places);
	spk_cmd_print_json(object);
	return 0;
}

const SpkCmd spk_cmd_config_path = {
	.name = "path",
	.usage = "",
	.summary = "Show which config file is in force and where one is looked for.",
	.example = "sparks config path --json",
	.options = spk_only_json,
	.run = run,
};
