/* A home of sparks and a folder of a user, for the tests of the private copy. */
#ifndef TESTS_UNIT_BOX_TREE_FIXTURE_H
#define TESTS_UNIT_BOX_TREE_FIXTURE_H

#include "suites.h"

#include "box/tree.h"

typedef struct {
	char *root;	/* temporary, removed at the end */
	char *home;	/* SPARKS_HOME */
	char *repo;	/* the user's folder */
	char *old_home; /* $HOME of the test run */
} Fixture;

int fixture_setup(void **state);
int fixture_teardown(void **state);
#define FIXTURE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

/* /bin/sh -ec SCRIPT in a folder below root, as the user: their git configuration in force.
 * Must end with 0. The output without its last newline. */
char *sh(Fixture *f, const char *folder, const char *script);
/* As sh() in the user's folder, the output dropped. */
void in_repo(Fixture *f, const char *script);
/* A repository with one commit: a=1, d/b=2 (executable), l -> a. */
void small_repo(Fixture *f);

/* Everything below a folder but .git, sorted: "a=1 d/b*=2 l->a e/" (an empty folder). */
char *listing(const char *folder);
void put_file(const char *folder, const char *path, const char *text);
char *get_file(const char *folder, const char *path);

SpkTree *create_tree(Fixture *f);
/* A snapshot that must succeed. */
char *snap(SpkTree *tree, gint64 step);
/* Whether some note has this in it. */
gboolean has_note(SpkTree *tree, const char *part);

#define assert_no_error(error)                                 \
	do {                                                   \
		if (error)                                     \
			print_error("%s\n", (error)->message); \
		assert_null(error);                            \
	} while (0)

#endif
