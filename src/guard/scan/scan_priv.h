/*
 * Inside the scanner: meanings, their words and the rules over them are data (scan_terms.c,
 * scan_rules.c); scan_dict.c makes them searchable; scan_match.c goes over one layer of a
 * text, scan_layers.c finds the layers, scan_lower.c tells what is only talked about.
 */
#ifndef SPK_GUARD_SCAN_PRIV_H
#define SPK_GUARD_SCAN_PRIV_H

#include "guard/scan.h"

/* clang-format off */
/* Small groups of meaning. A rule is a combination of these, so that wordings nobody has
 * written down are found too. */
#define SCAN_GROUPS(X)                                                         \
	X(IGN,     "to drop what was said")                                    \
	X(IGNF,    "the same in languages whose verb may stand last")          \
	X(PREV,    "what came before")                                         \
	X(ALLQ,    "all of it")                                                \
	X(YOURS,   "yours")                                                    \
	X(INSTR,   "instructions")                                             \
	X(RULEW,   "rules, restrictions, the task")                            \
	X(EVERY,   "everything above, all you were told")                      \
	X(NEWI,    "new instructions")                                         \
	X(NEWY,    "your new task is")                                         \
	X(STOPT,   "to leave the work at hand")                                \
	X(ROLE,    "to be somebody else from now on")                          \
	X(PERSONA, "a model without rules, by its usual names")                \
	X(UNRES,   "without restrictions")                                     \
	X(DELIM,   "marks that end a message or a role in a prompt")           \
	X(AUTH,    "a claim of authority or of an approval")                   \
	X(ADDR,    "the model, spoken to")                                     \
	X(MUST,    "it has to be done")                                        \
	X(BEFORE,  "before anything else")                                     \
	X(CONCEAL, "to keep it from the user")                                 \
	X(QUIET,   "unnoticed")                                                \
	X(SECF,    "secrets of this machine, by file or variable")             \
	X(SECS,    "keys, passwords, tokens")                                  \
	X(HIST,    "the conversation, the whole code")                         \
	X(HARV,    "to read or gather")                                        \
	X(SEND,    "to send")                                                  \
	X(REVEAL,  "to reveal")                                                \
	X(SYSP,    "the system prompt")                                        \
	X(URLD,    "an address on the net")                                    \
	X(DESTW,   "a place outside, in words")                                \
	X(PUBD,    "where everybody reads it: comment, commit, pull request")  \
	X(RUN,     "to run")                                                   \
	X(PIPESH,  "a download piped into a shell")                            \
	X(REVSH,   "a shell for somebody outside")                             \
	X(RMRF,    "deletion of everything")                                   \
	X(SUBST,   "command substitution")                                     \
	X(NETC,    "programs that transfer")                                   \
	X(B64D,    "decoded and run")                                          \
	X(DISABLE, "to switch off")                                            \
	X(PROTECT, "sandbox, approval, checks")                                \
	X(NOASK,   "without asking")                                           \
	X(YOUMAY,  "you are allowed")                                          \
	X(ESCAL,   "more rights for oneself")                                  \
	X(PUSHW,   "to push, merge or deploy")                                 \
	X(FAKED,   "to claim success, to skip the tests")                      \
	X(BACKD,   "a back door")                                              \
	X(PLANT,   "to add or install")                                        \
	X(PERSIST, "what runs later: CI, hooks, start files, keys for login")  \
	X(HIDDEN,  "text that a reader does not see")                          \
	X(TOOLW,   "one of the model's tools, by name")                        \
	X(FOLLOW,  "to follow what is found there")                            \
	X(ENCODE,  "to encode")                                                \
	X(IMGX,    "an image whose address carries data")                      \
	X(FICTION, "as a story, only in theory")                               \
	X(SECX,    "files that hold secrets, by name")                         \
	X(WIPE,    "to delete everything")                                     \
	X(OVR,     "to override or replace")                                   \
	X(SHOW,    "to show or print")                                         \
	X(DROPIT,  "to drop it, said afterwards")                              \
	X(LAYERED, "a text that was encoded")                                  \
	X(CHAT,    "a role at the beginning of a line")                        \
	X(HYPO,    "talk about attacks, tests and examples")                   \
	X(HYPS,    "the attack as the subject")                                \
	X(OUGHT,   "must, should, please")                                     \
	X(ADDRW,   "the model, perhaps spoken of")                             \
	X(CAN,     "could, might")                                             \
	X(NEG,     "not")                                                      \
	/* wide ones, of scan_slots.def: weighed, in no rule */                \
	X(MODEL,   "a machine that reads")                                     \
	X(USERW,   "the person it works for")                                  \
	X(SENDW,   "to give away or write somewhere")                          \
	X(TELLW,   "to show or tell")                                          \
	X(THING,   "what may be worth taking")                                 \
	X(MAILW,   "mail and calendar")                                        \
	X(MONEY,   "money")                                                    \
	X(DELW,    "to delete or undo")                                        \
	X(OFFW,    "to switch off or leave out")                               \
	X(GUARDW,  "checks and safeguards")                                    \
	X(GRANTW,  "to add, grant or put in place")                            \
	X(RIGHTSW, "rights, accounts, branches")                               \
	X(RUNW,    "to run or fetch")                                          \
	X(HIDEW,   "unseen")                                                   \
	X(NOASKW,  "unasked, at once")                                         \
	X(DONEW,   "allowed already")                                          \
	X(BOSSW,   "somebody with authority")                                  \
	X(CLAIMW,  "to say what is wanted")                                    \
	X(STORYW,  "a story or a play")                                        \
	X(THUSW,   "so it follows")                                            \
	X(MUSTW,   "must, please")                                             \
	X(WHENW,   "before, when, then")                                       \
	X(RULESW,  "instructions and rules")                                   \
	X(CODEBAD, "code that opens a door")/* clang-format on */

