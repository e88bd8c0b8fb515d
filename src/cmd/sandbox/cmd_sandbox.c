/* `sparks sandbox`: the box by hand: run something in it, see what it is made of, and why it
 * refused something. */
#include "cmd/cmd_all.h"
#include "cmd/sandbox/sandbox_all.h"

static const SpkCmd *const subs[] = { &spk_sandbox_explain, &spk_sandbox_probe,
				      &spk_sandbox_run, NULL };

const SpkCmd spk_cmd_sandbox = {
	.name = "sandbox",
	.summary = "Try the sandbox by hand, test it, and see what it refuses and why.",
	.example = "sparks sandbox run -- make test\nsparks sandbox probe",
	.subs = subs,
};
