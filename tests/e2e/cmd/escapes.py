#!/usr/bin/env python3
"""What a terminal would obey, put into every text that comes from a model, a tool, a repository,
a server or a configuration; and every command that shows such text, on a terminal of its own.

usage: escapes.py SPARKS      (prints TAP)"""
import contextlib
import fcntl
import http.server
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

from world import CHECK, FIX, SPARKS, World, main, say

# Each is followed by a letter of its own, which may well be seen.
HOSTILE = [
    "\x1b[2J", "\x1b[H", "\x1b[1A\x1b[2K", "\x1b[999;999H", "\x1b[31;47;5m", "\x1b[8m",
    "\x1b]0;owned\x07", "\x1b]2;owned\x1b\\", "\x1b]52;c;b3duZWQ=\x07", "\x1b]52;p;?\x1b\\",
    "\x1b]8;;http://evil.test\x1b\\link\x1b]8;;\x1b\\", "\x1b]1337;File=:b3duZWQ=\x07",
    "\x1b[6n", "\x1b[c", "\x1b[>c", "\x1b[5n", "\x1b[21t", "\x1b[?1049h", "\x1b[?1000h",
    "\x1b[?2004l", "\x1b[201~", "\x1b[200~rm -rf ~\n\x1b[201~", "\x1bP+q544e\x1b\\",
    "\x1bP1$tx\x1b\\", "\x1b_owned\x1b\\", "\x1b^owned\x1b\\", "\x1bXowned\x1b\\", "\x1bc",
    "\x1b#8", "\x1b(0", "\x1b7\x1b8", "\x1bM", "\x9b2J", "\x9d0;owned\x9c", "\x90q\x9c",
    "\x85", "\x07", "\x08\x08\x08", "\x0b\x0c", "\x0e\x0f", "\x7f", "\r", "\x1b[2\x1b[J",
    "\x1b]0;never ends", "\u202eevil\u202c", "\u2066x\u2069", "\u200b\u2060\ufeff",
    "\U000e0041\U000e0042", "\u2028", "\x1b", "\x1b[",
]
ALL = "".join(f"{one}q" for one in HOSTILE)
RAW = [b"\xe2\x1b[2J", b"\xc0\x9b2J", b"\x9b2J", b"\xf0\x9f\x1b]0;x\x07", b"\xed\xa0\x80\x1b[H"]
LINE = ALL.replace("\n", " ").replace("\r", "")    # where a line end would be another thing
OURS = re.compile(rb"\x1b\[(0|1|2|31|32|33|1;31|1;32)m|\r\x1b\[K")
CHAT = re.compile(rb"\x1b\[\?2004[hl]|\x1b\[K|\x1b\[J|\x1b\[\d*[ABCDGP@]|\x1b\[[0-9;]*m|\r|\x08")
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e"
                       "\u2060-\u206f\ufeff\U000e0000-\U000e0fff]")


