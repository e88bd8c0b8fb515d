#!/usr/bin/env python3
"""Calls that a person is asked about: asked, answered, timed out, and all that may happen to a
task while it waits.

usage: questions.py SPARKS      (prints TAP)"""
import json
import os
import signal
import sys
import time

from holders import (CHECK, FINISH, FIX, SPARKS, Daemon, World, finish, journal, main, rows, say,
                     shell, start, status, wait_for)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "chat"))
from screen import Chat   # noqa: E402

# Sensitive, and harmless: the effect is the line in ran.txt.
RISKY = "rm -rf scratch && echo ran >> ran.txt"
PUSH = "git push origin main"
TURNS = (say(shell(RISKY)), say(FIX), say(FINISH))


def questions(w, *words):
    return w.json("approvals", "list", *words)


def asks(w, *turns, words=()):
    """The id of a task that waits, and its question."""
    report = w.do(*turns, words=words, code=4)
    assert report["status"] == "waiting" and report["error"]["code"] == "approval_pending", report
    open_ones = [q for q in questions(w) if q["task"] == report["task"]]
    assert len(open_ones) == 1, open_ones
    return report["task"], open_ones[0]


def ran(w, task):
    return w.git("show", f"sparks/{task}:ran.txt").count("ran")


def asked_and_allowed():
    with World() as w:
        task, question = asks(w, *TURNS)
        assert question["answer"] == "open" and question["tool"] == "shell", question
        assert question["line"] == RISKY and json.loads(question["arguments"]) == {"command": RISKY}
        assert len(question["hash"]) == 64 and len(question["id"]) == 5, question
        # it costs nothing: nobody holds it, and no sandbox is there
        assert rows(w, "SELECT holder FROM leases WHERE holder IS NOT NULL") == []
        assert not os.path.exists(os.path.join(w.folder, "home", "trees", task, "work", "ran.txt"))
        shown = w.run("approvals", "show", question["id"][:3]).out
        assert "rm -rf scratch" in shown and "risk" in shown and question["rule"] in shown, shown
        listed = w.run("tasks", "list").out
        assert "waiting" in listed and f"question {question['id']} waits" in listed, listed
        assert f"question {question['id']}" in w.run("tasks", "show", task).out
        report = w.json("approvals", "allow", question["id"], "--note", "fine", "--resume")
        assert report["verdict"] == "verified" and ran(w, task) == 1, report
        assert questions(w) == []
        (answered,) = questions(w, "--all")
        assert (answered["answer"], answered["how"], answered["note"]) == \
            ("allow_once", "command", "fine"), answered
        assert answered["by"] and journal(w, task, "approval.answered")[0]["by"] == answered["by"]
        assert len(journal(w, task, "model.result")) == 3


def asked_and_refused():
    with World() as w:
        task, question = asks(w, say(shell(RISKY)), say(shell(RISKY)), say(FIX), say(FINISH))
        told = w.run("approvals", "deny", question["id"], "--note", "not now")
        assert f"sparks tasks resume {task}" in told.out, told.out
        report = w.json("tasks", "resume", task)
        assert report["verdict"] == "verified", report
        refused = journal(w, task, "tool.result")[0]
        assert not refused["ok"] and "not now" in refused["text"], refused
        # the same call again is no new question
        assert len(journal(w, task, "approval.asked")) == 1
        assert not journal(w, task, "tool.result")[1]["ok"]
        assert "ran.txt" not in report["files_changed"]


def time_runs_out():
    """With no process there: whoever looks next finds it refused."""
    with World() as w:
        report = json.loads(w.run("--set", "approvals.timeout_secs=1", "do", "add must add", "--check",
                                  CHECK, "--json", "--model", w.play(*TURNS), code=4).out)
        task = report["task"]
        time.sleep(1.2)
        question = w.json("approvals", "show", questions(w, "--all")[0]["id"])
        assert (question["answer"], question["how"]) == ("expired", "time-out"), question
        err = w.run("approvals", "allow", question["id"], code=1).err
        assert "answered already" in err, err
        assert w.json("tasks", "resume", task)["verdict"] == "verified"
        assert not journal(w, task, "tool.result")[0]["ok"]


