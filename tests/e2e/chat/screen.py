"""A terminal of the chat's own: what stands on the screen, keys, signals, captures kept as files."""
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cmd"))
from world import SPARKS   # noqa: E402

PROMPT = "\x1b[?2004h"
WRITTEN = set()
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden")
# A sanitizer would turn a crash into an exit.
CRASHES = {"ASAN_OPTIONS": "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:detect_leaks=0"}


def golden(name, text, world=None):
    """Compares with golden/NAME.txt, in which what differs from run to run has a name. With SPARKS_GOLDEN=write in
    the environment of the test the file is written instead; look at the difference before it is committed."""
    if world:
        text = text.replace(world.folder, "FOLDER")
    text = re.sub(r"\b[0-9][0-9a-z]{11}\b", "ID0000000000", re.sub(r"\b[0-9a-f]{7}\.\.[0-9a-f]{7}\b", "OLDBLOB..NEWBLOB", text))
    text = re.sub(r"\d+\.\d\d s\b", "0.00 s", text)
    text = text.rstrip("> \n") + "\n"   # the next prompt may be there already or not
    path = os.path.join(GOLDEN, name + ".txt")
    if os.environ.get("SPARKS_GOLDEN") == "write" and name not in WRITTEN:
        WRITTEN.add(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    with open(path, encoding="utf-8") as file:
        want = file.read()
    assert text == want, f"not as {path}:\n{text}"


class Screen:
    """Enough of a terminal for what we write: text, CR, LF, cursor up, erase. Lines that scrolled away are kept
    above, and the cursor does not get there any more."""

    def __init__(self, rows=24, columns=80):
        self.rows, self.columns = rows, columns
        self.lines, self.row, self.column, self.escapes, self.top, self.half = [""], 0, 0, set(), 0, ""

    def cells(self, line):
        out = []
        for c in line:
            out.append(c)
            if unicodedata.east_asian_width(c) in "WF":
                out.append("")
        return out

    def down(self):
        self.row += 1
        self.top = max(self.top, self.row - self.rows + 1)

    def put(self, c):
        while len(self.lines) <= self.row:
            self.lines.append("")
        wide = 2 if unicodedata.east_asian_width(c) in "WF" else 1
        if self.column + wide > self.columns:
            self.column = 0
            self.down()
            return self.put(c)
        cells = self.cells(self.lines[self.row])
        cells += [" "] * (self.column - len(cells))
        cells[self.column:self.column + wide] = [c] + [""] * (wide - 1)
        self.lines[self.row] = "".join(cells)
        self.column += wide

    def feed(self, text):
        text = self.half + text
        cut = re.search(r"\x1b(\[[0-9;?]*)?$", text)   # the half of a sequence waits
        self.half = cut.group(0) if cut else ""
        text = text[:len(text) - len(self.half)]
        for match in re.finditer(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b.|[\s\S]", text):
            piece, count = match.group(0), int(match.group(1) or 1) if (match.group(1) or "1").isdigit() else 1
            if piece[0] == "\x1b":
                self.escapes.add(piece)
                kind = match.group(2)
                if kind == "A":
                    self.row = max(self.top, self.row - count)
                elif kind == "C":
                    self.column += count
                elif kind == "G":
                    self.column = count - 1
                elif kind == "D":
                    self.column = max(0, self.column - count)
                elif kind in "JK":
                    while len(self.lines) <= self.row:
                        self.lines.append("")
                    self.lines[self.row] = "".join(self.cells(self.lines[self.row])[:self.column])
                    if kind == "J":
                        del self.lines[self.row + 1:]
            elif piece == "\r":
                self.column = 0
            elif piece == "\n":
                self.down()
            elif piece == "\b":
                self.column = max(0, self.column - 1)
            elif piece >= " ":
                self.put(piece)

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines)


class Chat:
    """The program on a terminal; `shell`: below a shell with job control."""

    def __init__(self, world, *words, columns=80, rows=24, wait=PROMPT, env=(), command=None):
        self.screen, self.raw = Screen(rows, columns), ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.pid, self.fd = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.chdir(world.repo)
            argv = command or [SPARKS, *words]
            os.execve(argv[0], argv, {**world.env, "TERM": "xterm-256color", "LANG": "C.UTF-8", **dict(env)})
        if wait:
            self.until(wait)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.fd)

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        try:
            data = self.decoder.decode(os.read(self.fd, 65536)) if ready else ""
        except OSError:
            data = ""
        self.raw += data
        self.screen.feed(data)
        return data

    def until(self, text, seconds=30):
        """Reads until the text came after what was asked for before."""
        start, end = getattr(self, "mark", 0), time.monotonic() + seconds
        while True:
            at = self.raw.find(text, start)
            if at >= 0:
                self.mark = at + len(text)
                if text == PROMPT:
                    time.sleep(0.15)   # the line editor takes the terminal right after it
                return
            assert time.monotonic() < end, f"no {text!r}:\n{self.screen.text()}"
            self.read(0.1)

    def shows(self, text, seconds=20):
        """Reads until the text stands on the screen."""
        end = time.monotonic() + seconds
        while text not in self.screen.text():
            assert time.monotonic() < end, f"no {text!r}:\n{self.screen.text()}"
            self.read(0.1)

    def type(self, keys, wait=None):
        os.write(self.fd, keys.encode())
        if wait:
            self.until(wait)

    def ask(self, message, wait="\x1b[?2004h"):
        self.type(message + "\r")
        self.until("\x1b[?2004l")
        self.until(wait)

    def resize(self, rows, columns):
        self.screen.rows, self.screen.columns = rows, columns
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def leave(self, code=0):
        self.type("\x04")
        end = time.monotonic() + 20
        while time.monotonic() < end:
            self.read(0.1)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                assert os.waitstatus_to_exitcode(status) == code, self.screen.text()
                return
        raise AssertionError("it does not end")


def ended_by(chat, number):
    """Waits for its end by that signal; the terminal must be as it was before."""
    end = time.monotonic() + 20
    while True:
        chat.read(0.1)
        pid, status = os.waitpid(chat.pid, os.WNOHANG)
        if pid:
            break
        assert time.monotonic() < end, f"it outlives {signal.Signals(number).name}:\n{chat.screen.text()}"
    while chat.read(0):
        pass
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == number, (number, status, chat.screen.text())


# A sanitizer would turn a crash into an exit.
CRASHES = {"ASAN_OPTIONS": "handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:detect_leaks=0"}
