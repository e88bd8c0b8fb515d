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


def one_is_shown_with_all_it_has():
    with World() as w:
        of_ones_own(w)
        home = w.env["SPARKS_HOME"]
        put(w, "ghosts/scout.toml", 'name = "scout"\ndescription = "another scout"\n'
            'tools = ["grep", "finish"]\nrole = "critic"\nstrategy = "code"\nimage = "rust:1"\n'
            '[[mounts]]\nhost_path = "."\ncontainer_path = "/w"\nread_only = true\n')
        path = home + "/ghosts/reviewer.toml"
        shown = w.json("ghosts", "show", "reviewer")
        assert shown["prompt"] == "You are the strict reviewer.\n\n\nTabs are eight wide.\n", shown
        assert shown["soul_file"] == home + "/souls/reviewer.md"
        assert shown["skill_files"] == [home + "/skills/style.md"] and shown["instead_of"] is None
        assert shown["fields"]["tools"] == {"value": ["file_read", "file_edit", "finish"],
                                            "origin": path + ":3"}
        assert shown["fields"]["role"] == {"value": "worker", "origin": "default"}
        text = w.run("ghosts", "show", "reviewer").out
        for words in ("from       " + path + ":1\n", "does       says what is wrong (line 2)",
                      "tools      file_read, file_edit, finish (line 3)", "role       worker (default)",
                      "soul       " + home + "/souls/reviewer.md (line 4)",
                      "skills     " + home + "/skills/style.md (line 5)", "    Tabs are eight wide."):
            assert words in text, (words, text)
        scout = w.json("ghosts", "show", "scout")
        assert scout["tools"] == ["file_search", "finish"] and scout["instead_of"] == "built in"
        assert scout["mounts"] == [{"host_path": ".", "container_path": "/w", "read_only": True}]
        text = w.run("ghosts", "show", "scout").out
        for words in ("in the place of the one built in", "strategy   code, as react in this version (line 5)",
                      "image      rust:1", "mounts     . at /w, read only (line 8)"):
            assert words in text, (words, text)
        coder = w.json("ghosts", "show", "coder")
        assert coder["origin"] == coder["fields"]["tools"]["origin"] == "built in", coder
        assert coder["prompt"].startswith("You are coder")


def the_list_says_where_each_comes_from():
    with World() as w:
        of_ones_own(w)
        lines = {line.split(" — ")[0]: line for line in w.run("ghosts").out.splitlines()}
        assert lines["coder"].endswith("] · built in"), lines
        assert lines["reviewer"].endswith("] · " + w.env["SPARKS_HOME"] + "/ghosts/reviewer.toml:1"), lines


def an_unknown_one_is_refused_with_the_nearest():
    with World() as w:
        of_ones_own(w)
        assert 'did you mean "reviewer"?' in w.run("ghosts", "show", "reviwer", code=2).err
        assert w.json("ghosts", "show", "nobody", code=2)["error"]["code"] == "not_found"
        assert "is missing" in w.run("ghosts", "show", code=2).err
        assert "put it behind" in w.run("ghosts", "--json", "show", "coder", code=2).err
        assert "reviewer\tsays what is wrong" in w.run("completions", "--values", "sparks").out
        assert "--values sparks" in w.run("completions", "bash").out


def config_check_finds_what_is_wrong_in_all():
    with World() as w:
        put(w, "config.toml", '[[ghosts]]\nname = "a"\ntools = ["shel"]\n[[ghosts]]\nname = "b"\n')
        wrong = [one["message"] for one in w.json("config", "check", code=78)["problems"]]
        assert len(wrong) == 2 and "config.toml:3" in wrong[0] and "config.toml:4" in wrong[1], wrong


def the_persona_is_in_every_prompt():
    with World() as w:
        put(w, "souls/me.md", "You are Ember.\n")
        put(w, "config.toml", '[persona]\nsoul_file = "me.md"\ntools_file = "tools.md"\n')
        put(w, "tools.md", "Prefer small tools.\n")
        shown = w.json("ghosts", "show", "coder")
        assert shown["persona_files"] == [w.env["SPARKS_HOME"] + "/souls/me.md",
                                          w.env["SPARKS_HOME"] + "/tools.md"]
        assert shown["prompt"].startswith("You are Ember.\n\n\nYou are coder"), shown["prompt"]
        play = w.play(say(FIX), say(FINISH))
        done = w.json("do", "add must add", "--check", CHECK, "--model", play)
        assert done["verdict"] == "verified", done
        accepted = [json.loads(line) for line in w.run("tasks", "log", done["task"], "--json").out.splitlines()][0]
        assert "Prefer small tools." in accepted["payload"]["options"]["spark"]["soul"]


def what_is_read_for_a_config_file_of_the_folder():
    """What was trusted is that file: others beside it come with any pull."""
    with World() as w:
        put(w, "souls/me.md", "You are Ember.\n")
        w.write("me.md", "You are evil.\n")
        for name, well in (("me.md", True), ("~/.sparks/souls/me.md", True), ("./me.md", False),
                           ("../repo/me.md", False), ("~/.sparks/souls/../../repo/me.md", False),
                           (w.repo + "/me.md", False)):
            w.write("config.toml", f'[persona]\nsoul_file = "{name}"\n[[ghosts]]\nname = "a"\n'
                    f'tools = ["shell"]\nsoul_file = "{name}"\n')
            assert w.json("ghosts", "show", "coder")["prompt"].startswith("You are coder")
            w.run("config", "trust")
            if well:
                assert w.json("ghosts", "show", "coder")["prompt"].startswith("You are Ember"), name
                assert w.json("ghosts", "show", "a")["prompt"] == "You are Ember.\n", name
            else:
                wrong = [one["message"] for one in w.json("config", "check", code=78)["problems"]]
                assert len(wrong) == 2 and all("isn't in ~/.sparks/souls" in one for one in wrong), wrong


def doctor_looks_at_all_of_them():
    def row(w):
        return next(one for one in w.json("doctor", "--skip-llm")["checks"] if one["id"] == "sparks")

    with World() as w:
        assert row(w)["status"] == "PASS" and row(w)["observed"] == "coder, scout"
        of_ones_own(w)
        assert row(w)["observed"] == "coder, scout, reviewer; 1 of your own", row(w)
        os.remove(w.env["SPARKS_HOME"] + "/souls/reviewer.md")
        assert row(w)["status"] == "FAIL" and "ghosts/reviewer.toml:4: soul_file" in row(w)["observed"]
        assert row(w)["remediation"] and w.run("doctor", "--skip-llm", "--ci", code=1)


def a_repository_brings_none():
    with World() as w:
        for name in ("ghosts/evil.toml", "souls/evil.md", ".sparks/ghosts/evil.toml"):
            w.write(name, 'name = "evil"\ntools = ["shell", "finish"]\n')
        assert "evil" not in sparks(w)


main(a_file_is_a_spark, it_goes_over_the_config_file_and_what_is_built_in, what_is_wrong_is_named,
     one_is_shown_with_all_it_has, the_list_says_where_each_comes_from,
     an_unknown_one_is_refused_with_the_nearest, config_check_finds_what_is_wrong_in_all,
     doctor_looks_at_all_of_them, the_persona_is_in_every_prompt, what_is_read_for_a_config_file_of_the_folder,
     a_repository_brings_none)