def a_daemon_goes_on_by_itself():
    """Answered, refused by time, and answered while no daemon was there."""
    with World() as w:
        with Daemon(w):
            task = w.run("do", "x", "--detach", "--check", CHECK, "--model",
                         w.play(*TURNS)).out.strip()
            wait_for(lambda: status(w, task) == "waiting")
            told = w.run("approvals", "allow", questions(w)[0]["id"]).out
            assert "goes on" in told and "resume" not in told, told
            wait_for(lambda: status(w, task) == "done")
            assert ran(w, task) == 1
        with Daemon(w) as daemon:
            task = w.run("do", "x", "--detach", "--check", CHECK, "--model",
                         w.play(*TURNS)).out.strip()
            wait_for(lambda: status(w, task) == "waiting")
            question = questions(w)[0]["id"]
            daemon.stop()
        assert status(w, task) == "waiting"
        with Daemon(w) as daemon:       # a restart loses nothing and asks nothing anew
            time.sleep(0.5)
            assert status(w, task) == "waiting" and questions(w)[0]["id"] == question
            daemon.kill()
        w.run("approvals", "deny", question)
        with Daemon(w):
            wait_for(lambda: status(w, task) == "done")
        assert len(journal(w, task, "approval.asked")) == 1


def a_daemon_has_the_timer():
    with World() as w:
        w.write("config.toml", "[approvals]\ntimeout_secs = 2\n")
        w.run("config", "trust")
        with Daemon(w):
            task = w.run("do", "x", "--detach", "--check", CHECK, "--model",
                         w.play(*TURNS)).out.strip()
            wait_for(lambda: status(w, task) == "waiting")
            wait_for(lambda: status(w, task) == "done", 15)    # nobody but the daemon looks
            assert journal(w, task, "approval.answered")[0]["answer"] == "expired"


def the_following_command_asks():
    """A daemon runs the task; the question shows up where somebody waits for it."""
    with World() as w, Daemon(w):
        with Chat(w, "do", "x", "--check", CHECK, "--model", w.play(*TURNS), wait=None) as terminal:
            terminal.until("[d]eny")
            time.sleep(0.2)
            terminal.type("o\r")
            terminal.until("verified")
        (task,), = rows(w, "SELECT id FROM tasks")
        wait_for(lambda: status(w, task) == "done")
        assert journal(w, task, "approval.answered")[0]["how"] == "terminal"


def at_the_terminal():
    """What would run, the rule and why, risk and taint; then each of the answers."""
    with World() as w:
        play = w.play(say(FIX), *TURNS)
        for keys, answer, times in (("o\r", "allow_once", 1), ("d not today\r", "deny", 0),
                                    ("?\rt\r|\r", "allow_task", 1), ("r\r|\r", "allow_rule", 1)):
            with Chat(w, "do", "x", "--check", CHECK, "--model", play, wait=None, columns=100,
                      rows=50) as terminal:
                terminal.until("[d]eny")
                for word in (RISKY, "rule", "risk", "taint", "repository"):
                    assert word in terminal.screen.text(), (word, terminal.screen.text())
                time.sleep(0.3)
                for piece in keys.split("|"):
                    terminal.type(piece)
                    if "|" in keys and piece[:-1]:
                        terminal.until("rule: ")
                        time.sleep(0.3)
                terminal.until("verified")
                while not os.waitpid(terminal.pid, os.WNOHANG)[0]:
                    terminal.read(0.1)
            (task,), = rows(w, "SELECT id FROM tasks ORDER BY created_us DESC, id DESC LIMIT 1")
            given = journal(w, task, "approval.answered")[0]
            assert (given["answer"], given["how"]) == (answer, "terminal"), given
            if answer == "deny":
                assert given["note"] == "not today", given
            else:
                assert ran(w, task) == times
        # the rule that was saved answers the next one
        report = w.do(say(FIX), *TURNS)
        assert report["verdict"] == "verified" and ran(w, report["task"]) == 1
        assert journal(w, report["task"], "approval.asked") == []


