"""What the tests of memory share: a server that embeds, and worlds with it and without.

Its vectors are sums of one direction a word, so that texts with the same words are alike. It
stands in for the model, whose own tests are elsewhere; everything behind it is the real thing."""
import hashlib
import http.server
import json
import math
import os
import re
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cmd"))
from world import SPARKS, World, main   # noqa: F401, E402

DIMS = 96


def vector(text, dims=DIMS):
    total = [0.0] * dims
    for word in re.findall(r"\w+", text.lower()) or [""]:
        digest = hashlib.shake_128(word.encode()).digest(dims)
        for i, byte in enumerate(digest):
            total[i] += byte / 127.5 - 1
    length = math.sqrt(sum(x * x for x in total)) or 1.0
    return [x / length for x in total]


class Embedder:
    """/v1/embeddings on loopback; `dims` may change, `asked` counts the texts."""

    def __init__(self, dims=DIMS):
        outer = self
        self.dims, self.asked, self.down = dims, 0, False

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):   # noqa: N802
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
                outer.asked += len(texts)
                reply = json.dumps({"error": {"message": "away"}} if outer.down else {
                    "model": body["model"], "data": [
                        {"index": i, "embedding": vector(text, outer.dims)}
                        for i, text in enumerate(texts)]}).encode()
                self.send_response(503 if outer.down else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def options(self, model="words"):
        return ("--set", "embedding.provider=openai", "--set", f"embedding.url={self.url}",
                "--set", f"embedding.model={model}")


class Memory(World):
    """A world whose `m` is `sparks memory`, by words alone unless a server embeds."""

    def __init__(self, embedder=None, git=False):
        super().__init__(git=git)
        self.embedder = embedder
        self.home = self.env["SPARKS_HOME"]

    def options(self):
        return self.embedder.options() if self.embedder else ("--set", "embedding.enabled=false")

    def m(self, *words, **more):
        return self.run(*self.options(), "memory", *words, **more)

    def mj(self, *words, **more):
        return self.json(*self.options(), "memory", *words, **more)

    def add(self, text, *words):
        return self.mj("add", text, *words)["id"]

    def found(self, *words):
        return [hit["id"] for hit in self.mj("search", *words)]

    def batch(self, *ops, **more):
        text = "".join(json.dumps(op) + "\n" for op in ops)
        done = self.m("batch", input=text.encode(), stdin=None, **more)
        return [json.loads(line) for line in done.out.splitlines()]
