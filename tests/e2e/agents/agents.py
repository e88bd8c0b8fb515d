#!/usr/bin/env python3
"""Agent programs of others in the box: stand-ins that behave as the real ones document, a server on
loopback that wants the real key, and whole tasks.

usage: agents.py SPARKS [1|2|docker]      (prints TAP)"""
import atexit
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cmd"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "box"))
import engine     # noqa: E402
from world import CHECK, FINISH, SPARKS, World, main, say     # noqa: E402

KEY = "sk-real-canary-0123456789"
NO_HEALING = ("--set", "task.heal_attempts=0")
HERE = os.path.dirname(os.path.abspath(__file__))
PART = sys.argv[2] if len(sys.argv) > 2 else "all"
ENGINE = None       # where all is to run in containers


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server = self.server
        server.asked.append((self.path, self.headers.get("x-api-key") or self.headers.get("Authorization"), json.loads(body)))
        status, text = server.answers.pop(0) if server.answers else (200, "ok")
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.answers = [], list(answers)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def keys(self):
        return [key for _, key, _ in self.asked]


class Agents(World):
    """A world with stand-ins and their server."""

    def __init__(self, *answers, programs=("claude", "codex", "opencode"), keys=("ANTHROPIC", "OPENAI", "OPENCODE"), config=""):
        super().__init__()
        self.server = Server(*answers)
        self.bin = os.path.join(self.folder, "agents", "bin")
        os.makedirs(self.bin)
        for name in programs:
            shutil.copy(os.path.join(HERE, "standin.py"), os.path.join(self.bin, name))
            os.chmod(os.path.join(self.bin, name), 0o755)
        self.env["PATH"] = "/usr/bin:/bin"
        if ENGINE:
            self.env.update(SPARKS_BOX_BACKEND="docker", SPARKS_DOCKER_SOCKET_PATH=ENGINE.socket, SPARKS_DOCKER_IMAGE=engine.LARGE)
        for name in keys:
            self.env[name + "_API_KEY"] = KEY
        url = f"http://127.0.0.1:{self.server.server_port}/v1"
        home = self.env["SPARKS_HOME"]
        os.makedirs(home, exist_ok=True)
        with open(os.path.join(home, "config.toml"), "w", encoding="utf-8") as file:
            file.write(f"""
[box]
allow_private = ["127.0.0.1:{self.server.server_port}"]
[anthropic]
url = "{url}"
[openai]
url = "{url}"
[zen]
url = "{url}"
model = "zen-model"
[cli]
path = ["{self.bin}"]
{config}
""")

    def give(self, tool, goal="add must add", code=0, words=()):
        return self.json("do", goal, "--cli-tool", tool, "--check", CHECK, *words, code=code)

    def log(self, task):
        lines = self.run("tasks", "log", task["task"], "--json").out
        try:
            return json.loads(lines)
        except json.JSONDecodeError:
            return [json.loads(line) for line in lines.splitlines()]

    def envelopes(self, task):
        return [one["payload"] for one in self.log(task) if one["kind"] == "cli"]


