/*
 * Seams for time and chance. Code never calls time(), sleep() or random functions itself;
 * tests put a fake in place with spk_clock_use().
 */
#ifndef SPK_BASE_CLOCK_H
#define SPK_BASE_CLOCK_H

#include <glib.h>

typedef struct {
	gint64 (*wall_us)(void); /* microseconds since 1970, UTC */
	gint64 (*mono_us)(void); /* monotonic */
	void (*sleep_us)(
		gint64 us,
		int wake_fd); /* returns early when wake_fd (or -1) is readable */
	void (*random)(void *buffer, gsize len);
} SpkClock;

const SpkClock *spk_clock_system(void);
/* Not for use while threads run. NULL: back to the system's. */
void spk_clock_use(const SpkClock *clock);

gint64 spk_now_us(void);
gint64 spk_mono_us(void);
/* See spk_sleep_ms() in base/cancel.h for the everyday form. */
void spk_clock_sleep_us(gint64 us, int wake_fd);
void spk_random(void *buffer, gsize len);
double spk_random_unit(void); /* [0, 1) */

/* RFC 3339 in UTC with milliseconds: 2026-01-31T12:00:00.000Z */
char *spk_time_format(gint64 wall_us);
/* RFC 3339 in any zone, whole seconds or fractions of them. Without a zone it is the machine's, a
 * date alone its midnight. FALSE: it is no time. */
gboolean spk_time_parse(const char *text, gint64 *ret_us);

/* Sortable, easy to type: 12 characters of Crockford base 32 in lower case. The first 7 are
 * seconds since 2020, the rest starts at random each second; within a process every id is
 * unique and above those made before in the same second. */
char *spk_id_new(void);

#endif
