/*
 * The schema, one row a version. A row that was released is never changed: what is new gets
 * a row of its own, and the tests open databases of every earlier version.
 */
#include "base/error.h"
#include "store/store_priv.h"

/* clang-format off */
static const char *const tasks_and_journal[] = {
	"CREATE TABLE tasks ("
	" id {key} NOT NULL PRIMARY KEY,"
	" goal TEXT NOT NULL,"
	" spark TEXT NOT NULL,"
	" status TEXT NOT NULL CHECK (status IN ({states})),"
	" verdict TEXT NOT NULL DEFAULT '' CHECK (verdict IN ({verdicts})),"
	" reason TEXT,"
	" summary TEXT,"
	" repo TEXT NOT NULL,"
	" label TEXT,"
	" options TEXT NOT NULL,"		/* JSON, like changes and error */
	" base_id TEXT,"
	" branch TEXT,"
	" commit_id TEXT,"
	" tier TEXT,"
	" steps BIGINT NOT NULL DEFAULT 0,"
	" tokens_in BIGINT NOT NULL DEFAULT 0,"
	" tokens_out BIGINT NOT NULL DEFAULT 0,"
	" tokens_cached BIGINT NOT NULL DEFAULT 0,"
	" cost_usd DOUBLE PRECISION,"		/* NULL: unknown */
	" seconds DOUBLE PRECISION NOT NULL DEFAULT 0,"
	" changes TEXT,"
	" error TEXT,"
	" created_us BIGINT NOT NULL,"
	" updated_us BIGINT NOT NULL,"
	" finished_us BIGINT NOT NULL DEFAULT 0)",
	"CREATE INDEX tasks_by_age ON tasks (created_us, id)",
	"CREATE INDEX tasks_by_status ON tasks (status, created_us, id)",
	/* the queue: stays small however many tasks are finished */
	"CREATE INDEX tasks_open ON tasks (created_us, id) WHERE finished_us = 0",
	"CREATE TABLE journal ("
	" task {key} NOT NULL REFERENCES tasks (id),"
	" seq BIGINT NOT NULL,"
	" kind TEXT NOT NULL,"
	" effect BIGINT NOT NULL,"
	" payload TEXT NOT NULL,"
	" created_us BIGINT NOT NULL,"
	" PRIMARY KEY (task, seq)){clustered}",
	NULL,
};

static const char *const leases_mail_workers[] = {
	/* holder NULL: given back. The token only ever grows. */
	"CREATE TABLE leases ("
	" task {key} NOT NULL PRIMARY KEY REFERENCES tasks (id),"
	" token BIGINT NOT NULL,"
	" holder TEXT,"
	" until_us BIGINT NOT NULL){clustered}",
	"CREATE INDEX leases_held ON leases (holder) WHERE holder IS NOT NULL",
	"CREATE TABLE mail ("
	" task {key} NOT NULL REFERENCES tasks (id),"
	" seq BIGINT NOT NULL,"
	" kind TEXT NOT NULL,"
	" payload TEXT NOT NULL,"
	" created_us BIGINT NOT NULL,"
	" PRIMARY KEY (task, seq)){clustered}",
	"CREATE TABLE workers ("
	" holder {key} NOT NULL PRIMARY KEY,"
	" seen_us BIGINT NOT NULL){clustered}",
	NULL,
};