typedef enum {
#define X(sym, ...) SCAN_##sym,
	SCAN_GROUPS(X)
#undef X
		SCAN_N_GROUPS
} ScanGroup;

#define SCAN_BIT(sym) (G_GUINT64_CONSTANT(1) << SCAN_##sym)

/* Words apart by blanks: "_" joins those of a phrase, "*" at the end is a stem. */
typedef struct {
	ScanGroup group;
	const char *lang; /* ISO 639-1; "*" all */
	const char *words;
} ScanTerms;
extern const ScanTerms scan_terms[]; /* ends with words NULL */

/* Marks that are no words: tried where their first character stands. " " is any number of
 * blanks; at the end "\1": the word ends there, "\2": so does the argument. */
typedef struct {
	ScanGroup group;
	const char *text;
} ScanLiteral;
extern const ScanLiteral scan_literals[]; /* ends with text NULL */

typedef enum {
	SCAN_ORDERED = 1 << 0, /* the parts in this order */
	SCAN_KEEP = 1 << 1,    /* counts also where it is only talked about */
} ScanFlags;

#define SCAN_WINDOW    48u /* words of a stretch that is weighed */
#define SCAN_MAX_PARTS 4
/* Sums of weights from which a stretch is a finding (scan_weigh.c), and from which it agrees
 * with a critical finding of a rule. tools/scan-learn makes HIGH what two of a hundred innocent
 * texts reach. */
#define SCAN_SUM_AGREES	  110
#define SCAN_SUM_MEDIUM	  308
#define SCAN_SUM_HIGH	  400
#define SCAN_SUM_CRITICAL 580

/* The first rows of scan_rules: what has no parts but a weight (scan_weigh.c). */
enum {
	SCAN_ORDER_OTHER,
	SCAN_ORDER_OVERRIDE,
	SCAN_ORDER_SECRETS,
	SCAN_ORDER_SHELL,
	SCAN_ORDER_RIGHTS,
	SCAN_N_ORDERS
};

typedef struct {
	const char *id;
	SpkScanClass kind;
	SpkScanSeverity severity;
	guint window; /* words from the first part to the last */
	guint flags;
	guint64 parts[SCAN_MAX_PARTS]; /* each one of these groups; 0: no more parts */
} ScanRule;
extern const ScanRule scan_rules[]; /* ends with id NULL */
guint scan_rule_count(void);

/* ---- scan_weights.c ---- */
/* clang-format off */
/* What is weighed: sign in scan_weights.def, kind, its name in words. */
#define SCAN_FEATURES(X)                                                    \
	X('w', WORD,    "a word")                                           \
	X('p', PREFIX,  "the beginning of a word")                          \
	X('b', TWO,     "two words")                                        \
	X('f', FIRST,   "the first word of a sentence")                     \
	X('c', LETTERS, "letters of a script without blanks")               \
	X('g', GROUP,   "a meaning")                                        \
	X('q', QUOTED,  "a meaning in quotation marks or code")             \
	X('n', NEGATED, "a meaning with a \"not\" before it")               \
	X('x', PAIR,    "two meanings, one soon after the other")           \
	X('r', RULE,    "a rule of the table")                              \
	X('s', SIGN,    "a mark")