def ctrl_c_leaves_it_open():
    with World() as w:
        with Chat(w, "do", "x", "--check", CHECK, "--model", w.play(*TURNS), wait=None) as terminal:
            terminal.until("[d]eny")
            time.sleep(0.3)
            terminal.type("\x03")
            end = time.monotonic() + 20
            while True:
                terminal.read(0.1)
                pid, code = os.waitpid(terminal.pid, os.WNOHANG)
                if pid:
                    break
                assert time.monotonic() < end, terminal.screen.text()
            assert os.waitstatus_to_exitcode(code) == 4, terminal.screen.text()
        (question,) = questions(w)
        assert status(w, question["task"]) == "waiting"
        # asked again at the next terminal, by resume
        with Chat(w, "tasks", "resume", question["task"], wait=None) as terminal:
            terminal.until("[d]eny")
            time.sleep(0.3)
            # meanwhile somebody else answers: the prompt goes away, the task goes on
            w.run("approvals", "allow", question["id"])
            terminal.until("verified")
            wait_for(lambda: status(w, question["task"]) == "done")
        assert ran(w, question["task"]) == 1


def what_was_typed_before_is_no_answer():
    with World() as w:
        with Chat(w, "do", "x", "--check", CHECK, "--model",
                  w.play(say(shell("sleep 1")), *TURNS), wait=None) as terminal:
            terminal.until("shell")
            terminal.type("o\r")
            terminal.until("[d]eny")
            time.sleep(1)
            terminal.read(0.1)
            assert len(questions(w)) == 1


def hostile_text_is_stripped():
    evil = "rm -rf scratch '\x1b]0;owned\x07\x1b[2K\x1b[1A\u202egnp.exe' && echo ran >> ran.txt"
    with World() as w:
        _, question = asks(w, say(shell(evil)), say(FIX), say(FINISH))
        for words in (("approvals", "show", question["id"]), ("approvals", "list"),
                      ("tasks", "show", question["task"]), ("tasks", "log", question["task"])):
            out = w.run(*words).out
            assert "\x1b" not in out and "\x07" not in out and "\u202e" not in out, (words, out)
        with Chat(w, "tasks", "resume", question["task"], wait=None) as terminal:
            terminal.until("[d]eny")
            assert "\x1b]0;owned" not in terminal.raw and "\u202e" not in terminal.raw


def all_of_a_call_is_shown():
    """Also what its line leaves out: a person approves nothing unseen."""
    script = "rm -rf scratch\nsh <<'END'\necho ran >> ran.txt # here\nEND\n"
    with World() as w:
        task, question = asks(w, say(shell(script)), say(FIX), say(FINISH))
        out = w.run("approvals", "show", question["id"]).out
        assert "echo ran >> ran.txt # here" in out, out
        with Chat(w, "tasks", "resume", task, wait=None) as terminal:
            terminal.until("[d]eny")
            assert "echo ran >> ran.txt # here" in terminal.screen.text(), terminal.screen.text()


def a_long_call_hides_nothing():
    """It doesn't push the question off the screen, and says that there is more."""
    script = "rm -rf scratch\n" + "\n".join(f": {i} " + "x" * 300 for i in range(200))
    with World() as w:
        task, question = asks(w, say(shell(script)), say(FIX), say(FINISH))
        with Chat(w, "tasks", "resume", task, wait=None, rows=60) as terminal:
            terminal.until("[d]eny")
            text = terminal.raw[terminal.raw.index("would run"):]
            assert text.count("\n") < 50 and "not all of it is shown" in text, text
        assert ": 199 x" in w.run("approvals", "show", question["id"]).out


def a_changed_call_asks_again():
    other = RISKY.replace("scratch", "scratches")
    with World() as w:
        task, question = asks(w, say(shell(RISKY)), say(shell(other)), say(FIX), say(FINISH))
        report = w.json("approvals", "allow", question["id"], "--resume", code=4)
        assert report["status"] == "waiting", report
        second = questions(w)[0]
        assert second["hash"] != question["hash"] and second["line"] == other
        w.json("approvals", "allow", second["id"], "--resume")
        assert ran(w, task) == 2


