/*
 * English forms that no rule of endings brings together. Left out are those that mostly are another
 * word ("ground", "bound", "lit"), and what is a stop word anyway. What it brings:
 * docs/benchmarks.md, "Words of memories".
 */
#include <stdlib.h>
#include <string.h>

#include "store/memory/stem.h"

typedef struct {
	const char *form, *base;
} Irregular;

/* clang-format off */
static const Irregular irregulars[] = { /* sorted by form */
	{ "ate", "eat" }, { "became", "become" }, { "began", "begin" },
	{ "begun", "begin" }, { "bent", "bend" }, { "bit", "bite" }, { "bitten", "bite" },
	{ "bled", "bleed" }, { "blew", "blow" }, { "blown", "blow" }, { "bought", "buy" },
	{ "bred", "breed" }, { "broke", "break" }, { "broken", "break" },
	{ "brought", "bring" }, { "built", "build" }, { "burnt", "burn" },
	{ "came", "come" }, { "caught", "catch" }, { "children", "child" },
	{ "chose", "choose" }, { "chosen", "choose" }, { "clung", "cling" },
	{ "crept", "creep" }, { "dealt", "deal" }, { "drank", "drink" },
	{ "drawn", "draw" }, { "dreamt", "dream" }, { "drew", "draw" },
	{ "driven", "drive" }, { "drove", "drive" }, { "drunk", "drink" },
	{ "dug", "dig" }, { "eaten", "eat" }, { "fallen", "fall" }, { "fed", "feed" },
	{ "feet", "foot" }, { "fell", "fall" }, { "felt", "feel" }, { "fled", "flee" }, { "flew", "fly" },
	{ "flown", "fly" }, { "forbade", "forbid" }, { "forbidden", "forbid" },
	{ "forgave", "forgive" }, { "forgiven", "forgive" }, { "forgot", "forget" },
	{ "forgotten", "forget" }, { "fought", "fight" }, { "found", "find" },
	{ "froze", "freeze" }, { "frozen", "freeze" }, { "gave", "give" },
	{ "given", "give" }, { "goes", "go" }, { "gone", "go" }, { "grew", "grow" }, { "grown", "grow" },
	{ "halves", "half" }, { "heard", "hear" }, { "held", "hold" }, { "hid", "hide" },
	{ "hidden", "hide" }, { "hung", "hang" }, { "kept", "keep" }, { "knelt", "kneel" },
	{ "knew", "know" }, { "knives", "knife" }, { "known", "know" }, { "laid", "lay" },
	{ "leapt", "leap" }, { "learnt", "learn" },
	{ "led", "lead" }, { "left", "leave" }, { "lent", "lend" },
	{ "loaves", "loaf" }, { "lost", "lose" }, { "made", "make" }, { "meant", "mean" },
	{ "men", "man" }, { "met", "meet" }, { "mice", "mouse" }, { "paid", "pay" },
	{ "people", "person" }, { "proven", "prove" }, { "ran", "run" },
	{ "rang", "ring" }, { "ridden", "ride" }, { "risen", "rise" }, { "rode", "ride" },
	{ "rung", "ring" }, { "said", "say" }, { "sang", "sing" }, { "sank", "sink" },
	{ "sat", "sit" }, { "saw", "see" }, { "seen", "see" }, { "sent", "send" },
	{ "sewn", "sew" }, { "shaken", "shake" }, { "shelves", "shelf" },
	{ "shone", "shine" }, { "shook", "shake" }, { "shot", "shoot" },
	{ "shown", "show" }, { "shrank", "shrink" }, { "shrunk", "shrink" },
	{ "slept", "sleep" }, { "slid", "slide" }, { "sold", "sell" },
	{ "sought", "seek" }, { "spelt", "spell" }, { "spent", "spend" },
	{ "spilt", "spill" }, { "spoilt", "spoil" }, { "spoke", "speak" },
	{ "spoken", "speak" }, { "spun", "spin" }, { "stole", "steal" },
	{ "stolen", "steal" }, { "stood", "stand" }, { "struck", "strike" },
	{ "stuck", "stick" }, { "stung", "sting" }, { "sung", "sing" }, { "sunk", "sink" },
	{ "swam", "swim" }, { "swept", "sweep" }, { "swore", "swear" },
	{ "sworn", "swear" }, { "swum", "swim" }, { "swung", "swing" },
	{ "taken", "take" }, { "taught", "teach" }, { "teeth", "tooth" },
	{ "thought", "think" }, { "threw", "throw" }, { "thrown", "throw" },
	{ "took", "take" }, { "tore", "tear" }, { "torn", "tear" },
	{ "understood", "understand" }, { "went", "go" }, { "wept", "weep" },
	{ "wives", "wife" }, { "woke", "wake" }, { "woken", "wake" }, { "wolves", "wolf" },
	{ "women", "woman" }, { "won", "win" }, { "wore", "wear" }, { "worn", "wear" },
	{ "wove", "weave" }, { "woven", "weave" }, { "written", "write" },
	{ "wrote", "write" },
};
/* clang-format on */

static int compare(const void *word, const void *row)
{
	return strcmp(word, ((const Irregular *)row)->form);
}

const char *spk_stem_irregular(const char *word)
{
	const Irregular *found = bsearch(word, irregulars, G_N_ELEMENTS(irregulars),
					 sizeof(*irregulars), compare);

	return found ? found->base : NULL;
}
