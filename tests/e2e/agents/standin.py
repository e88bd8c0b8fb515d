#!/usr/bin/python3
"""An agent program as Claude Code, Codex and opencode document themselves: flags, variables, where the
prompt comes from, what is written and how it ends. Named as one of them, it does what words in
capitals of the prompt say; an ordinary prompt is one request to the server, and the fix of calc.sh."""
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

ME = os.path.basename(sys.argv[0])


def out(event):
    print(json.dumps(event), flush=True)


class Claude:
    path, style = "/v1/messages", "messages"

    def __init__(self, argv):
        for flag in ("--print", "--output-format", "--verbose", "--dangerously-skip-permissions"):
            assert flag in argv, (flag, argv)
        assert argv[argv.index("--output-format") + 1] == "stream-json"
        self.model = argv[argv.index("--model") + 1] if "--model" in argv else "stand-in-default"
        self.limit = argv[argv.index("--max-budget-usd") + 1] if "--max-budget-usd" in argv else None
        self.base, self.key = os.environ["ANTHROPIC_BASE_URL"], os.environ["ANTHROPIC_API_KEY"]
        self.header = ("x-api-key", self.key)

    def begin(self):
        out({"type": "system", "subtype": "init", "cwd": os.getcwd(), "session_id": "s", "tools": [], "model": self.model})

    def words(self, text):
        out({"type": "assistant", "message": {"id": "m1", "role": "assistant", "content": [{"type": "text", "text": text}],
                                              "usage": {"input_tokens": 100, "output_tokens": 1}}})

    def end(self, text, usd=0.0123, tokens=(100, 20)):
        out({"type": "result", "subtype": "success", "is_error": False, "result": text, "total_cost_usd": usd, "num_turns": 2,
             "usage": {"input_tokens": tokens[0], "cache_read_input_tokens": 50, "cache_creation_input_tokens": 0,
                       "output_tokens": tokens[1]}})
        return 0

    def fail(self, text, status):
        out({"type": "result", "subtype": "success", "is_error": True, "api_error_status": status, "total_cost_usd": 0,
             "result": f"API Error: {status} {text}" if status else text})
        return 1


class Codex:
    path, style = "/responses", "responses"

    def __init__(self, argv):
        assert argv[0] == "exec" and argv[-1] == "-", argv
        for flag in ("--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"):
            assert flag in argv, (flag, argv)
        settings = argv[argv.index("-c") + 3]
        self.base = re.search(r'base_url="([^"]*)"', settings).group(1)
        self.key = os.environ[re.search(r'env_key="([^"]*)"', settings).group(1)]
        self.model = argv[argv.index("-m") + 1]
        self.header = ("Authorization", "Bearer " + self.key)

    def begin(self):
        out({"type": "thread.started", "thread_id": "t"})
        out({"type": "turn.started"})

    def words(self, text):
        out({"type": "item.completed", "item": {"id": "item_1", "type": "agent_message", "text": text}})

    def end(self, text, usd=None, tokens=(150, 20)):
        out({"type": "turn.completed", "usage": {"input_tokens": tokens[0], "cached_input_tokens": 50, "output_tokens": tokens[1]}})
        return 0

    def fail(self, text, status):
        for n in (1, 2):
            out({"type": "error", "message": f"Reconnecting... {n}/2 (unexpected status {status}: {text})"})
        out({"type": "turn.failed", "error": {"message": f"unexpected status {status}: {text}"}})
        return 1


