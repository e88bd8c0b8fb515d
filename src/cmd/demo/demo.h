/*
 * The demo's world: a small repository with a real bug, a play in which the model finds and
 * fixes it (and twice tries what no agent may do), a secret outside the work tree, a listener
 * on this machine. All of it in one folder, nothing of the user's is touched.
 */
#ifndef SPK_CMD_DEMO_H
#define SPK_CMD_DEMO_H

#include <glib.h>
#include <jansson.h>

/* Turns of the play in which the model tries the forbidden. */
#define SPK_DEMO_NETWORK_TURN 2
#define SPK_DEMO_SECRET_TURN  3

typedef struct {
	char *folder;
	char *repo;	   /* folder/repo */
	char *play;	   /* folder/demo.play */
	char *secret_path; /* folder/host-secret */
	char *token;	   /* what stands in it */
	int listener;	   /* -1: none */
	int port;
} SpkDemo;

/* Makes everything in `folder`, which must be there and empty. With `listen` a TCP socket on
 * 127.0.0.1 waits for the model's attempt, and is proven to answer; else the attempt goes to
 * port 9. */
gboolean spk_demo_prepare(SpkDemo *demo, const char *folder, gboolean listen,
			  GError **error);
void spk_demo_clear(SpkDemo *demo);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SpkDemo, spk_demo_clear)

/* TRUE when somebody has connected to the listener since it was proven. */
gboolean spk_demo_was_called(const SpkDemo *demo);
/* SHA-256 over names, modes and contents below the repository, .git left out. */
char *spk_demo_hash(const SpkDemo *demo, GError **error);

/* The play's lines, with the port and the path put in. */
char *spk_demo_play(int port, const char *secret_path);

#endif
