#!/usr/bin/env python3
"""What is forgotten is nowhere in SPARKS_HOME: not in what tasks have on record of it either.

usage: forgetting.py SPARKS SOURCE_ROOT TALK      (prints TAP)"""
import json
import os

from holders import (FINISH, FIX, World, journal, last_is, main, rows, say, shell, start, status, talk, wait_for)

CHECK = "sh test.sh"
FACT = "the quagga sleeps behind the bicycle shed"
KEEPER = ["file_read", "file_edit", "shell", "memory_search", "memory_save", "finish"]


def keeper(w):
    folder = os.path.join(w.folder, "home", "ghosts")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with open(os.path.join(folder, "keeper.toml"), "w", encoding="utf-8") as file:
        file.write(f'name = "keeper"\ntools = {json.dumps(KEEPER)}\n')
    return "--spark", "keeper"


def holding(w, word):
    """Files of SPARKS_HOME that have the word, however it is written there."""
    found = []
    for folder, _, names in os.walk(os.path.join(w.folder, "home")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                data = file.read()
            if word.encode() in data or word.replace(" ", "\\040").encode() in data:
                found.append(os.path.relpath(os.path.join(folder, name), w.folder))
    return found


def forget(w, *words, **more):
    return w.json("-y", "memory", "forget", *words, **more)


def off():
    return "--set", "embedding.enabled=false"


def what_a_task_was_told():
    with World() as w:
        one = w.json(*off(), "memory", "add", FACT)["id"]
        other = w.json(*off(), "memory", "add", "behind the bicycle shed is a green door")["id"]
        task = w.do(say(FIX), say(FINISH), goal="add must add, behind the shed too")["task"]
        record, = journal(w, task, "recall")
        assert {m["id"] for m in record["memories"]} == {one, other} and FACT in record["text"], record
        assert holding(w, "quagga")
        done = forget(w, one)
        assert done == {"forgotten": 1, "ids": [one], "on_record": [], "going_on": []}, done
        assert not holding(w, "quagga") and not holding(w, one), (holding(w, "quagga"), holding(w, one))
        record, = journal(w, task, "recall")
        assert [m["id"] for m in record["memories"]] == [other] and record["forgotten"] == 1, record
        assert "green door" in record["text"] and record["text"].endswith("</memory>"), record
        assert "1 note that it was told has been forgotten since" in " ".join(w.run("tasks", "explain", task).out.split())
        assert w.json("tasks", "replay", task)["same"]
        forget(w, other)
        record, = journal(w, task, "recall")
        assert record["text"] == "" and record["memories"] == [] and record["forgotten"] == 2, record
        assert w.json("tasks", "replay", task)["same"] and w.run("tasks", "export", task)


def what_a_spark_noted_and_found():
    note, secret = "a note of the quagga, with \"quotes\" and a \\ in it", "quagga"
    with World() as w:
        who = keeper(w)
        words = (*who, "--set", "memory.learn=false")
        first = w.do(say(("memory_save", {"text": note})), say(FIX), say(FINISH), words=words)["task"]
        second = w.do(say(("memory_search", {"query": "note of the quotes"}), ("memory_save", {"text": note})), say(FIX), say(FINISH),
                      words=words, goal="something else")["task"]
        assert [r["meta"] for r in journal(w, second, "tool.result") if r["name"] == "memory_save"][0]["memory"] == first + ".s1"
        done = forget(w, first + ".s1")
        assert done["forgotten"] == 1 and not done["on_record"], done
        assert not holding(w, secret), holding(w, secret)
        for task in (first, second):
            intent, = (i for i in journal(w, task, "tool.intent") if i["name"] == "memory_save")
            assert json.loads(intent["arguments"]) == {"text": "[forgotten]"} and intent["law"]["verdict"] == "allow", intent
        assert w.run("tasks", "log", first) and w.run("tasks", "explain", second)


def what_a_chat_has_taught():
    said = "Always keep the quagga behind the shed"
    with World() as w:
        model = w.play(say(text="I see."), say(text=f"You said: {said}. Well."), say(text="Yes."), say(text="Hello."))
        turns = talk(w, model, said + ". What is this?", "what did I say?", "and now?")
        history = os.path.join(w.folder, "home", "chat_history")
        with open(history, "w", encoding="utf-8") as file:
            file.write("_HiStOrY_V2_\nhello\\040there\n" + said.replace(" ", "\\040") + ".\nbye\n")
        one, = w.json("memory", "list")
        assert one["text"] == said, one
        done = forget(w, one["id"])
        # their own words are theirs, until one says so
        assert set(done["on_record"]) == {turn["task"] for turn in turns}, done
        assert not journal(w, turns[0]["task"], "learn.result")[0]["memories"]
        w.run("memory", "forget", "--records", "-", input=b"quagga", stdin=None, code=2)
        done = w.json("memory", "forget", "--records", "-", input=said.encode(), stdin=None)
        assert done["forgotten"] == 0 and done["on_record"] == [] == done["going_on"], done
        assert not holding(w, "quagga"), holding(w, "quagga")
        with open(history, encoding="utf-8") as file:
            assert file.read() == "_HiStOrY_V2_\nhello\\040there\nbye\n"
        goal = w.json("tasks", "show", turns[0]["task"])["goal"]
        assert goal == "[forgotten]. What is this?", goal
        again = talk(w, model, "hello again")
        assert again[-1]["status"] == "done", again


def what_was_printed_and_quoted():
    """Long outputs, JSON in JSON, and the records of a task that is not over."""
    text = "the \"quagga\" sleeps\nbehind the shed"
    with World() as w:
        one = w.json(*off(), "memory", "add", text)["id"]
        w.write("long.txt", "x\n" * 20000 + text + "\n" + "y\n" * 20000)
        quoted = json.dumps({"text": text})
        task = w.do(say(shell("cat long.txt")), say(("file_write", {"path": "q.txt", "content": "see " + text})),
                    say(FIX), say(("finish", {"summary": "It says " + text})), words=("--no-memory", "--context", quoted))["task"]
        assert [f for f in holding(w, "quagga") if "/spill/" in f], holding(w, "quagga")
        play = w.play(say(shell("sleep 20")))
        process = start(w, "do", "look at: " + text, "--check", CHECK, "--model", play, "--no-memory")
        running = wait_for(lambda: [r[0] for r in rows(w, "SELECT id FROM tasks WHERE goal LIKE 'look at%'")])[0]
        wait_for(last_is(w, running, "tool.intent"))
        # one that nobody can look through keeps none of the others from losing it
        huge = os.path.join(w.folder, "home", "spill", task, "0.huge")
        with open(huge, "wb") as file:
            file.truncate((256 << 20) + 1)
        told = w.run(*off(), "-y", "memory", "forget", "--records", one, "--json")
        done = json.loads(told.out)
        assert done["forgotten"] == 1 and done["on_record"] == [] and done["going_on"] == [running], done
        assert f"{huge} is passed over" in told.err, told.err
        os.remove(huge)
        process.kill()
        process.communicate()
        w.run("tasks", "cancel", running)
        assert status(w, running) == "cancelled"
        done = w.json("memory", "forget", "--records", "-", input=text.encode(), stdin=None)
        assert done["going_on"] == [] == done["on_record"], done
        # what it wrote into files is not its record
        left = [f for f in holding(w, "quagga") if "/trees/" not in f]
        assert not left, left
        assert "[forgotten]" in w.json("tasks", "show", task)["summary"]
        w.run("store", "check")


def a_task_that_goes_on_is_not_told_any_more():
    with World() as w:
        one = w.json(*off(), "memory", "add", FACT)["id"]
        play = w.play(say(shell("sleep 20")), say(FIX), say(FINISH))
        process = start(w, "do", "add must add behind the shed", "--check", CHECK, "--model", play)
        task = wait_for(lambda: [r[0] for r in rows(w, "SELECT id FROM tasks")])[0]
        wait_for(last_is(w, task, "tool.intent"))
        process.kill()
        process.communicate()
        assert forget(w, one)["going_on"] == []
        assert not holding(w, "quagga"), holding(w, "quagga")
        w.run("tasks", "resume", task)
        assert status(w, task) == "done" and not holding(w, "quagga"), holding(w, "quagga")


main(what_a_task_was_told, what_a_spark_noted_and_found, what_a_chat_has_taught, what_was_printed_and_quoted,
     a_task_that_goes_on_is_not_told_any_more)
