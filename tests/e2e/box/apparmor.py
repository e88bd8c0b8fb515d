#!/usr/bin/env python3
"""The AppArmor profile of sparks-box, as far as it can be tried without a kernel that has
AppArmor: what `./setup profile` prints is parsed by the machine's own parser. Prints TAP.

usage: apparmor.py SETUP"""
import os
import subprocess
import sys
import tempfile

SETUP = sys.argv[1]
HELPER = "/opt/sp+a.r_k-s/libexec/sparks/sparks-box"


def setup(*words, **more):
    return subprocess.run(["sh", SETUP, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, env={"PATH": os.environ["PATH"], **more})


def parse(text):
    """None when the parser takes it, else its words. Nothing is loaded or cached."""
    with tempfile.NamedTemporaryFile("w", suffix=".profile") as file:
        file.write(text)
        file.flush()
        done = subprocess.run(["apparmor_parser", "-Q", "-K", file.name], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout if done.returncode else None


def knows_userns():
    return parse("abi <abi/4.0>,\nprofile x /x { userns, }\n") is None


def it_is_filled_in():
    text = setup("profile", HELPER).stdout
    assert f'profile sparks-box "{HELPER}" flags=(unconfined) {{' in text and "@" not in text, text
    text = setup("profile", PREFIX="/opt/x").stdout
    assert '"/opt/x/libexec/sparks/sparks-box"' in text, text
    for bad in ('/a"b', "/a/*", "relative", "/a b"):
        done = setup("profile", bad)
        assert done.returncode and not done.stdout and "absolute" in done.stderr, (bad, done)


def it_is_parsed():
    text = setup("profile", HELPER).stdout
    rules = [line.strip() for line in text.splitlines() if line.strip() == "userns,"]
    assert rules == ["userns,"], text
    if knows_userns():
        assert parse(text) is None, parse(text)
        return "whole"
    # of a parser before 4: all but that rule, and its set of rules
    older = text.replace("abi/4.0", "abi/3.0").replace("  userns,\n", "")
    assert parse(older) is None, parse(older)
    assert parse(older.replace("flags=(unconfined)", "flags=(nonsense)")), "it takes anything"
    return "without `userns,`, which this parser does not know"


print("1..2")
failed = 0
for number, test in enumerate((it_is_filled_in, it_is_parsed), 1):
    try:
        said = test()
        print(f"ok {number} - {test.__name__}")
        if said:
            print(f"# {said}")
    except AssertionError as error:
        failed += 1
        print(f"not ok {number} - {test.__name__}")
        print("".join(f"# {line}\n" for line in str(error).splitlines()), end="")
sys.exit(failed)
