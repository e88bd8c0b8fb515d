#!/usr/bin/env python3
"""A key in every place it can come from, and a search of everything the program writes.

usage: canaries.py SPARKS      (prints TAP)

The model's server is as careless as servers are: it repeats the key in an error, in its
answers and in the arguments of tools; and the model looks at its environment."""
import contextlib
import http.server
import json
import os
import secrets
import signal
import subprocess
import threading
import time
import zlib

import keyring_daemon as keyring
from world import CHECK, FIX, SPARKS, World, main

ENV = "OPENAI_API_KEY"
# not of the shape of any key: only who knows it can take it out
LOOK = {"command": "env; cat /proc/*/environ | tr '\\0' '\\n'; echo {KEY}; sleep 0.5"}


def canary():
    return "canary" + secrets.token_hex(12)


class Server:
    """Chat completions: one turn a request, {KEY} in it replaced by the key that came."""

    def __init__(self, *turns):
        self.turns, self.keys, self.bodies = list(turns), [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.answer(self, 500, {"error": {"message": "no list for {KEY}"}})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.bodies.append(body)
                turn = outer.turns.pop(0) if outer.turns else 400
                if isinstance(turn, int):
                    outer.answer(self, turn, {"error": {
                        "message": "Incorrect API key provided: {KEY}.", "type": "x"}})
                    return
                outer.answer(self, 200, {
                    "id": "{KEY}", "object": "chat.completion", "model": "played",
                    "choices": [{"index": 0, "message": turn, "finish_reason":
                                 "tool_calls" if "tool_calls" in turn else "stop"}],
                    "usage": {"prompt_tokens": 10, "completion_tokens": 5}})

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, handler, status, value):
        key = handler.headers.get("Authorization", "").removeprefix("Bearer ")
        self.keys.append(key)
        body = json.dumps(value).replace("{KEY}", key or "no key").encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("X-Request-Id", key or "none")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        with contextlib.suppress(BrokenPipeError):
            handler.wfile.write(body)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def turn(name, arguments, text="I was given {KEY}."):
    return {"role": "assistant", "content": text, "tool_calls": [
        {"id": "c1", "type": "function",
         "function": {"name": name, "arguments": json.dumps(arguments)}}]}


WORK = (500, turn("shell", LOOK), turn(*FIX),
        turn("file_write", {"path": "note.txt", "content": "the key is {KEY}\n"}),
        turn("finish", {"summary": "Done with {KEY}."}))


# ---- looking while it runs ----

def children(pid):
    found, rows = [], {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError), \
                    open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                rows.setdefault(int(file.read().rsplit(")", 1)[1].split()[1]),
                                []).append(int(name))
    todo = [pid]
    while todo:
        found += rows.get(todo[-1], [])
        todo += rows.get(todo.pop(), [])
    return found


class Watch(threading.Thread):
    """Command lines of the program and its children, environments of the children."""

    def __init__(self, process, key):
        super().__init__(daemon=True)
        self.process, self.key, self.found, self.seen = process, key.encode(), [], set()
        self.start()

    def look(self, pid, name):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                if self.key in file.read():
                    self.found.append(f"{pid}/{name}")

    def run(self):
        while self.process.poll() is None:
            self.look(self.process.pid, "cmdline")
            for pid in children(self.process.pid):
                self.look(pid, "cmdline")
                with contextlib.suppress(OSError):
                    exe = os.readlink(f"/proc/{pid}/exe")
                    # before exec it is a copy of the program; a runner is the program
                    if exe != SPARKS:
                        self.seen.add(os.path.basename(exe))
                        self.look(pid, "environ")
            time.sleep(0.005)


# ---- the search ----

def packed(folder):
    """All objects of a git folder, opened."""
    if not os.path.isdir(os.path.join(folder, "objects")):
        return b""
    done = subprocess.run(["git", "--git-dir", folder, "cat-file", "--batch-all-objects",
                           "--batch", "--unordered"], check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL)
    return done.stdout


def places_of(key, top):
    """Files below top that hold the key, as they lie there or inflated."""
    key, found, objects = key.encode(), [], 0
    for folder, _, names in os.walk(top):
        if key in packed(folder):
            found.append(folder + " (packed)")
        for name in names:
            path = os.path.join(folder, name)
            if key in os.fsencode(path):
                found.append("name of " + path)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            with open(path, "rb") as file:
                data = file.read()
            with contextlib.suppress(zlib.error):
                data += zlib.decompress(data)
                objects += 1
            if key in data:
                found.append(path)
    return found, objects


