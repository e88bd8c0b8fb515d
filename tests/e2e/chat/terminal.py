#!/usr/bin/env python3
"""`sparks chat` on a terminal of its own: what stands on the screen, and what keys and signals do."""
import fcntl
import http.server
import json
import os
import signal
import struct
import subprocess
import termios
import threading
import time

from screen import CRASHES, PROMPT, Chat, ended_by, golden
from world import FIX, SPARKS, World, main, say

ANSWER = ("# Title\n\nSome **bold** and `code`, a [link](https://example.org/x), and words enough to "
          "be wrapped at the right edge of the screen.\n\n- one\n- 你好 🙂\n  - deeper\n\n"
          "```c\nint x;\n```\n\n| a | bb |\n|---|---|\n| 1 | cell |\n\nThe end.")


def chunked(text, size):
    return {"say": {"text": text, "chunks": [text[i:i + size] for i in range(0, len(text), size)]}}


def an_answer_looks_the_same_however_it_streams():
    for columns in (80, 40):
        for size in (1, 7, 1000):
            with World() as w, Chat(w, "chat", "--model", w.play(chunked(ANSWER, size)),
                                    columns=columns) as chat:
                chat.ask("hello")
                text = chat.screen.text()
                golden(f"answer-{columns}", text[text.index("> hello"):], w)
                assert max(len(chat.screen.cells(l)) for l in chat.screen.lines) <= columns
                chat.leave()


def work_is_shown_and_applied():
    with World() as w, Chat(w, "chat", "--check", "sh test.sh", "--model", w.play(
            say(("shell", {"command": "seq 1 40"}), text="Let me look."), say(FIX),
            say(text="It adds now."), say(text="You applied it."))) as chat:
        chat.ask("fix add", "[d]iff: ")
        text = chat.screen.text()
        for part in ("Let me look.", "✓ shell     seq 1 40 → exit 0: 40", "41 lines: /show 1", "✓ edit      calc.sh",
                     "It adds now.", "+\techo $(($1 + $2))".replace("\t", ""), "verdict   verified"):
            assert part in text, f"no {part!r}:\n{text}"
        assert "$1 - $2" in w.read("calc.sh")
        chat.type("d\r", "[d]iff: ")
        chat.type("y\r", PROMPT)
        assert "$1 + $2" in w.read("calc.sh")
        chat.ask("/show 1")
        assert "\n17\n18\n" in chat.screen.text()
        chat.ask("/undo")
        assert "$1 - $2" in w.read("calc.sh")
        chat.ask("and now?")
        chat.ask("/tasks")
        assert "undone" in chat.screen.text()
        chat.leave()
    with World() as w, Chat(w, "chat", "--check", "sh test.sh", "--model", w.play(
            say(FIX), say(text="Done."), {"expect": {"last_contains": ["why"]}}, say(text="I see."))) as chat:
        chat.ask("fix add", "[d]iff: ")
        chat.type("n\r", PROMPT)
        assert "$1 - $2" in w.read("calc.sh")
        chat.ask("why?")
        assert "I see." in chat.screen.text()
        chat.leave()


def files_that_run_elsewhere_are_asked_for_again():
    path = ".github/workflows/ci.yml"
    with World() as w, Chat(w, "chat", "--model", w.play(
            say(("file_write", {"path": path, "content": "on: push\n"})), say(text="Done."))) as chat:
        chat.ask("add a workflow", "[d]iff: ")
        assert "run code elsewhere" in chat.screen.text()
        chat.type("n\r", PROMPT)
        for answer, there in (("n", False), ("y", True)):
            chat.ask("/apply", "Apply them?")
            chat.type(answer + "\r", PROMPT)
            assert os.path.exists(os.path.join(w.repo, path)) == there, chat.screen.text()
        chat.leave()


def ctrl_c_ends_the_turn_and_a_second_one_the_program():
    slow = {"say": {"text": "Never seen.", "delay_ms": 60000}}
    with World() as w, Chat(w, "chat", "--model", w.play(slow, slow)) as chat:
        chat.type("wait\r", "thinking")
        chat.type("\x03", "cancelled")
        chat.until("\x1b[?2004h")
        chat.type("rubbish\x03", "^C")
        chat.until("\x1b[?2004h")
        chat.ask("/cost")
        assert "1 turn," in chat.screen.text()
        chat.type("again\r", "thinking")
        os.kill(chat.pid, signal.SIGSTOP)   # so that both arrive while nothing is done about the first
        os.kill(chat.pid, signal.SIGTERM)   # two of the same kind would be one
        os.kill(chat.pid, signal.SIGINT)
        os.kill(chat.pid, signal.SIGCONT)
        end = time.monotonic() + 10
        while True:
            pid, status = os.waitpid(chat.pid, os.WNOHANG)
            if pid:
                break
            assert time.monotonic() < end, f"it goes on:\n{chat.screen.text()}"
            chat.read(0.1)
        assert os.waitstatus_to_exitcode(status) == 130, status
        modes = termios.tcgetattr(chat.fd)[3]
        assert modes & termios.ICANON and modes & termios.ECHO
        with Chat(w, "chat", "--continue", wait="Go on with it?") as again:
            again.type("n\r", PROMPT)
            again.leave()


