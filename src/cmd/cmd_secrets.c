/*
 * `sparks secrets`: keep keys and tokens outside of every configuration, tell where each one
 * stands, take one away. Values come from a terminal without echo or from stdin, and are
 * never shown.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "cmd/cmd_all.h"
#include "cmd/session.h"
#include "conf/secret.h"

/* ---- names ---- */
static const SpkSecret *secret_named(const char *name, GError **error)
{
	const SpkSecret *secret = spk_secret_find(name);
	g_autofree char *nearest = NULL;

	if (secret)
		return secret;
	/* NAME=VALUE: what follows the sign is not for the screen */
	if (strchr(name, '=')) {
		spk_error_set(error, SPK_ERR_USAGE,
			      "give the name alone; the value is asked for, or read from "
			      "stdin. That value has been on a command line: replace it "
			      "by a new one",
			      "a value does not belong on the command line");
		return NULL;
	}
	nearest = spk_secret_nearest(name);
	/* without a near name it may be a value, given in the place of one */
	spk_error_set(error, SPK_ERR_USAGE, "`sparks secrets list` shows the names",
		      *nearest ? "there is no secret of the name %s%s"
			       : "there is no secret of that name%.0s%s",
		      name, nearest);
	return NULL;
}

/* The one positional; more of them are a value that others have seen by now. */
static const SpkSecret *secret_of(const SpkArgs *args, GError **error)
{
	const char *const *rest = spk_args_rest(args);

	if (!rest[1])
		return secret_named(rest[0], error);
	spk_error_set(error, SPK_ERR_USAGE,
		      "give the name alone; the value is asked for, or read from stdin: "
		      "`sparks secrets set NAME < FILE`. What stood there may be seen by "
		      "others and stays in the shell's history: if it was a key, replace "
		      "it by a new one",
		      "a value does not belong on the command line");
	return NULL;
}

/* ---- set ---- */
static char *value_of_stdin(GError **error)
{
	g_autoptr(SpkSecretText) text = NULL;
	gsize len = 0;
	char *end;

	text = spk_fs_read_fd(STDIN_FILENO, "stdin", SPK_SECRET_MAX + 2, &len, error);
	if (!text)
		return NULL;
	end = strchr(text, '\n');
	if (strlen(text) != len || (end && strlen(g_strchug(end + 1)))) {
		spk_error_set(error, SPK_ERR_BAD_INPUT, "a secret is one line of text",
			      "stdin has more than one line, or is no text");
		return NULL;
	}
	return g_strdup(g_strstrip(text));
}

static char *value_of(const SpkSecret *secret, GError **error)
{
	g_autoptr(SpkSecretText) text = NULL;
	g_autofree char *question = NULL;

	if (!spk_term_is_tty(STDIN_FILENO))
		return value_of_stdin(error);
	question = g_strdup_printf("%s (%s; what you type is not shown): ", secret->key,
				   secret->sentence);
	text = spk_secret_ask(question, SPK_SECRET_MAX, error);
	return text ? g_strdup(g_strstrip(text)) : NULL;
}

static void print_set(const SpkSecret *secret, const char *where, const char *weak,
		      const char *over, gboolean json)
{
	g_autoptr(json_t) object = NULL;

	if (json) {
		object = json_pack("{s:s,s:s,s:o,s:o,s:o}", "key", secret->key, "env",
				   secret->env, "where", spk_json_text(where), "weak",
				   spk_json_text(weak), "overridden_by",
				   spk_json_text(over));
		spk_cmd_print_json(object);
		return;
	}
	printf("%s is kept in %s\n", secret->key, where);
	fflush(stdout);
	if (weak)
		fprintf(stderr, "sparks: %s\n", weak);
	if (over)
		fprintf(stderr, "sparks: %s is set in the %s, and that wins\n",
			secret->env, over);
}

static int run_set(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkSecretText) value = NULL;
	g_autofree char *where = NULL, *weak = NULL;
	g_autoptr(SpkConf) conf = NULL;
	const SpkSecret *secret = secret_of(args, &error);
	const char *near;
	int code;

	if (!secret)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	conf = spk_cmd_conf(args, json, &code);
	if (!conf)
		return code;
	value = value_of(secret, &error);
	if (value)
		where = spk_secret_set(secret, value, &weak, &error);
	if (!where)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	near = spk_conf_secret_near(conf, secret->env);
	print_set(secret, where, weak, g_strcmp0(near, "file") == 0 ? NULL : near, json);
	return 0;
}

/* ---- list ---- */
typedef struct {
	const char *name; /* "keyring", "file" */
	char *where;	  /* in words; NULL: nothing there */
	char *weak;
	char **keys;
	GError *error; /* what is there can't be looked at */
} Place;

static void place_free(gpointer data)
{
	Place *place = data;

	g_free(place->where);
	g_free(place->weak);
	g_strfreev(place->keys);
	g_clear_error(&place->error);
	g_free(place);
}

