/* Times that a question names. */
#include "memory/recall/dates.h"

#include <string.h>

#define MOST_WORDS 60
#define WORD_MAX   16
#define YEARS_BACK 10
#define TOLD_AFTER (7 * G_TIME_SPAN_DAY)
#define YEAR_MIN   1970
#define YEAR_MAX   2200

typedef struct {
	char text[WORD_MAX]; /* lower case, cut */
	int number;	     /* of its first digits ("6th"); -1: it begins with none */
} Word;

typedef struct {
	Word words[MOST_WORDS];
	int n;
	gint64 now_us;
	GArray *spans;
} Reader;

/* ---- words ---- */

static void add_word(Reader *reader, const char *begin, gsize len)
{
	Word *word = &reader->words[reader->n++];
	gsize n = MIN(len, WORD_MAX - 1);

	for (gsize i = 0; i < n; i++)
		word->text[i] = g_ascii_tolower(begin[i]);
	word->text[n] = '\0';
	word->number = -1;
	if (g_ascii_isdigit(begin[0]) && n <= 6)
		word->number = (int)g_ascii_strtoull(word->text, NULL, 10);
}

static void read_words(Reader *reader, const char *text)
{
	const char *p = text;

	while (*p && reader->n < MOST_WORDS) {
		gsize len = 0;

		while (p[len] && (g_ascii_isalnum(p[len]) || (p[len] & 0x80)))
			len++;
		if (len)
			add_word(reader, p, len);
		p += len ? len : 1;
	}
}

static const char *word_at(const Reader *reader, int i)
{
	return i >= 0 && i < reader->n ? reader->words[i].text : "";
}

static int number_at(const Reader *reader, int i)
{
	return i >= 0 && i < reader->n ? reader->words[i].number : -1;
}

static int year_at(const Reader *reader, int i)
{
	int number = number_at(reader, i);

	return number >= YEAR_MIN && number <= YEAR_MAX ? number : 0;
}

static int day_at(const Reader *reader, int i)
{
	int number = number_at(reader, i);

	return number >= 1 && number <= 31 ? number : 0;
}

/* ---- spans ---- */

static GDateTime *begin_of(int year, int month, int day)
{
	return g_date_time_new_local(year, month ? month : 1, day ? day : 1, 0, 0, 0);
}

static gint64 micros(GDateTime *time)
{
	return g_date_time_to_unix(time) * G_USEC_PER_SEC;
}

/* So long from `from` on, which it takes; FALSE: there is no such day. */
static gboolean add_span(Reader *reader, GDateTime *from, int years, int months, int days,
			 gboolean from_now)
{
	g_autoptr(GDateTime) begin = from;
	g_autoptr(GDateTime) to = NULL;
	SpkDateSpan span;

	if (begin)
		to = g_date_time_add_full(begin, years, months, days, 0, 0, 0);
	if (!to)
		return FALSE;
	span = (SpkDateSpan){ micros(begin), micros(to), from_now };
	g_array_append_val(reader->spans, span);
	return TRUE;
}

/* month 0: the year; day 0: the month. */
static gboolean add_date(Reader *reader, int year, int month, int day)
{
	return add_span(reader, begin_of(year, month, day), !month, month && !day,
			day > 0, FALSE);
}

static int year_of(gint64 time_us)
{
	g_autoptr(GDateTime)
		time = g_date_time_new_from_unix_local(time_us / G_USEC_PER_SEC);

	return time ? g_date_time_get_year(time) : 0;
}

/* ---- dates ---- */

static int month_at(const Reader *reader, int i)
{
	static const char *const months[] = { "january", "february", "march",
					      "april",	 "may",	     "june",
					      "july",	 "august",   "september",
					      "october", "november", "december" };
	const char *word = word_at(reader, i);

	for (int m = 0; m < 12; m++)
		if (strcmp(word, months[m]) == 0 ||
		    (strlen(word) == 3 && m != 4 && strncmp(word, months[m], 3) == 0))
			return m + 1;
	return 0;
}

/* "In May" is a month, and "6 May"; "May" may be somebody's name, and "march" is what people do. */
static gboolean is_month(const Reader *reader, int i)
{
	static const char *const before[] = { "in",   "during", "of",	 "since",
					      "last", "this",	"early", "late",
					      "mid",  "by",	"until", NULL };

	return number_at(reader, i - 1) > 0 || number_at(reader, i + 1) > 0 ||
	       g_strv_contains(before, word_at(reader, i - 1));
}

/* "6 October 2023", "6th of October", "October 6th, 2023", "October 2023", "in October" */
static gboolean read_month(Reader *reader, int i)
{
	int month = month_at(reader, i), day, year, next = i + 1;
	gboolean any = FALSE;

	if (!month || !is_month(reader, i))
		return FALSE;
	day = day_at(reader, i - (strcmp(word_at(reader, i - 1), "of") == 0 ? 2 : 1));
	if (!day && day_at(reader, next) && !year_at(reader, next))
		day = day_at(reader, next++);
	if (strcmp(word_at(reader, next), "of") == 0)
		next++;
	year = year_at(reader, next);
	if (year)
		return add_date(reader, year, month, day);
	year = year_of(reader->now_us);
	for (int y = year - YEARS_BACK; y <= year + 1; y++)
		any |= add_date(reader, y, month, day);
	return any;
}

