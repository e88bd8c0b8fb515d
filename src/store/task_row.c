/*
 * The columns of a task: one table reads, frees and sets them. Keys of
 * spk_task_update() are the names of this table.
 */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/veil.h"
#include "store/store_priv.h"

typedef enum { TEXT, INT, REAL, JSON, STATE, VERDICT } ColumnKind;
typedef enum {
	FIXED,
	SET,
	SET_NULL
} ColumnUse; /* may spk_task_update() set it, to null? */

typedef struct {
	const char *name;   /* of SpkTask's field */
	const char *column; /* its name in the database */
	gsize offset;
	ColumnKind kind;
	ColumnUse use;
} Column;

/* clang-format off */
#define FIELD(name) #name, #name, offsetof(SpkTask, name)
#define RENAMED(name, column) #name, column, offsetof(SpkTask, name)
static const Column columns[] = {
	{ FIELD(id),                         TEXT,    FIXED },
	{ FIELD(goal),                       TEXT,    FIXED },
	{ FIELD(spark),                      TEXT,    SET },
	{ FIELD(status),                     STATE,   FIXED },
	{ FIELD(verdict),                    VERDICT, SET },
	{ FIELD(reason),                     TEXT,    SET_NULL },
	{ FIELD(summary),                    TEXT,    SET_NULL },
	{ FIELD(repo),                       TEXT,    FIXED },
	{ FIELD(label),                      TEXT,    FIXED },
	{ FIELD(options),                    JSON,    SET },
	{ RENAMED(base, "base_id"),          TEXT,    SET_NULL },
	{ FIELD(branch),                     TEXT,    SET_NULL },
	{ RENAMED(commit, "commit_id"),      TEXT,    SET_NULL },
	{ FIELD(tier),                       TEXT,    SET_NULL },
	{ FIELD(steps),                      INT,     SET },
	{ FIELD(tokens_in),                  INT,     SET },
	{ FIELD(tokens_out),                 INT,     SET },
	{ FIELD(tokens_cached),              INT,     SET },
	{ FIELD(cost_usd),                   REAL,    SET_NULL },
	{ FIELD(seconds),                    REAL,    SET },
	{ FIELD(changes),                    JSON,    SET_NULL },
	{ FIELD(error),                      JSON,    SET_NULL },
	{ FIELD(created_us),                 INT,     FIXED },
	{ FIELD(updated_us),                 INT,     FIXED },
	{ FIELD(finished_us),                INT,     FIXED },
	{ FIELD(apart),                      INT,     FIXED },
	{ FIELD(holder),                     TEXT,    FIXED },
	{ RENAMED(lease_until_us, "until_us"), INT,   FIXED },
};
/* clang-format on */

void spk_task_free(SpkTask *task)
{
	if (!task)
		return;
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		gpointer field = G_STRUCT_MEMBER_P(task, columns[i].offset);

		if (columns[i].kind == TEXT)
			g_free(*(char **)field);
		else if (columns[i].kind == JSON)
			json_decref(*(json_t **)field);
	}
	g_free(task);
}

const char *spk_task_select(void)
{
	static gsize made;
	static char *text;

	if (g_once_init_enter(&made)) {
		GString *sql = g_string_new("SELECT ");

		for (gsize i = 0; i < G_N_ELEMENTS(columns); i++)
			g_string_append_printf(sql, "%s%s", i ? ", " : "",
					       columns[i].column);
		g_string_append(sql, " FROM tasks LEFT JOIN leases ON task = id ");
		text = g_string_free(sql, FALSE);
		g_once_init_leave(&made, 1);
	}
	return text;
}

static gboolean parse_name(const Column *column, const SpkDbValue *value, gpointer field)
{
	g_autofree char *name = spk_db_dup_text(value);

	if (!name)
		return FALSE;
	return column->kind == STATE ? spk_state_parse(name, field)
				     : spk_verdict_parse(name, field);
}

static gboolean read_column(const Column *column, const SpkDbValue *value, gpointer field,
			    GError **error)
{
	switch (column->kind) {
	case TEXT:
		*(char **)field = spk_db_dup_text(value);
		return TRUE;
	case INT:
		*(gint64 *)field = value->type == SPK_DB_INT ? value->integer : 0;
		return TRUE;
	case REAL:
		*(double *)field = value->type == SPK_DB_REAL ? value->real : -1;
		return TRUE;
	case JSON:
		return spk_db_dup_json(value, field, error);
	case STATE:
	case VERDICT:
		break;
	}
	if (parse_name(column, value, field))
		return TRUE;
	spk_error_set(error, SPK_ERR_CORRUPT, "run `sparks doctor`",
		      "the database has a %s that does not exist", column->name);
	return FALSE;
}

