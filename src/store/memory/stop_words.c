/*
 * English words that stand in most texts and tell none apart: articles, pronouns, prepositions,
 * auxiliary verbs, question words, what people say between sentences. What it brings to leave them
 * out: docs/benchmarks.md, "Words of memories".
 */
#include <stdlib.h>
#include <string.h>

#include "store/memory/words.h"

/* clang-format off */
static const char *const stop_words[] = { /* sorted */
	"a", "about", "above", "after", "again", "against", "all", "also", "although",
	"am", "an", "and", "any", "are", "arent", "as", "at", "be", "because", "been",
	"before", "being", "below", "between", "both", "but", "by", "can", "cant",
	"could", "did", "didnt", "do", "does", "doesnt", "doing", "dont", "down",
	"during", "each", "else", "etc", "ever", "few", "for", "from", "further",
	"get", "gets", "got", "had", "has", "have", "having", "he", "hello", "her",
	"here", "hers", "herself", "hey", "hi", "him", "himself", "his", "how", "i",
	"if", "im", "in", "into", "is", "isnt", "it", "its", "itself", "ive", "just",
	"let", "like", "lol", "may", "me", "might", "more", "most", "much", "must",
	"my", "myself", "no", "nor", "not", "now", "of", "off", "oh", "ok", "okay",
	"on", "once", "only", "or", "other", "ought", "our", "ours", "ourselves",
	"out", "over", "own", "per", "please", "quite", "rather", "really", "same",
	"shall", "she", "should", "since", "so", "some", "such", "tell", "than",
	"that", "thats", "the", "their", "theirs", "them", "themselves", "then",
	"there", "these", "they", "this", "those", "though", "through", "to", "too",
	"uh", "um", "under", "until", "up", "upon", "us", "very", "via", "was",
	"wasnt", "we", "well", "were", "werent", "what", "whats", "when", "where",
	"which", "while", "who", "whom", "whose", "why", "will", "with", "wont",
	"would", "yes", "yet", "you", "your", "youre", "yours", "yourself",
	"yourselves",
};
/* clang-format on */

static int compare(const void *word, const void *row)
{
	return strcmp(word, *(const char *const *)row);
}

gboolean spk_words_is_stop(const char *word)
{
	return bsearch(word, stop_words, G_N_ELEMENTS(stop_words), sizeof(*stop_words),
		       compare) != NULL;
}