static const char *const evidence[] = {
	"CREATE TABLE evidence ("
	" task {key} NOT NULL REFERENCES tasks (id),"
	" round BIGINT NOT NULL,"
	" phase TEXT NOT NULL,"
	" command TEXT NOT NULL,"
	" exit_code BIGINT NOT NULL,"
	" output_sha256 TEXT NOT NULL,"
	" output_tail TEXT NOT NULL,"
	" tree TEXT,"
	" seconds DOUBLE PRECISION NOT NULL,"
	" created_us BIGINT NOT NULL,"
	" PRIMARY KEY (task, round, phase, command)){clustered}",
	NULL,
};
static const char *const tasks_apart[] = {
	/* 1: no daemon takes it by itself */
	"ALTER TABLE tasks ADD COLUMN apart BIGINT NOT NULL DEFAULT 0",
	NULL,
};
static const char *const chat_sessions[] = {
	"CREATE TABLE sessions ("
	" id {key} NOT NULL PRIMARY KEY,"
	" repo {key} NOT NULL,"
	" spark TEXT NOT NULL,"
	" model TEXT,"				/* NULL: as configured */
	" title TEXT NOT NULL,"
	" options TEXT NOT NULL,"		/* JSON */
	" turns BIGINT NOT NULL,"
	" created_us BIGINT NOT NULL,"
	" updated_us BIGINT NOT NULL){clustered}",
	"CREATE INDEX sessions_by_age ON sessions (updated_us, id)",
	"CREATE INDEX sessions_by_repo ON sessions (repo, updated_us, id)",
	"CREATE TABLE session_turns ("
	" session {key} NOT NULL REFERENCES sessions (id),"
	" turn BIGINT NOT NULL,"
	" task {key} NOT NULL REFERENCES tasks (id),"
	" PRIMARY KEY (session, turn)){clustered}",
	"CREATE UNIQUE INDEX session_turns_by_task ON session_turns (task)",
	NULL,
};
static const char *const knobs_events[] = {
	/* kept 0: holds as long as the daemon `holder` lives; 1: until it is reset */
	"CREATE TABLE knobs ("
	" name {key} NOT NULL,"
	" kept BIGINT NOT NULL,"
	" value TEXT NOT NULL,"
	" holder TEXT,"
	" set_us BIGINT NOT NULL,"
	" PRIMARY KEY (name, kept)){clustered}",
	"CREATE TABLE events ("
	" seq BIGINT NOT NULL PRIMARY KEY,"
	" at_us BIGINT NOT NULL,"
	" category {key} NOT NULL,"
	" message TEXT NOT NULL,"
	" details TEXT)",			/* JSON */
	"CREATE INDEX events_by_category ON events (category, seq)",
	NULL,
};

