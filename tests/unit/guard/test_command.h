/* Shared by the tests of the judge of shell lines. */
#ifndef TEST_COMMAND_H
#define TEST_COMMAND_H

#include "guard/command.h"

/* Those of manager.sensitive_patterns as it is by default. */
SpkCommandRules *default_rules(void);
/* The nth line of both tables; NULL past the last. */
const char *table_line(gsize n);

#endif
