#!/usr/bin/env python3
"""Embeddings of a server that nobody here wrote: llama.cpp's /v1/embeddings over a small model.

usage: server.py VECTORS FETCH-LLAMA      (prints TAP)"""
import array
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.request

VECTORS, FETCH = (os.path.abspath(arg) for arg in sys.argv[1:3])
WINDOW = 256    # tokens that it takes at once


def want(true, why="it isn't so"):
    if not true:
        raise AssertionError(why)


@contextlib.contextmanager
def server():
    found = subprocess.run([FETCH], check=True, stdout=subprocess.PIPE, text=True)
    folder, model = found.stdout.splitlines()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tempfile.TemporaryFile()
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", os.path.join(folder, "llama-server"), "-m", model,
         "--host", "127.0.0.1", "--port", str(port), "--offline", "--embeddings", "--pooling",
         "mean", "-c", str(WINDOW), "-b", str(WINDOW), "-ub", str(WINDOW), "-np", "1", "-t", "2"],
        env={"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": folder, "HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    try:
        for _ in range(300):
            time.sleep(0.1)
            want(process.poll() is None, "llama-server left at once")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
        yield port
    finally:
        process.kill()
        process.wait()


def ask(port, texts, home, *more):
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("SPARKS_") and not name.endswith("_API_KEY")}
    done = subprocess.run([VECTORS, "passage", "embedding.provider=openai",
                           "embedding.model=small", f"embedding.url=http://127.0.0.1:{port}", *more],
                          input=b"".join(text.encode() + b"\0" for text in texts), check=False,
                          env=dict(env, SPARKS_HOME=home), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    want(done.returncode == 0, done.stderr.decode())
    line, rest = done.stdout.split(b"\n", 1)
    says, numbers = json.loads(line), array.array("f", rest)
    return says, [numbers[i:i + says["dims"]] for i in range(0, len(numbers), says["dims"])]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b))


def check(port, home):
    texts = ["the cat sat on the mat", "", "kernel panic at boot", "the cat sat on the mat"]
    says, vectors = ask(port, texts, home)
    want(says["dims"] > 100 and len(vectors) == 4, says)
    want(all(abs(cosine(v, v) - 1) < 1e-4 for v in vectors), "not of length 1")
    want(cosine(vectors[0], vectors[3]) > 0.999, "one text, two vectors")
    want(cosine(vectors[0], vectors[2]) < 0.99, "two texts, one vector")
    # what is far too long is cut until it fits
    _, long = ask(port, ["word " * 3000, "the cat sat on the mat"], home)
    want(cosine(long[1], vectors[0]) > 0.99 and abs(cosine(long[0], long[0]) - 1) < 1e-4)
    with open(os.path.join(home, "models", "servers.json"), encoding="utf-8") as file:
        want(list(json.load(file).values()) == [says["dims"]])


print("1..1")
try:
    with server() as running, tempfile.TemporaryDirectory() as folder:
        check(running, os.path.join(folder, "home"))
    print("ok 1 - llama.cpp embeds")
except Exception:
    print("not ok 1 - llama.cpp embeds")
    for row in traceback.format_exc().splitlines():
        print(f"# {row}")
    sys.exit(1)
