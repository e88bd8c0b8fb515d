#!/usr/bin/env python3
"""ONNX Runtime behind the embedder: the library out of the wheel, a graph made from the same
weights as the engine's, and graphs that are none.

usage: onnx.py VECTORS FETCH-EMBED [all]      (prints TAP)
With `all`: over 1,000 texts."""
import array
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

VECTORS, FETCH = (os.path.abspath(arg) for arg in sys.argv[1:3])
LEAST = 0.99999     # cosine
N = 1000 if sys.argv[3:] == ["all"] else 48
WORDS = ("the quick brown fox jumps over a lazy dog while rain falls on the plain database server "
         "timeout error 42 naïve café Straße 東京 привет don't e-mail foo_bar::baz() 3.14 http://x/y "
         "unbelievable internationalisation").split()


class Skip(Exception):
    pass


def want(true, why="it isn't so"):
    if not true:
        raise AssertionError(why)


def made_texts():
    """Of one word to some hundreds, the same in each run."""
    state, texts = 1, ["", " ", "a"]
    while len(texts) < N:
        words = []
        for _ in range(1 + len(texts) % 48 * (len(texts) % 48) // 14):
            state = (state * 1664525 + 1013904223) % 2**32
            words.append(WORDS[state % 8191 % len(WORDS)])
        texts.append(" ".join(words))
    return texts


class Place:
    """What tools/fetch-embed keeps, and a folder of our own."""

    def __init__(self):
        done = subprocess.run([FETCH], stdout=subprocess.PIPE, check=False)
        if done.returncode == 75:
            raise Skip("no wheel of onnxruntime is pinned for this machine")
        want(done.returncode == 0, "fetch-embed failed; its words are above")
        self.kept = done.stdout.decode().strip()
        self.library = glob.glob(os.path.join(self.kept, "python", "onnxruntime", "capi",
                                              "libonnxruntime.so.*"))[0]
        self.folder = tempfile.mkdtemp(prefix="sparks-onnx-")
        self.env = {name: value for name, value in os.environ.items()
                    if not name.startswith(("SPARKS_", "ORT_"))}
        # halt_on_error of others' libraries: they keep what they have to the end
        self.env.update(SPARKS_HOME=os.path.join(self.folder, "home"), HOME=self.folder)
        self.graph = self.model("graph", os.path.join(self.kept, "model.onnx"))

    def model(self, name, onnx):
        """A folder as the reference program has it: model.onnx and tokenizer.json."""
        folder = os.path.join(self.folder, name)
        os.makedirs(folder)
        os.symlink(onnx, os.path.join(folder, "model.onnx"))
        shutil.copy(os.path.join(self.kept, "model", "tokenizer.json"), folder)
        return folder

    def ask(self, folder, provider, texts, code=0, library=None, use="passage", more=()):
        """What it says of itself, and its vectors; or its complaint."""
        env = dict(self.env, ORT_DYLIB_PATH=self.library if library is None else library)
        done = subprocess.run([VECTORS, use, f"embedding.model_dir={folder}",
                               f"embedding.provider={provider}", *more], env=env, check=False,
                              input=b"".join(text.encode() + b"\0" for text in texts),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        want(done.returncode == code, f"exit {done.returncode}: {done.stderr.decode()}")
        if code:
            return done.stderr.decode()
        line, rest = done.stdout.split(b"\n", 1)
        numbers = array.array("f", rest)
        says = json.loads(line)
        return says, [numbers[i:i + says["dims"]] for i in range(0, len(numbers), says["dims"])]


def cosines(some, others):
    want(len(some) == len(others) and some, f"{len(some)} vectors, {len(others)}")
    return [sum(a * b for a, b in zip(one, other)) for one, other in zip(some, others)]


place = None


def both_give_the_same():
    texts = made_texts()
    says, own = place.ask(os.path.join(place.kept, "model"), "engine", texts)
    theirs_says, theirs = place.ask(place.graph, "onnx", texts)
    want(theirs_says["engine"].startswith("ONNX Runtime 1.") and says["engine"] == "own engine",
         theirs_says)
    least = min(cosines(own, theirs))
    print(f"# least cosine over {len(texts)} texts: {least:.7f}")
    want(least >= LEAST, least)
    # mean and CLS are not the same, so pooling is really done
    with open(os.path.join(place.graph, "sparks-model.json"), "w", encoding="utf-8") as file:
        json.dump({"pooling": "cls", "query_prefix": "question: "}, file)
    cls_says, cls = place.ask(place.graph, "onnx", texts[:8])
    want(cls_says["pooling"] == "cls" and cls_says["fingerprint"] != theirs_says["fingerprint"])
    want(max(cosines(cls, theirs[:8])) < 0.999)
    engine_cls = place.ask(place.graph, "engine", texts[:8])[1]
    want(min(cosines(cls, engine_cls)) >= LEAST)
    asked = place.ask(place.graph, "onnx", ["where"], use="query")[1]
    want(min(cosines(asked, place.ask(place.graph, "onnx", ["question: where"])[1])) > LEAST)
    os.remove(os.path.join(place.graph, "sparks-model.json"))


def auto_leaves_to_it_what_the_engine_does_not_know():
    with open(os.path.join(place.kept, "model.onnx"), "rb") as file:
        data = file.read()
    want(data.count(b"encoder.layer.") > 10, "the graph has other names than this test thinks")
    odd = os.path.join(place.folder, "odd.onnx")
    with open(odd, "wb") as file:   # the same graph under names of nobody
        file.write(data.replace(b"encoder.layer.", b"unknown_lyr.x."))
    folder = place.model("odd", odd)
    says, theirs = place.ask(folder, "auto", ["hello there"])
    want(says["provider"] == "onnx", says)
    known, own = place.ask(place.graph, "auto", ["hello there"])
    want(known["provider"] == "engine" and min(cosines(theirs, own)) >= LEAST, known)
    refused = place.ask(folder, "auto", ["x"], code=2, library="/nowhere/libonnxruntime.so")
    want("odd" in refused or "model.onnx" in refused, refused)
    place.ask(folder, "engine", ["x"], code=2)


def libraries_that_are_none():
    refused = place.ask(place.graph, "onnx", ["x"], code=2, library="/nowhere/lib.so")
    want("there is no ONNX Runtime" in refused and "ORT_DYLIB_PATH" in refused, refused)
    other = glob.glob("/lib/*/libz.so.1") + glob.glob("/usr/lib/*/libz.so.1")
    refused = place.ask(place.graph, "onnx", ["x"], code=78, library=other[0])
    want("is no ONNX Runtime" in refused, refused)


def graphs_that_are_none():
    with open(os.path.join(place.kept, "model.onnx"), "rb") as file:
        data = file.read()
    bad = {"empty": b"", "text": b"hello", "cut": data[:len(data) // 2],
           "inputs": data.replace(b"attention_mask", b"attention_task"),
           "zeros": b"\0" * 1000}
    for name, content in bad.items():
        path = os.path.join(place.folder, name + ".onnx")
        with open(path, "wb") as file:
            file.write(content)
        folder = place.model("bad-" + name, path)
        refused = place.ask(folder, "onnx", ["x"], code=2)
        want("model.onnx" in refused, refused)
        os.remove(path)
    bare = os.path.join(place.folder, "bare")
    os.makedirs(bare)
    for name in ("model.safetensors", "vocab.txt", "config.json"):
        os.symlink(os.path.join(place.kept, "model", name), os.path.join(bare, name))
    want("no .onnx file" in place.ask(bare, "onnx", ["x"], code=2))


def main(*tests):
    global place
    print(f"1..{len(tests)}")
    try:
        place = Place()
    except Skip as why:
        for number, test in enumerate(tests, 1):
            print(f"ok {number} - {test.__name__.replace('_', ' ')} # SKIP {why}")
        return 0
    failed = 0
    for number, test in enumerate(tests, 1):
        name = test.__name__.replace("_", " ")
        try:
            test()
            print(f"ok {number} - {name}", flush=True)
        except Exception:   # any failure of a point is that point's, the next one still runs
            failed += 1
            print(f"not ok {number} - {name}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
    shutil.rmtree(place.folder, ignore_errors=True)
    return 1 if failed else 0


sys.exit(main(both_give_the_same, auto_leaves_to_it_what_the_engine_does_not_know,
              libraries_that_are_none, graphs_that_are_none))
