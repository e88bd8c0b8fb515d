#!/usr/bin/env python3
"""The real Claude Code, Codex and opencode, as npm has them, do a real edit in the box; their model is
the play server.

usage: real.py SPARKS PLAY-SERVER FETCH-AGENTS [--docker]      (prints TAP)"""
import atexit
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cmd"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "box"))
import engine     # noqa: E402
from world import CHECK, SPARKS, World, main, say     # noqa: E402

PLAY_SERVER, FETCH = sys.argv[2:4]
FIX = "sed -i 's/$1 - $2/$1 + $2/' calc.sh"
KEY = "sk-real-canary-0123456789"
# what each calls its shell, and which provider it asks
TOOLS = {"claude_code": ("Bash", {"command": FIX, "description": "mend it"}, ()),
         "codex": ("exec_command", {"cmd": FIX}, ()),
         "opencode": ("bash", {"command": FIX, "description": "mend it"}, ("--cli-model", "anthropic/claude-sonnet-4-5"))}


def fetch():
    done = subprocess.run([FETCH], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.stdout.decode().strip(), done.stderr.decode().strip().split("\n")[-1]


class Real(World):
    def __init__(self, tool, *options):
        super().__init__()
        name, arguments, self.words = TOOLS[tool]
        play = self.play(say((name, arguments)), {"say": {"text": "It adds now."}}).split(":", 1)[1]
        self.server = subprocess.Popen([PLAY_SERVER, play, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        port = int(self.server.stdout.readline())
        self.env.update(PATH=os.environ["PATH"], ANTHROPIC_API_KEY=KEY, OPENAI_API_KEY=KEY, SPARKS_CLI_PATH=BIN,
                        SPARKS_ANTHROPIC_URL=f"http://127.0.0.1:{port}/v1", SPARKS_OPENAI_URL=f"http://127.0.0.1:{port}/v1",
                        SPARKS_BOX_ALLOW_PRIVATE=f"127.0.0.1:{port}", SPARKS_CLI_FALLBACK="[]", SPARKS_CLI_TIMEOUT_SECS="90")
        if ENGINE:
            self.env.update(SPARKS_BOX_BACKEND="docker", SPARKS_DOCKER_SOCKET_PATH=ENGINE.socket, SPARKS_DOCKER_IMAGE=engine.LARGE,
                            SPARKS_DOCKER_MEMORY_LIMIT=str(4 << 30))

    def __exit__(self, *args):
        self.server.stdin.close()
        self.server.wait()
        super().__exit__(*args)

    def give(self, tool, code=0):
        return self.json("do", "add must add", "--cli-tool", tool, "--check", CHECK, *self.words, code=code)

    def envelopes(self, task):
        lines = self.run("tasks", "log", task["task"], "--json").out.splitlines()
        entries = json.loads(lines[0]) if len(lines) == 1 and lines[0].startswith("[") else map(json.loads, lines)
        return [one["payload"] for one in entries if one["kind"] == "cli"]


def edits(tool):
    with Real(tool) as w:
        task = w.give(tool)
        one, = w.envelopes(task)
        assert task["verdict"] == "verified" and task["files_changed"] == ["calc.sh"], (task, one)
        assert (one["status"], one["exit_code"], one["artifacts"]) == ("succeeded", 0, ["calc.sh"]), one
        assert one["usage"]["input"] > 0 and one["usage"]["output"] > 0 and one["message"] == "It adds now.", one
        assert task["tokens"]["input"] == one["usage"]["input"], (task, one)
        assert KEY not in w.run("tasks", "log", task["task"], "--json").out


def claude_code_edits():
    edits("claude_code")


def codex_edits():
    edits("codex")


def opencode_edits():
    edits("opencode")


def a_wrong_key_is_told():
    for tool in ("claude_code", "codex"):
        with Real(tool, "--fault", "401") as w:
            task = w.give(tool, code=69)
            one, = w.envelopes(task)
            assert (one["cause"], one["code"], one["status"]) == ("auth", "cli_unavailable", "failed"), one


def an_image_without_node_says_so():
    with Real("codex") as w:
        w.env["SPARKS_DOCKER_IMAGE"] = engine.SMALL
        one, = w.envelopes(w.give("codex", code=78))
        assert one["cause"] == "cannot_start" and f"the image {engine.SMALL} has no node" in one["problem"], one


def start_engine():
    """With an image that has what the programs need: node, the bash of Claude Code, the libraries of this machine."""
    lacks = engine.Docker.lacks()
    one = None if lacks else engine.Docker()
    if one:
        atexit.register(one.close)
    if lacks or not one.answers():
        print("1..0 # SKIP", lacks or "no engine can start here: " + one.last_words())
        sys.exit(0)
    native = [path for path in (os.path.realpath(os.path.join(BIN, name)) for name in ("claude", "opencode")) if os.path.exists(path)]
    one.add_image(engine.LARGE, engine.large_image("node", "bash", beside=native))
    one.add_image(engine.SMALL, engine.small_image())
    return one


TOP, WHY = fetch()
BIN = os.path.join(TOP, "bin")
if not TOP:
    print(f"1..0 # SKIP {WHY}")
    sys.exit(0)
if not shutil.which("node"):
    TOOLS.pop("codex")
ENGINE = start_engine() if "--docker" in sys.argv else None
if ENGINE:
    main(*(test for name, test in (("claude_code", claude_code_edits), ("codex", codex_edits), ("opencode", opencode_edits),
                                   ("codex", an_image_without_node_says_so)) if name in TOOLS))
main(*(test for name, test in (("claude_code", claude_code_edits), ("codex", codex_edits), ("opencode", opencode_edits),
                               ("claude_code", a_wrong_key_is_told)) if name in TOOLS))
