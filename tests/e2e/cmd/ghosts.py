#!/usr/bin/env python3
"""Sparks of one's own: files in SPARKS_HOME/ghosts, their souls and skills, and what is wrong in them."""
import json
import os

from world import CHECK, FINISH, FIX, World, main, say

PROFILE = """name = "reviewer"
description = "says what is wrong"
tools = ["file_read", "file_edit", "finish"]
soul_file = "reviewer.md"
skill_files = ["style.md"]
"""


def put(world, name, text):
    path = os.path.join(world.env["SPARKS_HOME"], name)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def of_ones_own(w):
    put(w, "ghosts/reviewer.toml", PROFILE)
    put(w, "souls/reviewer.md", "You are the strict reviewer.\n")
    put(w, "skills/style.md", "Tabs are eight wide.\n")


def sparks(w):
    return {spark["name"]: spark for spark in w.json("ghosts")}


def a_file_is_a_spark():
    with World() as w:
        of_ones_own(w)
        spark = sparks(w)["reviewer"]
        assert spark["description"] == "says what is wrong" and "file_edit" in spark["tools"], spark
        assert "ghosts/reviewer.toml" in spark["origin"], spark
        done = w.json("do", "add must add", "--ghost", "reviewer", "--check", CHECK, "--model",
                      w.play(say(FIX), say(FINISH)))
        assert done["verdict"] == "verified" and done["spark"] == "reviewer", done
        accepted = [json.loads(line) for line in w.run("tasks", "log", done["task"], "--json").out.splitlines()][0]
        soul = accepted["payload"]["options"]["spark"]["soul"]
        assert "strict reviewer" in soul and "Tabs are eight wide" in soul, soul
        w.env["SPARKS_DISABLE_HOME_PROFILES"] = "1"
        assert "reviewer" not in sparks(w)
        assert "there is no spark" in w.run("do", "x", "--ghost", "reviewer", code=2).err


def it_goes_over_the_config_file_and_what_is_built_in():
    with World() as w:
        put(w, "config.toml", '[[ghosts]]\nname = "reviewer"\ndescription = "of the file"\ntools = ["finish"]\n')
        assert sparks(w)["reviewer"]["description"] == "of the file"
        of_ones_own(w)
        put(w, "ghosts/zz.toml", '[[ghosts]]\nname = "scout"\ndescription = "another scout"\ntools = ["file_read", "finish"]\n')
        found = sparks(w)
        assert found["reviewer"]["description"] == "says what is wrong"
        assert found["scout"]["description"] == "another scout" and "coder" in found


def what_is_wrong_is_named():
    for text, words in (('nam = "x"\n', "ghosts/bad.toml:1:"), ('nam = "x"\n', 'did you mean "name"'),
                        ('name = "x"\ntools = ["file_raed"]\n', "ghosts/bad.toml:2"),
                        ('name = "x"\ntools = ["file_raed"]\n', 'did you mean "file_read"'),
                        ('name = "x"\ntools = ["finish"]\nsoul_file = "gone.md"\n', "gone.md"),
                        ('[[ghosts]]\nname = "x"\n[[ghosts]]\nname = "x"\n', "ghosts/bad.toml:4: "),
                        ('[[ghosts]]\nname = "x"\n[[ghosts]]\nname = "x"\n', "ghosts/bad.toml:2 already"),
                        ('name = "x\n', "ghosts/bad.toml:1:")):
        with World() as w:
            put(w, "ghosts/bad.toml", text)
            done = w.run("ghosts", code=78)
            assert words in done.err, (text, words, done.err)


def a_repository_brings_none():
    with World() as w:
        for name in ("ghosts/evil.toml", "souls/evil.md", ".sparks/ghosts/evil.toml"):
            w.write(name, 'name = "evil"\ntools = ["shell", "finish"]\n')
        assert "evil" not in sparks(w)


main(a_file_is_a_spark, it_goes_over_the_config_file_and_what_is_built_in, what_is_wrong_is_named,
     a_repository_brings_none)