def each_works_in_the_box_with_a_key_that_it_never_sees():
    for tool, program, key in (("claude_code", "claude", KEY), ("codex", "codex", "Bearer " + KEY),
                               ("opencode", "opencode", "Bearer " + KEY)):
        with Agents() as w:
            for folder in (".claude", ".codex", ".config", ".local"):       # HOME of this world
                os.mkdir(os.path.join(w.folder, folder))
            task = w.give(tool, "add must add; LOOK around")
            assert task["verdict"] == "verified", task
            assert sorted(task["files_changed"]) == ["calc.sh", "seen.json"], task
            assert w.server.keys() == [key], w.server.asked
            assert f"I am {program} with" in task["summary"] and "\x1b" not in task["summary"], task["summary"]
            seen = json.loads(w.git("show", f"sparks/{task['task']}:seen.json"))
            assert KEY not in json.dumps(seen) and seen["key"].startswith("sparks-"), seen
            assert not {".claude", ".codex", ".config", ".local"} & set(seen["files"]) and seen["uid"] == (os.getuid() if ENGINE else 1000), seen
            assert not [name for name in seen["env"] if name.startswith("SPARKS_") and name != "SPARKS_PLACEHOLDER"], seen["env"]
            assert "add must add" not in json.dumps(seen["argv"])
            assert w.read("calc.sh").count("$1 - $2"), "the user's file was touched"
            one, = w.envelopes(task)
            assert (one["tool"], one["status"], one["exit_code"], one["code"]) == (tool, "succeeded", 0, None), one
            assert one["artifacts"] == ["calc.sh", "seen.json"] and one["task_id"] == task["task"], one
            assert one["started_at"] <= one["ended_at"] and one["usage"]["input"] == 150 and one["usage"]["output"] == 20, one
            assert "\x1b" not in json.dumps(one)
            assert f"{tool} worked in the sandbox and changed 2 files: succeeded." in " ".join(
                w.run("tasks", "explain", task["task"]).out.split())
            # the placeholder was worth something while it ran only, and the key is nowhere
            assert KEY not in w.run("tasks", "log", task["task"], "--json").out
            rows = w.json("cost", "--by", "provider")["rows"]
            assert sum(row["tokens"]["input"] for row in rows) == 150, rows
            if tool != "codex":
                assert abs(task["cost_usd"] - 0.0123) < 1e-9, task
            assert task["tokens"]["input"] == 150, task["tokens"]


def wrong_work_is_healed_or_rolled_back():
    with Agents() as w:
        task = w.give("codex", "add must add, but WRONG at first")
        assert task["verdict"] == "verified" and len(w.envelopes(task)) == 2, task
        assert "want 5" in w.server.asked[1][2]["prompt"], w.server.asked[1]
    with Agents(config="") as w:
        task = w.give("codex", "TALK only", code=1, words=NO_HEALING)
        assert task["verdict"] == "failed" and task["files_changed"] == [], task
        one, = w.envelopes(task)
        assert (one["status"], one["exit_code"]) == ("no_work", 0), one


def failures_have_their_names():
    for tool, goal, answers, cause, status, code, exit_code in (
            ("claude_code", "go", [(401, "bad key")], "auth", "failed", "cli_unavailable", 69),
            ("codex", "go", [(401, "bad key")], "auth", "failed", "cli_unavailable", 69),
            ("opencode", "go", [(401, "bad key")], "auth", "failed", "cli_unavailable", 69),
            ("claude_code", "go", [(400, "credit balance is too low")], "quota", "failed", "cli_unavailable", 75),
            ("codex", "go", [(404, "no such model")], "refused", "failed", "cli_contract_error", 69),
            ("claude_code", "NOT_JSON", [], "auth", "failed", "cli_unavailable", 69),
            ("codex", "FLOOD", [], "flood", "contract_error", "cli_contract_error", 1)):
        with Agents(*answers, config="fallback = []") as w:
            task = w.give(tool, goal, code=exit_code)
            envelopes = w.envelopes(task)
            one = envelopes[-1]
            assert len(envelopes) == 1, (goal, envelopes)
            assert (one["cause"], one["status"], one["code"]) == (cause, status, code), one
            assert len(one["stdout"]) <= 16100 and task["files_changed"] == [], one
            assert KEY not in json.dumps(task)


def what_may_pass_is_tried_once_more_from_the_same_files():
    for tool, goal, answers, cause in (
            ("codex", "go", [(429, "slow down")] * 3, "rate_limited"), ("opencode", "go", [(503, "busy")] * 3, "server"),
            ("claude_code", "HALF", [], "no_result"), ("codex", "SILENT", [], "no_result"), ("opencode", "CRASH", [], "crashed")):
        with Agents(*answers, config="fallback = []") as w:
            task = w.json("do", goal, "--cli-tool", tool, "--check", CHECK, code=1 if not answers else
                          75 if cause == "rate_limited" else 69)
            assert [one["cause"] for one in w.envelopes(task)] == [cause, cause], w.envelopes(task)
    with Agents((200, "first")) as w:
        task = w.give("claude_code", "BREAKS_FIRST, then add must add")
        assert [one["cause"] for one in w.envelopes(task)] == ["server", "done"], w.envelopes(task)
        diff = w.run("tasks", "diff", task["task"]).out
        assert diff.count("half a change") == 1, diff