/* Calls of models. state 0: reserved, 1: settled, 2: failed, what it took is an estimate. */
static const char *const call_ledger[] = {
	"CREATE TABLE ledger ("
	" call_key {key} NOT NULL PRIMARY KEY,"
	" state BIGINT NOT NULL,"
	" day BIGINT NOT NULL,"			/* since 1970-01-01, UTC */
	" task {key},"				/* NULL: no task's */
	" spark {key} NOT NULL,"
	" repo {key} NOT NULL,"
	" provider {key} NOT NULL,"
	" model {key} NOT NULL,"
	" tokens_in BIGINT NOT NULL,"
	" tokens_out BIGINT NOT NULL,"
	" tokens_cached BIGINT NOT NULL,"
	" cache_write BIGINT NOT NULL,"
	" cost_nano BIGINT,"			/* nano-USD; NULL: price unknown */
	" purpose TEXT NOT NULL,"
	" holder TEXT NOT NULL,"
	" created_us BIGINT NOT NULL)",
	"CREATE INDEX ledger_by_task ON ledger (task)",
	"CREATE INDEX ledger_by_day ON ledger (day)",
	"CREATE INDEX ledger_open ON ledger (holder) WHERE state = 0",
	NULL,
};
static const char *const ledger_sums[] = {
	/* what is booked, added up as it is booked: a task has few rows here, whatever it asked */
	"CREATE TABLE ledger_sums ("
	" day BIGINT NOT NULL,"
	" task {key} NOT NULL,"			/* '': no task's */
	" spark {key} NOT NULL,"
	" repo {key} NOT NULL,"
	" provider {key} NOT NULL,"
	" model {key} NOT NULL,"
	" calls BIGINT NOT NULL,"
	" tokens_in BIGINT NOT NULL,"
	" tokens_out BIGINT NOT NULL,"
	" tokens_cached BIGINT NOT NULL,"
	" cache_write BIGINT NOT NULL,"
	" cost_nano BIGINT NOT NULL,"		/* of calls whose price is known */
	" unknown_calls BIGINT NOT NULL,"
	" unknown_tokens BIGINT NOT NULL,"
	" unsettled_calls BIGINT NOT NULL,"
	" unsettled_nano BIGINT NOT NULL,"
	" PRIMARY KEY (day, task, spark, repo, provider, model)){clustered}",
	"INSERT INTO ledger_sums SELECT day, coalesce(task, ''), spark, repo, provider, model,"
	" count(*), sum(tokens_in), sum(tokens_out), sum(tokens_cached), sum(cache_write),"
	" coalesce(sum(cost_nano), 0), count(*) - count(cost_nano),"
	" coalesce(sum(CASE WHEN cost_nano IS NULL THEN tokens_in + tokens_out END), 0),"
	" coalesce(sum(CASE WHEN state = 2 THEN 1 END), 0),"
	" coalesce(sum(CASE WHEN state = 2 THEN cost_nano END), 0)"
	" FROM ledger WHERE state <> 0"
	" GROUP BY day, coalesce(task, ''), spark, repo, provider, model",
	NULL,
};
static const char *const remembered_setups[] = {
	"CREATE TABLE setups ("
	" repo {key} NOT NULL PRIMARY KEY,"	/* top folder */
	" folder TEXT NOT NULL,"		/* below it */
	" command TEXT NOT NULL,"
	" allow TEXT NOT NULL,"			/* JSON array of hosts */
	" set_us BIGINT NOT NULL)",
	NULL,
};
static const char *const questions_rules_halt[] = {
	/* names of answers: store/approvals.h */
	"CREATE TABLE approvals ("
	" id {key} NOT NULL PRIMARY KEY,"
	" task {key} NOT NULL REFERENCES tasks (id),"
	" call_key {key} NOT NULL,"
	" tool TEXT NOT NULL,"
	" line TEXT NOT NULL,"
	" arguments TEXT NOT NULL,"
	" hash {key} NOT NULL,"
	" does BIGINT NOT NULL,"
	" taint TEXT NOT NULL,"
	" taint_source TEXT,"
	" by_taint BIGINT NOT NULL,"
	" decision TEXT NOT NULL,"		/* JSON, like parts */
	" parts TEXT,"
	" offer TEXT,"
	" asked_us BIGINT NOT NULL,"
	" expires_us BIGINT NOT NULL,"		/* 0: never */
	" answer TEXT NOT NULL CHECK (answer IN ('open', 'allow_once', 'allow_task',"
	" 'allow_rule', 'deny', 'expired', 'withdrawn')),"
	" answered_us BIGINT NOT NULL DEFAULT 0,"
	" answered_by TEXT,"
	" answered_how TEXT,"
	" note TEXT,"
	" rule TEXT,"
	" UNIQUE (task, call_key, hash))",
	"CREATE INDEX approvals_open ON approvals (asked_us, id) WHERE answer = 'open'",
	"CREATE INDEX approvals_by_task ON approvals (task, asked_us, id)",
	"CREATE INDEX approvals_by_age ON approvals (asked_us, id)",
	"CREATE TABLE rules ("
	" id {key} NOT NULL PRIMARY KEY,"
	" allow BIGINT NOT NULL,"		/* 0: deny */
	" pattern {key} NOT NULL,"
	" spark {key} NOT NULL,"		/* '': every one */
	" repo {key} NOT NULL,"			/* '': everywhere */
	" taint TEXT NOT NULL,"
	" made_by TEXT NOT NULL,"
	" question TEXT,"
	" created_us BIGINT NOT NULL,"
	" used_us BIGINT NOT NULL DEFAULT 0,"
	" uses BIGINT NOT NULL DEFAULT 0,"
	" UNIQUE (allow, pattern, spark, repo))",
	/* the emergency stop: one row, or none */
	"CREATE TABLE halt ("
	" one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),"
	" set_by TEXT NOT NULL,"
	" note TEXT,"
	" set_us BIGINT NOT NULL)",
	NULL,
};
static const char *const autonomy_levels[] = {
	"CREATE TABLE autonomy ("
	" spark {key} NOT NULL,"		/* '': every one */
	" repo {key} NOT NULL,"			/* '': everywhere; else a folder and what is below */
	" level TEXT NOT NULL,"
	" set_by TEXT NOT NULL,"
	" set_us BIGINT NOT NULL,"
	" PRIMARY KEY (spark, repo)){clustered}",
	NULL,
};
static const char *const memories[] = {
	"CREATE TABLE memories ("
	" num {number} NOT NULL PRIMARY KEY,"
	" id {key} NOT NULL UNIQUE,"
	" text TEXT NOT NULL,"
	" kind {key} NOT NULL,"
	" scope {key} NOT NULL,"
	" source {key} NOT NULL,"
	" task {key},"				/* of the journal entry it is from */
	" entry BIGINT NOT NULL,"
	" untrusted BIGINT NOT NULL,"
	" time_us BIGINT NOT NULL,"
	" stored_us BIGINT NOT NULL,"
	" updated_us BIGINT NOT NULL,"
	" confidence DOUBLE PRECISION NOT NULL,"
	" speaker TEXT,"
	" supersedes {key},"
	" superseded_by {key},"
	" state BIGINT NOT NULL,"		/* store/memories.h */
	" change BIGINT NOT NULL,"
	" merged BIGINT NOT NULL DEFAULT 0,"
	" model TEXT)",
	"CREATE INDEX memories_by_change ON memories (change)",
	"CREATE INDEX memories_by_time ON memories (time_us, num)",
	"CREATE INDEX memories_by_scope ON memories (scope, state, time_us, num)",
	"CREATE INDEX memories_supersedes ON memories (supersedes)"
	" WHERE supersedes IS NOT NULL",
	"CREATE INDEX memories_superseded_by ON memories (superseded_by)"
	" WHERE superseded_by IS NOT NULL",
	/* store '': no memory was ever written; words: the version of what is a word; scrub 1: a
	 * removed one may still be in a file beside the database */
	"CREATE TABLE memory_counters ("
	" one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),"
	" store TEXT NOT NULL,"
	" num BIGINT NOT NULL,"
	" change BIGINT NOT NULL,"
	" words BIGINT NOT NULL,"
	" scrub BIGINT NOT NULL)",
	"INSERT INTO memory_counters VALUES (1, '', 0, 0, 0, 0)",
	"CREATE TABLE memory_names ("
	" id {number} NOT NULL PRIMARY KEY,"
	" name {key} NOT NULL UNIQUE)",		/* 's', 'k' or 'm' before it: store/memory/names.c */
	"CREATE TABLE memory_vectors ("
	" num BIGINT NOT NULL,"
	" model BIGINT NOT NULL,"
	" vector {bytes} NOT NULL,"		/* 32-bit floats, little-endian */
	" PRIMARY KEY (num, model))",
	"CREATE TABLE memory_words ("		/* store/memory/postings.h */
	" word {key} NOT NULL,"
	" first BIGINT NOT NULL,"
	" postings {bytes} NOT NULL,"
	" PRIMARY KEY (word, first)){clustered}",
	/* active memories; scope or kind 0: of all of them */
	"CREATE TABLE memory_sums ("
	" scope BIGINT NOT NULL,"
	" kind BIGINT NOT NULL,"
	" n BIGINT NOT NULL,"
	" length BIGINT NOT NULL,"
	" PRIMARY KEY (scope, kind)){clustered}",
	/* id NULL: what it said before; else one that was merged into it */
	"CREATE TABLE memory_past ("
	" num BIGINT NOT NULL,"
	" seq BIGINT NOT NULL,"
	" id {key},"
	" text TEXT,"
	" source TEXT NOT NULL,"
	" task TEXT,"
	" entry BIGINT NOT NULL,"
	" time_us BIGINT NOT NULL,"
	" at_us BIGINT NOT NULL,"
	" PRIMARY KEY (num, seq)){clustered}",
	"CREATE UNIQUE INDEX memory_past_by_id ON memory_past (id) WHERE id IS NOT NULL",
	"CREATE TABLE memory_gone ("
	" num {number} NOT NULL PRIMARY KEY,"
	" change BIGINT NOT NULL)",
	"CREATE INDEX memory_gone_by_change ON memory_gone (change)",
	NULL,
};
static const char *const journal_of_memories[] = {
	/* what tasks were told of memories, and taught them: store/memory/copies.c */
	"CREATE INDEX journal_of_memories ON journal (task, seq)"
	" WHERE (kind IN ('recall', 'learn.result')"
	" OR kind IN ('model.result', 'tool.intent', 'tool.result')"
	" AND payload LIKE '%\"name\":\"memory_%')",
	NULL,
};
/* clang-format on */