static GPtrArray *look(void)
{
	GPtrArray *places = g_ptr_array_new_with_free_func(place_free);

	for (guint i = 0; spk_secret_place(i); i++) {
		Place *place = g_new0(Place, 1);

		place->name = spk_secret_place(i);
		g_ptr_array_add(places, place);
		if (!spk_secret_place_here(i))
			continue;
		place->keys = spk_secret_place_keys(i, &place->error);
		if (place->keys)
			place->where = spk_secret_place_describe(i, &place->weak, NULL);
		if (place->error && spk_error_is(place->error, SPK_ERR_NOT_FOUND))
			g_clear_error(&place->error);
	}
	return places;
}

/* Where it stands, in the order in which they count. */
static GPtrArray *stands(const SpkConf *conf, const SpkSecret *secret, GPtrArray *places)
{
	const char *near = spk_conf_secret_near(conf, secret->env);
	gboolean inlined = !g_strcmp0(near, "file");
	GPtrArray *all = g_ptr_array_new();

	if (near && !inlined)
		g_ptr_array_add(all, (gpointer)near);
	for (guint i = 0; i < places->len; i++) {
		const Place *place = places->pdata[i];

		if (place->keys &&
		    g_strv_contains((const char *const *)place->keys, secret->key))
			g_ptr_array_add(all, (gpointer)(strcmp(place->name, "file") != 0
								? place->name
								: "secrets file"));
	}
	if (inlined)
		g_ptr_array_add(all, (gpointer) "config file");
	return all;
}

static void print_places(GPtrArray *places)
{
	for (guint i = 0; i < places->len; i++) {
		const Place *place = places->pdata[i];

		if (place->where && !strcmp(place->name, "file"))
			printf("\nsecrets file: %s\n", place->where);
		fflush(stdout);
		if (place->weak)
			fprintf(stderr, "sparks: %s\n", place->weak);
	}
}

static json_t *place_to_json(const Place *place)
{
	return json_pack(
		"{s:s,s:o,s:o,s:o}", "name", place->name, "where",
		spk_json_text(place->where), "weak", spk_json_text(place->weak), "error",
		place->error ? spk_cmd_error_to_json(place->error) : json_null());
}

/* The table, and those of one's own that stand somewhere. */
static GPtrArray *all_secrets(GPtrArray *places)
{
	GPtrArray *all = g_ptr_array_new();
	g_autofree const SpkSecret **own = NULL;
	g_auto(GStrv) variables = g_listenv();

	for (guint i = 0; i < places->len; i++) {
		const Place *place = places->pdata[i];

		for (char **key = place->keys; key && *key; key++)
			(void)spk_secret_find(*key); /* known from here on */
	}
	for (char **name = variables; *name; name++)
		(void)spk_secret_find(*name);
	own = spk_secrets_own();
	for (const SpkSecret *secret = spk_secrets(); secret->key; secret++)
		g_ptr_array_add(all, (gpointer)secret);
	for (gsize i = 0; own[i]; i++)
		g_ptr_array_add(all, (gpointer)own[i]);
	return all;
}

static void print_list_json(const SpkConf *conf, GPtrArray *places)
{
	g_autoptr(GPtrArray) known = all_secrets(places);
	json_t *secrets = json_array(), *rows = json_array();
	g_autoptr(json_t) object = NULL;

	for (guint n = 0; n < known->len; n++) {
		const SpkSecret *secret = known->pdata[n];
		g_autoptr(GPtrArray) all = stands(conf, secret, places);
		json_t *where = json_array();

		for (guint i = 0; i < all->len; i++)
			json_array_append_new(where, json_string(all->pdata[i]));
		json_array_append_new(secrets,
				      json_pack("{s:s,s:s,s:b,s:o}", "key", secret->key,
						"env", secret->env, "set", all->len > 0,
						"where", where));
	}
	for (guint i = 0; i < places->len; i++)
		json_array_append_new(rows, place_to_json(places->pdata[i]));
	object = json_pack("{s:o,s:o}", "secrets", secrets, "places", rows);
	spk_cmd_print_json(object);
}

static void print_list(const SpkConf *conf, GPtrArray *places)
{
	g_autoptr(GPtrArray) known = all_secrets(places);

	for (guint n = 0; n < known->len; n++) {
		const SpkSecret *secret = known->pdata[n];
		g_autoptr(GPtrArray) all = stands(conf, secret, places);
		g_autofree char *where = NULL;

		g_ptr_array_add(all, NULL);
		where = g_strjoinv(", then ", (char **)all->pdata);
		printf("%s%-22s %-28s %s%s\n",
		       spk_term_sgr(STDOUT_FILENO, *where ? "bold" : "dim"), secret->key,
		       secret->env, *where ? where : "-",
		       spk_term_sgr(STDOUT_FILENO, "reset"));
	}
	print_places(places);
}

