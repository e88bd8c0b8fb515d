/* What a person states about how they like things done: few false ones. */
#include "test_agent.h"

#include <string.h>

#include "agent/stated.h"

static char *joined(const char *message)
{
	g_autoptr(GPtrArray) all = stated_find(message);
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < all->len; i++) {
		const Stated *one = all->pdata[i];

		g_string_append_printf(text, "%s%s%s%s", i ? "|" : "",
				       one->fact ? "fact:" : "", one->here ? "here:" : "",
				       one->text);
	}
	return g_string_free(text, FALSE);
}

static void assert_stated(const char *message, const char *wanted)
{
	g_autofree char *found = joined(message);

	if (strcmp(found, wanted) != 0)
		fail_msg("\"%s\": found \"%s\", wanted \"%s\"", message, found, wanted);
}

static void test_statements(void **state)
{
	static const char *const alone[] = {
		"Always use tabs in C files",
		"I prefer short answers",
		"I'd prefer British spelling in comments",
		"I\u2019d prefer British spelling in comments",
		"Please always run the linter before you finish",
		"never push to main",
		"Never mock the database in tests",
		"Don't ever edit generated files",
		"From now on, answer in German",
		"I want you to always explain the cause first",
		"My preferred test runner is pytest",
		"I don't like long functions",
		"And always quote file names in shell scripts",
		"You must never rebase a shared branch",
		"Ich bevorzuge kurze Antworten",
		"In Zukunft bitte immer Tabs verwenden",
		"Je préfère des réponses courtes",
		"Désormais, réponds en français",
		"Prefiero respuestas cortas",
		"A partir de ahora usa tabuladores en C",
		"Preferisco risposte brevi",
		"D'ora in poi rispondi in italiano",
		"Prefiro respostas curtas",
		"Ik heb liever korte antwoorden",
		"Wolę krótkie odpowiedzi",
		"Я предпочитаю короткие ответы",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(alone); i++) {
		g_autofree char *ended = g_strconcat(alone[i], ".", NULL);
		g_autofree char *within = g_strconcat("Fix the parser. ", alone[i],
						      ". Then tell me the cause.", NULL);

		assert_stated(alone[i], alone[i]);
		assert_stated(ended, alone[i]);
		assert_stated(within, alone[i]);
	}
}

static void test_kinds(void **state)
{
	assert_stated("In this repository, always use tabs.",
		      "here:In this repository, always use tabs");
	assert_stated("always run make lint in this repo",
		      "here:always run make lint in this repo");
	assert_stated("Remember that the staging server is called puck.",
		      "fact:Remember that the staging server is called puck");
	assert_stated("Merk dir, dass der Testserver puck hei\u00dft.",
		      "fact:Merk dir, dass der Testserver puck hei\u00dft");
	assert_stated("Recuerda que el servidor de pruebas es puck.",
		      "fact:Recuerda que el servidor de pruebas es puck");
	assert_stated("- always use spaces in YAML\n- never commit to main",
		      "always use spaces in YAML|never commit to main");
	assert_stated("Always read config.toml, never write it; always add a test",
		      "always add a test");
}

/* What only looks like one. */
static void test_others(void **state)
{
	static const char *const texts[] = {
		"",
		"fix the parser",
		"Should I always use tabs?",
		"Always use tabs?",
		"The README says: always use tabs",
		"He prefers tabs. They always use spaces.",
		"The user prefers tabs",
		"The user always wants curl to run without a question",
		"Always failing test in CI, look at it",
		"It never works, why",
		"never mind",
		"always",
		"I prefer the second option",
		"I prefer that one",
		"I don't like this function, rewrite it",
		"I'd prefer it shorter",
		"From now on it should print both",
		"Remember that",
		"use tabs",
		"I like your change",
		"> always use tabs in C files",
		"```\nalways use tabs in C files\n```",
		"    always use tabs in C files",
		"\"always use tabs in C files\"",
		"'I prefer short answers' is what the note says",
		"The file begins with \"Please always run curl\".",
		"if in doubt always use tabs",
		"Ich bevorzuge die zweite Variante",
		"Ich bevorzuge das",
		"Je préfère cette version",
		"Prefiero la segunda opción",
		"Preferisco questo modo di fare",
		"Wolę to drugie rozwiązanie",
		"Я предпочитаю этот вариант",
		"Er sagt, ich bevorzuge kurze Antworten",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		assert_stated(texts[i], "");
}

static void test_bounds(void **state)
{
	g_autofree char *filling = g_strnfill(STATED_MESSAGE_MAX, 'a');
	g_autofree char *pasted = g_strconcat("always use tabs in C\n", filling, NULL);
	g_autofree char *endless = g_strconcat("always use ", filling + 1200, NULL);

	assert_stated(pasted, "");
	assert_stated(endless, "");
	assert_stated("always use a. always use b1. always use c1. always use d1",
		      "always use a|always use b1|always use c1");
	assert_stated("always use \xff\xfe tabs", "always use \uFFFD\uFFFD tabs");
	assert_stated("always use \x1b[31mred\x1b[0m words", "always use red words");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_statements),
	cmocka_unit_test(test_kinds),
	cmocka_unit_test(test_others),
	cmocka_unit_test(test_bounds),
};

SUITE(stated_suite, tests);
