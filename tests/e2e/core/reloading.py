#!/usr/bin/env python3
"""A configuration that changes while a daemon runs."""
import json
import os
import select

from holders import FINISH, FIX, Daemon, World, give, main, say, shell, status, wait_for


def path(w, name):
    return os.path.join(w.folder, "home", name)


def put(w, text, name="config.toml"):
    """As editors do it: a new file in the place of the old one."""
    os.makedirs(os.path.dirname(path(w, name)), mode=0o700, exist_ok=True)
    with open(path(w, name) + "~", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path(w, name) + "~", path(w, name))


def value(w, name):
    with open(path(w, "up.json"), encoding="utf-8") as file:
        return json.load(file)["values"][name]


def said(daemon, *words):
    """Reads what the daemon warns of until all of these words are there."""
    fd, text = daemon.process.stderr.fileno(), ""
    while not all(word in text for word in words):
        assert select.select([fd], [], [], 30)[0], f"silent after {text!r}"
        piece = os.read(fd, 4096).decode()
        assert piece, f"ended after {text!r}"
        text += piece


def what_changes_holds_for_the_tasks_to_come():
    with World() as w:
        put(w, "[manager]\nmax_steps = 9\n")
        with Daemon(w) as daemon:
            assert value(w, "manager.max_steps") == 9
            put(w, "[manager]\nmax_steps = 2\n")
            wait_for(lambda: value(w, "manager.max_steps") == 2)  # 1
            said(daemon, "changed options are in force")
            task = give(w, *[say(shell(f"echo {n}")) for n in range(5)], say(FIX), say(FINISH))
            wait_for(lambda: status(w, task) == "failed")
            assert w.json("tasks", "show", task)["steps"] == 2
            os.unlink(path(w, "config.toml"))
            wait_for(lambda: value(w, "manager.max_steps") == 15)
            daemon.stop()


def what_is_wrong_changes_nothing():
    with World() as w:
        put(w, "[task]\nheal_attempts = 1\n")
        with Daemon(w) as daemon:
            put(w, "[task]\nheal_attempts = 1\n[manager]\nmax_steps = \"many\"\n")
            said(daemon, "is not taken over, the old one stays", "config.toml:4:13: manager.max_steps")
            put(w, "[task]\nheal_attempts = 3\n[box]\nmemory_bytes = 999999488\n")
            wait_for(lambda: value(w, "task.heal_attempts") == 3)
            said(daemon, "box.memory_bytes: changed in the configuration, and taken over when the daemon starts")
            assert value(w, "box.memory_bytes") == 4294967296
            put(w, "[task]\nheal_attempts = 3\n[manager]\nmax_stps = 3\n")
            said(daemon, 'config.toml:4', "max_stps", 'did you mean "manager.max_steps"')
            put(w, 'nam = "x"\n', "ghosts/x.toml")
            said(daemon, 'ghosts/x.toml:1:7: unknown key nam (did you mean "name"?)')
            daemon.stop()


def what_stood_on_the_command_line_stays():
    with World() as w:
        put(w, "[manager]\nmax_steps = 9\n")
        with Daemon(w, "--set", "manager.max_steps=5") as daemon:
            put(w, "[manager]\nmax_steps = 2\n[task]\nheal_attempts = 0\n")
            wait_for(lambda: value(w, "task.heal_attempts") == 0)
            assert value(w, "manager.max_steps") == 5
            daemon.stop()


def sparks_of_ones_own_and_keys_too():
    """A spark in a folder that was not there before, and a key, while the daemon has no file at all."""
    with World() as w:
        with Daemon(w) as daemon:
            os.mkdir(path(w, "ghosts"), 0o700)
            put(w, 'name = "mine"\ndescription = "Looks."\nstrategy = "react"\ntools = ["file_edit", "finish"]\n', "ghosts/mine.toml")
            put(w, "OPENAI_API_KEY=sk-0123456789\n", ".env")
            put(w, "[up]\nworkers = 5\n")
            put(w, "[manager]\nmax_steps = 7\n[up]\nworkers = 5\n")
            wait_for(lambda: value(w, "manager.max_steps") == 7)
            task = w.run("do", "add must add", "--detach", "--ghost", "mine", "--check", "sh test.sh", "--model",
                         w.play(say(FIX), say(FINISH))).out.strip()
            wait_for(lambda: status(w, task) == "done")
            daemon.stop()


main(sparks_of_ones_own_and_keys_too, what_changes_holds_for_the_tasks_to_come, what_is_wrong_changes_nothing,
     what_stood_on_the_command_line_stays)
