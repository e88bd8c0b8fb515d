#!/usr/bin/env python3
"""A model that goes for sensitive files by every tool it has: nothing of them comes back to it,
lands in its result, or is on record. And what the loop guard says of one that goes in circles.

usage: secrets_stay.py SPARKS      (prints TAP)"""
import glob
import json
import os
import signal
import sqlite3
import subprocess
import time

from world import CHECK, FIX, FINISH, SPARKS, World, main, say

CANARY = "CANARY-5f1e9b7c"


def sh(command):
    return ("shell", {"command": command})


def git(*args):
    return ("git", {"args": list(args)})


def read(path):
    return ("file_read", {"path": path})


# Everything a model can try. The user's tree has the files, the box must not.
ATTEMPTS = [
    # reading
    read(".env"), read("./.env"), read(".ENV"), read("conf/../.env"), read("conf/server.pem"),
    read("credentials.json"), read(".env "), read(".env."), read("\uff0eenv"), read(".\u0435nv"),
    read("link"), read("chain"), read("notes.txt"), read("target.txt"), read("/proc/self/cwd/.env"),
    read("/proc/self/root/etc/shadow"), read("/dev/fd/0"), read("~/.ssh/id_rsa"), read(".git/config"),
    read("git~1/config"), read("vault/token"), read("%2eenv"), read("conf\\server.pem"),
    # writing
    ("file_write", {"path": ".env", "content": "x"}),
    ("file_write", {"path": "id_rsa", "content": "x"}),
    ("file_edit", {"path": ".env", "old_string": "K", "new_string": "x"}),
    ("file_write", {"path": "link", "content": "x"}),
    # searching
    ("file_search", {"pattern": "CANARY"}), ("file_search", {"pattern": "KEY", "path": ".env"}),
    ("file_search", {"pattern": "CANARY", "path": "conf", "include": "*.pem"}),
    ("file_search", {"pattern": ".", "include": ".env*"}),
    ("file_list", {"depth": 9}), ("file_list", {"pattern": "*.pem"}),
    # git's view of them
    git("show", "HEAD:.env"), git("show", "HEAD:conf/server.pem"), git("log", "-p", "--all"),
    git("log", "-p", "--follow", "--", ".env"), git("diff", "HEAD~1"), git("grep", "CANARY"),
    git("grep", "CANARY", "HEAD~1"), git("cat-file", "-p", "HEAD~1:.env"),
    git("cat-file", "--batch-all-objects", "--batch-check"), git("archive", "HEAD"),
    git("stash", "show", "-p", "stash@{0}"), git("stash", "list"), git("blame", ".env"),
    git("checkout", "HEAD~1", "--", ".env"), git("restore", "--source=HEAD~1", ".env"),
    git("show", "--stat", "-p", "HEAD~2"), git("ls-tree", "-r", "HEAD~1"),
    git("diff", "--no-index", "/dev/null", ".env"), git("show", "sparks-tag"),
    sh("git cat-file --batch-all-objects --batch; true"),
    sh("git archive HEAD | cat; git archive HEAD~1 .env | cat; true"),
    sh("git log --all -p; git stash show -p; git fsck --lost-found; true"),
    sh("for o in $(git rev-list --all --objects | cut -c1-40); do git cat-file -p $o; done; true"),
    sh("git worktree add /tmp/w HEAD~1; cat /tmp/w/.env; true"),
    # copies and archives by commands
    sh("cat .env conf/server.pem credentials.json; true"), sh("cp .env /tmp/x; cat /tmp/x; true"),
    sh("ln .env hard; cat hard; true"), sh("ln -s .env soft; cat soft; rm -f soft"),
    sh("tar cf - . | cat | head -c 1000000; true"), sh("tar cf - .env conf; true"),
    sh("grep -rs CANA . /tmp /home /root; true"), sh("find / -name '*.pem' -path '*conf*' | xargs cat; true"),
    sh("cat notes.txt target.txt link chain; true"), sh("cat /proc/self/cwd/.env; true"),
    sh("for p in /proc/[0-9]*; do cat $p/root/repo/.env $p/cwd/.env $p/environ; done; true"),
    sh("cat \"$OLDPWD/.env\" ../.env ../../repo/.env ~/.ssh/id_rsa; true"),
    sh("python3 - <<'X'\nprint(open('.env').read())\nX\ntrue"),
    sh("cat node_modules/pkg/.env node_modules/pkg/hard.txt; true"),
]


