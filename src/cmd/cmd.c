/*
 * The whole of main(): safe standard descriptors, parsing, running, and an exit code that
 * also counts what could not be written to standard output.
 */
#include "cmd/cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "base/veil.h"
#include "cmd/frame/cmd_priv.h"
#include "cmd/ui.h"
#include "guard/veil.h"

/* A closed descriptor 0-2 would be given to the next file opened, and a message could then
 * end up in the database. Opened the wrong way round, so that using it still fails. */
static void keep_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0)
			_exit(1);
}

static void on_pipe(int number)
{
}

/* A reader that has gone gives EPIPE instead of ending us in the middle of a task. A
 * handler, because an ignored signal would stay ignored in children after exec. */
static void survive_sigpipe(void)
{
	struct sigaction action = { .sa_handler = on_pipe, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	sigaction(SIGPIPE, &action, NULL);
}

/* Asked of the bare words, because usage errors too come as JSON. */
static gboolean wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--json"))
			return TRUE;
	return FALSE;
}

/* Asked afterwards, because stdio doesn't keep the reason of a write that failed early. */
static gboolean reader_is_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

/* Output that was lost is a failure, even if the work went well. A reader that went away
 * (`| head`) is not worth a message. */
static int finish_stdout(int code)
{
	gboolean lost_before = ferror(stdout);
	GError *error = NULL;

	errno = 0;
	if (fflush(stdout) == 0 && !lost_before)
		return code;
	if (reader_is_gone())
		return code ? code : 1;
	if (errno)
		spk_error_set_errno(&error, SPK_ERR_IO, errno, NULL,
				    "cannot write to standard output");
	else
		spk_error_set(&error, SPK_ERR_IO, NULL,
			      "cannot write to standard output: a part is lost");
	return spk_cmd_fail(error, FALSE);
}

static int print_help(const SpkArgs *args, FILE *stream)
{
	int width = spk_term_width(fileno(stream));
	g_autofree char *text = args->cmd ? spk_help_text(args->path, args->cmd, width)
					  : spk_help_program(args->program, width);

	fputs(text, stream);
	return stream == stdout ? 0 : spk_err_info(SPK_ERR_USAGE)->exit_code;
}

static int run(const SpkArgs *args)
{
	if (args->help)
		return print_help(args, stdout);
	if (args->version) {
		puts("sparks " SPK_VERSION);
		return 0;
	}
	if (!args->cmd || !args->cmd->run)
		return print_help(args, stderr);
	return args->cmd->run(args);
}

/* No command on a terminal: the program's usual one, with the options that were given. */
static SpkArgs *parse(const SpkProgram *program, int argc, char **argv, GPtrArray *words,
		      GError **error)
{
	g_autoptr(SpkArgs) args = spk_args_parse(program, argc, argv, error);

	if (!args || args->cmd || args->help || args->version || !program->usual ||
	    !spk_term_is_tty(STDIN_FILENO) || !spk_term_is_tty(STDOUT_FILENO))
		return g_steal_pointer(&args);
	for (int i = 0; i < argc; i++)
		g_ptr_array_add(words, argv[i]);
	g_ptr_array_add(words, (gpointer)program->usual);
	g_ptr_array_add(words, NULL);
	return spk_args_parse(program, argc + 1, (char **)words->pdata, error);
}

/* Debian's libcurl brings GnuTLS along, for LDAP and RTMP, which we don't speak; being loaded it
 * sets itself up for half a MiB, unless told not to. Here, because no thread may read the
 * environment meanwhile. Who asks GnuTLS for TLS in so many words gets it all the same. */
static void spare_gnutls(void)
{
	g_setenv("GNUTLS_NO_IMPLICIT_INIT", "1", FALSE);
}

int spk_cmd_main(const SpkProgram *program, int argc, char **argv)
{
	g_autoptr(GPtrArray) words = g_ptr_array_new(); /* args borrows of them */
	g_autoptr(GError) error = NULL;
	g_autoptr(SpkArgs) args = NULL;

	keep_standard_fds();
	survive_sigpipe();
	spare_gnutls();
	spk_guard_veil();
	args = parse(program, argc, argv, words, &error);
	if (!args)
		return finish_stdout(
			spk_cmd_fail(g_steal_pointer(&error), wants_json(argc, argv)));
	return finish_stdout(run(args));
}