class Case:
    def __init__(self, w, server, key, config="", allowed=()):
        self.w, self.server, self.key, self.output = w, server, key, []
        self.allowed = [os.path.realpath(path) for path in allowed]
        self.config = os.path.join(w.folder, "mine", "config.toml")
        os.makedirs(os.path.dirname(self.config), exist_ok=True)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f'{config}\nopenai.url = "{server.url}"\nopenai.model = "played"\n'
                       'llm.max_retries = 1\n')
        w.env["SPARKS_LOG"] = "debug"

    def start(self, *words):
        return subprocess.Popen([SPARKS, "--config", self.config, *words], env=self.w.env,
                                cwd=self.w.repo, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def end(self, process, *codes):
        watch = Watch(process, self.key)
        out, err = process.communicate(timeout=120)
        watch.join(timeout=10)
        self.output.append((process.args, out, err))
        assert process.returncode in codes, (process.args, process.returncode, out, err)
        assert not watch.found, watch.found
        return out, watch.seen

    def run(self, *words, codes=(0,)):
        return self.end(self.start(*words), *codes)

    def look_everywhere(self):
        tasks = json.loads(self.run("tasks", "list", "--json")[0])
        for task in tasks:
            for word in ("show", "log", "explain"):
                self.run("tasks", word, task["task"], *(["--json"] if word != "explain" else []))
            self.run("tasks", "diff", task["task"], codes=(0, 1, 2))
            self.run("tasks", "export", task["task"], codes=(0, 1, 2))
        for words in (["doctor", "--json"], ["config", "show"], ["config", "show", "--json"],
                      ["config", "check"], ["secrets", "list"], ["secrets", "list", "--json"]):
            self.run(*words)
        for args, out, err in self.output:
            assert self.key.encode() not in out + err, (args, out, err)
        found, objects = places_of(self.key, self.w.folder)
        assert objects > 3, "no git object was opened: the search looks in the wrong place"
        assert sorted(found) == sorted(self.allowed), (found, self.allowed)
        assert self.server.keys and set(self.server.keys) == {self.key}, self.server.keys
        for body in self.server.bodies:
            assert self.key not in body, body


def whole(w, key, config="", allowed=(), more=None):
    """A task that works, one whose key is refused, and every way to look at both."""
    with Server(*WORK, 401) as server:
        case = Case(w, server, key, config, allowed)
        out, seen = case.run("do", "add must add", "--check", CHECK, "--json")
        task = json.loads(out)
        assert task["verdict"] == "verified", task
        assert "[redacted OPENAI_API_KEY]" in task["summary"], task
        assert {"sparks-box", "git"} <= seen, seen    # else nobody's environment was read
        case.run("do", "once more", "--check", CHECK, "--json", codes=(69,))
        if more:
            more(case)
        case.look_everywhere()


def keep(w, key):
    w.run("secrets", "set", "openai.api_key", stdin=None, input=key.encode() + b"\n")


def key_file(w):
    path = os.path.join(w.folder, "key")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(os.urandom(32))
    w.env["SPARKS_SECRETS_KEY_FILE"] = path


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def crash_and_daemon(case):
    """Killed in a tool and resumed; then a task that a daemon works on."""
    case.server.turns[:] = [turn("shell", {"command": "echo {KEY}; sleep 60"})]
    before = len(case.server.bodies)
    process = case.start("do", "killed", "--check", CHECK, "--json")
    wait_for(lambda: len(case.server.bodies) > before)
    time.sleep(1)
    process.send_signal(signal.SIGKILL)
    case.end(process, -signal.SIGKILL)
    task = json.loads(case.run("tasks", "list", "--json")[0])[0]["task"]
    case.server.turns[:] = WORK[1:]
    case.run("tasks", "resume", task, "--json")
    case.server.turns[:] = WORK[1:]
    out, _ = case.run("do", "detached", "--check", CHECK, "--detach", "--json")
    task = json.loads(out)["task"]
    wait_for(lambda: json.loads(case.run("tasks", "show", task, "--json", codes=range(5))[0])[
        "status"] == "done")
    case.server.turns[:] = WORK
    daemon = case.start("up")
    up = os.path.join(case.w.env["SPARKS_HOME"], "up.json")
    wait_for(lambda: os.path.exists(up))
    assert case.key.encode() not in open(up, "rb").read()
    case.run("do", "for the daemon", "--check", CHECK, "--json")
    daemon.send_signal(signal.SIGTERM)
    case.end(daemon, 0)


def from_the_environment():
    with World() as w:
        w.env[ENV] = key = canary()
        whole(w, key, more=crash_and_daemon)


def from_a_dotenv_beside_the_config():
    with World() as w:
        key = canary()
        path = os.path.join(w.folder, "mine", ".env")
        os.makedirs(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{ENV}={key}\n")
        whole(w, key, allowed=[path])


def from_the_keyring():
    with World() as w, keyring.keyring(w):
        key = canary()
        keep(w, key)
        whole(w, key)


def from_the_sealed_file():
    with World() as w:
        key = canary()
        key_file(w)
        keep(w, key)
        whole(w, key, more=crash_and_daemon)


def from_the_plain_file():
    with World() as w:
        key = canary()
        keep(w, key)
        whole(w, key, allowed=[os.path.join(w.env["SPARKS_HOME"], "secrets")])


def from_the_config_where_one_insists():
    with World() as w:
        key = canary()
        w.env["SPARKS_ALLOW_INLINE_SECRETS"] = "1"
        whole(w, key, config=f'openai.api_key = "{key}"\ntelegram.token = "{key}"',
              allowed=[os.path.join(w.folder, "mine", "config.toml")])



def what_only_looks_like_a_key():
    """A token that nobody knows stands in the repository; a key that is known leaves a command in
    other forms, and in more than memory holds. Neither is anywhere but in the files themselves."""
    key, token = canary(), "ghp_" + secrets.token_hex(18)
    odd = {"command": "f() { printf '%s' \"$1\" | base64 -w 20; printf '%s' \"$1\" | od -An -tx1; }; f {KEY}; "
                      "cat tok.py; seq 1 300000; echo {KEY} | sed 's/./&\\\n/9'; cat tok.py"}
    with World() as w:
        w.env["OPENAI_API_KEY"] = key
        w.write("tok.py", f'# one\nTOKEN = "{token}"\n')
        with Server(turn("file_read", {"path": "tok.py"}), turn("shell", odd), turn(
                "file_edit", {"path": "tok.py", "old_string": "# one\nTOKEN", "new_string": "# two\nTOKEN"}),
                turn("file_search", {"pattern": token[:8]}), turn(*FIX),
                turn("file_write", {"path": "new.py", "content": "K = '[redacted NOBODY#0000]'"}),
                turn("finish", {"summary": f"It was {token}."})) as server:
            case = Case(w, server, key)
            out, _ = case.run("do", f"add must add; the token is {token}", "--check", CHECK, "--json")
            task = json.loads(out)
            assert task["verdict"] == "verified" and "tok.py" in task["files_changed"], task
            assert "new.py" not in task["files_changed"], task
            shown = [out]
            for word in ("show", "log", "explain", "export"):
                shown.append(case.run("tasks", word, task["task"])[0])
            forms = [token.encode(), key.encode(), key.encode().hex().encode()]
            for text in shown + [body.encode() for body in server.bodies]:
                assert not [form for form in forms if form in text], text
            home, found = w.env["SPARKS_HOME"], []
            for folder, _, names in os.walk(home):
                for name in names:
                    path = os.path.join(folder, name)
                    if "/trees/" in path or not os.path.isfile(path):
                        continue
                    with open(path, "rb") as file:
                        data = file.read()
                    found += [path for form in forms if form in data]
            assert not found, found
            assert os.listdir(os.path.join(home, "spill")), "nothing was spilled"
            # the work went on with the real text
            case.run("tasks", "apply", task["task"], "-y")
            assert w.read("tok.py") == f'# two\nTOKEN = "{token}"\n', w.read("tok.py")


main(what_only_looks_like_a_key, from_the_environment, from_a_dotenv_beside_the_config, from_the_keyring,
     from_the_sealed_file, from_the_plain_file, from_the_config_where_one_insists)