#define SCAN_SIGNS(X)                                 \
	X(QUOTE,   "a quotation mark")                \
	X(CODE,    "a mark of code")                  \
	X(ASKS,    "a question mark")                 \
	X(SHOUTS,  "an exclamation mark")             \
	X(BRACE,   "a brace")                         \
	X(MIXED,   "letters of two scripts in a word") \
	X(UNSEEN,  "unseen characters in a word")     \
	X(LAYER,   "a text that was encoded")         \
	X(TURNED,  "a text whose letters were turned")
/* clang-format on */
typedef enum {
#define X(sign, sym, ...) SCAN_F_##sym,
	SCAN_FEATURES(X)
#undef X
		SCAN_N_FEATURES
} ScanFeature;
typedef enum {
#define X(sym, ...) SCAN_SIGN_##sym,
	SCAN_SIGNS(X)
#undef X
		SCAN_N_SIGNS
} ScanSign;

typedef struct {
	const char *
		name; /* "w:verbatim", "b:do_not", "g:IGN", "x:ADDR>SEND", "r:shell.piped" */
	gint8 weight;
} ScanWeight;
extern const ScanWeight
	scan_weights[]; /* ends with name NULL; at most SCAN_MAX_WEIGHTS */
#define SCAN_MAX_WEIGHTS 16384u

/* ---- scan_fold.c ---- */
/* One character, case, compatibility form and accent taken away. 0: to be skipped (zero-width,
 * marks, bidi controls); 1: a separator. */
gunichar scan_fold(gunichar c);
/* A Latin letter that looks like it, or the same. */
gunichar scan_confusable(gunichar c);
/* Scripts that are gone over letter by letter, blanks or not: their words have none between
 * them (Han, Kana, Thai), or take prefixes and endings (Arabic, Hangul). */
gboolean scan_runs_on(gunichar c);
/* The character at text[0..len), and its length; invalid: U+FFFD and 1. */
gunichar scan_char(const guint8 *text, gsize len, guint *ret_len);
/* The same, but an HTML entity, percent, \x, \u or octal escape counts as what it stands for. */
gunichar scan_unescape(const guint8 *text, gsize len, guint *ret_len);

/* ---- scan_dict.c ---- */
typedef struct {
	guint64 hash;
	guint8 groups[9];
	guint8 n;
	guint8 kinds; /* ScanKinds */
	guint8 chars;
} ScanEntry;

typedef enum {
	SCAN_EXACT = 1 << 0,
	SCAN_STEM = 1 << 1,
	SCAN_PHRASE_END = 1 << 2, /* some phrase ends with this word */
	SCAN_GLUED = 1 << 3,	  /* a phrase without its blanks */
	SCAN_PHRASE = 1 << 4,	  /* the hash is of a phrase */
	SCAN_SHIFTED =
		1 << 5, /* a word that only appears in a turned text; groups[0]: how far,
				* 0: written backwards */
} ScanKinds;

#define SCAN_SLOTS 32768u
typedef struct {
	guint8 stems[8192], ends[8192],
		runs[8192]; /* one bit for each hash that may be there */
	ScanEntry slots[SCAN_SLOTS];
	guint8 literals[128][40]; /* by first character: numbers from 1; 0: no more */
	/* the places where a group stands in a rule */
	struct {
		guint16 rule;
		guint8 part;
	} uses[SCAN_N_GROUPS][160];
	guint n_uses[SCAN_N_GROUPS];
	/* by scan_weigh_key(): which row of scan_weights, from 1 */
	guint8 weigh_bits[32768];
	struct {
		guint64 key;
		guint16 id;
	} weigh_slots[SCAN_SLOTS];
	/* the same of what is numbered */
	guint16 group_ids[3][SCAN_N_GROUPS]; /* open, quoted, negated */
	guint16 pair_ids[SCAN_N_GROUPS][SCAN_N_GROUPS];
	guint16 rule_ids[256], sign_ids[SCAN_N_SIGNS];
	guint8 weight_rules
		[SCAN_MAX_WEIGHTS]; /* what a finding is that it weighs most in */
	gint layer_weight, turned_weight;
} ScanDict;

#define SCAN_HASH_START G_GUINT64_CONSTANT(0xcbf29ce484222325)
static inline guint64 scan_hash(guint64 hash, gunichar c)
{
	hash = (hash ^ c) * G_GUINT64_CONSTANT(0x100000001b3);
	return hash ^ (hash >> 29);
}
static inline gboolean scan_maybe(const guint8 *bits, guint64 hash)
{
	return bits[(hash >> 3) & 8191] >> (hash & 7) & 1;
}
/* The hash of a phrase: that of its words, the last one's with the one before, and so on. */
static inline guint64 scan_combine(guint64 hash, guint64 word)
{
	return scan_hash(hash ^ 0x5bd1e995, (gunichar)(word >> 32)) ^ word;
}
static inline guint64 scan_weigh_key(guint kind, guint64 hash)
{
	hash = (hash ^ ((guint64)(kind + 1) << 56)) *
	       G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
	return hash ^ (hash >> 32);
}
static inline gboolean scan_maybe_weighs(const ScanDict *dict, guint64 key)
{
	return dict->weigh_bits[(key >> 3) & 32767] >> (key & 7) & 1;
}
/* Row of scan_weights, or -1. */
gint scan_find_weight(const ScanDict *dict, guint64 key);
/* Made at the first call. */
const ScanDict *scan_dict(void);
const ScanEntry *scan_find(const ScanDict *dict, guint64 hash);

