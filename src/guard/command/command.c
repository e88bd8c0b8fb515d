/* The judgement of a line: what its commands do, and what the rules say of each and of all. */
#include "guard/command.h"

#include <string.h>

#include "base/text.h"
#include "guard/command/command_priv.h"

#define MAX_OFFER 600 /* bytes of the text of a rule that is offered */
#define MAX_FILES 1000
#define MAX_SHOWN 8 /* commands of code that the normalised line shows */

typedef struct {
	const SpkCommandRules *rules;
	const Finder *finder;
	const Part *part;
	const char *subjects[4]; /* the line of the part, as patterns may call it */
	char *own[4];
	char *pipelines[4];
} Trial;

/* ---- the lines of a part ---- */

static const char *kin_of(const char *name)
{
	/* pip3.11 */
	if (g_str_has_prefix(name, "pip") &&
	    strspn(name + 3, "0123456789.") == strlen(name + 3))
		return "pip";
	for (guint i = 0; command_kin[i][0]; i++)
		if (!strcmp(command_kin[i][0], name))
			return command_kin[i][1];
	return NULL;
}

/* By its name, by the name of its kin, and git without the options before its command. */
static void begin_trial(Trial *trial, const Part *part)
{
	const char *line = part->line + part->name_at;
	const char *kin = kin_of(part->name);
	g_autoptr(GString) first = g_string_new(NULL);
	guint n = 0;

	trial->part = part;
	if (part->n) {
		spk_shell_print_word(first, part->words[0]);
		line += MIN(first->len, strlen(line));
		trial->own[n++] = g_strconcat(
			strcmp(first->str, part->words[0]->text) != 0 ? first->str
								      : part->name,
			line, NULL);
		if (kin)
			trial->own[n++] = g_strconcat(kin, line, NULL);
	} else
		trial->own[n++] = g_strdup(line);
	if (part->sub > 1) {
		g_string_assign(first, "git");
		for (guint i = part->sub; i < part->n; i++) {
			g_string_append_c(first, ' ');
			spk_shell_print_word(first, part->words[i]);
		}
		trial->own[n++] = g_strdup(first->str);
	}
	for (guint i = 0; i < n; i++) {
		trial->pipelines[i] = g_strconcat(trial->own[i], part->tail, NULL);
		spk_shell_unmark(trial->pipelines[i], TRUE);
		spk_shell_unmark(trial->own[i], FALSE);
		trial->subjects[i] = trial->own[i];
	}
	trial->subjects[n] = NULL;
}

static void end_trial(Trial *trial)
{
	for (guint i = 0; i < G_N_ELEMENTS(trial->own); i++) {
		g_clear_pointer(&trial->own[i], g_free);
		g_clear_pointer(&trial->pipelines[i], g_free);
	}
}

/* ---- files ---- */

static gboolean ends_with_slash(const char *text)
{
	return *text && text[strlen(text) - 1] == '/';
}

static gboolean try_path(const Trial *trial, RuleList list, const char *path, Match *ret,
			 char **ret_what)
{
	g_autofree char *folder = NULL;

	if (!rules_find(trial->rules, list, PATTERN_FILE, path, "", ret)) {
		if (ends_with_slash(path))
			return FALSE;
		folder = g_strconcat(path, "/", NULL);
		if (!rules_find(trial->rules, list, PATTERN_FILE, folder, "", ret))
			return FALSE;
		if (!ends_with_slash(pattern_text(ret->pattern)))
			return FALSE;
	}
	*ret_what = g_strdup(path);
	g_strdelimit(*ret_what, "\006", '*');
	return TRUE;
}

static gboolean try_file(const Trial *trial, RuleList list, const SpkShellWord *word,
			 Match *ret, char **ret_what)
{
	g_autofree char *path = words_path(word);
	const char *value = strchr(path, '=');

	if (trial->part->folder && *path != '/' && *path != '~') {
		g_autofree char *there =
			g_build_filename(trial->part->folder, path, NULL);

		if (try_path(trial, list, there, ret, ret_what))
			return TRUE;
	}
	if (try_path(trial, list, path, ret, ret_what) ||
	    (value && *path == '-' && try_path(trial, list, value + 1, ret, ret_what)))
		return TRUE;
	if (!rules_find_glob(trial->rules, list, word, &ret->pattern))
		return FALSE;
	*ret_what = words_code(word);
	return TRUE;
}

