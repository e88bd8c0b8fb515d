"""What the tests of holders share: daemons, waiting, the journal and the store's rows."""
import http.server
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cmd"))
from world import CHECK, FINISH, FIX, SPARKS, World, main, say   # noqa: F401, E402


TALK = os.path.abspath(sys.argv[3]) if len(sys.argv) > 3 else None


def shell(command):
    return ("shell", {"command": command})


def wait_for(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come")


def start(w, *words):
    return subprocess.Popen([SPARKS, *words], env=w.env, cwd=w.repo, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process, code, seconds=30):
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == code, \
        f"exit {process.returncode}, not {code}\n{out.decode()}\n{err.decode()}"
    return out.decode(), err.decode()


class Daemon:
    def __init__(self, w, *words):
        self.process = start(w, "up", *words)
        assert b"ready" in self.process.stdout.readline(), self.process.stderr.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def stop(self, seconds=30):
        self.process.send_signal(signal.SIGTERM)
        return finish(self.process, 0, seconds)


class Server(http.server.ThreadingHTTPServer):
    """On loopback: an address that only [box] allow_private opens."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked += 1
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello from outside\n")

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.asked = 0
        self.address = "127.0.0.1:%d" % self.server_port
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *args):
        self.shutdown()
        super().__exit__(*args)


def rows(w, sql, *args):
    db = sqlite3.connect(os.path.join(w.folder, "home", "store.db"), timeout=10)
    try:
        found = db.execute(sql, args).fetchall()
        db.commit()
        return found
    finally:
        db.close()


def journal(w, task, kind=None):
    found = [(k, json.loads(p)) for k, p in rows(
        w, "SELECT kind, payload FROM journal WHERE task = ? ORDER BY seq", task)]
    return [p for k, p in found if k == kind] if kind else [k for k, _ in found]


def status(w, task):
    return rows(w, "SELECT status FROM tasks WHERE id = ?", task)[0][0]


def give(w, *turns, check=CHECK):
    """The id of a task that a daemon is to run."""
    return w.run("do", "add must add", "--detach", "--check", check, "--model",
                 w.play(*turns)).out.strip()


def last_is(w, task, kind):
    return lambda: journal(w, task)[-1:] == [kind]


def environment(w, **more):
    """That of the chat without a terminal, which lies elsewhere than the program."""
    near = os.path.dirname(SPARKS)
    for place in ("sparks-box", "box/helper/sparks-box"):
        if os.path.exists(os.path.join(near, place)):
            more.setdefault("SPARKS_BOX", os.path.join(near, place))
    return {**w.env, **more}


def talk(w, model, *lines, code=0, **more):
    done = subprocess.run([TALK, w.repo, model], input="\n".join(lines) + "\n", text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          env=environment(w, **more), cwd=w.repo, check=False)
    assert done.returncode == code, f"exit {done.returncode}: {done.stdout}{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]
