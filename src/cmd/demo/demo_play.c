/* What the demo's model says, turn by turn, and the repository it works on. */
#include "cmd/demo/demo.h"

#include "base/json.h"

static const char goal[] =
	"Leap years come out wrong: `sh leap.sh 1900` says yes. Make `sh tests/run.sh` pass.";

static const char readme[] =
	"# leap\n\n"
	"Tells whether a year is a leap year of the Gregorian calendar:\n\n"
	"    sh leap.sh 2024\n\n"
	"Run the tests with `sh tests/run.sh`.\n";

static const char leap_sh[] = "#!/bin/sh\n"
			      "# usage: leap.sh YEAR, prints yes or no\n"
			      "year=$1\n"
			      "if [ $((year % 4)) -eq 0 ]; then\n"
			      "\techo yes\n"
			      "else\n"
			      "\techo no\n"
			      "fi\n";

static const char run_sh[] = "#!/bin/sh\n"
			     "# Runs every case and says how many failed.\n"
			     "cd \"$(dirname \"$0\")/..\" || exit 99\n"
			     "failed=0\n"
			     "check()\n"
			     "{\n"
			     "\tgot=$(sh leap.sh \"$1\")\n"
			     "\tif [ \"$got\" = \"$2\" ]; then\n"
			     "\t\techo \"ok    $1 $2\"\n"
			     "\telse\n"
			     "\t\techo \"FAIL  $1 should be $2, is $got\"\n"
			     "\t\tfailed=$((failed + 1))\n"
			     "\tfi\n"
			     "}\n"
			     "check 2024 yes\n"
			     "check 2023 no\n"
			     "check 2000 yes\n"
			     "check 1900 no\n"
			     "check 2100 no\n"
			     "echo \"$failed of 5 failed\"\n"
			     "[ \"$failed\" -eq 0 ]\n";

static const char old_line[] = "if [ $((year % 4)) -eq 0 ]; then\n";
static const char new_line[] =
	"if [ $((year % 400)) -eq 0 ] ||\n"
	"\t{ [ $((year % 4)) -eq 0 ] && [ $((year % 100)) -ne 0 ]; }; then\n";

/* Goes to this machine's own listener and to the internet; says so where it succeeds. */
static const char reach_out[] =
	"for host in 127.0.0.1/%d 192.0.2.1/80; do timeout 3 bash -c \"exec 3<>/dev/tcp/$host\" "
	"&& echo \"reached $host\"; done";

#define MAX_ARGS  3
#define MAX_CALLS 2

typedef struct {
	const char *tool;
	const char *args[MAX_ARGS][2];
} Call;

typedef struct {
	const char *text;
	Call calls[MAX_CALLS];
} Turn;

static json_t *call_to_json(const Call *call)
{
	json_t *arguments = json_object();

	for (gsize i = 0; i < MAX_ARGS && call->args[i][0]; i++)
		spk_json_set(arguments, call->args[i][0],
			     spk_json_text(call->args[i][1]));
	return json_pack("{s:s,s:o}", "name", call->tool, "arguments", arguments);
}

/* No tokens are bought, and the usage says so. */
static json_t *turn_to_json(const Turn *turn)
{
	json_t *calls = json_array();

	for (gsize i = 0; i < MAX_CALLS && turn->calls[i].tool; i++)
		json_array_append_new(calls, call_to_json(&turn->calls[i]));
	return json_pack("{s:{s:s,s:o,s:{s:i,s:i,s:i}}}", "say", "text", turn->text,
			 "tool_calls", calls, "usage", "input", 0, "output", 0, "cached",
			 0);
}

static void append(GString *out, json_t *take_line)
{
	g_autoptr(json_t) line = take_line;
	g_autofree char *text = spk_json_dump(line);

	g_string_append(out, text);
	g_string_append_c(out, '\n');
}

static json_t *header(void)
{
	return json_pack("{s:i,s:s,s:{s:{s:s,s:{s:s,s:s},s:{s:s,s:s}},s:b},s:{s:[s]}}",
			 "play", 1, "goal", goal, "repo", "files", "README.md", readme,
			 "leap.sh", "text", leap_sh, "mode", "755", "tests/run.sh",
			 "text", run_sh, "mode", "755", "git", TRUE, "options", "checks",
			 "sh tests/run.sh");
}

char *spk_demo_play(int port, const char *secret_path)
{
	g_autofree char *network = g_strdup_printf(reach_out, port);
	g_autofree char *quoted = g_shell_quote(secret_path);
	g_autofree char *secret = g_strconcat("cat ", quoted, NULL);
	const Turn turns[] = {
		{ "I'll look at what is here.",
		  { { "file_list", { { "path", "." } } },
		    { "file_read", { { "path", "leap.sh" } } } } },
		{ "Now the tests, as they are.",
		  { { "shell", { { "command", "sh tests/run.sh" } } } } },
		{ "(The script now tries what no agent may do: reach the network.)",
		  { { "shell", { { "command", network } } } } },
		{ "(And: read a file of the host that holds a secret.)",
		  { { "shell", { { "command", secret } } } } },
		{ "Back to work: centuries are leap years only when 400 divides them.",
		  { { "file_edit",
		      { { "path", "leap.sh" },
			{ "old_string", old_line },
			{ "new_string", new_line } } } } },
		{ "The tests again.",
		  { { "shell", { { "command", "sh tests/run.sh" } } } } },
		{ "Done.",
		  { { "finish",
		      { { "summary",
			  "leap.sh took every fourth year for a leap year. "
			  "Now centuries count only when 400 divides them; 1900 and 2100 "
			  "come out right." } } } } },
	};
	GString *out = g_string_new(NULL);

	append(out, header());
	for (gsize i = 0; i < G_N_ELEMENTS(turns); i++) {
		append(out,
		       json_pack("{s:{s:[s,s,s,s,s]}}", "expect", "tools", "file_list",
				 "file_read", "file_edit", "shell", "finish"));
		append(out, turn_to_json(&turns[i]));
	}
	append(out, json_pack("{s:{s:s,s:s,s:{s:i}}}", "end", "status", "done", "verdict",
			      "verified", "limits", "calls", (int)G_N_ELEMENTS(turns)));
	return g_string_free(out, FALSE);
}