static gboolean try_files_of_command(const Trial *trial, RuleList list, Match *ret,
				     char **ret_what)
{
	const SpkShellCommand *command = trial->part->command;

	for (guint i = 0; i < command->n_redirs; i++)
		if (effects_names_file(command->redirs[i]) &&
		    try_file(trial, list, command->redirs[i]->target, ret, ret_what))
			return TRUE;
	for (guint i = 0; i < command->n_assigns; i++)
		if (try_file(trial, list, command->assigns[i], ret, ret_what))
			return TRUE;
	for (guint i = 0; i < command->n_extra; i++)
		if (try_file(trial, list, command->extra[i], ret, ret_what))
			return TRUE;
	return FALSE;
}

static gboolean may_be_file(const Part *part, guint n)
{
	if (n < 64 && (part->code >> n) & 1)
		return FALSE;
	return (n || strchr(part->words[0]->text, '/')) && !effects_is_text(part, n);
}

static gboolean try_files(const Trial *trial, RuleList list, Match *ret, char **ret_what)
{
	const Part *part = trial->part;

	for (guint i = 0; i < part->n_own; i++)
		if (may_be_file(part, i) &&
		    try_file(trial, list, part->words[i], ret, ret_what))
			return TRUE;
	for (guint i = 0; part->globs && i < part->globs->len; i++)
		if (try_file(trial, list, part->globs->pdata[i], ret, ret_what))
			return TRUE;
	for (guint i = 0; part->files && i < part->files->len; i++)
		if (try_path(trial, list, part->files->pdata[i], ret, ret_what))
			return TRUE;
	return part->command && try_files_of_command(trial, list, ret, ret_what);
}

static void note_file(SpkCommandView *view, GHashTable *seen, char *take_name)
{
	if (view->files->len >= MAX_FILES || !*take_name ||
	    !g_utf8_validate(take_name, -1, NULL) ||
	    g_hash_table_contains(seen, take_name)) {
		g_free(take_name);
		return;
	}
	g_ptr_array_add(view->files, take_name);
	g_hash_table_add(seen, take_name);
}

static void note_files(const Part *part, SpkCommandView *view, GHashTable *seen)
{
	const SpkShellCommand *command = part->command;

	for (guint i = 0; i < part->n_own; i++)
		if (may_be_file(part, i))
			note_file(view, seen, words_code(part->words[i]));
	for (guint i = 0; command && i < command->n_redirs; i++)
		if (effects_names_file(command->redirs[i]))
			note_file(view, seen, words_code(command->redirs[i]->target));
	for (guint i = 0; command && i < command->n_extra; i++)
		note_file(view, seen, words_code(command->extra[i]));
	for (guint i = 0; command && i < command->n_assigns; i++)
		note_file(view, seen, words_code(command->assigns[i]));
	for (guint i = 0; part->files && i < part->files->len; i++)
		note_file(view, seen, g_strdup(part->files->pdata[i]));
}

/* ---- one part ---- */

/* The command for the eyes. */
static char *piece(const char *text)
{
	g_autofree char *valid = g_utf8_make_valid(text, -1);

	return spk_text_clip(g_strstrip(valid), 200);
}

static gboolean try_part(const Trial *trial, RuleList list, Match *ret, char **ret_what)
{
	if (!trial->part->pseudo) {
		for (guint i = 0; trial->subjects[i]; i++)
			if (rules_find(trial->rules, list, PATTERN_COMMAND,
				       trial->subjects[i], trial->pipelines[i], ret) ||
			    rules_find(trial->rules, list, PATTERN_ANY,
				       trial->subjects[i], "", ret)) {
				*ret_what = piece(trial->subjects[i]);
				return TRUE;
			}
	}
	return rules_have(trial->rules, list, PATTERN_FILE) &&
	       try_files(trial, list, ret, ret_what);
}

static char *rule_hint(const char *option, const char *pattern)
{
	return g_strdup_printf("the pattern \"%s\" stands in %s", pattern, option);
}

static void say_deny(SpkDecision *decision, const Match *match, const char *what)
{
	const char *pattern = pattern_text(match->pattern);
	g_autofree char *why = g_strdup_printf("the rule \"%s\" denies it", pattern);
	g_autofree char *hint = g_strdup_printf(
		"take the rule out of manager.deny_patterns, of the spark's, or of `sparks "
		"policy rules`, or narrow it: \"%s\"",
		pattern);

	spk_decision_set(decision, SPK_LAW_DENY, SPK_RISK_HIGH, "command.deny", what, why,
			 hint);
}

