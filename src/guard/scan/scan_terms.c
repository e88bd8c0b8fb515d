/*
 * The words of each meaning. Words that innocent texts use in another sense are left out or
 * stand in the exact form that an order has ("send", not "sends"); stems only where a language
 * inflects. An apostrophe is no letter: "don't" is written dont.
 */
#include "guard/scan/scan_priv.h"

/* clang-format off */
#define T(group, lang, words) { SCAN_##group, lang, words },

const ScanTerms scan_terms[] = {
#include "guard/scan/scan_slots.def"
#include "guard/scan/scan_terms.def"
{ SCAN_N_GROUPS, NULL, NULL },
};

#define L(group, text) { SCAN_##group, text },
const ScanLiteral scan_literals[] = {
L(DELIM, "<|im_start|>") L(DELIM, "<|im_end|>") L(DELIM, "<|system|>") L(DELIM, "<|endoftext|>") L(DELIM, "<|assistant|>") L(DELIM, "<|user|>") L(DELIM, "<|end") L(DELIM, "<|start")
L(DELIM, "[inst]") L(DELIM, "[/inst]") L(DELIM, "<<sys>>") L(DELIM, "<</sys>>") L(DELIM, "### system") L(DELIM, "### instruction") L(DELIM, "### assistant") L(DELIM, "### new")
L(DELIM, "<system>") L(DELIM, "</system>") L(DELIM, "<system ") L(DELIM, "[system]") L(DELIM, "[system ") L(DELIM, "</tool_") L(DELIM, "<tool_call") L(DELIM, "<function_") L(DELIM, "</function_")
L(DELIM, "<invoke ") L(DELIM, "</user") L(DELIM, "</document") L(DELIM, "</context>") L(DELIM, "</instructions>") L(DELIM, "<instructions>") L(DELIM, "[end of ") L(DELIM, "---end ") L(DELIM, "[/system]")
L(DELIM, "<admin>") L(DELIM, "</untrusted") L(DELIM, "</data>") L(DELIM, "\"role\": \"system\"") L(DELIM, "\"role\":\"system\"") L(DELIM, "{{#system") L(DELIM, "== end of ") L(DELIM, "--- end of ") L(DELIM, "--- begin ") L(DELIM, "=== system") L(DELIM, "<|begin")
L(HIDDEN, "<!--") L(HIDDEN, "[//]: #") L(HIDDEN, "[comment]: #") L(HIDDEN, "[//]:# ") L(HIDDEN, "[_]: #") L(HIDDEN, "[hidden]:") L(HIDDEN, "=\"display:none") L(HIDDEN, "<noscript") L(HIDDEN, "<template") L(HIDDEN, "<details") L(HIDDEN, "<title>") L(HIDDEN, "<desc>") L(HIDDEN, "<metadata")
L(URLD, "://")
L(PIPESH, "| sh\1") L(PIPESH, "| bash\1") L(PIPESH, "| sudo bash") L(PIPESH, "| sudo sh") L(PIPESH, "| zsh\1") L(PIPESH, "| python\2") L(PIPESH, "| python3\2") L(PIPESH, "| python3 -\2") L(PIPESH, "| python -\2") L(PIPESH, "| iex\1") L(PIPESH, "| node\2") L(PIPESH, "| perl\2") L(PIPESH, "| /bin/sh") L(PIPESH, "| /bin/bash") L(PIPESH, "| sudo -e bash") L(PIPESH, "<(curl ") L(PIPESH, "<(wget ")
L(REVSH, "/dev/tcp/") L(REVSH, "/dev/udp/") L(REVSH, ">& /dev/tcp") L(REVSH, "0>&1") L(REVSH, "-e /bin/sh") L(REVSH, "-e /bin/bash") L(REVSH, "-c /bin/sh")
L(RMRF, "-rf /\2") L(RMRF, "-rf ~\2") L(RMRF, "-rf ~/\2") L(RMRF, "-rf $home\2") L(RMRF, "-rf /*") L(RMRF, "-rf ~/*") L(RMRF, "-rf --no-preserve-root") L(RMRF, ":(){") L(RMRF, ":(){ :|:")
L(SUBST, "$(curl ") L(SUBST, "$(wget ") L(SUBST, "`curl ") L(SUBST, "`wget ") L(SUBST, "$(nc ") L(SUBST, "$(env") L(SUBST, "$(printenv") L(SUBST, "$(bash ") L(SUBST, "$(base64 ") L(SUBST, "$(id)") L(SUBST, "$(whoami)") L(SUBST, "`id`") L(SUBST, "`whoami`") L(SUBST, "\"; curl ") L(SUBST, "'; curl ") L(SUBST, "\"; wget ") L(SUBST, "'; wget ") L(SUBST, "\"; rm ") L(SUBST, "'; rm ") L(SUBST, "\"; cat ") L(SUBST, "'; cat ") L(SUBST, "\" && curl ") L(SUBST, "${ifs}") L(SUBST, "$ifs") 
L(B64D, "-d | sh\1") L(B64D, "-d | bash") L(B64D, "--decode | sh") L(B64D, "--decode | bash") L(B64D, "-d|sh\1") L(B64D, "(atob(") L(B64D, "(base64.b64decode") L(B64D, "-d)\" | ")
L(SECX, ".env\1") L(SECX, "~/.ssh") L(SECX, "/.ssh/") L(SECX, ".aws/") L(SECX, "/etc/shadow") L(SECX, "/etc/passwd") L(SECX, ".netrc") L(SECX, ".npmrc") L(SECX, ".pypirc") L(SECX, ".kube/config") L(SECX, ".git-credentials") L(SECX, ".docker/config") L(SECX, "/proc/self/environ") L(SECX, "/run/secrets") L(SECX, ".pem\1") L(SECX, "/.config/gh") L(SECX, "${{ secrets.") L(SECX, "${{secrets.") L(SECX, ".gnupg") L(SECX, "/169.254.169.254") L(SECX, "$(env)") L(SECX, "`env`") L(SECX, ".sparks/")
L(PERSIST, ".github/workflows") L(PERSIST, ".git/hooks") L(PERSIST, ".gitlab-ci") L(PERSIST, "/etc/cron") L(PERSIST, ".bashrc") L(PERSIST, ".zshrc") L(PERSIST, ".profile\1")
L(NOASK, "--dangerously") L(NOASK, "--yolo") L(NOASK, "--no-verify") L(NOASK, "--full-auto") L(NOASK, "--auto-approve") L(NOASK, "--no-sandbox")
{ SCAN_N_GROUPS, NULL },
};
