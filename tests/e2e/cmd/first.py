#!/usr/bin/env python3
"""What a new user types: init with and without a terminal, and completions in real shells.

usage: first.py SPARKS      (prints TAP)"""
import http.server
import json
import os
import pty
import stat
import subprocess
import threading
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


def value(w, name):
    """The value in force, which must come from the file that was written without a warning."""
    checked = w.run("config", "check")
    assert "0 warnings" in checked.out and not checked.err, checked.out + checked.err
    found = w.json("config", "explain", name)
    return found["value"] if found["origin"] == "file" else None


def on_a_terminal_three_questions():
    with World() as w:
        out = answer(w, "olama", "ollama", "qwen2.5:7b", "")
        assert "must be one of" in out and "did you mean" in out, out
        assert value(w, "llm.provider") == "ollama" and value(w, "ollama.model") == "qwen2.5:7b"
        assert value(w, "budget.day_usd") is None and value(w, "task.max_tokens") is None
        assert out.count("] ") == 4, out        # one was asked twice


def a_budget_is_asked_for():
    for typed, want in (("five", None), (".5", 0.5), ("05", 5), ("7.25", 7.25), ("1e3", 1000), ("0", 0)):
        with World() as w:
            out = answer(w, "", "", *[typed] * (3 if typed == "five" else 1))
            assert "[none]" in out and ("must be a number" in out) == (typed == "five"), out
            assert value(w, "budget.day_usd") == want, typed
            assert value(w, "llm.provider") is None     # nothing is here: it is looked for each time
            assert ("taking none" in out) == (typed == "five"), out


def what_is_typed_is_meant():
    """Also where it is the default: else a server that is here would be taken instead."""
    with World() as w:
        w.env["ANTHROPIC_API_KEY"] = "sk-0123456789"
        out = answer(w, "openai", "x" * 700, "")
        assert "[anthropic]" in out, out
        assert value(w, "llm.provider") == "openai" and value(w, "budget.day_usd") is None
        assert len(value(w, "openai.model")) == 700


def what_is_typed_stays_toml():
    with World() as w:
        answer(w, "openai", 'a "b" \\c \u00e4 #', "")
        assert value(w, "openai.model") == 'a "b" \\c \u00e4 #'
        assert "control character" in w.run("init", "--force", "--model", "a\x1b[2J", code=2).err


class Models(http.server.BaseHTTPRequestHandler):
    """A server that lists one model, as llama.cpp does."""

    def do_GET(self):
        body = json.dumps({"object": "list", "data": [{"id": "tiny-here"}]}).encode()
        self.send_response(200 if self.path == "/v1/models" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def a_server_that_is_here_is_proposed():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Models)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with World() as w:
        w.env["SPARKS_LLM_LOCAL_SERVERS"] = f"ollama=http://127.0.0.1:9 openai={url}"
        done = w.run("init")
        assert "secrets set" not in done.out, done.out
        del w.env["SPARKS_LLM_LOCAL_SERVERS"]
        assert value(w, "openai.url") == url and value(w, "openai.model") == "tiny-here"
        w.env["SPARKS_LLM_LOCAL_SERVERS"] = f"openai={url}"
        os.remove(config_of(w))
        out = answer(w, "", "", "3")
        assert "[tiny-here]" in out, out
        assert value(w, "openai.model") == "tiny-here" and value(w, "budget.day_usd") == 3
        os.remove(config_of(w))
        w.env["OPENROUTER_API_KEY"] = "sk-or-0123456789"    # a key goes before a server
        done = w.run("init")
        assert value(w, "llm.provider") == "openrouter" and value(w, "openai.url") is None
        assert "[openrouter] model" in done.out and "secrets set" not in done.out, done.out
    server.shutdown()


def flags_are_answers():
    with World() as w:
        done = w.json("init", "--provider", "ollama", "--model", "m:1", "--day-usd", "2.50",
                      "--set", "up.workers=3", "--set", "llm.fallback=no")
        assert done == {"file": config_of(w), "provider": "ollama", "model": "m:1", "day_usd": 2.5}
        assert value(w, "up.workers") == 3 and value(w, "llm.fallback") is False
        assert value(w, "llm.provider") == "ollama" and value(w, "budget.day_usd") == 2.5
        for words, want in ((("--day-usd", "much"), "must be a number"), (("--provider", "olama"), "did you mean"),
                            (("--set", "up.workrs=3"), "did you mean"), (("--set", "openai.api_key=k"), "secrets set"),
                            (("--set", "up.workers=0"), "must be a whole number")):
            assert want in w.run("init", "--force", *words, code=2).err, words
        assert value(w, "up.workers") == 3


def a_limit_in_dollars_wants_a_price():
    words = "put the price of"
    for provider, model, told in (("openrouter", "nobody/knows-it", True), ("ollama", "nobody-knows-it", False),
                                  ("anthropic", "claude-sonnet-4-5", False)):
        with World() as w:
            call = ("init", "--force", "--provider", provider, "--model", model)
            assert (words in w.run(*call, "--day-usd", "5").out) == told, model
            assert words not in w.run(*call).out


def a_broken_file_is_written_anew():
    with World() as w:
        os.makedirs(w.env["SPARKS_HOME"])
        with open(config_of(w), "w", encoding="utf-8") as file:
            file.write("[llm\n")
        w.run("ghosts", code=78)
        w.run("init", "--force")
        assert value(w, "llm.provider") is None


def a_repository_proposes_nothing():
    with World() as w:
        w.write("config.toml", '[llm]\nprovider = "ollama"\n[openai]\nmodel = "evil"\n')
        assert w.json("init")["provider"] == "openai"
        with open(config_of(w), encoding="utf-8") as file:
            assert "evil" not in file.read()


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
        assert "scout" in bash(w, "sparks", "ghosts", "show", "s")
        assert bash(w, "sparks", "ghosts", "sh") == ["show", ""]
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
     on_a_terminal_three_questions, a_budget_is_asked_for, what_is_typed_is_meant, what_is_typed_stays_toml,
     a_server_that_is_here_is_proposed, flags_are_answers, a_limit_in_dollars_wants_a_price, a_broken_file_is_written_anew,
     a_repository_proposes_nothing, bash_knows_values, fish_knows_values, zsh_knows_values,
     values_are_quick)