static void say_sensitive(SpkDecision *decision, const Match *match, const char *what)
{
	const char *pattern = pattern_text(match->pattern);
	g_autofree char *why =
		g_strdup_printf("it matches the sensitive pattern \"%s\"", pattern);
	g_autofree char *hint = rule_hint("manager.sensitive_patterns", pattern);

	spk_decision_set(decision, SPK_LAW_ASK, SPK_RISK_HIGH, "command.sensitive", what,
			 why, hint);
}

static void say_unknown(SpkDecision *decision, const Part *part, const char *what)
{
	spk_decision_set(
		decision, SPK_LAW_ASK, SPK_RISK_HIGH, "command.unknown", what,
		part->unknown,
		"write the command out, or put the code into a file of the tree");
}

typedef struct {
	gboolean allowed;	/* by a rule */
	const Pattern *pattern; /* that decided */
} Verdict;

/* Words of for and case are no command that a rule could be about; "{ a; } > f" writes. */
static gboolean is_asked_for(const Part *part)
{
	return !part->pseudo || part->does;
}

static Verdict judge_part(const SpkCommandRules *rules, const Finder *finder, Part *part,
			  SpkDecision *ret)
{
	Trial trial = { rules, finder };
	Verdict verdict = { FALSE, NULL };
	g_autofree char *what = NULL;
	g_autofree char *line = g_strdup(part->line);
	Match match;

	spk_shell_unmark(line, FALSE);
	begin_trial(&trial, part);
	if (rules && try_part(&trial, RULES_DENY, &match, &what)) {
		say_deny(ret, &match, what);
		verdict.pattern = match.pattern;
	} else if (rules && !part->dynamic && is_asked_for(part) &&
		   (verdict.pattern = rules_allow(rules, line))) {
		g_autofree char *why = g_strdup_printf("the rule \"%s\" allows it",
						       pattern_text(verdict.pattern));

		verdict.allowed = TRUE;
		spk_decision_set(ret, SPK_LAW_ALLOW, SPK_RISK_LOW, "command.allow", line,
				 why, NULL);
	} else if (rules && try_part(&trial, RULES_SENSITIVE, &match, &what)) {
		say_sensitive(ret, &match, what);
		part->does |= SPK_DOES(SENSITIVE);
		verdict.pattern = match.pattern;
	} else if (part->unknown)
		say_unknown(ret, part, line);
	else if (part->read_only)
		spk_decision_set(ret, SPK_LAW_ALLOW, SPK_RISK_LOW, "command.read_only",
				 NULL, "it only reads", NULL);
	else
		spk_decision_set(ret, SPK_LAW_ALLOW, SPK_RISK_MEDIUM, "command.plain",
				 NULL, "no rule and no sensitive pattern is about it",
				 NULL);
	if (part->unknown)
		part->does |= SPK_DOES(UNKNOWN);
	if (!part->read_only && !part->pseudo)
		part->does |= SPK_DOES(COMMAND);
	end_trial(&trial);
	return verdict;
}

/* ---- all of them ---- */

static void part_clear(gpointer data)
{
	SpkCommandPart *part = data;

	g_free(part->line);
	g_free(part->way);
	spk_decision_clear(&part->decision);
	g_free(part);
}

static char *clean_line(const char *text)
{
	g_autofree char *copy = g_strdup(text);

	spk_shell_unmark(copy, FALSE);
	return spk_text_clean(copy, -1, SPK_CLEAN_LINE);
}

static void add_to_view(SpkCommandView *view, const Part *part,
			SpkDecision *take_decision)
{
	SpkCommandPart *row = g_new0(SpkCommandPart, 1);

	row->line = clean_line(part->line);
	row->way = g_strdup(part->way);
	row->at = part->at;
	row->does = part->does;
	row->read_only = part->read_only;
	row->decision = *take_decision;
	memset(take_decision, 0, sizeof *take_decision);
	g_ptr_array_add(view->parts, row);
}

/* A copy of the decision joins that of the whole. */
static void join_copy(SpkDecision *whole, const SpkDecision *part)
{
	g_auto(SpkDecision) copy = { 0 };

	spk_decision_set(&copy, part->verdict, part->risk, part->rule, part->what,
			 part->why, part->hint);
	spk_decision_join(whole, &copy);
}

