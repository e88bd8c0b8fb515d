#!/usr/bin/env python3
"""`sparks chat` where it could go wrong: cut off, stopped, resized, taller than the screen, on a dumb terminal."""
import http.server
import json
import os
import signal
import stat
import termios
import threading
import time

from screen import PROMPT, Chat, ended_by, golden
from world import FIX, SPARKS, World, main, say


class Model(http.server.ThreadingHTTPServer):
    """A server that sends a piece of an answer each time it is told to; "" ends the answer."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.pieces, self.more, self.latest = [], threading.Condition(), 0
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.words = ["chat", "--set", f"openai.url=http://127.0.0.1:{self.server_port}/v1",
                      "--model", "openai:test"]
        self.env = {"OPENAI_API_KEY": "none"}

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def send(self, *pieces):
        with self.more:
            self.pieces += pieces
            self.more.notify_all()

    def end(self):
        self.send("")

    def next_piece(self, number):
        """For the latest request only; None for one that was given up."""
        with self.more:
            self.more.wait_for(lambda: self.pieces or number != self.latest)
            return self.pieces.pop(0) if number == self.latest else None


class Answer(http.server.BaseHTTPRequestHandler):
    def say(self, delta, finish=None):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        self.wfile.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        if b"get_time" in body:   # whether it can call tools
            self.say({"tool_calls": [{"index": 0, "id": "c", "type": "function",
                                      "function": {"name": "get_time", "arguments": '{"zone":"UTC"}'}}]}, "tool_calls")
        else:
            self.stream()
        self.wfile.write(b"data: [DONE]\n\n")

    def stream(self):
        with self.server.more:
            self.server.latest += 1
            number = self.server.latest
            self.server.more.notify_all()
        while piece := self.server.next_piece(number):
            self.say({"content": piece})
        self.say({}, "stop")

    def handle(self):
        try:
            super().handle()
        except OSError:   # the other side has gone
            pass

    def log_message(self, *_):
        pass


def from_question(chat, question):
    text = chat.screen.text()
    return text[text.index(f"> {question}"):]


def ctrl_c_after_words_keeps_them():
    with World() as w, Model() as model, Chat(w, *model.words, env=model.env.items()) as chat:
        # a last word would wait for the next one: it may be the beginning of a key
        model.send("Title\n=====\n\nHalf of **an", " answer** that go ")
        chat.type("talk\r")
        chat.shows("answer** that go")
        chat.type("\x03", "cancelled")
        chat.until(PROMPT)
        golden("interrupted", from_question(chat, "talk"), w)
        chat.type("again\r", "thinking")
        with model.more:
            assert model.more.wait_for(lambda: model.latest == 2, 20)
        model.send("All of **it**.")
        model.end()
        chat.until(PROMPT)
        assert "All of it." in chat.screen.text(), chat.screen.text()
        chat.leave()


def ctrl_c_at_the_question_is_no_answer():
    with World() as w, Chat(w, "chat", "--check", "true", "--model", w.play(say(FIX), say(text="Done."))) as chat:
        chat.ask("fix add", "[d]iff: ")
        chat.type("\x03", "undecided: /apply")
        chat.until(PROMPT)
        assert "$1 - $2" in w.read("calc.sh")
        chat.ask("/apply")
        assert "$1 + $2" in w.read("calc.sh")
        golden("undecided", from_question(chat, "fix add"), w)
        chat.leave()


def stopped_in_the_middle_of_an_answer():
    with World() as w, Model() as model:
        shell = ["/bin/bash", "--norc", "-i", "-c", "set -m; " + " ".join([SPARKS, *model.words]) +
                 "; echo STOPPED $?; read x; fg; echo ENDED"]
        with Chat(w, command=shell, env=model.env.items()) as chat:
            model.send("First **part**.\n\nThe *second* par")
            chat.type("talk\r")
            chat.shows("The *second*")
            chat.type("\x1a", "STOPPED 148")
            modes = termios.tcgetattr(chat.fd)[3]
            assert modes & termios.ICANON and modes & termios.ECHO
            model.send("t, which comes while nobody looks.\n\n", "The **end**.")
            model.end()
            time.sleep(0.3)
            assert "nobody looks" not in chat.raw
            chat.type("\r")
            chat.shows("The end.")
            text = chat.screen.text()
            assert "First part.\n" in text and "nobody looks.\n" in text, text
            chat.until(PROMPT)
            chat.type("\x04", "ENDED")


def resized_in_the_middle_of_an_answer():
    words = "word " * 13 + "word"
    for columns in (40, 120):
        with World() as w, Model() as model, Chat(w, *model.words, env=model.env.items()) as chat:
            model.send(f"Above.\n\nNow **{words}", " and ")
            chat.type("talk\r")
            chat.shows("word and")
            chat.resize(24, columns)
            time.sleep(0.2)
            model.send("more** of it, which is long enough for a line of its own and some more.\n\n",
                       f"Then **{words}**.")
            model.end()
            chat.until(PROMPT)
            golden(f"resized-{columns}", from_question(chat, "talk"), w)
            chat.leave()


def taller_than_the_screen():
    code = "".join(f"line {i};\n" for i in range(60))
    prose = " ".join(f"word{i}" for i in range(400))
    items = "".join(f"- item **{i}**\n" for i in range(40))
    answer = f"Before.\n\n```c\n{code}```\n\nBetween.\n\n{prose}\n\n{items}\nAfter."
    for size in (7, 100000):
        pieces = [answer[i:i + size] for i in range(0, len(answer), size)]
        with World() as w, Chat(w, "chat", "--model", w.play({"say": {"text": answer, "chunks": pieces}}), rows=12,
                                columns=60) as chat:
            chat.ask("talk")
            golden("tall", from_question(chat, "talk"), w)
            chat.leave()


def a_fence_that_stays_open():
    answer = "Look:\n\n~~~python\nprint(1)\n```\n# not **bold**\nprint(2)"
    with World() as w:
        play = w.play({"expect": {"last_contains": ["```c\nint x;\n\n/quit\n```"]}}, say(text=answer),
                      say(text="Still **here**."))
        with Chat(w, "chat", "--model", play) as chat:
            chat.type("```\r", PROMPT)
            chat.type("wrong\x03", "^C")   # an open fence is left by it too
            chat.until(PROMPT)
            for line in ("```c", "int x;", "", "/quit"):
                chat.type(line + "\r", PROMPT)
            chat.ask("```")
            chat.ask("and now?")
            text = chat.screen.text()
            golden("open-fence", text[text.index("> ```c"):], w)
            chat.leave()


def history_keeps_what_it_should():
    with World() as w:
        os.makedirs(w.env["SPARKS_HOME"], mode=0o700)
        path = os.path.join(w.env["SPARKS_HOME"], "chat_history")
        with open(path, "w", encoding="utf-8") as file:
            file.write("_HiStOrY_V2_\n" + "".join(f"old\\040{i}\n" for i in range(1500)))
        with Chat(w, "chat", "--model", w.play(*[say(text=f"Answer {i}.") for i in range(3)])) as chat:
            chat.ask(" secret words")
            chat.ask("plain words")
            chat.ask("plain words")
            chat.type("\x1b[A")
            chat.shows("> plain words")
            chat.type("\x1b[A")
            chat.shows("> old 1499")
            chat.type("\x03", "^C")
            chat.until(PROMPT)
            chat.leave()
        with open(path, encoding="utf-8") as file:
            kept = file.read().splitlines()
        assert len(kept) <= 1001 and kept[-2:] == ["old\\0401499", "plain\\040words"], (len(kept), kept[-3:])
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        os.rename(path, path + ".real")
        os.symlink(path + ".real", path)   # a link is nobody's history
        with Chat(w, "chat", "--model", w.play(say(text="Answer."))) as chat:
            chat.ask("other words")
            chat.leave()
        with open(path + ".real", encoding="utf-8") as file:
            assert "other" not in file.read()


def a_dumb_terminal_gets_plain_lines():
    with World() as w:
        play = w.play({"say": {"text": "Some **bold** \x1b[1mwords.", "chunks": ["Some **bo", "ld** \x1b[1mwords."]}},
                      say(FIX), say(text="Done."), {"say": {"text": "Never.", "delay_ms": 60000}})
        dumb = {"TERM": "dumb"}
        with Chat(w, "chat", "--check", "true", "--model", play, wait="\n> ", env=dumb.items()) as chat:
            chat.type("hello \\\r", ". ")
            chat.type("world\r", "words.")
            chat.until("\n> ")
            chat.type("fix add\r", "[d]iff: ")
            chat.type("y\r", "/undo takes it back")
            chat.until("\n> ")
            chat.type("/tasks\r", "applied")
            chat.until("\n> ")
            chat.type("wait\r", "wait\r\n")
            time.sleep(1)
            chat.type("\x03", "cancelled")
            chat.until("\n> ")
            assert "\x1b" not in chat.raw and "⠋" not in chat.raw, repr(chat.raw)
            golden("dumb", chat.screen.text(), w)
            chat.leave()
        with Chat(w, "chat", "--model", play, wait="\n> ", env=dumb.items()) as chat:
            before = termios.tcgetattr(chat.fd)
            chat.type("half\x03")
            ended_by(chat, signal.SIGINT)
            assert termios.tcgetattr(chat.fd) == before and "\x1b" not in chat.raw


main(ctrl_c_after_words_keeps_them, ctrl_c_at_the_question_is_no_answer, stopped_in_the_middle_of_an_answer,
     resized_in_the_middle_of_an_answer, taller_than_the_screen, a_fence_that_stays_open, history_keeps_what_it_should,
     a_dumb_terminal_gets_plain_lines)