def for_the_task_and_as_a_rule():
    again = say(shell(RISKY.replace("scratch", "scratch2")))
    with World() as w:
        task, question = asks(w, say(shell(RISKY)), again, say(FIX), say(FINISH))
        err = w.run("approvals", "allow", question["id"], "--task", "rm", code=2).err
        assert "doesn't match" in err, err
        w.run("approvals", "allow", question["id"], "--task", "(", code=2)
        w.run("approvals", "allow", question["id"], "x", code=2)
        report = w.json("approvals", "allow", question["id"], "--task", "rm -rf scratch.*|echo .*",
                        "--resume")
        assert report["verdict"] == "verified" and ran(w, task) == 2, report
        assert len(journal(w, task, "approval.asked")) == 1
        # for that task alone
        task, question = asks(w, *TURNS)
        w.json("approvals", "allow", question["id"], "--rule", "rm -rf scratch.*|echo .*", "--resume")
        assert w.do(*TURNS)["verdict"] == "verified"


def a_rule_does_not_answer_taint():
    """One saved at a plain question never answers what taint asks; one saved there does."""
    with World() as w:
        _, question = asks(w, *TURNS)
        w.json("approvals", "allow", question["id"], "--rule", ".*", "--resume")
        turns = (say(("file_read", {"path": "other.txt"})), say(shell(PUSH)), say(FIX), say(FINISH))
        task, question = asks(w, *turns)
        assert question["by_taint"] and question["taint"] == "repository", question
        assert question["taint_source"], question
        w.json("approvals", "allow", question["id"], "--rule", "--resume")
        assert len(journal(w, w.do(*turns)["task"], "approval.asked")) == 0


def yes_answers_commands_only():
    with World() as w:
        report = json.loads(w.run("-y", "do", "x", "--check", CHECK, "--json", "--model",
                                  w.play(*TURNS)).out)
        assert report["verdict"] == "verified" and ran(w, report["task"]) == 1
        (answered,) = questions(w, "--all")
        assert answered["how"] == "-y" and answered["by"], answered
        turns = (say(("file_read", {"path": "other.txt"})), say(shell(PUSH)), say(FINISH))
        report = json.loads(w.run("-y", "do", "x", "--check", CHECK, "--json", "--model",
                                  w.play(*turns), code=4).out)
        assert report["status"] == "waiting"
        w.run("-y", "tasks", "resume", report["task"], code=4)
        # also one that is open already, of a command
        task, _ = asks(w, *TURNS)
        assert "verified" in w.run("-y", "tasks", "resume", task).out


def two_answer_at_once():
    with World() as w:
        for _ in range(3):
            task, question = asks(w, *TURNS)
            both = [start(w, "approvals", verb, question["id"]) for verb in ("allow", "deny") * 3]
            codes = [(p.communicate(), p.returncode)[1] for p in both]
            assert sorted(codes) == [0, 1, 1, 1, 1, 1], codes
            assert len(journal(w, task, "approval.answered")) == 1
            won = "allow_once" if 0 in codes[::2] else "deny"
            assert journal(w, task, "approval.answered")[0]["answer"] == won
            w.json("tasks", "cancel", task)


def two_go_on_at_once():
    """The command that was allowed runs once."""
    with World() as w:
        task, question = asks(w, *TURNS)
        w.run("approvals", "allow", question["id"])
        both = [start(w, "tasks", "resume", task, "--json") for _ in range(3)]
        for process in both:
            process.communicate(timeout=60)
        if status(w, task) != "done":
            w.run("tasks", "resume", task)
        assert ran(w, task) == 1