/* Sensitive before unknown: it says more. */
static gboolean outranks(const SpkDecision *whole, const SpkDecision *part)
{
	return part->verdict > whole->verdict ||
	       (part->verdict == whole->verdict && part->verdict == SPK_LAW_ASK &&
		!strcmp(part->rule, "command.sensitive") &&
		strcmp(whole->rule, "command.sensitive") != 0);
}

/* FALSE: no rule could allow the line, as only one of its two readings is asked about. */
static gboolean judge_parts(const SpkCommandRules *rules, const Finder *finder,
			    SpkCommandView *view)
{
	gboolean plain = TRUE;
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
	gboolean all = TRUE, reads = TRUE;
	const Pattern *allowing = NULL;

	for (guint i = 0; i < finder->parts->len; i++) {
		Part *part = finder->parts->pdata[i];
		g_auto(SpkDecision) decision = { 0 };
		Verdict verdict = judge_part(rules, finder, part, &decision);
		gboolean quiet = decision.verdict == SPK_LAW_ALLOW;

		note_files(part, view, seen);
		if ((part->doubtful || part->pseudo) && quiet && !part->does)
			continue;
		if (part->doubtful && quiet)
			continue; /* the other view has it */
		plain &= !part->doubtful;
		all &= verdict.allowed;
		allowing = verdict.allowed ? verdict.pattern : allowing;
		view->does |= part->does;
		reads &= part->read_only;
		if (outranks(&view->decision, &decision)) {
			g_free(view->pattern);
			view->pattern = verdict.pattern
						? g_strdup(pattern_text(verdict.pattern))
						: NULL;
			spk_decision_clear(&view->decision);
			join_copy(&view->decision, &decision);
		}
		add_to_view(view, part, &decision);
	}
	view->read_only = reads && !finder->unreadable;
	if (all && allowing && !finder->unreadable) {
		g_free(view->pattern);
		view->pattern = g_strdup(pattern_text(allowing));
		spk_decision_set(&view->decision, SPK_LAW_ALLOW, SPK_RISK_LOW,
				 "command.allow", NULL,
				 "a rule allows every command of it", NULL);
	}
	return plain;
}

/* Patterns that are about no beginning and no file are tried on the whole line, too. */
static void judge_whole(const SpkCommandRules *rules, SpkCommandView *view)
{
	g_auto(SpkDecision) decision = { 0 };
	g_autofree char *what = NULL;
	Match match;

	if (!rules || view->decision.verdict == SPK_LAW_DENY)
		return;
	if (rules_find(rules, RULES_DENY, PATTERN_ANY, view->normal, "", &match)) {
		what = piece(view->normal);
		say_deny(&decision, &match, what);
	} else if (view->decision.verdict == SPK_LAW_ALLOW &&
		   strcmp(view->decision.rule, "command.allow") != 0 &&
		   rules_find(rules, RULES_SENSITIVE, PATTERN_ANY, view->normal, "",
			      &match)) {
		what = piece(view->normal);
		say_sensitive(&decision, &match, what);
		view->does |= SPK_DOES(SENSITIVE);
	} else
		return;
	g_free(view->pattern);
	view->pattern = g_strdup(pattern_text(match.pattern));
	spk_decision_join(&view->decision, &decision);
}

static void judge_unreadable(const Finder *finder, const char *line, SpkCommandView *view)
{
	g_auto(SpkDecision) decision = { 0 };
	gsize len = strlen(line);
	gsize at = MIN(finder->unreadable_at, len);
	g_autofree char *cut = g_strndup(line + at, 60);
	g_autofree char *what = spk_text_clean(cut, -1, SPK_CLEAN_LINE);
	g_autofree char *why = g_strdup_printf("the line %s (byte %u)",
					       finder->unreadable, finder->unreadable_at);

	view->does |= SPK_DOES(UNKNOWN) | SPK_DOES(COMMAND);
	spk_decision_set(
		&decision, SPK_LAW_ASK, SPK_RISK_HIGH, "command.unreadable",
		*what ? what : NULL, why,
		"write it so that a shell can read it, or in a script of the tree");
	if (!g_strcmp0(view->decision.rule, "command.unknown"))
		spk_decision_clear(&view->decision);
	spk_decision_join(&view->decision, &decision);
}

/* ---- the line in words ---- */