def what_is_pasted_is_one_message():
    lines = "\r".join(f"line {i} /quit" for i in range(200))
    with World() as w:
        play = w.play({"expect": {"last_contains": ["line 0 /quit\nline 1 /quit", "line 199 /quit"]}},
                      say(text="I got it."), say(text="And more."))
        with Chat(w, "chat", "--model", play) as chat:
            chat.type(f"see: \x1b[200~{lines}\x1b[31m\x1b[201~", "200 lines]")
            chat.type("\r", "I got it.")
            chat.until("\x1b[?2004h")
            chat.type("one \\\r", ". ")
            chat.type("two\r", "And more.")
            chat.until("\x1b[?2004h")
            chat.leave()
        history = os.path.join(w.env["SPARKS_HOME"], "chat_history")
        assert os.stat(history).st_mode & 0o777 == 0o600
        with Chat(w, "chat", "--continue", "--model", play) as chat:
            chat.type("\x1b[A", "two")
            chat.type("\x03", "^C")
            chat.until("\x1b[?2004h")
            chat.leave()


def words_with_a_slash():
    with World() as w, Chat(w, "chat", "--model", w.play(say(text="x"))) as chat:
        chat.type("/gho\t")
        chat.shows("> /ghosts")
        chat.type("\r", "scout")
        chat.until("\x1b[?2004h")
        for word, want in (("/tsks", 'did you mean "tasks"?'), ("/mood", "not in this version"), ("/memories", "nothing yet"),
                           ("/model nonsense:", "no model is configured"), ("/set task.output_chars 5", "must be"),
                           ("/set task.output_chars 5000", "from the next turn on"), ("/set", "5000"),
                           ("/set task.output_chars reset", "as configured again"),
                           ("/set task.output_chars reset", "it was not changed"),
                           ("/cli_model", "the default model of"), ("/cli_model small-one", "small-one of"),
                           ("/cli_model reset", "the default model of"), ("/apply", "no turn of this session"), ("/show 3", "no tool was called"),
                           ("/help", "what can be typed"), ("/new", "new session")):
            chat.type(word + "\r")
            chat.until("\x1b[?2004l")
            chat.until(want)
            chat.until("\x1b[?2004h")
        chat.type("cal\t")
        chat.shows("> calc.sh")
        chat.type("\x03", "^C")
        chat.type("/quit\r")
        while chat.read(1):
            pass
        assert os.waitpid(chat.pid, 0)[1] == 0


def tasks_of_elsewhere_are_not_taken_for_turns():
    with World() as w, World() as other:
        other.env["SPARKS_HOME"] = w.env["SPARKS_HOME"]
        mine, theirs = w.fixed(), other.fixed()
        os.mkdir(os.path.join(w.repo, "sub"))
        with Chat(w, "chat", "--repo", "sub", "--model", w.play(say(text="x"))) as chat:
            for word in ("/diff", "/apply", "/undo"):
                chat.ask(f"{word} {theirs}")
                assert f"task {theirs} is about {other.repo}, not about this folder" in " ".join(
                    chat.screen.text().split()), chat.screen.text()
            assert "$1 - $2" in other.read("calc.sh")
            chat.ask(f"/diff {mine}")
            text = chat.screen.text()
            assert "no turn of this session" in text and "add must add" in text and "$1 + $2" in text, text
            for answer, there in (("n", "$1 - $2"), ("y", "$1 + $2")):
                chat.ask(f"/apply {mine}", "Is it the one you mean?")
                chat.type(answer + "\r", PROMPT)
                assert there in w.read("calc.sh"), chat.screen.text()
            chat.leave()


