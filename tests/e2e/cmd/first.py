#!/usr/bin/env python3
"""What a new user types: init with and without a terminal, and completions in real shells.

usage: first.py SPARKS      (prints TAP)"""
import os
import pty
import stat
import subprocess
import time

from world import SPARKS, World, main


def config_of(w):
    return os.path.join(w.env["SPARKS_HOME"], "config.toml")


def without_a_terminal_it_asks_nothing():
    with World() as w:
        w.env["ANTHROPIC_API_KEY"] = "sk-x"
        done = w.run("init")
        assert "sparks doctor" in done.out and "secrets set" not in done.out, done.out
        assert stat.S_IMODE(os.stat(config_of(w)).st_mode) == 0o600
        checked = w.run("config", "check")
        assert "0 warnings" in checked.out and not checked.err, checked.out + checked.err
        assert w.json("config", "explain", "llm.provider")["value"] == "anthropic"


def it_never_overwrites_unasked():
    with World() as w:
        os.makedirs(w.env["SPARKS_HOME"])
        with open(config_of(w), "w", encoding="utf-8") as file:
            file.write("# mine\n")
        assert "stays as it is" in w.run("init", code=1).err
        with open(config_of(w), encoding="utf-8") as file:
            assert file.read() == "# mine\n"
        other = os.path.join(w.folder, "new/dir/c.toml")
        assert f"sparks doctor --config {other}\n" in w.run("init", "--path", other).out
        assert w.json("init", "--force")["file"] == config_of(w)
        assert "sparks secrets set openai.api_key" in w.run("init", "--force").out


def answer(w, *lines):
    """The output of init on a terminal that types these lines."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(SPARKS, [SPARKS, "init"], w.env)
    os.write(fd, "".join(line + "\n" for line in lines).encode())
    out = b""
    try:
        while chunk := os.read(fd, 4096):
            out += chunk
    except OSError:
        pass
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, out
    return out.decode()


def on_a_terminal_three_questions():
    with World() as w:
        out = answer(w, "olama", "ollama", "qwen2.5:7b", "")
        assert "must be one of" in out and "did you mean" in out, out
        assert w.json("config", "explain", "llm.provider")["value"] == "ollama"
        assert w.json("config", "explain", "ollama.model")["value"] == "qwen2.5:7b"
        assert w.json("config", "explain", "task.max_tokens")["origin"] == "default"


def in_shell(w, shell, script):
    """What the shell prints that has `sparks` in its PATH."""
    folder = os.path.join(w.folder, "bin")
    os.makedirs(folder, exist_ok=True)
    if not os.path.exists(os.path.join(folder, "sparks")):
        os.symlink(SPARKS, os.path.join(folder, "sparks"))
    env = {**w.env, "PATH": f"{folder}:{w.env['PATH']}"}
    done = subprocess.run([shell, "-c", script], env=env, cwd=w.repo, check=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert not done.stderr, done.stderr
    return done.stdout.decode().split("\n")


def bash(w, *words):
    line = " ".join(f"'{word}'" for word in words)
    return in_shell(w, "bash", f"source <(sparks completions bash); COMP_WORDS=({line}); "
                    f"COMP_CWORD={len(words) - 1}; _sparks; printf '%s\\n' \"${{COMPREPLY[@]}}\"")


def bash_knows_values():
    with World() as w:
        assert "config" in bash(w, "sparks", "co")
        store = os.path.join(w.env["SPARKS_HOME"], "store.db")
        assert bash(w, "sparks", "tasks", "show", "0") == ["", ""]
        assert not os.path.exists(store)
        task = w.fixed()
        for verb in ("show", "apply", "diff"):
            assert task in bash(w, "sparks", "tasks", verb, task[:3]), verb
        assert "up.workers" in bash(w, "sparks", "config", "explain", "up.")
        assert "up.workers" in bash(w, "sparks", "knobs", "set", "up.")
        assert "openai.api_key" in bash(w, "sparks", "secrets", "set", "openai")
        assert "scout" in bash(w, "sparks", "do", "--ghost", "s")
        assert "up.workers=" in bash(w, "sparks", "do", "--set", "up.")


def fish_knows_values():
    with World() as w:
        task = w.fixed()
        out = in_shell(w, "fish", "sparks completions fish | source; "
                       f"complete -C 'sparks tasks show {task[:3]}'")
        assert f"{task}\tadd must add" in out, out


def zsh_knows_values():
    """compadd needs the line editor: a stand-in prints what it is given."""
    with World() as w:
        task = w.fixed()
        out = in_shell(w, "zsh", "compdef() :; compadd() { shift; print -l -- \"$@\" }; "
                       f"source <(sparks completions zsh); words=(sparks tasks show {task[:3]}); "
                       "CURRENT=4; _sparks")
        assert task in out, out


def values_are_quick():
    with World() as w:
        w.fixed()
        begin = time.monotonic()
        w.run("completions", "--values", "tasks")
        assert time.monotonic() - begin < 1


main(without_a_terminal_it_asks_nothing, it_never_overwrites_unasked,
     on_a_terminal_three_questions, bash_knows_values, fish_knows_values, zsh_knows_values,
     values_are_quick)