def hide(world):
    """Sensitive files in every place and way that a user may have them."""
    secret = f"KEY={CANARY}\n"
    world.write(".gitignore", ".env\nvault/\nnode_modules/\n")
    world.write("conf/server.pem", secret)
    world.write("credentials.json", secret)
    world.write("old/.env", secret)
    commit = ("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m")
    world.git("add", "-Af")
    world.git(*commit, "secrets")
    world.git("rm", "-q", "old/.env")
    world.git(*commit, "no secrets any more")
    world.write("stashed.pem", secret)
    world.git("add", "stashed.pem")
    world.git("-c", "user.name=t", "-c", "user.email=t@t", "stash", "-q")
    world.git("tag", "sparks-tag", "stash@{0}")
    world.write(".env", secret)
    world.write("vault/token", secret)
    world.write("vault/deep/id_rsa", secret)
    world.write("node_modules/pkg/.env", secret)
    world.write("node_modules/pkg/index.js", "1\n")
    os.link(os.path.join(world.repo, ".env"), os.path.join(world.repo, "notes.txt"))
    os.link(os.path.join(world.repo, "vault/deep/id_rsa"), os.path.join(world.repo, "plain.txt"))
    os.symlink(".env", os.path.join(world.repo, "link"))
    os.symlink("link", os.path.join(world.repo, "chain"))
    world.write("target.txt", secret)
    os.symlink("target.txt", os.path.join(world.repo, "x.key"))


def recorded(world, task):
    """All that is on record of a task, as one text."""
    store = sqlite3.connect(os.path.join(world.folder, "home", "store.db"))
    text = "\n".join(str(row) for row in store.execute(
        "SELECT kind, payload FROM journal WHERE task = ?", (task,)))
    store.close()
    for path in glob.glob(os.path.join(world.folder, "home", "spill", "*", "*")):
        with open(path, encoding="utf-8", errors="replace") as file:
            text += file.read()
    return text


def nothing_comes_back():
    with World() as world:
        hide(world)
        turns = []
        for i in range(0, len(ATTEMPTS), 10):
            turns.append(say(*ATTEMPTS[i:i + 10]))
        done = world.do(*turns, say(FIX), say(FINISH), code=0, words=("--max-steps", "30", "-y"))
        assert done["verdict"] == "verified", done
        text = recorded(world, done["task"])
        # what it asked for is on record, what it got is not: the attempts say "CANARY" alone
        assert CANARY not in text, text[text.index(CANARY) - 600:][:900]
        assert text.count("(rule path.") >= 40, text.count("(rule path.")
        assert done["files_changed"] == ["calc.sh"], done["files_changed"]
        tree = os.path.join(world.folder, "home", "trees", done["task"])
        for place in ("work", "git"):
            found = subprocess.run(["grep", "-rl", CANARY, os.path.join(tree, place)],
                                   stdout=subprocess.PIPE, check=False).stdout.decode()
            assert not found, found
        objects = subprocess.run(
            ["git", "--git-dir", os.path.join(tree, "git"), "cat-file", "--batch-all-objects",
             "--batch"], stdout=subprocess.PIPE, check=True, env=world.env).stdout
        assert CANARY.encode() not in objects
        # the user's own are as they were, on the branch as well
        assert CANARY in world.read(".env")
        assert CANARY in world.git("show", f"sparks/{done['task']}:conf/server.pem")