def on_terminal(w, *words, codes=(0,), typed=()):
    """What the program writes there."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(w.repo)
        os.execve(SPARKS, [SPARKS, *words], {**w.env, "TERM": "xterm-256color"})
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    out, end, typed = b"", time.monotonic() + 90, list(typed)
    while time.monotonic() < end:
        if typed and typed[0][0].encode() in out:
            wait, keys = typed.pop(0)
            time.sleep(0.3)   # a Ctrl-D before the line editor is ready would be lost
            os.write(fd, keys.encode())
            out = out.replace(wait.encode(), b"", 1) if wait else out
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    else:
        os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    assert status in codes, (words, status, out.decode(errors="replace"))
    return out


def check(out, words, chat=False):
    rest = out.replace(b"\r\n", b"\n")
    rest = (CHAT if chat else OURS).sub(b"", rest)
    text = rest.decode("utf-8")    # broken UTF-8 is an error of its own
    found = FORBIDDEN.search(text)
    assert not found, (words, found.group(0), text[max(0, found.start() - 200):found.end() + 80])
    assert "\r" not in text or chat, (words, text)
    # what a whole sequence says is gone with it, but for what was typed and for JSON's escapes
    if not {"--json", "export"} & set(words) and not any("\x1b" in word for word in words):
        assert "owned" not in text and "evil.test" not in text, (words, text)


def shown(w, *words, **more):
    out = on_terminal(w, *words, **more)
    check(out, words)
    for line in out.decode().splitlines() if "--json" in words else ():
        if line.startswith(("{", "[")):
            json.loads(line)
    return out


class Server:
    """Refuses each request with words of its own."""

    def __init__(self, body):
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(400)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(BrokenPipeError):
                    self.wfile.write(body)

            do_GET = do_POST

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def hostile_world():
    w = World()
    for number, one in enumerate(HOSTILE[:8]):
        name = f"f{number}{one}".replace("/", "").replace("\n", "")
        w.write(name, ALL)
    with open(os.path.join(w.repo.encode(), b"raw\x9b2J\xff"), "wb") as file:
        file.write(b"\n".join(RAW))
    w.git("add", "-A")
    w.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", LINE)
    with open(os.path.join(w.folder, "say.sh"), "wb") as file:
        file.write(b"cat <<'END'\n" + ALL.encode() + b"\n" + b"\n".join(RAW) + b"\nEND\n")
    w.write("loud.sh", "cat f0*; git log -3; ls; false\n")
    return w


def work(w):
    pieces = [LINE[i:i + 1] for i in range(len(LINE))]
    return w.play(
        {"say": {"text": LINE, "chunks": pieces, "tool_calls": [
            {"name": "shell", "arguments": {"command": f"printf '%s' '{LINE.replace(chr(39), '')}'; sh loud.sh"}}]}},
        say(("file_read", {"path": "f0" + HOSTILE[0]}), ("file_list", {}), ("file_search", {"pattern": "q"}),
            ("git", {"args": ["log", "-2"]}), (LINE[:40], {"a": LINE})),
        say(("file_write", {"path": "new" + HOSTILE[6].replace("/", ""), "content": ALL}), FIX),
        say(("finish", {"summary": ALL})))


def a_task_and_all_that_shows_it():
    with hostile_world() as w:
        out = on_terminal(w, "do", "add must add " + LINE, "--context", ALL, "--check", CHECK,
                          "--model", work(w))
        check(out, "do")
        task = json.loads(w.run("tasks", "list", "--json").out)[0]["task"]
        assert len(out) > 500 and b"verified" in out
        for words in (["list"], ["show", task], ["log", task], ["explain", task], ["diff", task],
                      ["diff", task, "--stat"], ["show", task, "--json"], ["log", task, "--json"],
                      ["list", "--json"], ["diff", task, "--json"], ["apply", task, "-y"],
                      ["undo", task], ["export", task], ["replay", task]):
            out = shown(w, "tasks", *words, codes=(0, 1))
            assert out, words
        for words in (["cost"], ["doctor"], ["doctor", "--security"], ["ghosts"],
                      ["config", "show"], ["tasks", "prune", "--dry-run", "--older-than", "0"]):
            shown(w, *words, codes=range(128))


def a_task_that_fails():
    with hostile_world() as w:
        out = on_terminal(w, "do", LINE, "--check", "sh loud.sh", "--model", w.play(
            say(("finish", {"summary": LINE}))), "--set", "task.heal_attempts=0", codes=(1,))
        check(out, "do")
        task = json.loads(w.run("tasks", "list", "--json").out)[0]["task"]
        for words in (["list"], ["show", task], ["log", task], ["explain", task]):
            shown(w, "tasks", *words)
        w.write("bad.play", json.dumps({"play": 1}) + "\n" + json.dumps(
            {"say": {"error": {"code": "provider", "message": LINE}}}) + "\n")
        check(on_terminal(w, "do", "x", "--check", CHECK, "--model", "script:bad.play",
                          codes=range(128)), "bad play")


def a_server_that_refuses():
    with hostile_world() as w, Server(json.dumps({"error": {"message": LINE, "type": LINE}}).encode()) as one, \
            Server(b"not JSON " + ALL.encode() + b"".join(RAW)) as other:
        for server in (one, other):
            w.env.update(OPENAI_API_KEY="none-at-all", SPARKS_OPENAI_URL=server.url, SPARKS_LOG="debug")
            check(on_terminal(w, "do", "x", "--check", CHECK, "--set", "llm.max_retries=0",
                              codes=range(128)), "refused")
            shown(w, "doctor", codes=range(128))
        for task in json.loads(w.run("tasks", "list", "--json").out):
            for word in ("show", "log", "explain"):
                shown(w, "tasks", word, task["task"])


def a_configuration_that_is_hostile():
    with hostile_world() as w:
        home = w.env["SPARKS_HOME"]
        os.makedirs(os.path.join(home, "ghosts"), mode=0o700)
        bad = LINE.encode("unicode_escape").decode().replace("\\x", "\\u00").replace('"', "")
        bad = re.sub(r"\\(?![uU])", "", bad)
        with open(os.path.join(home, "config.toml"), "w", encoding="utf-8") as file:
            file.write(f'openai.model = "{bad}"\nopenai.reasoning_effort = "{bad}"\n')
        with open(os.path.join(home, "ghosts", "odd.toml"), "w", encoding="utf-8") as file:
            file.write(f'name = "odd"\ndescription = "{bad}"\nprompt = "{bad}"\ntools = ["file_read"]\n')
        for words in (["ghosts"], ["ghosts", "show", "odd"], ["config", "show"], ["config", "check"],
                      ["config", "explain", "openai.model"], ["doctor"], ["do", "x", "--ghost", "odd" + LINE],
                      ["config", "show", "--json"], ["ghosts", "--json"], ["tasks", "show", LINE],
                      [LINE], ["--set", LINE], ["config", "explain", LINE], ["do", "x", "--model", LINE],
                      ["do", "x", "--repo", "/" + LINE], ["secrets", "list"], ["cost"]):
            shown(w, *words, codes=range(128))
        with open(os.path.join(home, "ghosts", f"odd{HOSTILE[6]}.toml"), "w", encoding="utf-8") as file:
            file.write(f'name = "{bad}"\nnonsense = 1\n')
        for words in (["ghosts"], ["doctor"]):
            shown(w, *words, codes=range(128))
        w.write("config.toml", f'box.path = "/{bad}"\nopenai.url = "http://{bad}"\nnonsense{1} = "{bad}"\n')
        shown(w, "ghosts", codes=range(128), typed=[("[y/N]", "n\r")])


def a_chat():
    with hostile_world() as w:
        pieces = [LINE[i:i + 3] for i in range(0, len(LINE), 3)]
        play = w.play({"say": {"text": LINE, "chunks": pieces}},
                      {"say": {"text": "```\n" + LINE + "\n```\n| a |\n|---|\n| " + LINE + " |\n[l](http://x.test/" +
                               LINE + ")"}},
                      say(("shell", {"command": "cat f0*; ls"})), say(text="# " + LINE))
        prompt = "\x1b[?2004h"
        out = on_terminal(w, "chat", "--model", play, typed=[
            (prompt, "one\r"), (prompt, "two\r"), (prompt, "three\r"), (prompt, "/show 1\r"),
            (prompt, "/tasks\r"), (prompt, "\x04")])
        check(out, "chat", chat=True)
        for one in (b"\x1b[2J", b"\x1b[H", b"\x1b[6n", b"\x1b[8m", b"1049", b"\x1b]", b"\x1bP", b"\x1b_"):
            assert one not in out, (one, out)
        shown(w, "chat", "--list", codes=range(128))


def a_command_in_the_sandbox():
    with hostile_world() as w:
        script = os.path.join(w.repo, "say.sh")
        with open(os.path.join(w.folder, "say.sh"), "rb") as source, open(script, "wb") as file:
            file.write(source.read())
        for words in (["--json", "--", "sh", "say.sh"], ["--", "sh", "say.sh"],
                      ["--", "sh", "-c", "sh say.sh >&2"]):
            shown(w, "sandbox", "run", *words, codes=range(128))
        # to a pipe the very bytes go: they are the command's
        done = subprocess.run([SPARKS, "sandbox", "run", "--", "sh", "say.sh"], env=w.env, cwd=w.repo,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False)
        assert ALL.encode() in done.stdout


if __name__ == "__main__":
    assert len(HOSTILE) >= 30
    main(a_task_and_all_that_shows_it, a_task_that_fails, a_server_that_refuses,
         a_configuration_that_is_hostile, a_chat, a_command_in_the_sandbox)