json_t *spk_cmd_error_to_json(const GError *error)
{
	return json_pack("{s:s,s:o,s:o}", "code",
			 spk_err_info(spk_error_code(error))->name, "message",
			 spk_json_text(error->message), "hint",
			 spk_json_text(spk_error_hint(error)));
}

void spk_cmd_say_hint(const char *hint)
{
	g_autofree char *clean = spk_text_clean(hint, -1, SPK_CLEAN_TEXT);
	g_autoptr(GString) folded = g_string_new(NULL);

	if (spk_term_is_tty(STDERR_FILENO))
		spk_ui_fold(folded, hint, 2, spk_term_width(STDERR_FILENO) - 1,
			    G_MAXUINT);
	else
		g_string_append_printf(folded, "  %s\n", clean);
	fputs(folded->str, stderr);
}

void spk_cmd_say_error(const GError *error)
{
	g_autofree char *message = spk_text_clean(error->message, -1, SPK_CLEAN_TEXT);
	const char *hint = spk_error_hint(error);

	fflush(stdout);
	fprintf(stderr, "%ssparks:%s %s\n", spk_term_sgr(STDERR_FILENO, "bad"),
		spk_term_sgr(STDERR_FILENO, "reset"), message);
	if (hint)
		spk_cmd_say_hint(hint);
}

int spk_cmd_fail(GError *take_error, gboolean json)
{
	g_autoptr(GError) error = take_error;
	g_autoptr(json_t) object = NULL;

	spk_cmd_say_error(error);
	if (json) {
		object = json_pack("{s:o}", "error", spk_cmd_error_to_json(error));
		spk_cmd_print_json(object);
	}
	return spk_err_info(spk_error_code(error))->exit_code;
}

void spk_cmd_warn(const SpkConf *conf)
{
	for (const char *const *warning = spk_conf_warnings(conf); *warning; warning++) {
		g_autofree char *clean = spk_text_clean(*warning, -1, SPK_CLEAN_LINE);

		fprintf(stderr, "%ssparks: warning:%s %s\n",
			spk_term_sgr(STDERR_FILENO, "warn"),
			spk_term_sgr(STDERR_FILENO, "reset"), clean);
	}
}

SpkConf *spk_cmd_conf_with(const SpkArgs *args, const char *const *overrides,
			   gboolean json, int *ret_exit)
{
	g_autoptr(GPtrArray) all = g_ptr_array_new();
	g_autoptr(GError) error = NULL;
	SpkConfSource source = {
		.explicit_path = spk_args_config(args),
		.ask_trust = spk_term_is_tty(STDIN_FILENO) &&
			     spk_term_is_tty(STDERR_FILENO),
	};
	SpkConf *conf;

	for (const char *const *set = spk_args_set(args); *set; set++)
		g_ptr_array_add(all, (gpointer)*set);
	for (; overrides && *overrides; overrides++)
		g_ptr_array_add(all, (gpointer)*overrides);
	g_ptr_array_add(all, NULL);
	source.overrides = (const char *const *)all->pdata;
	conf = spk_conf_load(&source, &error);
	if (conf)
		spk_cmd_warn(conf);
	else
		*ret_exit = spk_cmd_fail(g_steal_pointer(&error), json);
	return conf;
}

SpkConf *spk_cmd_conf(const SpkArgs *args, gboolean json, int *ret_exit)
{
	return spk_cmd_conf_with(args, NULL, json, ret_exit);
}

char *spk_cmd_json_text(const json_t *json)
{
	g_autofree char *text = spk_json_dump(json);

	return spk_text_json_for_screen(text);
}

void spk_cmd_print_json(const json_t *json)
{
	g_autoptr(json_t) clean = spk_veil_json((json_t *)json);
	g_autofree char *text = spk_cmd_json_text(clean);

	puts(text);
}