/* ---- scan_match.c ---- */
#define SCAN_REASONS 4
typedef struct ScanMatch ScanMatch;
typedef struct {
	guint16 rule;
	guint8 severity; /* SpkScanSeverity */
	gint sum;	 /* the most that the words around it weighed */
	guint32 pos;	 /* half words; of the matcher */
	guint8 n_reasons;
	guint16 reasons[SCAN_REASONS]; /* rows of scan_weights, the weightiest first */
	gboolean hidden;	       /* in a layer, or where a reader does not see it */
	guint32 start, end;	       /* in the text as it was given */
	guint32 sentence;
	const char *layer;
} ScanHit;

/* Where text is talked about; in the text as it was given. */
typedef struct {
	guint32 start, sentence;
	gboolean strong;
} ScanTalk;

typedef struct {
	const guint8 *text; /* as it was given */
	gsize len;
	GArray *hits;	/* ScanHit */
	GArray *talks;	/* ScanTalk, of the text itself */
	GArray *fences; /* guint32: where "```" stands */
	guint64 work;
	guint32 shifts; /* bit k: words turned by k letters were seen; bit 0: backwards */
	guint n_shifted[26];
	gboolean leet, tagged; /* worth a layer */
	gint weight;	       /* the most that a stretch of the text itself weighs */
	guint32 weight_end;
	/* for tools/scan-learn: told of all that could be weighed; NULL: nobody listens */
	void (*note)(ScanMatch *match, ScanFeature kind, guint64 what, guint32 start);
	gpointer note_data;
} Scan;

typedef enum { SCAN_PLAIN, SCAN_LEET_I, SCAN_LEET_L, SCAN_TAGLESS, SCAN_TURNED } ScanMode;

/* A text to go over. Offsets in it become offsets of the text as it was given: counted from
 * `origin`, backwards from `origin_end`, or all of them the whole origin. */
typedef struct {
	const guint8 *text;
	gsize len;
	const char *name; /* "text", "base64", … */
	ScanMode mode;
	guint shift; /* of SCAN_TURNED */
	enum { SCAN_SAME, SCAN_BACKWARDS, SCAN_WHOLE } place;
	gsize origin, origin_end;
} ScanLayer;

ScanMatch *scan_match_new(Scan *scan); /* to be freed with g_free() */
void scan_layer(ScanMatch *match, const ScanLayer *layer);

/* ---- scan_codes.c ---- */
/* text[start..end) of the layer, decoded; the bytes may be changed. */
typedef void (*ScanDecoded)(gpointer data, const char *name, guint8 *bytes, gsize len,
			    gsize start, gsize end);
void scan_find_base32(const guint8 *text, gsize len, ScanDecoded told, gpointer data);
void scan_find_ascii85(const guint8 *text, gsize len, ScanDecoded told, gpointer data);
void scan_find_morse(const guint8 *text, gsize len, ScanDecoded told, gpointer data);
void scan_find_printable(const guint8 *text, gsize len, ScanDecoded told, gpointer data);
void scan_find_dump(const guint8 *text, gsize len, ScanDecoded told, gpointer data);

/* ---- scan_rules.c ---- */
/* Why it is a finding, in words: what the rule looks for, or what weighed most. */
char *scan_reason(const ScanHit *hit);

/* ---- scan_layers.c ---- */
/* All of it: the text and what is wrapped in it. */
void scan_text(Scan *scan);

/* ---- scan.c ---- */
guint scan_points(SpkScanSeverity severity);
SpkScanVerdict scan_verdict_of(const SpkScanResult *result, guint score);
/* Clean, redacted, one line, at most `max_chars` characters. */
char *scan_excerpt(const char *text, gsize start, gsize end, guint max_chars);

/* ---- scan_lower.c ---- */
void scan_find_fences(Scan *scan);
/* Steps by which a hit is milder than its rule says, because the text only talks about it;
 * 3: it does not count. */
guint scan_lowered(const Scan *scan, const ScanHit *hit);

#endif
