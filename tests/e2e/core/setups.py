#!/usr/bin/env python3
"""The setup of a task: it runs once, before anything else, with hosts open for it alone; what it leaves is there for
commands and checks and in no commit; it is remembered, and a kill loses nothing.

usage: setups.py SPARKS SOURCE_ROOT TALK      (prints TAP)"""
import json
import os
import subprocess

from holders import (CHECK, FINISH, FIX, Server, World, journal, last_is, main, rows, say, shell, start, talk, wait_for)

NEEDS = ". ./deps/dep.sh; [ \"$(dep)\" = 5 ] && sh test.sh"
MAKES = "mkdir -p deps && echo 'dep() { echo 5; }' > deps/dep.sh"


def ignored(w, line="deps/"):
    w.write(".gitignore", line + "\n")
    w.git("add", "-A")
    w.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "ignore")


def texts(w, task):
    return [p["text"] for p in journal(w, task, "tool.result") if "exit code" in p["text"]]


def given(w, setup, *turns, words=(), code=0, check=NEEDS):
    return w.json("-y", "do", "x", "--setup", setup, "--check", check, "--model", w.play(*turns, say(FIX), say(FINISH)), *words,
                  code=code)


def what_it_leaves_is_there_and_in_no_commit():
    with World() as w:
        ignored(w)
        w.write("src/a.txt", "a\n")
        w.git("add", "-A")
        setup = (MAKES + "; echo made > src/made.txt; mkdir -p src/new && echo n > src/new/n; echo changed >> other.txt; "
                 "ln -s made.txt src/link; mkdir -p src/__pycache__; touch src/__pycache__/x")
        report = given(w, setup, say(shell("cat src/made.txt src/link src/new/n; tail -1 other.txt; echo more > deps/more")),
                       say(shell("ls deps; rm src/made.txt; git status --short; ls src")), check=NEEDS + " && cat src/made.txt src/new/n")
        assert report["verdict"] == "verified" and report["files_changed"] == ["calc.sh"], report
        assert report["setup"]["exit_code"] == 0 and report["setup"]["command"] == setup and not report["setup"]["remembered"], report
        first, second = texts(w, report["task"])[:2]
        assert "made\nmade\nn\nthree\n" in first and "dep.sh\nmore" in second and "__pycache__" not in second, (first, second)
        changed = w.git("diff", "--name-only", "main", "sparks/" + report["task"]).split()
        # what the user had not committed is in the commit below
        assert sorted(changed) == ["calc.sh", "src/a.txt"], changed
        assert not os.path.exists(w.repo + "/deps") and not os.path.exists(w.repo + "/src/made.txt")
        result, = journal(w, report["task"], "setup.result")
        assert result["folders"] == ["deps", "src/new"] or sorted(result["folders"]) == ["deps", "src/new"], result
        assert sorted(result["files"]) == ["src/link", "src/made.txt"] and result["dropped"] == ["other.txt"], result
        kinds = journal(w, report["task"])
        assert kinds.index("setup.result") < kinds.index("check.intent") < kinds.index("model.intent"), kinds
        explained = w.run("tasks", "explain", report["task"]).out
        assert "Before anything else the setup" in explained, explained
        shown = w.json("tasks", "show", report["task"])
        assert shown["setup"] == report["setup"], shown


def folders_of_the_user_take_what_it_adds():
    with World() as w:
        ignored(w, "node_modules/")
        w.write("node_modules/a", "outside\n")
        w.write("node_modules/b", "outside\n")
        report = given(w, "echo setup > node_modules/a; rm node_modules/b; echo new > node_modules/c",
                       say(shell("cat node_modules/*; ls node_modules; echo task > node_modules/c")), say(shell("cat node_modules/*")),
                       check="sh test.sh && [ \"$(cat node_modules/*)\" = \"$(printf 'setup\\nnew')\" ]")
        assert report["verdict"] == "verified", report
        first, second = texts(w, report["task"])[:2]
        assert "setup\nnew\na\nc" in first and "setup\ntask" in second, (first, second)
        assert w.read("node_modules/a") == w.read("node_modules/b") == "outside\n"
        assert sorted(os.listdir(w.repo + "/node_modules")) == ["a", "b"]


