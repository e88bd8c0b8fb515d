#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static gint64 read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (gint64)t.tv_sec * G_USEC_PER_SEC + t.tv_nsec / 1000;
}

static gint64 system_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

static gint64 system_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

static void system_sleep_us(gint64 us, int wake_fd)
{
	gint64 end = system_mono_us() + MIN(us, G_MAXINT64 / 2);

	while (us > 0) {
		struct pollfd wake = { .fd = wake_fd, .events = POLLIN };

		/* a minute at a time; the loop looks again */
		if (poll(&wake, 1, (int)(MIN(us, 60 * G_USEC_PER_SEC) + 999) / 1000) > 0)
			return;
		us = end - system_mono_us();
	}
}

static void system_random(void *buffer, gsize len)
{
	char *p = buffer;

	while (len) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0) {
			g_assert(errno == EINTR);
			continue;
		}
		p += n;
		len -= n;
	}
}

static const SpkClock system_clock = {
	.wall_us = system_wall_us,
	.mono_us = system_mono_us,
	.sleep_us = system_sleep_us,
	.random = system_random,
};

static const SpkClock *in_use = &system_clock;

const SpkClock *spk_clock_system(void)
{
	return &system_clock;
}

void spk_clock_use(const SpkClock *clock)
{
	in_use = clock ? clock : &system_clock;
}

gint64 spk_now_us(void)
{
	return in_use->wall_us();
}

gint64 spk_mono_us(void)
{
	return in_use->mono_us();
}

void spk_clock_sleep_us(gint64 us, int wake_fd)
{
	in_use->sleep_us(us, wake_fd);
}

void spk_random(void *buffer, gsize len)
{
	in_use->random(buffer, len);
}

double spk_random_unit(void)
{
	guint64 bits;

	spk_random(&bits, sizeof(bits));
	return (double)(bits >> 11) / 9007199254740992.0; /* 2^53 */
}

char *spk_time_format(gint64 wall_us)
{
	gint64 us = wall_us % G_USEC_PER_SEC;
	time_t seconds = wall_us / G_USEC_PER_SEC;
	char text[32];
	struct tm tm;

	if (us < 0) { /* before 1970 */
		us += G_USEC_PER_SEC;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%04Y-%m-%dT%H:%M:%S",
		 &tm); /* "%Y" of the year 26 is "26" */
	return g_strdup_printf("%s.%03dZ", text, (int)(us / 1000));
}

gboolean spk_time_parse(const char *text, gint64 *ret_us)
{
	g_autoptr(GTimeZone) local = g_time_zone_new_local();
	g_autofree char *midnight = strlen(text) == strlen("2026-01-31")
					    ? g_strconcat(text, "T00:00:00", NULL)
					    : NULL;
	g_autoptr(GDateTime)
		time = g_date_time_new_from_iso8601(midnight ? midnight : text, local);

	if (!time)
		return FALSE;
	*ret_us = g_date_time_to_unix(time) * G_USEC_PER_SEC +
		  g_date_time_get_microsecond(time);
	return TRUE;
}

/* 35 bits of seconds above 25 of chance. Within a second each number is above the one
 * before: chance alone would repeat itself once in a few thousand. */
static guint64 next_id_number(void)
{
	static GMutex lock;
	static guint64 last;
	const gint64 epoch = 1577836800; /* 2020-01-01 */
	guint64 seconds = MAX(0, spk_now_us() / G_USEC_PER_SEC - epoch);
	guint64 number;
	guint32 chance;

	spk_random(&chance, sizeof(chance));
	number = seconds << 25 | (chance & 0x1ffffff);
	g_mutex_lock(&lock);
	if (last >> 25 == seconds || last >> 25 == seconds + 1) /* it may have run over */
		number = last + 1 + (chance & 0xff);
	last = number;
	g_mutex_unlock(&lock);
	return number;
}

char *spk_id_new(void)
{
	static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
	guint64 number = next_id_number();
	char id[13] = "";

	for (int i = 11; i >= 0; i--, number >>= 5)
		id[i] = digits[number & 31];
	return g_strdup(id);
}