static int run_list(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	int code = 0;
	g_autoptr(SpkConf) conf = spk_cmd_conf(args, json, &code);
	g_autoptr(GPtrArray) places = NULL;

	if (!conf)
		return code;
	places = look();
	(json ? print_list_json : print_list)(conf, places);
	fflush(stdout);
	for (guint i = 0; i < places->len; i++) {
		const Place *place = places->pdata[i];

		/* the list is not whole then */
		if (place->error)
			code = spk_cmd_fail(g_error_copy(place->error), FALSE);
	}
	return code;
}

/* ---- delete ---- */
/* Names of the places it was in. NULL: one of them could not be written. */
static GPtrArray *delete_everywhere(const SpkSecret *secret, GError **error)
{
	g_autoptr(GPtrArray) from = g_ptr_array_new();

	for (guint i = 0; spk_secret_place(i); i++) {
		g_autoptr(GError) broken = NULL;
		gboolean gone = spk_secret_place_here(i) &&
				spk_secret_place_remove(i, secret, &broken);

		if (gone)
			g_ptr_array_add(from, (gpointer)spk_secret_place(i));
		if (!broken || spk_error_is(broken, SPK_ERR_NOT_FOUND))
			continue;
		g_propagate_error(error, g_steal_pointer(&broken));
		if (from->len)
			g_prefix_error(error, "deleted from the keyring, but not more: ");
		return NULL;
	}
	return g_steal_pointer(&from);
}

static void print_delete(const SpkSecret *secret, GPtrArray *from, const char *near,
			 gboolean json)
{
	g_autoptr(json_t) object = NULL;
	json_t *names = json_array();

	for (guint i = 0; i < from->len; i++) {
		if (!json)
			printf("%s is deleted from the %s%s\n", secret->key,
			       strcmp(from->pdata[i], "file") != 0 ? "" : "secrets ",
			       (const char *)from->pdata[i]);
		json_array_append_new(names, json_string(from->pdata[i]));
	}
	fflush(stdout);
	object = json_pack("{s:s,s:s,s:o,s:o}", "key", secret->key, "env", secret->env,
			   "deleted_from", names, "still_in", spk_json_text(near));
	if (json)
		spk_cmd_print_json(object);
	if (near)
		fprintf(stderr, "sparks: %s is still set in the %s%s\n", secret->env,
			strcmp(near, "file") != 0 ? "" : "config ", near);
}

static int run_delete(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(GPtrArray) from = NULL;
	const SpkSecret *secret = secret_of(args, &error);
	int code;

	if (!secret)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	conf = spk_cmd_conf(args, json, &code);
	if (!conf)
		return code;
	from = delete_everywhere(secret, &error);
	if (from && !from->len) {
		const char *near = spk_conf_secret_near(conf, secret->env);

		spk_error_set(&error, SPK_ERR_NOT_FOUND,
			      near ? "it stands elsewhere: `sparks secrets list`"
				   : "`sparks secrets list` shows where each one stands",
			      "%s is in neither keyring nor file", secret->key);
	}
	if (error)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	print_delete(secret, from, spk_conf_secret_near(conf, secret->env), json);
	return 0;
}

static const SpkCmd del = {
	.name = "delete",
	.usage = "KEY",
	.summary = "Delete a secret from the keyring and from the file.",
	.example = "sparks secrets delete github.token",
	.options = spk_only_json,
	.min_args = 1,
	.max_args = -1,
	.run = run_delete,
};

static const SpkCmd list = {
	.name = "list",
	.usage = "",
	.summary = "List the names, and where each one is set; never a value.",
	.details =
		"The first place is the one that counts. When keyring or file cannot be "
		"looked into, the rest is listed, and the exit code is that of the failure.\n"
		"--json: {\"secrets\":[{\"key\",\"env\",\"set\",\"where\":[\"environment\", "
		"\".env\", \"keyring\", \"secrets file\" or \"config file\"]}], "
		"\"places\":[{\"name\":\"keyring\" or \"file\",\"where\",\"weak\",\"error\"}]}",
	.example = "sparks secrets list --json",
	.options = spk_only_json,
	.run = run_list,
};

static const SpkCmd set = {
	.name = "set",
	.usage = "KEY",
	.summary = "Keep a secret: asked for without echo, or one line from stdin.",
	.details =
		"It goes to the keyring of the session. Where there is none, to the file "
		"~/.sparks/secrets, which is sealed with the key file that "
		"SPARKS_SECRETS_KEY_FILE names, the systemd credential sparks-secrets-key, or "
		"a passphrase; with none of these it is only unreadable to others, and the "
		"command says so.\n"
		"A variable of the environment or of .env wins over what is kept. A daemon "
		"that runs keeps what it has until it starts again.",
	.example = "sparks secrets set openrouter.api_key\n"
		   "sparks secrets set github.token < token.txt",
	.options = spk_only_json,
	.min_args = 1,
	.max_args = -1,
	.run = run_set,
};

static const SpkCmd *const subs[] = { &del, &list, &set, NULL };

const SpkCmd spk_cmd_secrets = {
	.name = "secrets",
	.summary = "Keep keys and tokens in the keyring, or in a sealed file.",
	.example = "sparks secrets set openai.api_key",
	.subs = subs,
};
