/*
 * What a text shows of itself, whatever is asked: who speaks, how much it says, whether it tells
 * or asks, whether it names a time. Ranking uses it as small, bounded additions.
 */
#ifndef SPK_MEMORY_TRAITS_H
#define SPK_MEMORY_TRAITS_H

#include <glib.h>

/* Bytes of a prefix `Name: ` (without the colon) that a text begins with; 0: there is none. A
 * name has at most four words, the first of which begins with a capital letter, and 64 bytes. */
gsize spk_traits_speaker(const char *text);
/* The text behind that prefix. */
const char *spk_traits_body(const char *text);

typedef struct {
	float substance; /* 0-1: words that say something, SPK_TRAITS_FULL of them or more: 1 */
	float asking;	/* 0-1: part of the text that stands in questions */
	gboolean timed; /* it names a time: a day, a month, "yesterday", "last week" */
} SpkTraits;
#define SPK_TRAITS_FULL 14
void spk_traits_of(const char *text, SpkTraits *ret);

/* A question for a time: "when", "what date", "how long", "since when". */
gboolean spk_traits_asks_time(const char *question);

#endif
