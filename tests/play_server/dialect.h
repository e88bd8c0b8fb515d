/*
 * How the play server speaks: one dialect for each wire. All turn a request into the neutral
 * form, so that a play's `expect` means the same, and a `say` into the events of a stream.
 */
#ifndef TEST_DIALECT_H
#define TEST_DIALECT_H

#include "play_server.h"

typedef struct {
	const char *path; /* of requests */
	gboolean lines;	  /* a JSON object a line, no events */
	/* The neutral messages and tools of a request; NULL: it isn't of the form. */
	json_t *(*messages)(const json_t *body);
	json_t *(*tools)(const json_t *body);
	/* Adds the data of each event, strings, up to and without the last ones. */
	void (*events)(GPtrArray *events, const json_t *say, guint turn,
		       const PlayServerOptions *options);
	/* The whole in one object. */
	json_t *(*plain)(const json_t *say, guint turn);
	/* Events, "|" between two: the beginning of an answer with the text "hal"; a piece of
	 * text, "%s"; an error; the end of an answer. */
	const char *half, *piece, *inside, *end;
	const char *limit; /* the parameter that limits an answer */
} Dialect;

extern const Dialect dialect_chat, dialect_responses, dialect_messages, dialect_ollama;

/* ---- what they have in common ---- */
/* Takes the event; the string goes to `events`. */
void dialect_add(GPtrArray *events, json_t *take_event);
/* Calls `add` for each piece of the text of a say as it streams. */
void dialect_each_piece(const json_t *say, void (*add)(GPtrArray *, const char *),
			GPtrArray *events);
/* Of call i of a turn: its id as said, or one of ours; its arguments as JSON text. */
char *dialect_call_id(const json_t *call, gsize i, guint turn);
char *dialect_arguments(const json_t *call);
/* One piece of `step` characters (0: all) of the arguments of each call in turn, until none
 * has more. */
void dialect_each_fragment(const json_t *calls, guint step,
			   void (*add)(GPtrArray *, const json_t *call, gsize i,
				       const char *piece),
			   GPtrArray *events);
/* Of the say: its usage, with what a server would count by default. */
gint64 dialect_count(const json_t *say, const char *what);
/* "finish" of the say, or what fits. */
const char *dialect_finish(const json_t *say);
/* {"role","content"} and {"id","type":"function","function":{…}} of the neutral form. */
json_t *dialect_message(const char *role, const char *text);
json_t *dialect_call(const char *id, const char *name, const char *arguments);
/* The tools of the neutral form from others with these keys. */
json_t *dialect_tools(const json_t *tools, const char *schema_key);
/* The last message if it is the model's, else a new one of it. */
json_t *dialect_turn(json_t *messages);

#endif