static void set_normal(const Finder *finder, SpkCommandView *view)
{
	g_autoptr(GString) normal = g_string_new(NULL);
	g_autofree char *line = clean_line(finder->normal ? finder->normal : "");
	guint shown = 0;

	g_string_append(normal, line);
	for (guint i = 0; i < finder->parts->len; i++) {
		const Part *part = finder->parts->pdata[i];
		g_autofree char *inner = NULL;

		if (!part->nested || part->doubtful || part->pseudo)
			continue;
		inner = clean_line(part->line);
		g_string_append(normal, shown ? "; " : "  # runs: ");
		if (++shown > MAX_SHOWN) {
			g_string_append(normal, "…");
			break;
		}
		g_string_append(normal, inner);
	}
	view->normal = g_string_free(g_steal_pointer(&normal), FALSE);
}

static gboolean may_be_offered(const Finder *finder)
{
	for (guint i = 0; i < finder->parts->len; i++) {
		const Part *part = finder->parts->pdata[i];

		if (part->dynamic)
			return FALSE;
		/* what is open now may be something else the next time */
		if (part->unknown)
			for (guint k = 0; k < part->n; k++)
				if (part->words[k]->n_open)
					return FALSE;
	}
	return finder->parts->len > 0 && !finder->unreadable;
}

static void set_offer(const Finder *finder, SpkCommandView *view)
{
	g_autoptr(GHashTable)
		seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GString) offer = g_string_new("^");
	gboolean several = FALSE;

	if (!may_be_offered(finder))
		return;
	for (guint i = 0; i < finder->parts->len; i++) {
		const Part *part = finder->parts->pdata[i];
		g_autofree char *escaped = NULL;
		char *line;

		if (part->doubtful || !is_asked_for(part))
			continue;
		line = g_strdup(part->line);
		spk_shell_unmark(line, FALSE);
		escaped = g_regex_escape_string(line, -1);
		if (!g_hash_table_add(seen, line))
			continue;
		if (g_hash_table_size(seen) == 2) {
			g_string_insert(offer, 1, "(");
			several = TRUE;
		}
		g_string_append_printf(offer, "%s%s", several ? "|" : "", escaped);
	}
	g_string_append(offer, several ? ")$" : "$");
	if (offer->len <= MAX_OFFER && g_hash_table_size(seen) > 0 &&
	    spk_command_pattern_check(offer->str, NULL))
		view->offer = g_string_free(g_steal_pointer(&offer), FALSE);
}

void spk_command_judge(const SpkCommandRules *rules, const SpkScripts *scripts,
		       const char *line, SpkCommandView *ret)
{
	g_auto(Finder) finder = { 0 };
	gboolean plain;

	memset(ret, 0, sizeof *ret);
	ret->parts = g_ptr_array_new_with_free_func(part_clear);
	ret->files = g_ptr_array_new_with_free_func(g_free);
	spk_decision_set(&ret->decision, SPK_LAW_ALLOW, SPK_RISK_LOW, "command.read_only",
			 NULL, "it runs nothing that changes anything", NULL);
	finder_init(&finder);
	finder.scripts = scripts;
	finder_run(&finder, line);
	set_normal(&finder, ret);
	plain = judge_parts(rules, &finder, ret);
	judge_whole(rules, ret);
	if (finder.unreadable)
		judge_unreadable(&finder, line, ret);
	if (ret->decision.verdict == SPK_LAW_ALLOW && !ret->read_only &&
	    strcmp(ret->decision.rule, "command.allow") != 0)
		spk_decision_set(&ret->decision, SPK_LAW_ALLOW, SPK_RISK_MEDIUM,
				 "command.plain", NULL,
				 "no rule and no sensitive pattern is about it", NULL);
	ret->urls = g_steal_pointer(&finder.urls);
	ret->made = g_steal_pointer(&finder.made);
	if (plain)
		set_offer(&finder, ret);
}

void spk_command_view_clear(SpkCommandView *view)
{
	spk_decision_clear(&view->decision);
	g_clear_pointer(&view->urls, g_ptr_array_unref);
	g_clear_pointer(&view->made, g_ptr_array_unref);
	g_clear_pointer(&view->parts, g_ptr_array_unref);
	g_clear_pointer(&view->files, g_ptr_array_unref);
	g_clear_pointer(&view->normal, g_free);
	g_clear_pointer(&view->offer, g_free);
	g_clear_pointer(&view->pattern, g_free);
}