class Server(http.server.BaseHTTPRequestHandler):
    """Lists models, and says so slowly once."""
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        body = json.dumps({"data": [{"id": "qwen-coder"}, {"id": "qwen-large"}, {"id": "odd name"}, {"id": "z\x1b[31m"}]})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def tab_completes_what_a_word_takes():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with World() as w:
        options = ["--set", f"openai.url=http://127.0.0.1:{server.server_port}/v1"]
        with Chat(w, "chat", "--check", "true", "--model", w.play(say(FIX), say(text="Done.")), *options) as chat:
            chat.ask("fix add", "[d]iff: ")
            chat.type("n\r", PROMPT)
            task = w.json("tasks", "list")[0]["task"]
            session = w.run("chat", "--list").out.split()[0]
            for keys, want in (("/ghosts sco", "/ghosts scout "), ("/set task.output_c", "/set task.output_chars "),
                               ("/set task.output_chars re", "/set task.output_chars reset "),
                               (f"/diff {task[:4]}", f"/diff {task} "), ("/apply ", f"/apply {task} "),
                               ("/undo ", f"/undo {task} "), (f"/resume {session[:3]}", f"/resume {session} "),
                               (f"as {task[:4]}", f"as {task} "), ("see tes", "see test.sh "),
                               ("/mod", "/model"), ("/new o", "/new o")):
                chat.type(keys + "\tx")
                chat.shows(f"> {want}x")
                chat.type("\x03", "^C")
                chat.until(PROMPT)
            chat.leave()
        with Chat(w, "chat", "--model", "openai:qwen-large", *options, env={"OPENAI_API_KEY": "none"}.items()) as chat:
            for _ in range(2):
                chat.type("/model q\t")
                chat.shows("> /model qwen-")
                chat.type("\t", "qwen-coder  qwen-large")
                chat.type("c\tx")
                chat.shows("> /model qwen-coder x")
                chat.type("\x03", "^C")
                chat.until(PROMPT)
            chat.type("/model z\t\x03", "^C")
            chat.until(PROMPT)
            assert Server.asked == ["/v1/models"], Server.asked
            chat.ask("/model qwen-coder")
            assert "qwen-coder of openai" in chat.screen.text()
            chat.leave()
    server.shutdown()
    with World() as w, Chat(w, "chat", "--model", "openai:x", *options, env={"OPENAI_API_KEY": "none"}.items()) as chat:
        chat.type("/model q\tx")
        chat.shows("> /model qx", 5)   # nobody there: no word, no wait
        chat.type("\x03", "^C")
        chat.until(PROMPT)
        chat.leave()


def stopped_resized_and_hung_up():
    with World() as w:
        play = w.play({"say": {"text": "Slow.", "delay_ms": 1500}}, say(text="w" * 30 + " " + "v" * 30))
        shell = ["/bin/bash", "--norc", "-i", "-c", f"set -m; {SPARKS} chat --model {play}; echo STOPPED $?; fg; echo ENDED"]
        with Chat(w, command=shell) as chat:
            chat.type("\x1a", "STOPPED 148")
            chat.until("\x1b[?2004h")
            chat.type("wait\r", "thinking")
            fcntl.ioctl(chat.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
            chat.until("Slow.")
            chat.until("\x1b[?2004h")
            chat.ask("long")
            assert "w" * 30 + "\n" + "v" * 30 in chat.screen.text(), chat.screen.text()
            chat.type("\x04", "ENDED")
        slow = w.play({"say": {"text": "Back again.", "delay_ms": 4000}})
        chat = Chat(w, "chat", "--model", slow)
        chat.type("hold on\r", "thinking")
        os.close(chat.fd)
        assert os.waitpid(chat.pid, 0)[0]
        chat.fd = os.open("/dev/null", os.O_RDONLY)
        with Chat(w, "chat", "--continue", wait="Go on with it?") as again:
            again.type("y\r", "Back again.")
            again.until("\x1b[?2004h")
            again.leave()


def a_signal_gives_the_terminal_back():
    with World() as w:
        play = w.play({"say": {"text": "Colour `comes", "chunks": ["Colour `", "comes"]}},
                      {"say": {"text": "Never seen.", "delay_ms": 60000}})
        for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTERM,
                       signal.SIGHUP, signal.SIGQUIT, signal.SIGINT):
            with Chat(w, "chat", "--model", play, wait=None, env=CRASHES.items()) as chat:
                before = termios.tcgetattr(chat.fd)
                chat.until(PROMPT)
                chat.type("half a line")
                chat.shows("half a line")
                assert termios.tcgetattr(chat.fd) != before
                os.kill(chat.pid, number)
                ended_by(chat, number)
                assert termios.tcgetattr(chat.fd) == before, signal.Signals(number).name
                assert "\x1b[?2004l\x1b[?25h\x1b[0m" in chat.raw.rsplit("half a line", 1)[1], repr(chat.raw[-200:])
        for number in (signal.SIGTERM, signal.SIGSEGV):
            with Chat(w, "chat", "--model", play, wait=None, env=CRASHES.items()) as chat:
                before = termios.tcgetattr(chat.fd)
                chat.until(PROMPT)
                chat.ask("hello")
                chat.type("wait\r", "thinking")
                os.kill(chat.pid, number)
                ended_by(chat, number)
                assert termios.tcgetattr(chat.fd) == before and "\x1b[?2004l" in chat.raw.rsplit("\x1b[?2004h", 1)[1]
                assert number != signal.SIGTERM or "stopped by SIGTERM" in chat.screen.text(), chat.screen.text()
            with Chat(w, "chat", "--continue", wait="Go on with it?") as again:
                again.type("n\r", PROMPT)
                os.kill(again.pid, signal.SIGTERM)
                ended_by(again, signal.SIGTERM)


