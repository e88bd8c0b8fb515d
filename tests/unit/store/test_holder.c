/* Holders: a process is known by more than its number. */
#include "test_store.h"

#include <sys/wait.h>
#include <unistd.h>

static void test_self(void **state)
{
	g_auto(GStrv) parts = g_strsplit(spk_holder_self(), "/", -1);

	assert_int_equal(g_strv_length(parts), 4);
	assert_int_equal(spk_holder_pid(spk_holder_self()), getpid());
	assert_ptr_equal(spk_holder_self(), spk_holder_self());
	assert_true(spk_holder_alive(spk_holder_self()));
	assert_true(spk_holder_local(spk_holder_self()));
}

static void test_gone(void **state)
{
	g_autofree char *gone = dead_holder();

	assert_string_not_equal(gone, spk_holder_self());
	assert_false(spk_holder_alive(gone));
	assert_true(spk_holder_local(gone));
}

/* Killed, but its parent has not looked: it is a zombie, and does nothing any more. */
static void test_zombie(void **state)
{
	int fds[2];
	char name[256] = "";
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		const char *self = spk_holder_self();

		_exit(write(fds[1], self, strlen(self)) > 0 ? 0 : 1);
	}
	close(fds[1]);
	assert_true(read(fds[0], name, sizeof(name) - 1) > 0);
	close(fds[0]);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT),
			 0);
	assert_false(spk_holder_alive(name));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* `change` of the parts of our own name, to tell whose it then is. */
static char *self_but(int part, const char *value)
{
	g_auto(GStrv) parts = g_strsplit(spk_holder_self(), "/", -1);

	g_free(parts[part]);
	parts[part] = g_strdup(value);
	return g_strjoinv("/", parts);
}

static void test_reused_number(void **state)
{
	g_autofree char *before_us = self_but(3, "1");

	assert_false(spk_holder_alive(before_us));
}

static void test_cannot_be_known(void **state)
{
	g_autofree char *boot = self_but(0, "00000000-0000-0000-0000-000000000000");
	g_autofree char *space = self_but(1, "1");
	g_autofree char *number = self_but(2, "-4");

	assert_true(spk_holder_alive(boot));
	assert_true(spk_holder_alive(space));
	assert_true(spk_holder_alive(number));
	assert_true(spk_holder_alive("nonsense"));
	assert_true(spk_holder_alive(""));
	assert_false(spk_holder_local(boot));
	assert_false(spk_holder_local(space));
	assert_int_equal(spk_holder_pid("nonsense"), 0);
	assert_int_equal(spk_holder_pid(number), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_self),
	cmocka_unit_test(test_gone),
	cmocka_unit_test(test_zombie),
	cmocka_unit_test(test_reused_number),
	cmocka_unit_test(test_cannot_be_known),
};
const Suite holder_suite = { tests, G_N_ELEMENTS(tests) };
