/* Runs the tests of the room, and the program in child processes for them. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "conf/secret.h"
#include "test_cmd.h"

static char *root;

int cmd_setup(void **state)
{
	g_auto(GStrv) names = g_listenv();
	g_autofree char *home = NULL;
	g_autofree char *work = NULL;

	for (char **name = names; *name; name++)
		if (g_str_has_prefix(*name, "SPARKS_") || spk_secret_find(*name) ||
		    !strcmp(*name, "DBUS_SESSION_BUS_ADDRESS") ||
		    !strcmp(*name, "XDG_RUNTIME_DIR"))
			g_unsetenv(*name);
	root = g_dir_make_tmp("spk-cmd-XXXXXX", NULL);
	assert_non_null(root);
	home = g_build_filename(root, "home", NULL);
	work = g_build_filename(root, "work", NULL);
	assert_true(spk_fs_mkdirs(work, 0700, NULL));
	g_setenv("SPARKS_HOME", home, TRUE);
	return chdir(work);
}

int cmd_teardown(void **state)
{
	gboolean ok = chdir("/") == 0 && spk_fs_remove_tree(root, NULL);

	g_clear_pointer(&root, g_free);
	return ok ? 0 : -1;
}

static int temporary(void)
{
	int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static char *content(int fd)
{
	char *text;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	text = spk_fs_read_fd(fd, "output", 1 << 20, NULL, NULL);
	assert_non_null(text);
	return text;
}

/* Leaves by exit(), so that the leak check of the child counts. */
static void child(int out, int err, const char *const *words)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();

	g_ptr_array_add(argv, (gpointer) "sparks");
	for (; *words; words++)
		g_ptr_array_add(argv, (gpointer)*words);
	g_ptr_array_add(argv, NULL);
	dup2(err, STDERR_FILENO);
	if (out < 0)
		close(STDOUT_FILENO);
	else
		dup2(out, STDOUT_FILENO);
	exit(spk_cmd_main(&spk_program, (int)argv->len - 1, (char **)argv->pdata));
}

Ran run_sparks_to(int out, const char *const *words)
{
	spk_autofd int err = temporary();
	Ran ran = { -1 };
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(out, err, words);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		ran.exit_code = WEXITSTATUS(status);
	ran.err = content(err);
	return ran;
}

Ran run_sparks(const char *const *words)
{
	spk_autofd int out = temporary();
	Ran ran = run_sparks_to(out, words);

	ran.out = content(out);
	return ran;
}

void ran_clear(Ran *ran)
{
	g_clear_pointer(&ran->out, g_free);
	g_clear_pointer(&ran->err, g_free);
}

/* One group, so that the output is one TAP plan. */
int main(void)
{
	static const struct {
		const struct CMUnitTest *tests;
		const size_t *n;
	} suites[] = {
		{ args_tests, &n_args_tests },
		{ frame_tests, &n_frame_tests },
		{ pages_tests, &n_pages_tests },
		{ lines_tests, &n_lines_tests },
		{ progress_tests, &n_progress_tests },
		{ markdown_tests, &n_markdown_tests },
		{ words_tests, &n_words_tests },
		{ export_tests, &n_export_tests },
		{ config_tests, &n_config_tests },
	};
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct CMUnitTest));

	for (gsize i = 0; i < G_N_ELEMENTS(suites); i++)
		g_array_append_vals(all, suites[i].tests, *suites[i].n);
	return _cmocka_run_group_tests("cmd", (struct CMUnitTest *)(void *)all->data,
				       all->len, NULL, NULL);
}