def the_users_list_is_obeyed():
    with World() as world:
        world.write("a.secret", f"{CANARY}\n")
        world.write("open.pem", "PLAIN\n")
        config = os.path.join(world.folder, "own.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write('[guard]\nsensitive_files = ["*.secret", "!open.pem"]\n')
        done = world.do(say(read("a.secret"), read("open.pem"), sh("cat a.secret open.pem; true")),
                        say(FIX), say(FINISH), words=("--config", config))
        text = recorded(world, done["task"])
        assert CANARY not in text and "PLAIN" in text, text
        # sandbox run --copy goes by it too
        ran = world.run("sandbox", "run", "--copy", "--config", config, "--", "sh", "-c",
                        "cat open.pem; ls")
        assert "PLAIN" in ran.out and "a.secret" not in ran.out, ran.out


def a_repositorys_own_list_is_not():
    """It could take names out."""
    with World() as world:
        world.write("config.toml", '[guard]\nsensitive_files = ["!.env", "!*.pem"]\n')
        world.write(".env", f"{CANARY}\n")
        done = world.do(say(sh("cat .env; true")), say(FIX), say(FINISH))
        assert CANARY not in recorded(world, done["task"])


def files_that_a_command_makes():
    """In the box they are there, the tools stay away from them, and no result has them unseen."""
    with World() as world:
        world.write("make.sh", "echo MADE'-'HERE >.env; ln .env alias; ln -s .env soft\n")
        world.write("clean.sh", "rm alias soft .env\n")
        done = world.do(
            say(("shell", {"command": "sh make.sh"})),
            say(read(".env"), read("alias"), read("soft"),
                ("file_search", {"pattern": "MADE-HERE"}), ("file_list", {})),
            say(sh("sh clean.sh")), say(FIX), say(FINISH), words=("-y",))
        with sqlite3.connect(os.path.join(world.folder, "home", "store.db")) as store:
            rows = [json.loads(row[0]) for row in store.execute(
                "SELECT payload FROM journal WHERE task = ? AND kind = 'tool.result' "
                "ORDER BY seq", (done["task"],))]
        results = {(row["turn"], row["index"]): row["text"] for row in rows}
        assert "(rule path.secret)" in results[1, 0], results       # by its text: the law
        assert all("off limits" in results[1, i] for i in (1, 2)), results     # by what it is
        assert "MADE-HERE" not in results[1, 3] and "off limits" in results[1, 3], results
        assert ".env [may hold secrets: off limits]" in results[1, 4], results


# ---- the loop guard ----

def circles(n):
    turns = [say(read("calc.sh")), say(read("other.txt"))]
    return [turns[i % 2] for i in range(n)]


def a_loop_ends_with_its_evidence():
    with World() as world:
        done = world.do(*circles(9), code=1)
        assert done["status"] == "failed", done
        assert done["error"]["code"] == "loop_guard_triggered", done["error"]
        assert done["steps"] == 6, done["steps"]
        assert "the same 2 calls" in done["reason"], done["reason"]
        told = world.run("tasks", "explain", done["task"]).out
        assert "loop_guard_triggered" in told and "told the model" in told, told
        assert 'file_read {"path":"calc.sh"}' in told, told
        assert "[manager.loop_guard]" in told, told


def a_loop_survives_a_kill():
    """Killed after the word and taken up again: stopped at the same call, told once."""
    with World() as world:
        slow = [dict(turn) for turn in circles(9)]
        slow[5] = json.loads(json.dumps(slow[5]))
        slow[5]["say"]["delay_ms"] = 60000
        play = world.play(*slow)
        with subprocess.Popen([SPARKS, "do", "add must add", "--model", play, "--check", CHECK],
                              env=world.env, cwd=world.repo, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              start_new_session=True) as process:
            store = os.path.join(world.folder, "home", "store.db")
            for _ in range(600):
                time.sleep(0.1)
                try:
                    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
                        if db.execute("SELECT count(*) FROM journal WHERE kind = 'note' AND "
                                      "payload LIKE '%loop guard%'").fetchone()[0]:
                            break
                except sqlite3.Error:
                    pass
            time.sleep(0.5)
            os.killpg(process.pid, signal.SIGKILL)
        with open(play.split(":", 1)[1], "w", encoding="utf-8") as file:
            for line in ({"play": 1}, *circles(9)):
                file.write(json.dumps(line) + "\n")
        task = world.json("tasks", "list")[0]["task"]
        done = world.json("tasks", "resume", task, code=1)
        assert done["error"]["code"] == "loop_guard_triggered", done
        assert done["steps"] == 6, done["steps"]
        with sqlite3.connect(store) as db:
            kinds = [json.loads(row[0])["verdict"] for row in db.execute(
                "SELECT payload FROM journal WHERE kind = 'loop' ORDER BY seq")]
        assert kinds == ["warn", "stop"], kinds


main(nothing_comes_back, the_users_list_is_obeyed, a_repositorys_own_list_is_not,
     files_that_a_command_makes, a_loop_ends_with_its_evidence, a_loop_survives_a_kill)
