#include "agent/stated.h"

#include <string.h>

#include "base/text.h"

#define SENTENCE_MAX 240
#define WORDS_MIN    3

void stated_free(Stated *stated)
{
	g_free(stated->text);
	g_free(stated);
}

/* ---- tables; all in lower case ---- */

typedef enum {
	WANTS_ANY,  /* whatever follows */
	WANTS_VERB, /* something that one does */
	IS_FACT,    /* whatever follows, and it is something to know */
} Rest;

typedef enum { EN, DE, FR, ES, IT, PT, NL, PL, RU } Tongue;

/* Of languages other than English only what can hardly mean anything else. */
static const struct {
	const char *words; /* that the sentence begins with, with the blank behind them */
	Rest rest;
	Tongue tongue; /* EN where none is named */
} openings[] = {
	{ "i prefer ", WANTS_ANY },
	{ "i'd prefer ", WANTS_ANY },
	{ "i would prefer ", WANTS_ANY },
	{ "i always prefer ", WANTS_ANY },
	{ "i always want ", WANTS_ANY },
	{ "i never want ", WANTS_ANY },
	{ "i want you to always ", WANTS_VERB },
	{ "i want you to never ", WANTS_VERB },
	{ "i don't like ", WANTS_ANY },
	{ "i do not like ", WANTS_ANY },
	{ "i dislike ", WANTS_ANY },
	{ "my preferred ", WANTS_ANY },
	{ "always ", WANTS_VERB },
	{ "never ", WANTS_VERB },
	{ "don't ever ", WANTS_VERB },
	{ "do not ever ", WANTS_VERB },
	{ "you should always ", WANTS_VERB },
	{ "you should never ", WANTS_VERB },
	{ "you must always ", WANTS_VERB },
	{ "you must never ", WANTS_VERB },
	{ "from now on ", WANTS_ANY },
	{ "from now on, ", WANTS_ANY },
	{ "in future, ", WANTS_ANY },
	{ "in the future, ", WANTS_ANY },
	{ "in the future ", WANTS_VERB },
	{ "going forward, ", WANTS_ANY },
	{ "remember that ", IS_FACT },
	{ "remember: ", IS_FACT },
	{ "please remember that ", IS_FACT },
	{ "keep in mind that ", IS_FACT },
	{ "ich bevorzuge ", WANTS_ANY, DE },
	{ "ich ziehe es vor, ", WANTS_ANY, DE },
	{ "ab jetzt ", WANTS_ANY, DE },
	{ "ab sofort ", WANTS_ANY, DE },
	{ "von jetzt an ", WANTS_ANY, DE },
	{ "in zukunft ", WANTS_ANY, DE },
	{ "merk dir, dass ", IS_FACT, DE },
	{ "merke dir, dass ", IS_FACT, DE },
	{ "merk dir: ", IS_FACT, DE },
	{ "denk daran, dass ", IS_FACT, DE },
	{ "bitte merk dir, dass ", IS_FACT, DE },
	{ "je préfère ", WANTS_ANY, FR },
	{ "je préférerais ", WANTS_ANY, FR },
	{ "désormais, ", WANTS_ANY, FR },
	{ "désormais ", WANTS_ANY, FR },
	{ "à partir de maintenant, ", WANTS_ANY, FR },
	{ "à partir de maintenant ", WANTS_ANY, FR },
	{ "dorénavant, ", WANTS_ANY, FR },
	{ "dorénavant ", WANTS_ANY, FR },
	{ "souviens-toi que ", IS_FACT, FR },
	{ "retiens que ", IS_FACT, FR },
	{ "rappelle-toi que ", IS_FACT, FR },
	{ "prefiero ", WANTS_ANY, ES },
	{ "yo prefiero ", WANTS_ANY, ES },
	{ "de ahora en adelante, ", WANTS_ANY, ES },
	{ "de ahora en adelante ", WANTS_ANY, ES },
	{ "a partir de ahora, ", WANTS_ANY, ES },
	{ "a partir de ahora ", WANTS_ANY, ES },
	{ "recuerda que ", IS_FACT, ES },
	{ "ten en cuenta que ", IS_FACT, ES },
	{ "preferisco ", WANTS_ANY, IT },
	{ "d'ora in poi, ", WANTS_ANY, IT },
	{ "d'ora in poi ", WANTS_ANY, IT },
	{ "ricorda che ", IS_FACT, IT },
	{ "ricordati che ", IS_FACT, IT },
	{ "prefiro ", WANTS_ANY, PT },
	{ "eu prefiro ", WANTS_ANY, PT },
	{ "a partir de agora, ", WANTS_ANY, PT },
	{ "a partir de agora ", WANTS_ANY, PT },
	{ "de agora em diante, ", WANTS_ANY, PT },
	{ "de agora em diante ", WANTS_ANY, PT },
	{ "lembre-se de que ", IS_FACT, PT },
	{ "lembra-te de que ", IS_FACT, PT },
	{ "lembre que ", IS_FACT, PT },
	{ "ik heb liever ", WANTS_ANY, NL },
	{ "ik geef de voorkeur aan ", WANTS_ANY, NL },
	{ "vanaf nu ", WANTS_ANY, NL },
	{ "voortaan ", WANTS_ANY, NL },
	{ "onthoud dat ", IS_FACT, NL },
	{ "wolę ", WANTS_ANY, PL },
	{ "od teraz ", WANTS_ANY, PL },
	{ "pamiętaj, że ", IS_FACT, PL },
	{ "zapamiętaj, że ", IS_FACT, PL },
	{ "я предпочитаю ", WANTS_ANY, RU },
	{ "предпочитаю ", WANTS_ANY, RU },
	{ "отныне ", WANTS_ANY, RU },
	{ "с этого момента ", WANTS_ANY, RU },
	{ "запомни, что ", IS_FACT, RU },
	{ "помни, что ", IS_FACT, RU },
};