def cancelled_and_paused_while_it_waits():
    with World() as w:
        task, question = asks(w, *TURNS)
        w.run("tasks", "pause", task)
        assert status(w, task) == "paused" and questions(w)[0]["id"] == question["id"]
        w.run("approvals", "allow", question["id"])
        with Daemon(w):
            time.sleep(0.5)
            assert status(w, task) == "paused"     # answered, and still at rest
        assert w.json("tasks", "resume", task)["verdict"] == "verified"
        task, question = asks(w, *TURNS)
        w.run("tasks", "cancel", task)
        assert status(w, task) == "cancelled" and questions(w) == []
        assert w.json("approvals", "show", question["id"])["answer"] == "withdrawn"
        w.run("approvals", "allow", question["id"], code=1)
        # who goes on with it is asked again
        assert w.json("tasks", "resume", task, code=4)["status"] == "waiting"
        assert questions(w)[0]["id"] == question["id"]
        assert not os.path.exists(os.path.join(w.folder, "home", "trees", task, "work", "ran.txt"))


def a_clock_that_is_set_back():
    with World() as w:
        task, question = asks(w, *TURNS)
        rows(w, "UPDATE approvals SET asked_us = asked_us + 7200000000, expires_us = expires_us + 7200000000")
        assert questions(w)[0]["answer"] == "open"
        assert w.json("approvals", "allow", question["id"], "--resume")["task"] == task


def an_agent_cannot_answer_itself():
    """Neither the program nor the store, nor anything to talk to it by, is in the box."""
    look = ("ls -la ~/.sparks %(home)s 2>&1; ls %(sparks)s 2>&1; find / -name store.db 2>/dev/null;"
            " find / -type s 2>/dev/null; %(sparks)s approvals list 2>&1;"
            " SPARKS_HOME=%(home)s %(sparks)s approvals allow %(id)s 2>&1; echo END")
    with World() as w:
        turns = [say(shell(RISKY)), say(FINISH)]
        task, question = asks(w, *turns)
        spy = look % {"home": os.path.join(w.folder, "home"), "sparks": SPARKS, "id": question["id"]}
        report = json.loads(w.run("-y", "do", "look", "--check", CHECK, "--json", "--model",
                                  w.play(say(shell(spy)), say(FIX), say(FINISH))).out)
        told = "".join(r["text"] for r in journal(w, report["task"], "tool.result"))
        assert "END" in told, told
        assert "store.db" not in told.replace("-name store.db", ""), told
        assert w.json("approvals", "show", question["id"])["answer"] == "open"
        assert status(w, task) == "waiting"


def one_that_was_killed_while_it_waits():
    """At the prompt: the process is gone, the question is not."""
    with World() as w:
        with Chat(w, "do", "x", "--check", CHECK, "--model", w.play(*TURNS), wait=None) as terminal:
            terminal.until("[d]eny")
            os.kill(terminal.pid, signal.SIGKILL)
        (question,) = questions(w)
        report = w.json("approvals", "allow", question["id"], "--resume")
        assert report["verdict"] == "verified" and ran(w, question["task"]) == 1
        assert len(journal(w, question["task"], "model.result")) == 3


# Family, the rule that asks, what comes before the call, the call, the answer, who goes on.
READ = say(("file_read", {"path": "other.txt"}))
KILLED = (
    ("command", "command.sensitive", (), RISKY, "allow", "resume"),
    ("command", "command.sensitive", (), RISKY, "deny", "daemon"),
    ("taint", "taint.egress", (READ,), PUSH + "; echo ran >> ran.txt", "allow", "daemon"),
    ("taint", "taint.egress", (READ,), PUSH + "; echo ran >> ran.txt", "deny", "resume"),
    ("level", "level.deliver.egress", (), PUSH + "; echo ran >> ran.txt", "allow", "resume"),
    ("level", "level.deliver.egress", (), PUSH + "; echo ran >> ran.txt", "deny", "daemon"),
    # refused without a question, also when the task that it stands in is taken up again
    ("deny", "command.sensitive", (say(shell("make never")),), RISKY, "allow", "daemon"),
)


