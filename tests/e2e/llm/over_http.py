#!/usr/bin/env python3
"""Plays through the whole program again, with the model behind a real socket.

usage: over_http.py SPARKS PLAY-SERVER RUN-PLAYS PLAY...      (prints TAP, one point a case)
The play server behaves as well or as badly as servers do; whatever it is, the task ends as the
first play says. So it does over each wire, and the other plays as they say. Ctrl-C ends the
waiting for a server that never answers."""
import contextlib
import importlib.machinery
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

CASES = {
    "one byte at a time": ["--split", "1"],
    "CRLF, comments, arguments in fragments":
        ["--crlf", "--comments", "--split", "7", "--fragment", "3"],
    "slow pieces": ["--split", "40", "--slow-ms", "2"],
    "neither usage nor DONE": ["--no-usage", "--no-done"],
    "not streamed": ["--plain"],
    "429 with Retry-After": ["--fault", "429", "--times", "1", "--retry-after", "1"],
    "500 twice": ["--fault", "500", "--times", "2"],
    "connection reset in mid-stream": ["--fault", "reset", "--times", "1"],
    "stream that ends early": ["--fault", "short", "--times", "1"],
    "garbage in the stream": ["--fault", "garbage", "--times", "1"],
}


# The configuration, and the cases that differ on the wire.
WIRES = {
    "responses": '[openai]\napi_style = "responses"\n',
    "messages": '[llm]\nprovider = "anthropic"\n[anthropic]\n',
    "ollama": '[llm]\nprovider = "ollama"\n[ollama]\n',
}
WIRE_CASES = ["one byte at a time", "CRLF, comments, arguments in fragments", "not streamed",
              "connection reset in mid-stream", "garbage in the stream"]


def load(path):
    loader = importlib.machinery.SourceFileLoader("run_plays", path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader("run_plays", loader))
    loader.exec_module(module)
    return module


@contextlib.contextmanager
def served(server, play, options):
    process = subprocess.Popen([server, *options, play], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.stdout.close()
        if process.wait(timeout=20) != 0:
            raise RuntimeError(f"the play server left with {process.returncode}")


class World:
    """A home, a repository as the play wants it and a configuration for the server."""

    def __init__(self, plays, sparks, play, folder, port, section="[openai]\n"):
        with open(play, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.header, self.end = lines[0], lines[-1]["end"]
        self.sparks, self.repo = sparks, os.path.join(folder, "repo")
        config = os.path.join(folder, "config.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'{section}url = "http://127.0.0.1:{port}"\nmodel = "played"\n')
        plays.make_repo(self.repo, self.header["repo"])
        self.env = {k: v for k, v in os.environ.items()
                    if k == "SPARKS_BOX" or not (k.startswith("SPARKS_") or
                                                 k.endswith("_API_KEY"))}
        self.env.update(SPARKS_HOME=os.path.join(folder, "home"), HOME=folder)
        words = plays.command(sparks, play, self.header, self.repo)
        at = words.index("--model")
        self.words = [words[0], "--config", config, *words[1:at], *words[at + 2:]]
        self.folder = folder

    def start(self):
        return subprocess.Popen(self.words, env=self.env, cwd=self.folder,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)


def check_case(plays, sparks, server, play, options, *section):
    with tempfile.TemporaryDirectory(prefix="sparks-http-") as folder, \
            served(server, play, options) as port:
        world = World(plays, sparks, play, folder, port, *section)
        process = world.start()
        out, err = process.communicate(timeout=120)
        result = subprocess.CompletedProcess(world.words, process.returncode, out, err)
        try:
            plays.check_end(world.end, world.header, result, world.repo, world.env, sparks)
        except (plays.Different, ValueError, KeyError) as why:
            raise plays.Different(f"{why}\n{out.decode()[-1500:]}\n{err.decode()[-1500:]}") \
                from why
        return ""


def check_interrupt(plays, sparks, server, play, fault):
    with tempfile.TemporaryDirectory(prefix="sparks-http-") as folder, \
            served(server, play, ["--fault", fault]) as port:
        world = World(plays, sparks, play, folder, port)
        process = world.start()
        time.sleep(3)    # by then it waits for the model
        if process.poll() is not None:
            raise plays.Different(f"left early: {process.communicate()[1].decode()[-1500:]}")
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
        took = time.monotonic() - start
        plays.want("exit code", 130, process.returncode)
        plays.want("status", "cancelled", json.loads(out)["status"])
        if took > 5:
            raise plays.Different(f"Ctrl-C took {took:.1f} s")
        return f" ({took * 1000:.0f} ms)"


def main():
    sparks, server, run_plays, play, *others = (os.path.abspath(a) for a in sys.argv[1:])
    plays = load(run_plays)
    points = [(name, check_case, play, [options]) for name, options in CASES.items()]
    points += [(f"Ctrl-C, server {fault}s", check_interrupt, play, [fault])
               for fault in ("stall", "mute")]
    for wire, section in WIRES.items():
        points += [(f"{wire}: {name}", check_case, play, [CASES[name], section])
                   for name in WIRE_CASES]
        points += [(f"{wire}: {os.path.basename(other)}", check_case, other, [[], section])
                   for other in others]
    failed = 0
    print(f"1..{len(points)}")
    for number, (name, check, which, how) in enumerate(points, 1):
        try:
            more = check(plays, sparks, server, which, *how)
            print(f"ok {number} - {name}{more}", flush=True)
        except (plays.Different, RuntimeError, ValueError,
                subprocess.TimeoutExpired) as why:
            failed += 1
            print(f"not ok {number} - {name}")
            print("\n".join("# " + line for line in str(why).splitlines()), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