/* Before the statement itself. */
static const char *const softeners[] = { "please ",	 "also, ",     "also ",
					 "and ",	 "but ",       "ok, ",
					 "okay, ",	 "btw, ",      "btw ",
					 "by the way, ", "note: ",     "as a rule, ",
					 "in general, ", "generally, " };

/* "Always failing" is nothing that one is told to do. */
static const char *const verbs[] = {
	"add",	    "answer", "ask",	 "avoid",   "be",     "begin",	"call",
	"change",   "check",  "comment", "commit",  "create", "delete", "do",
	"document", "edit",   "end",	 "explain", "force",  "format", "give",
	"include",  "indent", "install", "keep",    "leave",  "make",	"mention",
	"mock",	    "name",   "prefer",	 "push",    "put",    "quote",	"rebase",
	"remove",   "reply",  "respond", "run",	    "say",    "show",	"skip",
	"sort",	    "speak",  "start",	 "tell",    "test",   "touch",	"update",
	"use",	    "work",   "wrap",	 "write",   NULL,
};

/* Said of one place: what follows holds there. */
static const char *const places[] = { "in this repository",  "in this repo",
				      "in this project",     "in this codebase",
				      "for this repository", "for this repo",
				      "for this project" };

/* Of the work at hand, or of what was just said: it means nothing later. */
static const char *const at_hand[][24] = {
	[EN] = { "this", "that", "it", "these", "those", "the first", "the second",
		 "the third", "the other", "the latter", "the former", "option", "your",
		 "for now", "today", "right now", "this time", NULL },
	[DE] = { "das",	       "dies",	     "diese",	    "diesen",  "dieser",
		 "dieses",     "diesem",     "jene",	    "es",      "die erste",
		 "die zweite", "den ersten", "den zweiten", "dein",    "deine",
		 "deinen",     "heute",	     "vorerst",	    "diesmal", NULL },
	[FR] = { "ça",	       "cela",	      "ceci",	     "ce",	   "cet",
		 "cette",      "ces",	      "celui",	     "celle",	   "la première",
		 "le premier", "la deuxième", "le deuxième", "la seconde", "le second",
		 "ton",	       "ta",	      "tes",	     "votre",	   "aujourd'hui",
		 "cette fois", NULL },
	[ES] = { "esto", "este", "esta", "eso", "ese", "esa", "aquello", "la primera",
		 "el primero", "la segunda", "el segundo", "tu", "tus", "hoy", "esta vez",
		 NULL },
	[IT] = { "questo", "questa", "quello", "quella", "il primo", "la prima",
		 "il secondo", "la seconda", "tuo", "tua", "oggi", "stavolta", NULL },
	[PT] = { "isto", "isso", "este", "esta", "esse", "essa", "aquele", "aquela",
		 "a primeira", "o primeiro", "a segunda", "o segundo", "teu", "tua",
		 "seu", "sua", "hoje", "desta vez", NULL },
	[NL] = { "dit", "dat", "deze", "die", "het", "de eerste", "de tweede", "jouw",
		 "je", "vandaag", "deze keer", NULL },
	[PL] = { "to", "ten", "ta", "te", "tę", "tego", "tej", "pierwszy", "pierwszą",
		 "drugi", "drugą", "twój", "twoją", "dzisiaj", "dziś", "tym razem",
		 NULL },
	[RU] = { "это", "этот", "эта", "эту", "эти", "тот", "ту", "та", "первый",
		 "первую", "второй", "вторую", "твой", "твою", "сегодня", "в этот раз",
		 NULL },
};

/* ---- sentences ---- */

/* Without fenced code, quotes of others and what is indented as code. */
static char *own_words(const char *message)
{
	g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
	GString *own = g_string_new(NULL);
	gboolean fenced = FALSE;

	for (char **line = lines; *line; line++) {
		const char *text = *line + strspn(*line, " ");
		gboolean fence = g_str_has_prefix(text, "```") ||
				 g_str_has_prefix(text, "~~~");

		if (!fence && !fenced && *text != '>' && *text != '|' && *text != '\t' &&
		    text - *line < 4)
			g_string_append(own, text);
		g_string_append_c(own, '\n');
		fenced ^= fence;
	}
	return g_string_free(own, FALSE);
}