class Opencode:
    path, style = "/chat/completions", "chat_completions"

    def __init__(self, argv):
        assert argv[0] == "run" and argv[argv.index("--format") + 1] == "json", argv
        config = json.loads(os.environ["OPENCODE_CONFIG_CONTENT"])
        self.model = argv[argv.index("-m") + 1]
        assert self.model == config["model"] and config["permission"] == "allow", config
        options = config["provider"][self.model.split("/")[0]]["options"]
        self.base, self.key = options["baseURL"], options["apiKey"]
        self.header = ("Authorization", "Bearer " + self.key)

    def event(self, kind, **more):
        out({"type": kind, "timestamp": 1, "sessionID": "ses", **more})

    def begin(self):
        self.event("step_start", part={"type": "step-start"})

    def words(self, text):
        self.event("text", part={"type": "text", "text": text})

    def end(self, text, usd=0.0123, tokens=(100, 20)):
        self.event("step_finish", part={"type": "step-finish", "reason": "stop" if text else "tool-calls", "cost": usd, "tokens": {
            "input": tokens[0], "output": tokens[1], "reasoning": 0, "cache": {"read": 50, "write": 0}}})
        return 0

    def fail(self, text, status):
        if status == 429 or status >= 500:      # for ever
            while True:
                print(f'level=ERROR message="stream error" error.error="AI_APICallError: status {status} {text}"',
                      file=sys.stderr, flush=True)
                time.sleep(0.05)
        self.event("error", error={"name": "APIError", "data": {"message": text, "statusCode": status}})
        return 1


def ask(cli, prompt):
    """The server's word, or its status."""
    body = json.dumps({"model": cli.model, "stream": False, "prompt": prompt}).encode()
    request = urllib.request.Request(cli.base + cli.path, body, {"Content-Type": "application/json", cli.header[0]: cli.header[1]})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return 200, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def look_around(cli):
    """What a program in the box can see that it should not."""
    home = os.environ["HOME"]
    found = {"home": home, "files": sorted(os.listdir(home)), "env": dict(os.environ), "key": cli.key,
             "uid": os.getuid(), "argv": open("/proc/self/cmdline", "rb").read().decode().split("\0")}
    with open("seen.json", "w", encoding="utf-8") as file:
        json.dump(found, file)


def main():
    cli = {"claude": Claude, "codex": Codex, "opencode": Opencode}[ME](sys.argv[1:])
    prompt = sys.stdin.read()
    mode = set(re.findall(r"\b[A-Z_]{4,}\b", prompt))
    if "NOT_JSON" in mode:
        print("Invalid API key · Please run /login")
        return 1
    cli.begin()
    if "BEGIN" in mode:
        cli.words("I begin.")
    if "HANG" in mode:
        time.sleep(600)
    if "CRASH" in mode:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "HALF" in mode:
        sys.stdout.write('{"type":"result","subtype":"succ')
        return 0
    if "SILENT" in mode:
        return 0
    if "FLOOD" in mode:
        line = "x" * 65536 + "\n"
        while True:
            sys.stdout.write(line)
    if "NOISE" in mode:
        print("\x1b]0;owned\x07\x1b[2J not json")
        sys.stdout.write("y" * (5 << 20) + "\n")
    if "SPENDS" in mode:
        for _ in range(50):
            cli.end("", usd=0 if "UNTOLD" in mode else 1.0, tokens=(1000000, 1000))
            cli.begin()
            time.sleep(0.1)
    if "STAYS" in mode:
        subprocess.Popen(["sh", "-c", "trap '' TERM HUP; sleep 300"], start_new_session=True, stdout=subprocess.DEVNULL)
    status, said = ask(cli, prompt)
    if status != 200:
        return cli.fail(said[:200], status)
    if mode & {"BREAKS_FIRST", "WAITS_FIRST"}:
        with open("calc.sh", "a", encoding="utf-8") as file:
            file.write("# half a change\n")
        if said == "first" and "BREAKS_FIRST" in mode:
            return cli.fail("again, please", 503) if ME != "opencode" else 1
    if "WAITS_FIRST" in mode and said == "first":
        time.sleep(600)
    if "LOOK" in mode:
        look_around(cli)
    if "TALK" not in mode:
        with open("calc.sh", encoding="utf-8") as file:
            text = file.read()
        with open("calc.sh", "w", encoding="utf-8") as file:
            right = "WRONG" not in mode or "want 5" in prompt       # what the check printed
            file.write(re.sub(r"\$1 [-*] \$2", "$1 + $2" if right else "$1 * $2", text))
    cli.words(f"I am {ME} with {cli.model}: \x1b[31mdone\x1b[0m.")
    return cli.end(f"I am {ME} with {cli.model}: \x1b[31mdone\x1b[0m.")


sys.exit(main())
