/*
 * `sparks scan`: what the prompt scanner says of a file or of stdin, and the rules that it has.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/json.h"
#include "cmd/cmd_all.h"
#include "cmd/session.h"
#include "guard/scan.h"

#define SCAN_FILE_MAX (64u << 20)

static const char *sgr_of(SpkScanVerdict verdict)
{
	return verdict == SPK_SCAN_PASS	  ? "ok"
	       : verdict == SPK_SCAN_FLAG ? "warn"
					  : "bad";
}

static int exit_of(SpkScanVerdict verdict)
{
	return verdict == SPK_SCAN_PASS ? 0 : verdict == SPK_SCAN_FLAG ? 3 : 77;
}

/* Line and column (in characters) of an offset, from 1. */
static void place_of(const char *text, gsize at, guint *ret_line, guint *ret_column)
{
	gsize line = 0;

	*ret_line = 1;
	for (gsize i = 0; i < at; i++)
		if (text[i] == '\n') {
			++*ret_line;
			line = i + 1;
		}
	*ret_column = 1;
	for (gsize i = line; i < at; i++)
		*ret_column += ((guchar)text[i] & 0xc0) != 0x80;
}

static void print_finding(const char *text, const SpkScanFinding *one)
{
	guint line, column;

	place_of(text, one->start, &line, &column);
	printf("%u:%u: %s, %s: %s%s%s\n", line, column,
	       spk_scan_severity_name(one->severity), spk_scan_class_name(one->kind),
	       one->rule, strcmp(one->layer, "text") != 0 ? ", hidden as " : "",
	       strcmp(one->layer, "text") != 0 ? one->layer : "");
	printf("  %s\n", one->reason);
	printf("  %s%s%s\n", spk_term_sgr(STDOUT_FILENO, "dim"), one->excerpt,
	       spk_term_sgr(STDOUT_FILENO, "reset"));
}

static void print_result(const char *text, const SpkScanResult *result)
{
	g_autofree char *words = spk_scan_in_words(result);

	printf("%s%s%s", spk_term_sgr(STDOUT_FILENO, sgr_of(result->verdict)),
	       spk_scan_verdict_name(result->verdict),
	       spk_term_sgr(STDOUT_FILENO, "reset"));
	if (result->findings->len)
		printf(": %s", words);
	if (result->allowed)
		printf(" (prompt_scanner.allowlist.%s)", result->allowed);
	printf("\n");
	for (guint i = 0; i < result->findings->len; i++)
		print_finding(text, result->findings->pdata[i]);
	if (result->more)
		printf("and %u more (prompt_scanner.max_findings)\n", result->more);
}

static char *read_text(const char *path, gsize *ret_len, GError **error)
{
	g_autoptr(GError) why = NULL;
	char *text;

	if (!strcmp(path, "-"))
		return spk_fs_read_fd(STDIN_FILENO, "stdin", SCAN_FILE_MAX, ret_len,
				      error);
	text = spk_fs_read(path, SCAN_FILE_MAX, ret_len, &why);
	if (!text)
		spk_error_set(
			error, (SpkErr)why->code,
			"name a file that you may read, or - for stdin: `sparks scan "
			"README.md`",
			"%s", why->message);
	return text;
}

static int run_scan(const SpkArgs *args)
{
	gboolean json = spk_args_flag(args, "json");
	const char *path = spk_args_rest(args)[0];
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkConf) conf = NULL;
	g_autoptr(SpkScanner) scanner = NULL;
	g_auto(SpkScanResult) result = { 0 };
	g_autoptr(json_t) object = NULL;
	g_autofree char *text = NULL, *folder = g_get_current_dir();
	SpkScanSource source = { .provider = spk_args_str(args, "provider"),
				 .repo = spk_args_str(args, "repo"),
				 .ticket = spk_args_str(args, "ticket"),
				 .author = spk_args_str(args, "author") };
	gsize len = 0;
	int code;

	conf = spk_cmd_conf(args, json, &code);
	if (!conf)
		return code;
	if (!source.repo)
		source.repo = folder;
	scanner = spk_scanner_new(conf, spk_args_str(args, "mode"), &error);
	if (scanner)
		text = read_text(path, &len, &error);
	if (!text)
		return spk_cmd_fail(g_steal_pointer(&error), json);
	spk_scanner_scan(scanner, &source, text, len, &result);
	if (json) {
		object = spk_scan_to_json(&result);
		spk_cmd_print_json(object);
	} else {
		print_result(text, &result);
	}
	return exit_of(result.verdict);
}

static int run_rules(const SpkArgs *args)
{
	g_autoptr(json_t) rules = spk_scan_rules_to_json();
	json_t *rule;
	size_t i;

	if (spk_args_flag(args, "json")) {
		spk_cmd_print_json(rules);
		return 0;
	}
	json_array_foreach(rules, i, rule) {
		json_t *languages = json_object_get(rule, "languages"), *language;
		size_t k;

		printf("%s%s%s  %s, %s;", spk_term_sgr(STDOUT_FILENO, "bold"),
		       spk_json_str(rule, "id"), spk_term_sgr(STDOUT_FILENO, "reset"),
		       spk_json_str(rule, "class"), spk_json_str(rule, "severity"));
		json_array_foreach(languages, k, language)
			printf(" %s", json_string_value(language));
		printf("\n    %s\n", spk_json_str(rule, "looks_for"));
	}
	return 0;
}

static const SpkCmdOpt options[] = {
	{ .name = "mode",
	  .type = SPK_CMD_STRING,
	  .value = "MODE",
	  .choices = "flag_only|block",
	  .sentence = "before prompt_scanner.mode and its overrides" },
	{ .name = "provider",
	  .type = SPK_CMD_STRING,
	  .value = "NAME",
	  .sentence = "where the text comes from, for overrides and allowlist" },
	{ .name = "repo",
	  .type = SPK_CMD_STRING,
	  .value = "REPO",
	  .sentence = "repository that it belongs to; default: the current folder" },
	{ .name = "ticket",
	  .type = SPK_CMD_STRING,
	  .value = "ID",
	  .sentence = "ticket that it is of" },
	{ .name = "author",
	  .type = SPK_CMD_STRING,
	  .value = "NAME",
	  .sentence = "who has written it" },
	{ .name = "json", .type = SPK_CMD_FLAG, .sentence = "print one JSON object" },
	{ NULL },
};

static const SpkCmd rules = {
	.name = "rules",
	.usage = "",
	.summary = "List the rules: id, class, severity, languages, what they look for.",
	.details =
		"--json: [{\"id\",\"class\",\"severity\",\"languages\",\"looks_for\"}]",
	.example = "sparks scan rules --json",
	.options = spk_only_json,
	.run = run_rules,
};

static const SpkCmd *const subs[] = { &rules, NULL };

const SpkCmd spk_cmd_scan = {
	.name = "scan",
	.usage = "FILE|-",
	.summary = "Look for orders to the model that are hidden in a text.",
	.details =
		"The first word is `pass`, `flag` or `block` (only in block mode), the exit "
		"code 0, 3 or 77. Then come the findings, each with its line and column.\n"
		"--json: {\"verdict\", \"score\", \"findings\": [{\"rule\", \"severity\", \"start\", "
		"\"end\", \"excerpt\", \"class\", \"layer\", \"reason\"}], \"more\", \"allowed\"}; "
		"start and end count bytes.\n"
		"A scanner warns; it is not the wall. A text that passes may still be an "
		"attack. A file called rules is named ./rules.",
	.example = "sparks scan README.md\n"
		   "git log -1 --format=%B | sparks scan --mode block -",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.subs = subs,
	.run = run_scan,
};
