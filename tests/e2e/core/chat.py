#!/usr/bin/env python3
"""Chat sessions without a terminal: turns that are tasks, what the model is told of earlier
ones, and what talking costs.

usage: chat.py SPARKS SOURCE_ROOT TALK      (prints TAP)"""
import json
import os
import signal
import subprocess
import time

from holders import (FINISH, FIX, SPARKS, TALK, Daemon, World, environment, journal, main, rows, say,
                     shell, talk)


def told(w, task):
    """The messages that turn began with, without the system prompt."""
    return journal(w, task, "history")[0]["messages"]


def trees(w):
    folder = os.path.join(w.folder, "home", "trees")
    return os.listdir(folder) if os.path.isdir(folder) else []


def talking_costs_no_copy():
    with World() as w:
        model = w.play(say(text="Hello!", chunks=["Hel", "lo!"]), say(text="Still here."))
        first, second = talk(w, model, "hi", "are you there?")
        assert first["status"] == "done" and first["verdict"] == "unverified", first
        assert first["reason"] == "nothing was changed" and first["files"] == [], first
        assert first["summary"] == first["streamed"] == "Hello!", first
        assert second["summary"] == "Still here." and second["turns"] == 2, second
        for turn in (first, second):
            kinds = set(journal(w, turn["task"]))
            assert not kinds & {"tree", "box", "checks", "check.intent", "commit.intent"}, kinds
            assert len(journal(w, turn["task"], "model.result")) == 1
        assert trees(w) == [] and "sparks/" not in w.git("branch", "-a")
        assert [m["content"] for m in told(w, second["task"])] == \
            ["hi", "Hello!", "are you there?"]


def a_turn_that_changes_files():
    with World() as w:
        w.write("Makefile", "test:\n\tsh test.sh\n")
        model = w.play(say(FIX, text="I look."), say(text="It adds now."),
                       say(text="Good."), say(text="Well."), say(text="Hm."))
        turn, = talk(w, model, "add must add")
        assert (turn["status"], turn["verdict"]) == ("done", "verified"), turn
        assert turn["files"] == ["calc.sh"] and turn["summary"] == "It adds now.", turn
        assert "sparks/" + turn["task"] in w.git("branch", "-a")
        kinds = journal(w, turn["task"])
        assert kinds.index("tree") < kinds.index("tool.intent") < kinds.index("check.intent")
        assert turn["entries"].count("tool.result") == 1, turn["entries"]
        after = [talk(w, model, "and?")[0]]
        w.run("tasks", "apply", turn["task"])
        after.append(talk(w, model, "and now?")[0])
        w.run("tasks", "undo", turn["task"])
        after.append(talk(w, model, "and then?")[0])
        said = [told(w, t["task"])[2]["content"] for t in after]
        assert "calc.sh" in said[0] and "has not applied" in said[0], said
        assert "The user applied these changes." in said[1], said
        assert "took them back" in said[2], said


def requests_of_commands_are_heard():
    with World() as w:
        w.env["SPARKS_BOX_ALLOW"] = "127.0.0.1:9"
        w.env["SPARKS_MANAGER_SENSITIVE_PATTERNS"] = "[]"  # curl is one
        model = w.play(say(shell("curl -sS http://127.0.0.1:1/")), say(text="It is closed."))
        turn, = talk(w, model, "try it")
        heard = turn["entries"]
        assert heard.count("net.result") == 1 and heard.index("net.result") < heard.index("tool.result"), heard
        done = subprocess.run([SPARKS, "chat", "--model", model], input="try it\n", text=True, capture_output=True,
                              timeout=120, env=environment(w), cwd=w.repo, check=False)
        assert "refused: 127.0.0.1:1 is not among the allowed hosts" in done.stdout + done.stderr, done


def changes_refused_and_failed():
    with World() as w:
        bad = ("file_write", {"path": "calc.sh", "content": "add() { :; }\n"})
        w.write("Makefile", "test:\n\tsh test.sh\n")
        model = w.play(say(FIX), say(FINISH), say(text="I see."),
                       *[say(bad), say(text="Done, I think.")] * 6)
        fixed, refused, then = talk(w, model, "fix it", "/refuse", "why not?")
        assert fixed["verdict"] == "verified" and refused["did"] == "/refuse"
        assert "refused" in told(w, then["task"])[2]["content"], told(w, then["task"])
        broken, = talk(w, model, "break it")
        assert broken["status"] == "rolled_back", broken
        assert broken["answers"] > 5 and w.read("calc.sh").count("-") == 1


def a_check_that_cannot_run_is_no_reason_to_throw_work_away():
    with World() as w:
        w.write("mix.exs", "defmodule X.MixProject do\nend\n")
        turn, = talk(w, w.play(say(FIX), say(text="Done.")), "fix it")
        assert turn["verdict"] == "unverified" and "cannot run" in turn["reason"], turn
        assert turn["files"] == ["calc.sh"], turn


def history_has_a_budget():
    with World() as w:
        w.env["SPARKS_CHAT_HISTORY_TOKENS"] = "600"
        model = w.play(*[say(text="word " * 300) for _ in range(8)])
        turns = talk(w, model, *["question " * 100 for _ in range(8)])
        assert all(t["status"] == "done" for t in turns), turns
        last = journal(w, turns[-1]["task"], "history")[0]
        assert last["turns"] + last["left_out"] == 7 and last["shortened"] > 0, last
        assert last["left_out"] > 0 and len(json.dumps(last["messages"])) < 4000, last