def another_takes_over_in_the_order_that_is_set():
    with Agents((401, "no"), (402, "no money"), config='fallback = ["opencode", "claude_code", "codex"]') as w:
        task = w.give("codex", words=("--cli-model", "gpt-x"))
        ends = [(one["tool"], one["cause"]) for one in w.envelopes(task)]
        assert ends == [("codex", "auth"), ("opencode", "quota"), ("claude_code", "done")], ends
        models = [body["model"] for _, _, body in w.server.asked]
        assert models == ["gpt-x", "sparks/gpt-5.3-codex", "stand-in-default"], models
        result = [one["payload"] for one in w.log(task) if one["kind"] == "tool.result"][0]
        assert "opencode takes over." in result["text"] and len(result["meta"]["earlier"]) == 2, result
    with Agents((401, "no")) as w:      # from a server here to none in the cloud
        words = ("--set", "anthropic.url=https://api.anthropic.com/v1", "--set", "cli.fallback=[\"claude_code\"]")
        task = w.give("codex", words=words, code=69)
        assert [one["tool"] for one in w.envelopes(task)] == ["codex"], w.envelopes(task)
    with Agents(programs=("claude",), config='fallback = ["opencode", "claude_code"]') as w:
        task = w.give("codex")
        assert [(one["tool"], one["cause"]) for one in w.envelopes(task)] == [("claude_code", "done")], w.envelopes(task)


def time_runs_out():
    with Agents(config="timeout_secs = 2\nfallback = []") as w:
        began = time.time()
        task = w.give("codex", "HANG", code=75)
        assert time.time() - began < 40 and task["status"] == "paused", task
        one, = w.envelopes(task)
        assert (one["status"], one["code"], one["exit_code"], one["timeout_secs"]) == ("timeout", "cli_timeout", 124, 2), one
        result = [one["payload"] for one in w.log(task) if one["kind"] == "tool.result"][0]
        assert result["text"].endswith("[sparks_cli_contract] tool=codex code=cli_timeout retry_same=false fallback=true "
                                       "exit_code=124 timeout_secs=2"), result["text"]
        # goes on when it is resumed, with a new call
        again = w.json("tasks", "resume", task["task"], code=75)
        assert again["task"] == task["task"] and len(w.envelopes(task)) == 2, again