def it_is_remembered_shown_changed_and_forgotten():
    with World() as w:
        ignored(w)
        assert "remembered" in w.run("setup", "list").out and w.json("setup", "list") == []
        done = w.run("do", "x", "--setup", MAKES, "--check", NEEDS, "--model", w.play(say(FIX), say(FINISH)))
        assert "remembered for the next tasks" in done.err, done.err
        assert w.json("setup", "list") == [{"repo": w.repo, "folder": "", "command": MAKES, "allow": []}]
        w.write("sub/x", "x\n")
        again = w.json("do", "x", "--check", ". ../deps/dep.sh && cd .. && sh test.sh", "--model",
                       w.play(say(shell("sed -i 's/-/+/' ../calc.sh")), say(FINISH)),
                       cwd=w.repo + "/sub")
        assert again["verdict"] == "verified" and again["setup"]["remembered"] and again["setup"]["exit_code"] == 0, again
        without = w.json("do", "x", "--no-setup", "--check", CHECK, "--model", w.play(say(FIX), say(FINISH)))
        assert without["setup"] is None and "setup.intent" not in journal(w, without["task"])
        w.run("setup", "set", "echo in $(basename $PWD) > left", "--allow", "@npm", cwd=w.repo + "/sub")
        assert w.json("setup", "list")[0]["folder"] == "sub" and "--allow @npm" in w.run("setup", "list").out
        moved = w.json("do", "x", "--check", CHECK, "--model", w.play(say(shell("cat sub/left")), say(FIX), say(FINISH)))
        assert "in sub" in texts(w, moved["task"])[0]
        w.run("setup", "forget")
        w.run("setup", "forget", code=2)
        assert w.json("setup", "list") == []
        for words in (["--setup", " "], ["--setup", "x", "--no-setup"]):
            assert w.json("do", "x", *words, "--model", w.play(say(FINISH)), code=2)["error"]
        w.run("setup", "set", "x", "--allow", "no host", code=2)


def a_failure_ends_the_task_before_the_model_is_asked():
    with World() as w:
        report = given(w, "echo it says why; exit 3", code=1)
        assert report["status"] == "failed" and "exit code 3" in report["error"]["message"], report
        assert "it says why" in report["error"]["message"] and "--no-setup" in report["error"]["hint"], report
        assert report["setup"]["exit_code"] == 3 and "model.intent" not in journal(w, report["task"])
        assert w.json("setup", "list") == []
        report = given(w, "for i in $(seq 600); do echo > file$i; done", code=75)
        assert "more than 200 folders" in report["error"]["message"], report
        slow = given(w, "sleep 30", words=["--set", "box.timeout_secs=1"], code=1)
        assert "ran out of time" in slow["error"]["message"], slow


def hosts_are_open_for_it_alone():
    with World() as w, Server() as server:
        ask = f"python3 -c \"import urllib.request as u; print(u.urlopen('http://{server.address}/', timeout=5).read().decode())\""
        report = given(w, f"mkdir deps && {ask} > deps/said", say(shell(f"cat deps/said; {ask} 2>&1 | tail -1")), check=CHECK, words=[
            "--allow", server.address, "--set", f'box.allow_private=["{server.address}"]'])
        said, = texts(w, report["task"])
        assert "hello from outside" in said and server.asked == 1, (said, server.asked)
        assert [p["refused"] for p in journal(w, report["task"], "net.result")] == [None]
        assert w.json("setup", "list")[0]["allow"] == [server.address]
        # and what is remembered has them again
        again = w.json("do", "x", "--check", CHECK, "--set", f'box.allow_private=["{server.address}"]', "--model",
                       w.play(say(FIX), say(FINISH)))
        assert again["verdict"] == "verified" and server.asked == 2, again