/* [n] leads from version n to n + 1. */
static const char *const *const steps[] = {
	tasks_and_journal,   leases_mail_workers,  evidence,	    tasks_apart,
	chat_sessions,	     knobs_events,	   call_ledger,	    ledger_sums,
	remembered_setups,   questions_rules_halt, autonomy_levels, memories,
	journal_of_memories,
};

const int spk_store_newest = G_N_ELEMENTS(steps);

static gboolean run_step(SpkTx *tx, int version, GError **error)
{
	for (const char *const *text = steps[version]; *text; text++) {
		g_autofree char *sql = spk_dialect_expand(tx->impl->dialect, *text);

		if (!spk_tx_exec(tx, sql, NULL, NULL, error)) {
			g_prefix_error(error, "schema version %d: ", version + 1);
			return FALSE;
		}
	}
	return TRUE;
}

gboolean spk_store_migrate(SpkStore *store, int target, GError **error)
{
	g_autoptr(SpkTx) tx = spk_tx_begin(store, SPK_TX_WRITE, error);
	int version;

	/* Another process may have been quicker: the version counts that stands now. */
	if (!tx || !tx->impl->version(tx, -1, &version, error))
		return FALSE;
	if (version >= target)
		return TRUE;
	for (; version < target; version++)
		if (!run_step(tx, version, error))
			return FALSE;
	return tx->impl->version(tx, target, &version, error) &&
	       spk_tx_commit(g_steal_pointer(&tx), error);
}