def a_person_can_stop_it():
    with Agents() as w:
        child = subprocess.Popen([SPARKS, "do", "BEGIN and HANG", "--cli-tool", "claude_code", "--check", CHECK], env=w.env, cwd=w.repo,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.time() + 30
        while time.time() < deadline and not standins(w):
            time.sleep(0.1)
        time.sleep(1)
        assert standins(w), "it never ran"
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
        assert child.returncode == 130, (child.returncode, err)
        assert w.json("cost")["total"]["tokens"]["input"] == 100, "what it took before it was stopped"
        assert not standins(w)


def a_killed_one_is_taken_up():
    with Agents((200, "first")) as w:
        child = subprocess.Popen([SPARKS, "do", "WAITS_FIRST, then add must add", "--cli-tool", "codex", "--check", CHECK],
                                 env=w.env, cwd=w.repo, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.time() + 30
        while time.time() < deadline and not w.server.asked:
            time.sleep(0.1)
        time.sleep(0.5)         # half a change is made
        child.kill()
        child.communicate()
        task, = w.json("tasks", "list")
        done = w.json("tasks", "resume", task["task"])
        assert done["verdict"] == "verified", done
        assert w.run("tasks", "diff", task["task"]).out.count("half a change") == 1
        results = [one["payload"] for one in w.log(task) if one["kind"] == "tool.result"]
        assert [one.get("unknown", False) for one in results] == [True, False], results
        assert [one["cause"] for one in w.envelopes(task)] == ["done"] and not standins(w)


def standins(w):
    """Processes on this machine that run a stand-in of this world."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read()
        except OSError:
            continue
        if w.bin.encode() in words and b"sleep" not in words and b"sparks" not in words.split(b"\0")[0]:
            found.append(words)
    return found


def nothing_stays_and_noise_is_passed_over():
    with Agents() as w:
        task = w.give("claude_code", "STAYS and NOISE, and add must add")
        assert task["verdict"] == "verified", task
        one, = w.envelopes(task)
        assert "\x1b" not in one["stdout"] and "\x07" not in one["stdout"], one["stdout"][:500]
        time.sleep(0.3)
        assert b"sleep\x00300" not in b"".join(open(f"/proc/{pid}/cmdline", "rb").read() for pid in os.listdir("/proc")
                                                if pid.isdigit() and os.path.exists(f"/proc/{pid}/cmdline"))


def what_is_missing_is_said():
    with Agents(programs=()) as w:
        done = w.run("do", "x", "--cli-tool", "codex", code=78)
        assert "no program codex" in done.err, done.err
    with Agents(keys=("OPENAI",)) as w:
        shutil.move(os.path.join(w.env["SPARKS_HOME"], "config.toml"), w.folder + "/c")
        with open(w.folder + "/c", encoding="utf-8") as file:
            text = file.read().split("[anthropic]")[0] + f'[cli]\npath = ["{w.bin}"]\n'
        with open(os.path.join(w.env["SPARKS_HOME"], "config.toml"), "w", encoding="utf-8") as file:
            file.write(text + "fallback = []\n")
        done = w.run("do", "x", "--cli-tool", "claude_code", code=78)
        assert "ANTHROPIC_API_KEY" in done.err or "anthropic.api_key" in done.err, done.err
    with Agents() as w:
        assert "only reads" in w.run("do", "x", "--cli-tool", "codex", "--ghost", "scout", code=2).err
        assert "no program" in w.run("do", "x", "--cli-model", "m", "--model", "m", code=2).err
        w.run("do", "x", "--cli-tool", "vim", code=2)
        task = w.give("codex", words=("--set", "box.tier=landlock"), code=77)
        assert "way out" in task["error"]["message"], task


def a_model_may_use_it_as_a_tool():
    call = ("claude_code", {"prompt": "add must add", "context": "shell", "files": ["calc.sh"]})
    with Agents() as w:
        task = w.do(say(call), say(FINISH), words=("--cli-tool", "claude_code"))
        assert task["verdict"] == "verified", task
        prompt = w.server.asked[0][2]["prompt"]
        assert prompt == "add must add\n\nContext:\nshell\n\nFiles to begin with:\n- calc.sh", prompt
        # nobody enabled it
        task = w.do(say(call), say(FINISH), code=1, words=NO_HEALING)
        result = [one["payload"] for one in w.log(task) if one["kind"] == "tool.result"][0]
        assert not result["ok"] and "may not use it" in result["text"] and len(w.server.asked) == 1, result
        # by the configuration; a file that the box is not shown is refused
        secret = ("codex", {"prompt": "x", "files": [".env"]})
        task = w.do(say(secret), say(("codex", {"prompt": "add must add"})), say(FINISH), words=("--set", "cli.tool=codex"))
        results = [one["payload"] for one in w.log(task) if one["kind"] == "tool.result"]
        assert not results[0]["ok"] and results[1]["ok"] and task["verdict"] == "verified", results
        # by a spark of one's own
        os.makedirs(w.env["SPARKS_HOME"] + "/ghosts")
        with open(w.env["SPARKS_HOME"] + "/ghosts/lead.toml", "w", encoding="utf-8") as file:
            file.write('name = "lead"\ndescription = "leads"\ntools = ["file_read", "opencode"]\n')
        task = w.do(say(("opencode", {"prompt": "add must add"})), say(FINISH), words=("--ghost", "lead"))
        assert task["verdict"] == "verified", task


def what_is_not_here_is_not_offered():
    offered = {"expect": {"tools": ["file_read", "file_write", "file_edit", "file_list", "file_search", "shell", "git", "finish"]}}
    with Agents(programs=()) as w:
        done = w.run("do", "add must add", "--model", w.play(offered, say(FINISH)), "--check", CHECK, "--set", "cli.tool=codex", *NO_HEALING, code=1)
        assert "codex is not offered" in done.err and "no program codex" in done.err, done.err


def budgets_hold():
    with Agents() as w:
        # Claude Code is told, and keeps to it; what it says goes into the same sums
        task = w.give("claude_code", "add must add; LOOK", words=("--budget-usd", "0.5"))
        seen = json.loads(w.git("show", f"sparks/{task['task']}:seen.json"))
        assert "0.500000" in seen["argv"][seen["argv"].index("--max-budget-usd") + 1], seen["argv"]
        # others are watched
        task = w.give("opencode", "SPENDS", words=("--set", "task.max_tokens=3000000", "--set", "cli.fallback=[]"), code=75)
        one = w.envelopes(task)[0]
        assert one["cause"] == "budget" and one["usage"]["input"] <= 6000000, one
        # also where only our own prices know what it costs
        task = w.give("opencode", "SPENDS UNTOLD", words=("--budget-usd", "2", "--cli-model", "openai/gpt-5.3-codex",
                                                          "--set", "task.max_tokens=0", "--set", "cli.fallback=[]"), code=75)
        one = w.envelopes(task)[0]
        assert one["cause"] == "budget" and one["cost_usd"] is None and one["usage"]["input"] < 10000000, one
        # no price, and a budget in dollars
        task = w.give("codex", words=("--budget-usd", "1", "--cli-model", "nobody-knows-it"), code=75)
        assert "price" in task["error"]["message"] and task["status"] == "paused", task
        task = w.give("claude_code", words=("--set", "budget.day_usd=0.01"), code=75)
        assert task["status"] == "paused" and w.envelopes(task) == [], task
        assert w.json("tasks", "resume", task["task"])["verdict"] == "verified"


# ---- in containers ----

def an_image_that_cannot_run_it_is_told():
    with Agents(config="fallback = []") as w:
        w.env["SPARKS_DOCKER_IMAGE"] = engine.SMALL        # it has no python
        task = w.give("codex", code=78)
        one, = w.envelopes(task)
        assert one["cause"] == "cannot_start" and f"the image {engine.SMALL} has no python3" in one["problem"], one
        assert engine.SMALL in task["error"]["message"], task
        shutil.copy(os.path.realpath("/usr/bin/env"), os.path.join(w.bin, "opencode"))     # libraries that busybox hasn't
        one, = w.envelopes(w.give("opencode", code=78))
        assert one["cause"] == "cannot_start" and "lacks its loader or libraries" in one["problem"], one
        assert not w.server.asked and not ENGINE.containers(), ENGINE.containers()


def programs_of_the_system_are_shown_beside_the_images():
    with Agents(programs=()) as w:
        top = tempfile.mkdtemp(prefix="sparks-agent-", dir="/opt")
        try:
            shutil.copy(os.path.join(HERE, "standin.py"), os.path.join(top, "claude"))
            os.chmod(os.path.join(top, "claude"), 0o755)
            task = w.give("claude_code", words=("--set", f'cli.path=["{top}"]'))
            assert task["verdict"] == "verified" and w.server.keys() == [KEY], task
        finally:
            shutil.rmtree(top)


def start_engine():
    global ENGINE       # pylint: disable=global-statement
    lacks = engine.Docker.lacks()
    one = None if lacks else engine.with_curl()
    if one:
        atexit.register(one.close)
    if lacks or not one.answers():
        print("1..0 # SKIP", lacks or "no engine can start here: " + one.last_words())
        sys.exit(0)
    one.add_image(engine.SMALL, engine.small_image())
    ENGINE = one


PARTS = {"1": (each_works_in_the_box_with_a_key_that_it_never_sees, wrong_work_is_healed_or_rolled_back,
               failures_have_their_names, what_may_pass_is_tried_once_more_from_the_same_files),
         "2": (another_takes_over_in_the_order_that_is_set, time_runs_out, a_person_can_stop_it, a_killed_one_is_taken_up,
               nothing_stays_and_noise_is_passed_over, what_is_missing_is_said, a_model_may_use_it_as_a_tool,
               what_is_not_here_is_not_offered, budgets_hold),
         "docker": (each_works_in_the_box_with_a_key_that_it_never_sees, wrong_work_is_healed_or_rolled_back,
                    failures_have_their_names, what_may_pass_is_tried_once_more_from_the_same_files, time_runs_out,
                    a_killed_one_is_taken_up, nothing_stays_and_noise_is_passed_over, a_model_may_use_it_as_a_tool,
                    an_image_that_cannot_run_it_is_told, programs_of_the_system_are_shown_beside_the_images)}

if PART == "docker":
    start_engine()
main(*(PARTS["1"] + PARTS["2"] if PART == "all" else PARTS[PART]))
