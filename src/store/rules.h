/* Saved rules: what an operator has allowed or forbidden for good. Their language: guard/approval.h. */
#ifndef SPK_STORE_RULES_H
#define SPK_STORE_RULES_H

#include "store/store.h"

typedef struct {
	char *id;
	gint64 allow; /* 1, or 0: deny */
	char *pattern;
	char *spark; /* NULL: of every spark */
	char *repo;  /* folder that tasks are given in; NULL: everywhere */
	/* Name of the taint that it answers for: of one saved at a question that a taint rule
	 * raised; else "operator", which answers no such question. */
	char *taint;
	char *by;
	char *question;			  /* id of the one that it was saved at; NULL */
	gint64 created_us, used_us, uses; /* used_us 0: never */
} SpkRule;
void spk_rule_free(SpkRule *rule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkRule, spk_rule_free)

/* All of them, oldest first. GPtrArray of SpkRule. */
GPtrArray *spk_rules_list(SpkStore *store, GError **error);
/* Those that hold for this spark in this folder. */
GPtrArray *spk_rules_for(SpkStore *store, const char *spark, const char *repo,
			 GError **error);
/* Reads allow … question (taint NULL: operator; created_us 0: now); the same verdict, pattern,
 * spark and repo again is the same rule. *ret_id (may be NULL) is its id. */
gboolean spk_rules_add(SpkStore *store, const SpkRule *rule, char **ret_id,
		       GError **error);
/* By id or unique prefix of at least 2 characters. NOT_FOUND; USAGE when ambiguous. *ret_was (may
 * be NULL) is what was dropped. */
gboolean spk_rules_drop(SpkStore *store, const char *id, SpkRule **ret_was,
			GError **error);
/* It has decided about a call, now. */
gboolean spk_rules_used(SpkStore *store, const char *id, GError **error);

#endif
