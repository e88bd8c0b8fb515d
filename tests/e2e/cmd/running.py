#!/usr/bin/env python3
"""Tasks on their way: terminal and pipe, Ctrl-C, kill, daemon, detached, pause and resume.

usage: running.py SPARKS      (prints TAP)"""
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
import time

from world import CHECK, FINISH, FIX, SPARKS, World, main, say

SLOW = ("shell", {"command": "sleep 30"})


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come")


def start(w, *words, **more):
    return subprocess.Popen([SPARKS, *words], env=w.env, cwd=w.repo, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def end(process, code, seconds=20):
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == code, f"exit {process.returncode}\n{out}\n{err.decode()}"
    return out.decode(), err.decode()


def only_task(w):
    tasks = w.json("tasks", "list")
    return tasks[0] if tasks else None


def in_tool(w):
    """The id of the task once it is inside its slow command."""
    def look():
        task = only_task(w)
        if not task:
            return None
        log = w.run("tasks", "log", task["task"], "--json").out.splitlines()
        return task["task"] if json.loads(log[-1])["kind"] == "tool.intent" else None
    return wait_for(look)


def on_terminal(w, *words, columns=70, **env):
    """Output of a run on a pseudo terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(w.repo)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.execve(SPARKS, [SPARKS, *words], {**w.env, "TERM": "xterm", **env})
    out = b""
    try:
        while piece := os.read(fd, 65536):
            out += piece
    except OSError:
        pass    # the other side is closed
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), out.decode()


def terminal_and_pipe():
    with World() as w:
        words = ("do", "x", "--check", CHECK, "--model",
                 w.play(say(("shell", {"command": "sleep 0.4"})), say(FIX), say(FINISH)))
        code, out = on_terminal(w, *words)
        assert code == 0 and "\r\x1b[K" in out and "⠋" in out and "\x1b[1;32m" in out
        code, plain = on_terminal(w, *words, NO_COLOR="1")
        assert code == 0 and "\x1b[1" not in plain and "\x1b[3" not in plain
        code, dumb = on_terminal(w, *words, TERM="dumb")
        assert code == 0 and "\x1b" not in dumb
        piped = w.run(*words)
        assert "\x1b" not in piped.out + piped.err and "\r" not in piped.err
        assert "✓ verdict" in piped.err and "verdict" not in piped.out.split("\n")[0]
        assert "done, verified" in piped.out


def a_narrow_terminal_gets_whole_words():
    def lines(*words, columns=62):
        _, out = on_terminal(w, *words, columns=columns, NO_COLOR="1")
        return [line.rstrip("\r").split("\r")[-1] for line in out.split("\n")]

    with World() as w:
        w.env["TMPDIR"] = "/tmp"
        task = w.fixed()
        for words in (("ghosts",), ("do", "--help"), ("tasks", "log", task),
                      ("tasks", "explain", task), ("doctor", "--skip-llm")):
            for line in lines(*words):
                # a path without a blank in it may be as long as it is
                assert len(line) <= 62 or w.folder in line, (words, line)
        assert "        file_search, shell, git, finish] · built in" in lines("ghosts")
        log = lines("tasks", "log", task)
        folded = log[next(i for i, line in enumerate(log) if "· sandbox" in line) + 1]
        assert folded.startswith(" " * 28) and folded[28] != " "
        assert all(len(line) <= 62 for line in lines("demo")[:6])
        for words in (("tasks", "list"), ("tasks", "show", task)):
            for line in lines(*words, columns=40):
                assert len(line) <= 40 or w.folder in line or f" {task}" in line, (words, line)
        assert f"  next      sparks tasks diff {task}" in lines("tasks", "show", task, columns=40)


def ctrl_c_cancels():
    with World() as w:
        process = start(w, "do", "x", "--json", "--model", w.play(say(SLOW), say(FINISH)))
        in_tool(w)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, _ = end(process, 130)
        assert time.monotonic() - began < 5
        assert json.loads(out)["status"] == "cancelled"


def a_killed_task_is_named_and_resumed():
    with World() as w:
        process = start(w, "do", "x", "--check", CHECK, "--model",
                        w.play(say(("shell", {"command": "sleep 3"})), say(FIX), say(FINISH)))
        task = in_tool(w)
        process.kill()
        process.communicate()
        listed = w.run("tasks", "list")
        assert "interrupted" in listed.out and "tasks resume" in listed.err
        assert f"tasks resume {task}" in w.run("tasks", "show", task).out
        report = w.json("tasks", "resume", task)
        assert report["verdict"] == "verified"
        kinds = [json.loads(line) for line in
                 w.run("tasks", "log", task, "--json").out.splitlines()]
        assert any(e["payload"].get("unknown") for e in kinds if e["kind"] == "tool.result")
        w.run("tasks", "resume", task, code=1)


def detached():
    with World() as w:
        done = w.run("do", "x", "--detach", "--check", CHECK, "--model",
                     w.play(say(FIX), say(FINISH)))
        task = done.out.strip()
        wait_for(lambda: only_task(w)["status"] == "done")
        assert w.json("tasks", "show", task)["verdict"] == "verified"


def waiting_ends_the_task_goes_on():
    with World() as w:
        report = w.json("do", "x", "--wait-secs", "1", "--check", CHECK, "--model",
                        w.play(say(("shell", {"command": "sleep 3"})), say(FIX), say(FINISH)),
                        code=4)
        assert report["error"]["code"] == "outcome_wait_timeout"
        wait_for(lambda: only_task(w)["status"] == "done")
        quick = w.json("do", "x", "--wait-secs", "60", "--check", CHECK, "--model",
                       w.play(say(FIX), say(FINISH)))
        assert quick["verdict"] == "verified"


def up_takes_the_work():
    with World() as w:
        up = start(w, "up", "--workers", "2")
        line = up.stdout.readline().decode()
        assert "ready" in line and str(up.pid) in line
        busy = w.run("up", code=75)
        assert str(up.pid) in busy.err
        report = w.do(say(FIX), say(FINISH))
        assert report["verdict"] == "verified"
        slow = start(w, "do", "x", "--json", "--model", w.play(say(SLOW), say(FINISH)))
        in_tool(w)
        slow.send_signal(signal.SIGINT)
        out, _ = end(slow, 130)
        assert json.loads(out)["status"] == "cancelled"
        up.send_signal(signal.SIGTERM)
        end(up, 0)
        with World() as other:  # a daemon of another store is none of ours
            assert other.do(say(FIX), say(FINISH))["verdict"] == "verified"


def other_values_run_here():
    """A daemon never runs a task with values that its giver did not ask for."""
    def steps_of(*words, **env):
        model = w.play({"say": {**say(("file_list", {}))["say"], "repeat": True}})
        done = w.run("do", "x", "--json", "--model", model, *words, code=75,
                     env={**w.env, **env})
        return json.loads(done.out)["steps"], done.err

    with World() as w:
        same = ("--set", "manager.loop_guard.enabled=false", "--set", "task.heal_attempts=0")
        up = start(w, "up", *same)
        up.stdout.readline()
        path = os.path.join(w.env["SPARKS_HOME"], "up.json")
        told = json.load(open(path, encoding="utf-8"))
        assert told["pid"] == up.pid and os.stat(path).st_mode & 0o777 == 0o600
        steps, err = steps_of(*same, "--max-steps", "3")
        assert steps == 3 and "daemon" not in err       # the task's own option, not a value
        steps, err = steps_of(*same, "--set", "manager.max_steps=2")
        assert steps == 2 and "not in the daemon" in err and "manager.max_steps" in err
        assert "heal_attempts" not in err
        steps, err = steps_of(*same, SPARKS_MANAGER_MAX_STEPS="4")
        assert steps == 4 and "manager.max_steps" in err
        steps, err = steps_of(*same, "--max-steps", "1", OPENAI_API_KEY="sk-x")
        assert "daemon" not in err                      # a play asks no server
        strict = os.path.join(w.folder, "strict.toml")
        with open(strict, "w", encoding="utf-8") as file:
            file.write("[[prompt_scanner.mode_overrides]]\nprovider = 'repository'\nmode = 'block'\n")
        steps, err = steps_of(*same, "--max-steps", "1", "--config", strict)
        assert "has another value of prompt_scanner.mode_overrides\n" in err, err
        detached = w.run("do", "x", "--detach", "--check", CHECK, "--model",
                         w.play(say(("shell", {"command": "sleep 2"})), say(FIX), say(FINISH)))
        assert "in the background, not in the daemon" in detached.err
        task = detached.out.strip()
        wait_for(lambda: w.json("tasks", "show", task)["status"] == "done")
        slow = start(w, "do", "x", "--json", "--check", CHECK, "--model",
                     w.play(say(SLOW), say(FIX), say(FINISH)))
        wait_for(lambda: w.json("tasks", "list")[0]["status"] == "running")
        slow.kill()
        slow.communicate()
        time.sleep(0.5)                                 # the daemon leaves it alone
        assert "interrupted" in w.run("tasks", "list").out
        up.send_signal(signal.SIGTERM)
        end(up, 0)
        assert not os.path.exists(path)


def up_drains():
    with World() as w:
        up = start(w, "up")
        up.stdout.readline()
        task = w.run("do", "x", "--detach", "--check", CHECK, "--model",
                     w.play(say(("shell", {"command": "sleep 1"})), say(FIX),
                            say(FINISH))).out.strip()
        in_tool(w)
        up.send_signal(signal.SIGTERM)
        end(up, 0)
        assert w.json("tasks", "show", task)["status"] != "done"
        assert w.json("tasks", "resume", task)["verdict"] == "verified"


def pause_and_resume():
    with World() as w:
        process = start(w, "do", "x", "--json", "--check", CHECK, "--model",
                        w.play(say(("shell", {"command": "sleep 2"})), say(FIX), say(FINISH)))
        task = in_tool(w)
        assert "will pause after its present step" in w.run("tasks", "pause", task).out
        out, _ = end(process, 4)
        assert json.loads(out)["status"] == "paused"
        assert w.json("tasks", "resume", task)["verdict"] == "verified"


def cancel_from_elsewhere():
    with World() as w:
        process = start(w, "do", "x", "--json", "--model", w.play(say(SLOW), say(FINISH)))
        task = in_tool(w)
        follower = start(w, "tasks", "log", task, "--follow")
        w.run("tasks", "cancel", task)
        end(process, 130)
        out, _ = end(follower, 0)
        assert "cancelled" in out
        w.run("tasks", "cancel", task, code=1)
        w.run("tasks", "apply", task, code=1)


main(terminal_and_pipe, a_narrow_terminal_gets_whole_words, ctrl_c_cancels,
     a_killed_task_is_named_and_resumed, detached, waiting_ends_the_task_goes_on,
     up_takes_the_work, other_values_run_here, up_drains, pause_and_resume,
     cancel_from_elsewhere)
