#!/usr/bin/env python3
"""`sparks policy`: what is said of lines, paths and URLs, by which rule, with which exit code.

usage: policy.py SPARKS      (prints TAP)"""
import json

from world import FINISH, FIX, World, main, say

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


def doctor(w, *words):
    """What `doctor --security` says of the law, and its lines of text."""
    out = w.run("doctor", "--security", *words).out
    lines = out[out.index("law"):].split("\n")
    told = [line for line in lines if line.startswith(("law", "  coder", "  scout", "  careful"))]
    return w.json("doctor", "--security", *words)["law"], told


def what_is_never_used():
    """Rules and patterns that decided nothing, tools that were not called, a level that was not needed."""
    patterns = ("--set", 'manager.deny_patterns=["git push","never-run"]',
                "--set", 'manager.auto_approve_patterns=["rm -rf (build|scratch)","never-auto"]')
    with World() as w:
        law, told = doctor(w)
        assert law is None and told == ["law: no task has run yet, so nothing is known of rules, tools and levels that "
                                        "are not needed"], (law, told)
        w.run("policy", "add", "rm -rf dist")
        w.run("policy", "add", "--deny", "curl .*")
        law, told = doctor(w)
        assert (law["tasks"], law["sparks"], len(law["rules_unused"])) == (0, [], 2), law
        assert told[0].startswith("law: no task has run yet") and len(told) == 1, told

        # reads and edits, and makes no branch: propose is enough
        propose = w.do(say(("file_read", {"path": "other.txt"})), say(FIX), say(FINISH), words=("--level", "propose", *patterns))
        assert propose["verdict"] == "verified", propose
        law, told = doctor(w, *patterns)
        assert law["tasks"] == 1 and law["rules_unused"] == ["rm -rf dist", "curl .*"], law
        assert {"git push", "never-run", "rm -rf (build|scratch)", "never-auto"} <= set(law["patterns_unused"]), law
        coder, = law["sparks"]
        assert (coder["name"], coder["tasks"], coder["level"], coder["level_needed"]) == \
            ("coder", 1, "deliver", "propose"), coder
        assert "shell" in coder["tools_unused"] and not {"file_read", "file_edit", "finish"} & set(coder["tools_unused"])
        before, n = set(law["patterns_unused"]), len(law["patterns_unused"])
        assert told[0] == f"law, in the latest 1 task: 2 saved rules and {n} patterns of [manager] never decided anything", told
        assert told[1].startswith("  coder never called: ") and " shell" in told[1] and "file_read" not in told[1], told
        assert told[2] == ("  coder is at deliver, but its last 1 task needed only propose: sparks autonomy set propose "
                           "--spark coder"), told

        # a saved rule, a pattern that allows and one that refuses decide; commands need assist
        line = ("shell", {"command": "rm -rf scratch"})
        assist = w.do(say(line), say(("shell", {"command": "rm -rf dist"})), say(("shell", {"command": "git push"})), say(FIX),
                      say(FINISH), words=("--level", "assist", *patterns))
        assert assist["verdict"] == "verified", assist
        law, told = doctor(w, *patterns)
        assert law["rules_unused"] == ["curl .*"] and law["tasks"] == 2, law
        decided = before - set(law["patterns_unused"])     # and what the saved rule had to answer
        assert decided == {"git push", "rm -rf (build|scratch)", "rm\\s"}, decided
        coder, = law["sparks"]
        assert (coder["tasks"], coder["level_needed"]) == (2, "assist") and "shell" not in coder["tools_unused"], coder
        assert "1 saved rule and" in told[0] and "its last 2 tasks needed only assist" in told[2], told

        # as the row says, and then it says so no more
        w.run(*told[2].split("sparks ")[1].split())
        law, told = doctor(w, *patterns)
        assert law["sparks"][0]["level"] == "assist" and not any("needed only" in line for line in told), told
        w.run("autonomy", "reset", "--spark", "coder")

        # a branch of its own is what deliver is for
        w.fixed()
        law, told = doctor(w, *patterns)
        assert law["sparks"][0]["level_needed"] == "deliver" and not any("needed only" in line for line in told), (law, told)

        # answered by a person: the level that asks is enough; higher ones would not have
        w.run("autonomy", "set", "autonomous", "--spark", "coder")
        law, told = doctor(w)
        assert "coder is at autonomous, but its last 3 tasks needed only deliver" in "".join(told), told
        w.do(say(("shell", {"command": "rm -rf other"})), say(FIX), say(FINISH))
        law, told = doctor(w)
        assert law["sparks"][0]["level_needed"] == "autonomous" and not any("needed only" in line for line in told), told


main(first_word_rule_and_exit_code, one_argument_is_a_line, paths_and_urls,
     rules_of_the_configuration_and_of_a_spark, saved_rules, the_lexers_view, what_is_never_used)
