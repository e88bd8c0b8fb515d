/*
 * Secrets out of text: values that are known, however they are written (plain, base64 wherever
 * it begins, hexadecimal, with escapes of URLs, JSON and HTML, parted by line ends, joined strings
 * or characters that nobody sees), and strings that have the shape of one. Each is replaced by
 * "[redacted NAME]" for a value that stands there as it is, else "[redacted KIND#TAG]", where TAG
 * tells two texts apart and says nothing about them.
 *
 * An SpkRedact never changes once it is made: any thread may use it at any time. NULL stands for
 * that of the process (guard/veil.h).
 */
#ifndef SPK_GUARD_REDACT_H
#define SPK_GUARD_REDACT_H

#include <glib.h>
#include <jansson.h>

typedef struct SpkRedact SpkRedact;

enum { SPK_REDACT_MIN = 8 }; /* bytes; shorter values would blacken ordinary words */

/* `env` ("K=V", NULL-terminated) is copied where it holds secrets, by its name. */
SpkRedact *spk_redact_new(const char *const *env);
void spk_redact_free(SpkRedact *redact);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkRedact, spk_redact_free)

/* A copy without secrets. */
char *spk_redact_text(const SpkRedact *redact, const char *text);
/* The same for bytes of any kind; NULL: there is nothing to replace. */
GString *spk_redact_data(const SpkRedact *redact, const char *data, gsize len);
/* A new reference to the value itself where it holds none, else a copy with all its strings so
 * treated; keys too. */
json_t *spk_redact_json(const SpkRedact *redact, json_t *json);

/* For text that comes in pieces: what may be shown now. What may yet turn out to be part of a
 * secret stays in `held` (at first empty, at most 64 KiB and a piece). NULL: there is no more. */
char *spk_redact_piece(const SpkRedact *redact, GString *held, const char *piece);

/* Secrets that were replaced so far; atomic. */
guint spk_redact_count(const SpkRedact *redact);

/* ---- what work goes on with ---- */

/* Length of the placeholder that `text` begins with, or 0. */
gsize spk_redact_placeholder(const char *text);
/* What placeholders stand for that came from texts with the shape of a secret, for one task.
 * Values that are known never get in. At most 1024 of them and 1 MiB; the oldest go. One thread. */
typedef struct SpkVault SpkVault;
SpkVault *spk_vault_new(void);
void spk_vault_free(SpkVault *vault);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SpkVault, spk_vault_free)
/* As spk_redact_text() and spk_redact_json(), and remembers. `vault` may be NULL. */
char *spk_redact_text_into(const SpkRedact *redact, SpkVault *vault, const char *text);
/* NULL: there is nothing to replace. Each line keeps its number. */
GString *spk_redact_lines(const SpkRedact *redact, SpkVault *vault, const char *data,
			  gsize len);
json_t *spk_redact_json_into(const SpkRedact *redact, SpkVault *vault, json_t *json);
/* A copy with what placeholders stand for put back: those of secrets that `file` (NULL: none)
 * holds now, and those in the vault. *ret_left (may be NULL): the first that stays and is not in
 * the file as it is, allocated, or NULL. */
char *spk_redact_restore(const SpkRedact *redact, const SpkVault *vault, const char *file,
			 const char *text, char **ret_left);

#endif