def sparks_and_models_switch():
    with World() as w:
        other = w.play(say(text="unused"), say(text="I am the other."))
        talked = talk(w, w.play(say(text="One.")), "hi", "/spark nobody", "/model script:/no/play",
                      "/spark scout", "/model " + other, "again")
        first, no_spark, no_model, _, _, second = talked[:6]
        assert first["summary"] == "One." and second["summary"] == "I am the other."
        assert no_spark["error"] == "not_found" and "error" in no_model, talked
        assert rows(w, "SELECT spark FROM tasks ORDER BY created_us") == [("coder",), ("scout",)]
        assert rows(w, "SELECT title, spark, turns FROM sessions") == [("hi", "scout", 2)]


def checks_of_a_session():
    with World() as w:
        model = w.play(*[say(text="One."), say(FIX), say(text="Fixed.")])
        first, switched, second = talk(w, model, "hi", "/check sh test.sh", "fix it")
        assert first["verdict"] == "unverified" and switched["did"].startswith("/check"), first
        assert second["verdict"] == "verified", second
        assert [e["command"] for e in journal(w, second["task"], "check.result")
                if e["phase"] == "after"] == ["sh test.sh"]
        assert rows(w, "SELECT options FROM sessions") == [('{"checks":["sh test.sh"]}',)]


def cut_off_in_the_middle():
    with World() as w:
        w.write("Makefile", "test:\n\tsh test.sh\n")
        model = w.play(say(text="Hello."), say(FIX, text="I look."), say(text="It adds now."))
        talk(w, model, "hi")
        talk(w, model, "fix it", code=-signal.SIGKILL, TALK_KILL="10")
        turn, = talk(w, model, "/continue")
        assert (turn["status"], turn["verdict"]) == ("done", "verified"), turn
        assert turn["summary"] == "It adds now." and turn["turns"] == 2, turn
        nothing, = talk(w, model, "/continue")
        assert nothing["error"] == "conflict", nothing


def cancelled_and_left():
    with World() as w:
        model = w.play(say(text="a b", chunks=["a ", "b"]), say(text="never"))
        stopped, = talk(w, model, "go on for ever", TALK_CANCEL="4")
        assert stopped["status"] == "cancelled", stopped
        model = w.play(*[say(text="Fine.")] * 3)
        talk(w, "script:unused", "/model " + model)
        turn, = talk(w, model, "something else")
        assert turn["summary"] == "Fine.", turn
        said = told(w, turn["task"])
        assert "cancelled" in said[2]["content"] and said[1]["content"] == "(no answer)", said


def a_broken_stream_is_void():
    with World() as w:
        broken = say(text="All of it.", chunks=["All ", "of it."],
                     error={"kind": "reset", "times": 1})
        turn, = talk(w, w.play(broken), "hi")
        assert turn["status"] == "done", turn
        assert turn["streamed"] == turn["summary"] == "All of it.", turn


def a_provider_away_pauses_the_turn():
    with World() as w:
        w.env["SPARKS_LLM_MAX_RETRIES"] = "0"
        model = w.play(say(text="x", error={"status": 503, "message": "gone"}))
        turn, = talk(w, model, "hi")
        assert turn["status"] == "paused" and "gone" in turn["reason"], turn
        os.replace(w.play(say(text="Back.")).partition(":")[2], model.partition(":")[2])
        turn, = talk(w, model, "/continue")
        assert turn["status"] == "done" and turn["summary"] == "Back." and turn["turns"] == 1, turn


def limits_of_a_turn():
    with World() as w:
        w.env["SPARKS_MANAGER_MAX_STEPS"] = "2"
        model = w.play(*[say(shell(f"echo {n}")) for n in range(3)], say(text="I stopped."))
        turn, = talk(w, model, "count")
        assert turn["status"] == "failed" and "2 answers" in turn["reason"], turn
        model = w.play(*[say(text="Yes.")] * 3)
        turn, = talk(w, "script:unused", "/model " + model, "are you there?")[1:]
        assert turn["summary"] == "Yes.", turn
        assert "ended early (failed: 2 answers" in told(w, turn["task"])[2]["content"]


def beside_a_daemon_and_another_terminal():
    with World() as w, Daemon(w):
        model = w.play(say(shell("sleep 3")), say(text="Slept."))
        process = subprocess.Popen([TALK, w.repo, model], stdin=subprocess.PIPE, text=True,
                                   stdout=subprocess.PIPE, env=environment(w), cwd=w.repo)
        process.stdin.write("sleep\n")
        process.stdin.flush()
        while not rows(w, "SELECT 1 FROM journal WHERE kind = 'tool.intent'"):
            time.sleep(0.02)
        busy, = talk(w, model, "hello?")
        assert busy["error"] == "busy", busy
        out, _ = process.communicate(timeout=60)
        assert json.loads(out)["summary"] == "Slept.", out
        assert rows(w, "SELECT apart FROM tasks") == [(1,)]


def a_turn_is_replayed():
    with World() as w:
        model = w.play(say(text="Hello."), say(FIX), say(text="It adds now."))
        for turn in talk(w, model, "hi", "fix it"):
            w.run("tasks", "replay", turn["task"])
            w.run("tasks", "explain", turn["task"])
            w.run("tasks", "log", turn["task"])
            w.run("tasks", "show", turn["task"])


main(talking_costs_no_copy, a_turn_that_changes_files, requests_of_commands_are_heard, changes_refused_and_failed,
     a_check_that_cannot_run_is_no_reason_to_throw_work_away, history_has_a_budget,
     sparks_and_models_switch, checks_of_a_session, cut_off_in_the_middle, cancelled_and_left,
     a_broken_stream_is_void, a_provider_away_pauses_the_turn, limits_of_a_turn,
     beside_a_daemon_and_another_terminal, a_turn_is_replayed)