def came_of(w, task):
    """What must be the same, killed or not."""
    kinds = journal(w, task)
    told = w.json("tasks", "show", task)
    return {"end": (told["status"], told["verdict"]), "tree": w.git("rev-parse", f"sparks/{task}^{{tree}}"),
            "counts": {kind: kinds.count(kind) for kind in ("model.intent", "model.result", "tool.intent", "tool.result",
                                                             "approval.asked", "approval.answered")},
            "results": [(p["ok"], (p.get("law") or {}).get("rule")) for p in journal(w, task, "tool.result")]}


def killed_while_it_waits_by_family():
    """Who waits at the terminal and the daemon that ran the task: both are gone, then somebody answers."""
    quiet = "sh test.sh >/dev/null"         # what a check prints is text of the repository: taint
    for family, rule, before, line, answer, then in KILLED:
        turns = (*before, say(shell(line)), say(FIX), say(FINISH))
        with World() as w:
            w.env["SPARKS_MANAGER_DENY_PATTERNS"] = '["make never"]'
            w.env["SPARKS_MEMORY_RECALL"] = "false"     # what the first of two tasks leaves is taint to the second
            words = ("do", "x", "--check", quiet, "--model", w.play(*turns))
            calm = w.json(*words, code=4)["task"]
            w.run("approvals", answer, questions(w)[0]["id"], "--resume")
            with Daemon(w) as daemon:
                with Chat(w, *words, wait=None) as terminal:
                    terminal.until("[d]eny")
                    assert "not in the daemon" not in terminal.raw, terminal.raw
                    os.kill(terminal.pid, signal.SIGKILL)
                    daemon.kill()
            (question,) = questions(w)
            task = question["task"]
            where = (family, answer, question)
            assert status(w, task) == "waiting" and question["answer"] == "open", where
            assert question["rule"] == rule and question["by_taint"] == (family == "taint"), where
            w.run("approvals", answer, question["id"])
            if then == "daemon":
                with Daemon(w):
                    wait_for(lambda: status(w, task) == "done")
            else:
                w.run("tasks", "resume", task)
            assert came_of(w, task) == came_of(w, calm), (where, came_of(w, task), came_of(w, calm))
            seen = came_of(w, task)
            assert seen["end"] == ("done", "verified"), (where, seen)
            assert seen["counts"]["model.intent"] == seen["counts"]["model.result"] == len(turns), (where, seen)
            assert seen["counts"]["approval.asked"] == seen["counts"]["approval.answered"] == 1, (where, seen)
            if answer == "allow":
                assert ran(w, task) == 1, where
            else:
                assert (False, rule) in seen["results"] and "ran.txt" not in w.git("ls-tree", "sparks/" + task), (where, seen)
            assert ((False, "command.deny") in seen["results"]) == (family == "deny"), (where, seen)


def in_a_chat():
    with World() as w:
        play = w.play(say(shell(RISKY)), say(FINISH))
        with Chat(w, "chat", "--model", play) as chat:
            chat.type("do it\r")
            chat.until("[d]eny")
            time.sleep(0.3)
            chat.type("\x03")
            chat.until("/resume goes on with it")
            time.sleep(0.5)
            chat.type("/resume\r")
            chat.until("[d]eny")
            time.sleep(0.3)
            chat.type("o\r")
            chat.until("ran.txt")
        (task,), = rows(w, "SELECT id FROM tasks")
        assert journal(w, task, "approval.answered")[0]["answer"] == "allow_once"


main(asked_and_allowed, asked_and_refused, time_runs_out, a_daemon_goes_on_by_itself,
     a_daemon_has_the_timer, the_following_command_asks, at_the_terminal, ctrl_c_leaves_it_open,
     what_was_typed_before_is_no_answer, hostile_text_is_stripped, all_of_a_call_is_shown,
     a_long_call_hides_nothing, a_changed_call_asks_again,
     for_the_task_and_as_a_rule, a_rule_does_not_answer_taint, yes_answers_commands_only,
     two_answer_at_once, two_go_on_at_once, cancelled_and_paused_while_it_waits,
     a_clock_that_is_set_back, an_agent_cannot_answer_itself, one_that_was_killed_while_it_waits,
     killed_while_it_waits_by_family,
     in_a_chat)
