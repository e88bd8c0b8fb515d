/*
 * Log to stderr. Level by SPARKS_LOG = error|warn|info|debug (default warn). One line per
 * message; control characters of arguments never reach the terminal.
 */
#ifndef SPK_BASE_LOG_H
#define SPK_BASE_LOG_H

#include <glib.h>

typedef enum { SPK_LOG_ERROR, SPK_LOG_WARN, SPK_LOG_INFO, SPK_LOG_DEBUG } SpkLogLevel;

void spk_log(SpkLogLevel level, const char *room, const char *format, ...)
	G_GNUC_PRINTF(3, 4);
#define spk_warn(room, ...)  spk_log(SPK_LOG_WARN, room, __VA_ARGS__)
#define spk_info(room, ...)  spk_log(SPK_LOG_INFO, room, __VA_ARGS__)
#define spk_debug(room, ...) spk_log(SPK_LOG_DEBUG, room, __VA_ARGS__)

#endif