def a_stopped_one_can_be_ended():
    with World() as w:
        play = w.play(say(text="x"))
        shell = ["/bin/bash", "--norc", "-i", "-c", f"set -m; {SPARKS} chat --model {play}; echo STOPPED $?; "
                 "stty -echo; kill %1; sleep 1; stty -a | tr ' ;' '\\n\\n' | grep -x -e -echo; echo ENDED"]
        with Chat(w, command=shell) as chat:
            chat.type("\x1a", "STOPPED 148")
            chat.until("Terminated")
            chat.until("-echo")   # the terminal is the shell's: not set behind its back
            chat.until("ENDED")


def killed_and_taken_up():
    with World() as w:
        play = w.play(say(("shell", {"command": "sleep 30"})), say(text="After all."))
        with Chat(w, "chat", "--model", play) as chat:
            chat.type("work\r", "shell sleep 30")
            os.kill(chat.pid, signal.SIGKILL)
            os.waitpid(chat.pid, 0)
        with Chat(w, "chat", "--continue", wait="Go on with it?") as chat:
            chat.type("y\r", "After all.")
            chat.until("\x1b[?2004h")
            chat.leave()


def no_escapes_where_there_is_no_screen():
    with World() as w:
        evil = {"say": {"text": "a \x1b]0;owned\x07b \x1b[31mred **bold**"}}
        done = w.run("chat", "--model", w.play(evil), code=2)
        assert "\x1b" not in done.out
        for words, options in ((("hello",), {}), ((), {"stdin": None})):
            read_end, write_end = os.pipe()
            os.write(write_end, b"hello from a pipe\nof two lines")
            os.close(write_end)
            done = w.run("chat", *words, "--model", w.play(evil), stdin=read_end)
            os.close(read_end)
            assert done.out.strip() == "a b red **bold**", done.out
            assert "\x1b" not in done.out + done.err
        with Chat(w, "chat", "--model", w.play(evil), env={"NO_COLOR": "1"}.items()) as chat:
            chat.ask("hello")
            assert "**bold**" in chat.screen.text() and "owned" not in chat.raw
            assert not [e for e in chat.screen.escapes if e.endswith("m") and e != "\x1b[m"], chat.screen.escapes
            chat.leave()
        # a reader that goes away ends the turn, which can go on later
        plays = w.play({"say": {"text": "much " * 60000}})
        shell = subprocess.run(["sh", "-c", f"{SPARKS} chat --model {plays} hello | head -c 10"], cwd=w.repo,
                               env=w.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        assert shell.stdout == b"much much "
        assert "hello" in w.run("chat", "--list").out
        other = os.path.join(w.repo, "sub")
        os.mkdir(other)
        assert "hello" not in w.run("chat", "--list", "--repo", other).out
        assert "no folder nowhere" in w.run("chat", "--list", "--repo", "nowhere", code=2).err


def plain_sparks_is_a_chat_on_a_terminal_only():
    with World() as w:
        assert "usage" in w.run(code=2).err.lower()
        with Chat(w, "--set", f"script.play={w.play(say(text='Hi.'))[7:]}", "--set", "llm.provider=script") as chat:
            chat.ask("hello")
            assert "Hi." in chat.screen.text()
            chat.leave()


main(an_answer_looks_the_same_however_it_streams, work_is_shown_and_applied,
     files_that_run_elsewhere_are_asked_for_again,
     ctrl_c_ends_the_turn_and_a_second_one_the_program, what_is_pasted_is_one_message, words_with_a_slash,
     tasks_of_elsewhere_are_not_taken_for_turns, tab_completes_what_a_word_takes,
     stopped_resized_and_hung_up, a_signal_gives_the_terminal_back, a_stopped_one_can_be_ended, killed_and_taken_up, no_escapes_where_there_is_no_screen,
     plain_sparks_is_a_chat_on_a_terminal_only)
