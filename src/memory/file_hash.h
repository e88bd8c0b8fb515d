/*
 * A large file told from another by a look at it: SHA-256 over its length, both ends and 64 pieces
 * in between, 384 KiB at most. Models differ everywhere, or not at all; who may have to be stopped
 * from forging one asks spk_fetch_sha256().
 */
#ifndef SPK_MEMORY_FILE_HASH_H
#define SPK_MEMORY_FILE_HASH_H

#include <glib.h>

/* 64 hexadecimal digits; NULL: it can't be read. */
char *spk_file_sample_hash(const char *path);

#endif