gboolean spk_task_from_row(const SpkDbValue *row, gpointer user, GError **error)
{
	g_autoptr(SpkTask) task = g_new0(SpkTask, 1);

	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		gpointer field = G_STRUCT_MEMBER_P(task, columns[i].offset);

		if (!read_column(&columns[i], &row[i], field, error)) {
			g_prefix_error(error, "task %s: ", task->id);
			return FALSE;
		}
	}
	g_ptr_array_add(user, g_steal_pointer(&task));
	return TRUE;
}

static gboolean is_verdict(const json_t *value)
{
	SpkVerdict verdict;

	return json_is_string(value) &&
	       spk_verdict_parse(json_string_value(value), &verdict);
}

json_t *spk_task_veil_options(json_t *options)
{
	/* what is run as it is, by the operator's own words */
	static const char *const run_as_is[] = { "checks", "setup", NULL };
	json_t *clean = spk_veil_json(options);

	if (clean == options)
		return clean;
	for (const char *const *key = run_as_is; *key; key++) {
		json_t *value = json_object_get(options, *key);

		if (value)
			spk_json_set(clean, *key, json_incref(value));
	}
	return clean;
}

/* A copy without secrets of what goes into the column. */
static json_t *veil_field(const Column *column, json_t *value)
{
	return !strcmp(column->name, "options") ? spk_task_veil_options(value)
						: spk_veil_json(value);
}

/* TRUE when `value` fits the column; *ret_text keeps a JSON text alive. */
static gboolean bind_field(const Column *column, const json_t *value,
			   SpkDbValue *ret_value, char **ret_text)
{
	if (json_is_null(value)) {
		*ret_value = spk_db_text(NULL);
		return column->use == SET_NULL;
	}
	if (column->kind == JSON)
		*ret_value = spk_db_text(*ret_text = spk_json_dump(value));
	else if (column->kind == INT && json_is_integer(value))
		*ret_value = spk_db_int(json_integer_value(value));
	else if (column->kind == REAL && json_is_number(value))
		*ret_value = spk_db_real(json_number_value(value));
	else if (column->kind == TEXT && json_is_string(value))
		*ret_value = spk_db_text(json_string_value(value));
	else if (column->kind == VERDICT && is_verdict(value))
		*ret_value = spk_db_text(json_string_value(value));
	else
		return FALSE;
	return TRUE;
}

static gboolean set_columns(SpkTx *tx, const char *id, json_t *fields, gsize *ret_known,
			    GError **error)
{
	SpkDbValue args[G_N_ELEMENTS(columns) + 3];
	g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(json_t) values = json_array(); /* keeps them */
	g_autoptr(GString) sql = g_string_new("UPDATE tasks SET updated_us = $1");
	gsize n = 0;

	args[n++] = spk_db_int(spk_now_us());
	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		json_t *given = json_object_get(fields, columns[i].name), *value;
		char *text = NULL;

		if (columns[i].use == FIXED || !given)
			continue;
		value = veil_field(&columns[i], given);
		json_array_append_new(values, value);
		if (!bind_field(&columns[i], value, &args[n], &text)) {
			spk_error_set(error, SPK_ERR_INTERNAL, NULL,
				      "task field %s: wrong type of value",
				      columns[i].name);
			return FALSE;
		}
		g_ptr_array_add(texts, text);
		n++;
		g_string_append_printf(sql, ", %s = $%" G_GSIZE_FORMAT, columns[i].column,
				       n);
	}
	*ret_known = n - 1;
	args[n++] = spk_db_text(id);
	args[n] = (SpkDbValue){ .type = SPK_DB_END };
	g_string_append_printf(sql, " WHERE id = $%" G_GSIZE_FORMAT, n);
	return spk_tx_exec(tx, sql->str, args, NULL, error);
}

gboolean spk_task_set_fields(SpkTx *tx, const char *id, json_t *fields, GError **error)
{
	gsize known = 0;

	if (!set_columns(tx, id, fields, &known, error))
		return FALSE;
	if (known == json_object_size(fields))
		return TRUE;
	spk_error_set(error, SPK_ERR_INTERNAL, NULL,
		      "task %s: a field that cannot be set", id);
	return FALSE;
}
