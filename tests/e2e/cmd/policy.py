#!/usr/bin/env python3
"""`sparks policy`: what is said of lines, paths and URLs, by which rule, with which exit code.

usage: policy.py SPARKS      (prints TAP)"""
import json

from world import World, main

CODES = {"allow": 0, "ask": 3, "deny": 77}


def check(w, verdict, rule, *words):
    """First word, then the rule; the JSON says the same."""
    out = w.run("policy", "check", *words, code=CODES[verdict]).out
    assert out.split()[:2] == [verdict, rule + ":"], out
    told = json.loads(w.run("policy", "check", "--json", *words, code=CODES[verdict]).out)
    assert (told["verdict"], told["rule"]) == (verdict, rule), told
    return told


def first_word_rule_and_exit_code():
    with World() as w:
        check(w, "allow", "level.deliver", "--", "ls -la")
        check(w, "allow", "level.deliver", "--", "echo 'rm -rf is dangerous'")
        check(w, "allow", "level.deliver.command", "--", "make test")
        found = check(w, "ask", "command.sensitive", "--", "make && env A=1 sudo make install")
        assert [part["line"] for part in found["commands"]] == [
            "make", "env A=1 sudo make install", "sudo make install", "make install"], found
        check(w, "ask", "command.unknown", "--", "$X -rf")
        check(w, "ask", "command.unreadable", "--", "echo \"")
        check(w, "deny", "level.observe.command", "--level", "0", "--", "make")
        check(w, "allow", "level.propose", "--level", "propose", "--", "git status")
        check(w, "deny", "level.propose.command", "--level", "1", "--", "touch x")
        for words in ((), ("--path", "x", "--url", "https://a.example"), ("--level", "9", "--", "ls"),
                      ("--spark", "nobody", "--", "ls")):
            w.run("policy", "check", *words, code=2)


def one_argument_is_a_line():
    with World() as w:
        assert check(w, "ask", "command.sensitive", "--", "rm", "-rf", "a b")["normal"] == "rm -rf 'a b'"
        assert check(w, "allow", "level.deliver", "--", "echo", "; rm -rf x")["normal"] == "echo '; rm -rf x'"
        check(w, "ask", "command.sensitive", "--", "echo ; rm -rf x")


def paths_and_urls():
    with World() as w:
        check(w, "allow", "level.deliver", "--path", "src/a.c")
        check(w, "allow", "level.deliver.edit", "--path", "src/a.c", "--write")
        check(w, "deny", "path.outside", "--path", "../x")
        check(w, "deny", "path.secret", "--path", ".env")
        check(w, "deny", "url.private", "--url", "http://127.0.0.1/")
        check(w, "ask", "level.deliver.egress", "--url", "https://a.example/")
        check(w, "allow", "operator.allow", "--set", "box.allow=a.example", "--url", "https://a.example/")


def rules_of_the_configuration_and_of_a_spark():
    with World() as w:
        w.write("../rules.toml", '[manager]\nauto_approve_patterns = ["^rm -rf build$"]\n'
                'deny_patterns = ["git push"]\n[[ghosts]]\nname = "careful"\ndescription = "careful"\n'
                'tools = ["shell"]\ndeny_patterns = ["make"]\nauto_approve_patterns = ["sudo ls"]\n')
        there = ("--config", "../rules.toml")
        check(w, "allow", "operator.rule", *there, "--", "rm -rf build")
        check(w, "ask", "command.sensitive", *there, "--", "rm -rf build; rm -rf src")
        check(w, "deny", "command.deny", *there, "--", "ls; git -C x push")
        check(w, "allow", "level.deliver.command", *there, "--", "make")
        check(w, "deny", "command.deny", *there, "--spark", "careful", "--", "make")
        w.write("../bad.toml", '[manager]\ndeny_patterns = ["a("]\n')
        bad = w.run("--config", "../bad.toml", "policy", "check", "--", "ls", code=78)
        assert "bad.toml:2" in bad.err and "regular expression" in bad.err, bad.err
        # a repository's own file may not say what needs no yes
        w.write("config.toml", '[manager]\nauto_approve_patterns = ["rm.*"]\nsensitive_patterns = []\n')
        check(w, "ask", "command.sensitive", "--", "rm -rf x")


def saved_rules():
    with World() as w:
        assert w.json("policy", "rules") == []
        told = w.json("policy", "add", "^rm -rf build$")
        check(w, "allow", "operator.rule", "--", "rm -rf build")
        check(w, "ask", "command.sensitive", "--", "rm -rf build src")
        denied = w.json("policy", "add", "--deny", "make clean")
        check(w, "deny", "command.deny", "--", "env A=1 make clean")
        listed = w.json("policy", "rules")
        assert [row["verdict"] for row in listed] == ["allow", "deny"], listed
        w.run("policy", "remove", told["id"])
        w.run("policy", "remove", denied["id"])
        check(w, "ask", "command.sensitive", "--", "rm -rf build")
        w.run("policy", "remove", told["id"], code=2)
        w.run("policy", "add", "a(", code=2)
        # what is offered is a rule for just that line
        offer = check(w, "ask", "command.sensitive", "--", "cd a && rm -rf 'b c'")["offer"]
        w.run("policy", "add", offer)
        check(w, "allow", "operator.rule", "--", "cd a && rm -rf 'b c'")
        check(w, "ask", "command.sensitive", "--", "cd a && rm -rf 'b d'")


def the_lexers_view():
    with World() as w:
        out = w.run("policy", "lex", "--", "env A=1 sh -c 'make | tee x'").out
        assert out.splitlines()[0] == "env A=1 sh -c 'make | tee x'  # runs: make; tee x", out
        told = json.loads(w.run("policy", "lex", "--json", "--", "ls").out)
        assert told["read_only"] and told["commands"][0]["line"] == "ls", told


main(first_word_rule_and_exit_code, one_argument_is_a_line, paths_and_urls,
     rules_of_the_configuration_and_of_a_spark, saved_rules, the_lexers_view)