/* "2023-10-06", "2023-10"; "in 2023" */
static gboolean read_year(Reader *reader, int i)
{
	int year = year_at(reader, i), month = number_at(reader, i + 1);
	const char *before = word_at(reader, i - 1);

	if (!year || strlen(word_at(reader, i)) != 4)
		return FALSE;
	if (month >= 1 && month <= 12 && strlen(word_at(reader, i + 1)) == 2)
		return add_date(
			reader, year, month,
			strlen(word_at(reader, i + 2)) == 2 ? day_at(reader, i + 2) : 0);
	return (strcmp(before, "in") == 0 || strcmp(before, "during") == 0 ||
		strcmp(before, "of") == 0) &&
	       !month_at(reader, i - 1) && !month_at(reader, i - 2) &&
	       add_date(reader, year, 0, 0);
}

/* ---- from now ---- */

typedef enum { NO_UNIT, DAY, WEEK, MONTH, YEAR } Unit;

static Unit unit_at(const Reader *reader, int i)
{
	static const char *const units[] = { "", "day", "week", "month", "year" };
	const char *word = word_at(reader, i);
	gsize len = strlen(word);

	if (len > 1 && word[len - 1] == 's')
		len--;
	for (int unit = DAY; unit <= YEAR; unit++)
		if (strlen(units[unit]) == len && strncmp(word, units[unit], len) == 0)
			return unit;
	return NO_UNIT;
}

/* The day, week (from Monday), month or year that lies `back` of them before this one. */
static gboolean add_back(Reader *reader, Unit unit, int back)
{
	g_autoptr(GDateTime)
		now = g_date_time_new_from_unix_local(reader->now_us / G_USEC_PER_SEC);
	g_autoptr(GDateTime) begin = NULL;
	int year, month, day;

	if (!now)
		return FALSE;
	g_date_time_get_ymd(now, &year, &month, &day);
	begin = begin_of(year, unit == YEAR ? 1 : month, unit >= MONTH ? 1 : day);
	if (!begin)
		return FALSE;
	return add_span(
		reader,
		g_date_time_add_full(
			begin, unit == YEAR ? -back : 0, unit == MONTH ? -back : 0,
			unit == DAY    ? -back
			: unit == WEEK ? 1 - 7 * back - g_date_time_get_day_of_week(now)
				       : 0,
			0, 0, 0),
		unit == YEAR, unit == MONTH, unit == WEEK ? 7 : unit == DAY, TRUE);
}

static int count_at(const Reader *reader, int i)
{
	static const char *const counts[] = { "",      "a",    "two", "three",
					      "four",  "five", "six", "seven",
					      "eight", "nine", "ten" };
	int number = number_at(reader, i);

	for (int n = 1; n < (int)G_N_ELEMENTS(counts); n++)
		if (strcmp(word_at(reader, i), counts[n]) == 0)
			return n;
	if (strcmp(word_at(reader, i), "one") == 0)
		return 1;
	return number >= 1 && number <= 1000 ? number : 0;
}

/* "today", "yesterday", "last week", "this month", "two weeks ago" */
static gboolean read_from_now(Reader *reader, int i)
{
	const char *word = word_at(reader, i);
	Unit unit;

	if (strcmp(word, "today") == 0)
		return add_back(reader, DAY, 0);
	if (strcmp(word, "yesterday") == 0)
		return add_back(reader, DAY, 1);
	unit = unit_at(reader, i + 1);
	if (unit && strcmp(word, "last") == 0)
		return add_back(reader, unit, 1);
	if (unit && unit != DAY && strcmp(word, "this") == 0)
		return add_back(reader, unit, 0);
	return unit && strcmp(word_at(reader, i + 2), "ago") == 0 &&
	       count_at(reader, i) && add_back(reader, unit, count_at(reader, i));
}

/* ---- the calls ---- */

GArray *spk_dates_named(const char *question, gint64 now_us)
{
	Reader reader = { .now_us = now_us,
			  .spans = g_array_new(FALSE, FALSE, sizeof(SpkDateSpan)) };

	if (strlen(question) > SPK_DATES_QUESTION_MAX)
		return reader.spans;
	read_words(&reader, question);
	for (int i = 0; i < reader.n; i++)
		(void)(read_month(&reader, i) || read_year(&reader, i) ||
		       read_from_now(&reader, i));
	return reader.spans;
}

gboolean spk_dates_fit(const GArray *spans, gint64 time_us, gboolean is_turn)
{
	for (guint i = 0; i < spans->len; i++) {
		const SpkDateSpan *span = &g_array_index(spans, SpkDateSpan, i);
		gint64 until_us = span->to_us + (is_turn ? TOLD_AFTER : 0);

		if ((is_turn || span->from_now) && time_us >= span->from_us &&
		    time_us < until_us)
			return TRUE;
	}
	return FALSE;
}
