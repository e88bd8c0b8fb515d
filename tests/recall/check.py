#!/usr/bin/env python3
"""Recall on these sets does not fall below its floors, and not below the legs and the reference.

usage: check.py SPARKS SET...      (prints TAP)"""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
FLOORS = {"tuned": 92.0, "heldout": 86.0, "long-tuned": 66.0, "long-heldout": 64.5}   # recall@10, %
OTHERS = ("words", "vectors", "reference", "reference, no decay")


def measure(half, model):
    env = dict(os.environ, SPARKS_EMBEDDING_MODEL_DIR=model)
    env["SPARKS_RELEASE"] = os.environ.get("SPARKS_RELEASE") or os.path.abspath(sys.argv[1])
    words = [os.path.join(TOP, "bench/recall"), "--json"]
    for name in (*OTHERS, "ours"):
        words += ["--only", name]
    return json.loads(subprocess.run([*words, os.path.join(HERE, half + ".jsonl")], env=env,
                                     stdout=subprocess.PIPE, timeout=900, check=True).stdout)


def main():
    model = os.environ.get("SPARKS_TEST_MODEL")
    if not model or not os.path.isdir(model):
        print("1..0 # SKIP SPARKS_TEST_MODEL names no folder: the embedding model is not installed")
        return 0
    sets = sys.argv[2:]
    print(f"1..{len(sets)}")
    failed = False
    for number, half in enumerate(sets, 1):
        found = {name: row["recall@10"] for name, row in measure(half, model).items()}
        good = found["ours"] >= FLOORS[half] and all(found["ours"] > found[name] for name in OTHERS)
        failed |= not good
        print(f"{'' if good else 'not '}ok {number} - {half}: recall at 10", flush=True)
        print("# " + ", ".join(f"{name} {value:.1f}" for name, value in found.items()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