/* A mark that ends a sentence; the point of "config.toml" doesn't. */
static gboolean is_end(const char *p)
{
	return *p == '\n' || *p == '\0' ||
	       (strchr(".!?;", *p) && (!p[1] || g_ascii_isspace(p[1])));
}

static char *as_compared(const char *sentence)
{
	g_autoptr(GString) plain = g_string_new(sentence);
	g_autofree char *lower = NULL;

	g_string_replace(plain, "\u2019", "'", 0);
	lower = g_utf8_strdown(plain->str, (gssize)plain->len);
	return g_strdup(lower + strspn(lower, " -*"));
}

static const char *past_softeners(const char *text)
{
	gsize i = 0;

	while (i < G_N_ELEMENTS(softeners)) {
		if (g_str_has_prefix(text, softeners[i])) {
			text += strlen(softeners[i]);
			i = 0;
		} else {
			i++;
		}
	}
	return text;
}

/* ---- the rules ---- */

/* Bytes beyond ASCII are taken for parts of letters. */
static gboolean is_letter(char c)
{
	return g_ascii_isalnum(c) || (c & 0x80);
}

/* Where `phrase` stands in `text` as whole words, or NULL. */
static char *find_words(char *text, const char *phrase)
{
	gsize len = strlen(phrase);

	for (char *at = text; (at = strstr(at, phrase)); at++)
		if ((at == text || !is_letter(at[-1])) && !is_letter(at[len]) &&
		    at[len] != '\'')
			return at;
	return NULL;
}

/* A place is cut out, so that its "this" is no word about the work at hand. */
static gboolean take_place(GString *text)
{
	for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
		char *at = find_words(text->str, places[i]);
		gsize len = strlen(places[i]);

		if (!at)
			continue;
		len += strspn(at + len, ", ");
		g_string_erase(text, at - text->str, (gssize)len);
		return TRUE;
	}
	return FALSE;
}

static gboolean is_at_hand(char *text, Tongue tongue)
{
	for (gsize i = 0; at_hand[tongue][i]; i++)
		if (find_words(text, at_hand[tongue][i]))
			return TRUE;
	return FALSE;
}

static gboolean begins_with_verb(const char *text)
{
	g_autofree char *word =
		g_strndup(text, strspn(text, "abcdefghijklmnopqrstuvwxyz"));

	return g_strv_contains(verbs, word);
}

/* What it says after its opening, or NULL: it opens like no statement. */
static char *rest_of(char *text, gboolean *ret_fact, Tongue *ret_tongue)
{
	for (gsize i = 0; i < G_N_ELEMENTS(openings); i++) {
		char *rest = text + strlen(openings[i].words);

		if (!g_str_has_prefix(text, openings[i].words))
			continue;
		*ret_fact = openings[i].rest == IS_FACT;
		*ret_tongue = openings[i].tongue;
		if (openings[i].rest != WANTS_VERB || begins_with_verb(rest))
			return rest;
	}
	return NULL;
}

static guint count_words(const char *text)
{
	guint n = 0;

	for (const char *p = text; *p; p++)
		n += *p != ' ' && (p == text || p[-1] == ' ');
	return n;
}

static Stated *judge(const char *sentence)
{
	g_autofree char *compared = as_compared(sentence);
	g_autoptr(GString) text = g_string_new(NULL);
	Stated *stated;
	gboolean here, fact = FALSE;
	Tongue tongue = EN;
	char *rest;

	g_string_assign(text, past_softeners(compared));
	here = take_place(text);
	rest = rest_of(text->str, &fact, &tongue);
	if (!rest || count_words(text->str) < WORDS_MIN || is_at_hand(rest, tongue))
		return NULL;
	stated = g_new0(Stated, 1);
	stated->text = g_strdup(sentence + strspn(sentence, " -*"));
	stated->fact = fact;
	stated->here = here;
	return stated;
}

GPtrArray *stated_find(const char *message)
{
	GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)stated_free);
	g_autofree char *clean = spk_text_clean(message, -1, SPK_CLEAN_TEXT);
	g_autofree char *own = own_words(clean);
	const char *start = own;

	if (strlen(clean) > STATED_MESSAGE_MAX)
		return all;
	for (const char *p = own; all->len < STATED_MAX; p++) {
		g_autofree char *piece = NULL, *sentence = NULL;
		Stated *stated;

		if (!is_end(p))
			continue;
		piece = g_strndup(start, p - start);
		sentence = spk_text_clean(piece, -1, SPK_CLEAN_LINE);
		g_strstrip(sentence);
		stated = *p != '?' && strlen(sentence) <= SENTENCE_MAX ? judge(sentence)
								       : NULL;
		if (stated)
			g_ptr_array_add(all, stated);
		if (!*p)
			break;
		start = p + 1;
	}
	return all;
}