def a_kill_in_the_middle_begins_it_anew():
    with World() as w:
        ignored(w)
        w.run("tasks", "list")   # makes the store
        setup = f"[ ! -e half ] && echo > half && sleep 2; {MAKES}; date +%N > deps/when"
        process = start(w, "do", "x", "--setup", setup, "--check", NEEDS, "--model",
                        w.play(say(shell("cat deps/when; sleep 2")), say(shell("cat deps/when")), say(FIX), say(FINISH)))
        task = wait_for(lambda: [r[0] for r in rows(w, "SELECT id FROM tasks")])[0]
        wait_for(last_is(w, task, "setup.intent"))
        wait_for(lambda: os.path.exists(f"{w.folder}/home/trees/{task}/setup/half"))
        process.kill()
        process.communicate()
        process = start(w, "tasks", "resume", task)
        wait_for(last_is(w, task, "tool.intent"))
        process.kill()
        process.communicate()
        intents = journal(w, task, "setup.intent")
        assert [i["again"] for i in intents] == [False, True] and len(journal(w, task, "setup.result")) == 1, intents
        report = json.loads(w.run("tasks", "resume", task, "--json").out)
        assert report["verdict"] == "verified" and len(journal(w, task, "setup.intent")) == 2, report
        when = open(f"{w.folder}/home/trees/{task}/setup/deps/when", encoding="utf-8").read()
        assert when in texts(w, task)[-1], (when, texts(w, task))


def a_turn_of_a_chat_has_it_when_it_runs_something():
    with World() as w:
        ignored(w)
        w.run("setup", "set", MAKES)
        first, second = talk(w, w.play(say(text="Hello."), say(shell("cat deps/dep.sh")), say(text="There it is.")), "hi", "look")
        assert "setup.intent" not in journal(w, first["task"])
        kinds = journal(w, second["task"])
        assert kinds.index("setup.result") < kinds.index("tool.result"), kinds
        assert "echo 5" in journal(w, second["task"], "tool.result")[0]["text"]


def without_mounts_it_is_copied():
    with World() as w:
        ignored(w)
        report = given(w, MAKES + "; mkdir -p made/deep && echo x > made/deep/x; ln -s made/deep/x near",
                       say(shell("cat near; echo y >> deps/dep.sh; rm -r made")), say(shell("cat made/deep/x near")),
                       words=["--set", "box.tier=landlock"], check=NEEDS + " && cat near")
        assert report["verdict"] == "verified" and report["files_changed"] == ["calc.sh"], report
        first, second = texts(w, report["task"])[:2]
        assert "x\n" in first and "x\nx\n" in second, (first, second)


def a_setup_that_is_hostile_gains_nothing():
    with World() as w:
        ignored(w)
        with open(w.folder + "/outside", "w", encoding="utf-8") as file:
            file.write("outside\n")
        setup = (f"rm -rf .git; git init -q . 2>/dev/null; git config core.fsmonitor 'touch {w.folder}/ran'; "
                 f"printf '[filter \"x\"]\\n clean = touch {w.folder}/ran\\n' >> .git/config; echo '* filter=x' > .gitattributes; "
                 f"ln -s {w.folder} up; ln -sf {w.folder}/outside other.txt; rm test.sh; mkdir test.sh; mkfifo pipe; echo x > 'a*b\\c'")
        report = given(w, setup, say(shell("cat up/outside; echo x > up/outside; ls -l")), check=CHECK)
        assert report["verdict"] == "verified" and report["files_changed"] == ["calc.sh"], report
        result, = journal(w, report["task"], "setup.result")
        assert set(result["dropped"]) == {"other.txt", "test.sh"}, result
        assert not os.path.exists(w.folder + "/ran"), "git ran what the setup has configured"
        with open(w.folder + "/outside", encoding="utf-8") as file:
            assert file.read() == "outside\n"
        assert subprocess.run(["git", "-C", w.repo, "fsck", "--no-dangling"], env=w.env, check=True, stderr=subprocess.PIPE)


if __name__ == "__main__":
    main(what_it_leaves_is_there_and_in_no_commit, folders_of_the_user_take_what_it_adds,
         it_is_remembered_shown_changed_and_forgotten, a_failure_ends_the_task_before_the_model_is_asked,
         hosts_are_open_for_it_alone, a_kill_in_the_middle_begins_it_anew, a_turn_of_a_chat_has_it_when_it_runs_something,
         without_mounts_it_is_copied, a_setup_that_is_hostile_gains_nothing)
