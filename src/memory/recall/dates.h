/*
 * Times that a question names: "on 6 October 2023", "in May", "2024-02", "last week", "two days ago".
 * English words and ISO 8601 dates, in the local time zone. A month without a year is that of each
 * of the last years.
 */
#ifndef SPK_MEMORY_DATES_H
#define SPK_MEMORY_DATES_H

#include <glib.h>

#define SPK_DATES_QUESTION_MAX \
	300 /* bytes; a longer text is no question, and names no time */

typedef struct {
	gint64 from_us, to_us; /* microseconds since 1970; without to_us */
	gboolean from_now;     /* "last week" */
} SpkDateSpan;

/* GArray of SpkDateSpan, maybe empty. now_us: what "last week" counts from. */
GArray *spk_dates_named(const char *question, gint64 now_us);
/* Said then, or in the week after it: what happens is told some days later. What is no turn of a
 * conversation fits only what counts from now, and no later: a note is stored when it is so, and a
 * date that it is about stands in its text. */
gboolean spk_dates_fit(const GArray *spans, gint64 time_us, gboolean is_turn);

#endif
