#!/usr/bin/env python3
"""The task commands: shapes of JSON, exit codes, apply and undo, export and replay.

usage: tasks.py SPARKS      (prints TAP)"""
import http.server
import json
import os
import sqlite3
import subprocess
import threading
import time

from world import CHECK, FINISH, FIX, SPARKS, World, main, say

KEYS = ["task", "goal", "spark", "status", "verdict", "verified", "reason", "summary", "branch",
        "commit", "base", "checks", "critic", "setup", "memory", "files_changed", "risky_files", "steps", "tokens", "cost_usd",
        "tier", "seconds", "error"]


def do_gives_the_pinned_object():
    with World() as w:
        report = w.do(say(FIX), say(FINISH))
        assert list(report) == KEYS, list(report)
        assert (report["status"], report["verdict"], report["verified"]) == \
            ("done", "verified", True)
        assert [(c["phase"], c["exit_code"]) for c in report["checks"]] == \
            [("before", 1), ("after", 0)]
        assert report["files_changed"] == ["calc.sh"] and report["error"] is None
        assert report == w.json("tasks", "show", report["task"])
        assert "$1 - $2" in w.read("calc.sh")


def dispatch_is_the_same():
    with World() as w:
        model = w.play(say(FIX), say(FINISH))
        report = w.json("dispatch", "--goal", "add", "--model", model, "--check", CHECK,
                        "--ghost", "coder", "--lane", "delivery", "--risk", "low",
                        "--repo", "a-label")
        assert report["verdict"] == "verified"


def exit_codes():
    with World() as w:
        w.do(say(FIX), say(FINISH))
        lie = [say(FINISH), say(FINISH), say(FINISH)]
        report = w.do(*lie, code=1)
        assert report["status"] == "rolled_back" and report["verdict"] == "failed"
        for words in (("explain", report["task"]), ("show", report["task"]), ("list",)):
            assert "rolled back" in w.run("tasks", *words).out
        model = w.play(say(("file_write", {"path": "x", "content": "x"})), say(FINISH))
        w.run("do", "x", "--model", model, "--repo", w.folder, code=3)
        same = w.play(say(("file_write", {"path": "x", "content": "x"})), say(FINISH))
        regression = ("do", "x", "--model", same, "--check", "true")
        w.run(*regression, code=0)
        w.run(*regression, "--strict", code=3)
        gone = w.play({"say": {"error": {"status": 401, "message": "no"}}})
        assert w.json("do", "x", "--model", gone, code=69)["error"]["code"] == "provider_auth"
        w.run("do", "x", "--model", w.play({"say": {**say(("file_list", {}))["say"],
                                                    "repeat": True}}),
              "--max-steps", "2", code=75)


def refused_before_anything_is_queued():
    with World() as w:
        play = w.play(say(FINISH))
        error = w.json("do", "x", code=78)["error"]
        assert error["code"] == "config" and "sparks demo" in error["hint"]
        assert "OPENAI_API_KEY" in error["hint"] and "sparks init" in error["hint"]
        w.run("do", code=2)
        w.run("do", "a", "b", code=2)
        w.run("do", "a", "--goal", "b", "--model", play, code=2)
        w.run("do", "x", "--model", play, "--spark", "coderr", code=2)
        w.run("do", "x", "--model", play, "--repo", "/no/such/folder", code=2)
        w.run("do", "x", "--model", "script:/no/such.play", code=2)
        gone = subprocess.run(["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$0" do x "$@"',
                               SPARKS, "--model", play], cwd=w.folder, env=w.env, check=False,
                              capture_output=True, text=True)
        assert gone.returncode == 2 and "current folder" in gone.stderr, gone
        w.run("do", "x", "--model", play, "--auto-store", "", code=2)
        w.run("do", "x", "--model", play, "--cli-tool", "vim", code=2)
        w.run("tasks", "show", "0000", code=2)
        w.run("tasks", "list", "--state", "bogus", code=2)
        for setting in ("openai.url=ftp://x", "openai.url=https://chatgpt.com/backend-api/codex",
                        "llm.provider=openrouter", "llm.provider=anthropic"):
            w.run("do", "x", "--set", "openai.url=http://127.0.0.1:1", "--set", setting, code=78)
        report = w.json("do", "x", "--model", play, "--set", "box.backend=docker", "--set",
                        "docker.socket_path=/no/such.sock", code=69)
        assert report["error"]["code"] == "engine_unavailable", report
        for setting in ("box.require_tier=native-full",):
            words = ("do", "x", "--model", play, "--set", setting, "--set", "box.tier=native")
            report = w.json(*words, code=77)
            assert list(report) == KEYS and report["task"] is None and report["goal"] == "x"
            assert report["error"]["code"] == "box_tier" and report["checks"] == []
            w.run(*words, "--detach", code=77)
            w.run("up", "--set", setting, "--set", "box.tier=native", code=77)
        for model in ("script:", ""):
            assert w.json("do", "x", "--model", model, code=2)["error"]["code"] == "usage"
        assert w.json("tasks", "list") == []


def a_check_that_cannot_run():
    with World() as w:
        report = w.json("do", "x", "--model", w.play(say(FINISH)), "--check", "no-such-tester -q",
                        code=2)
        assert report["status"] == "failed" and report["steps"] == 0
        assert "no-such-tester is not in the sandbox's PATH" in report["error"]["message"]
        told = w.run("tasks", "explain", report["task"]).out
        assert "It is failed." in told and "--check" in told
        began = time.monotonic()     # nor one that would outlast the task
        report = w.json("do", "x", "--model", w.play(say(FINISH)), "--check", "sleep 60",
                        "--timeout-secs", "2", code=75)
        assert "2 s are over" in report["error"]["message"], report
        assert time.monotonic() - began < 20


def list_is_newest_first():
    with World() as w:
        first, second = w.fixed(), w.fixed(goal="again")
        tasks = w.json("tasks", "list")
        assert [t["task"] for t in tasks] == [second, first]
        assert list(tasks[0]) == [k for k in KEYS if k not in ("checks", "memory")]
        assert len(w.json("tasks", "list", "--limit", "1")) == 1
        assert w.json("tasks", "list", "--state", "failed") == []
        assert "again" in w.run("tasks", "list").out


def diff_log_and_explain():
    with World() as w:
        task = w.fixed()
        diff = w.run("tasks", "diff", task).out
        w.run("tasks", "diff", task[:9])
        assert "-\techo $(($1 - $2))\n+\techo $(($1 + $2))\n" in diff
        stat = w.json("tasks", "diff", task, "--stat")["files"]
        assert stat == [{"path": "calc.sh", "status": "M", "added": 1, "removed": 1}]
        entries = [json.loads(line) for line in
                   w.run("tasks", "log", task, "--json").out.splitlines()]
        assert [e["seq"] for e in entries] == list(range(1, len(entries) + 1))
        assert entries[0]["kind"] == "accepted"
        assert set(entries[0]) == {"seq", "time", "kind", "effect", "payload"}
        followed = w.run("tasks", "log", task, "--json", "--follow").out.splitlines()
        assert len(followed) == len(entries)
        story = " ".join(w.run("tasks", "explain", task).out.split())
        for part in ("add must add", "verified", "exit 1", f"sparks tasks apply {task}"):
            assert part in story, story


def apply_and_undo():
    with World() as w:
        w.write("mine.txt", "unsaved\n")
        task = w.fixed()
        before = w.git("status", "--porcelain")
        w.run("tasks", "undo", task, code=1)
        planned = w.json("tasks", "apply", task, "--dry-run")
        assert planned["written"] == ["calc.sh"] and "$1 - $2" in w.read("calc.sh")
        done = w.json("tasks", "apply", task)
        assert list(done) == ["task", "action", "written", "merged", "conflicts", "commit",
                              "error"]
        assert "$1 + $2" in w.read("calc.sh")
        assert "already" in w.run("tasks", "apply", task, code=1).err
        assert f"tasks undo {task}" in w.run("tasks", "show", task).out
        assert w.json("tasks", "undo", task)["written"] == ["calc.sh"]
        assert w.git("status", "--porcelain") == before and w.read("mine.txt") == "unsaved\n"
        w.run("tasks", "undo", task, code=1)
        w.run("tasks", "apply", task)
        w.write("calc.sh", "something else\n")
        error = w.json("tasks", "undo", task, code=1)
        assert error["error"]["code"] == "conflict" and w.read("calc.sh") == "something else\n"


def an_apply_that_was_cut_off():
    """The journal as a kill between the last file and the result leaves it."""
    with World() as w:
        task = w.fixed()
        w.run("tasks", "apply", task)
        with sqlite3.connect(os.path.join(w.env["SPARKS_HOME"], "store.db")) as db:
            db.execute("DELETE FROM journal WHERE kind = 'apply.result'")
        db.close()
        shown = w.run("tasks", "show", task).out
        assert "interrupted" in shown and f"sparks tasks apply {task}" in shown, shown
        w.run("tasks", "apply", task)
        assert "$1 + $2" in w.read("calc.sh")
        assert w.json("tasks", "undo", task)["written"] == ["calc.sh"]
        assert "$1 - $2" in w.read("calc.sh")
        w.run("tasks", "undo", task, code=1)


def apply_conflicts_change_nothing():
    with World() as w:
        task = w.fixed()
        w.write("calc.sh", "add() {\n\techo $(($1 * $2))\n}\n")
        result = w.json("tasks", "apply", task, code=1)
        assert result["conflicts"] and result["error"]["code"] == "conflict"
        assert "$1 * $2" in w.read("calc.sh")
        w.run("tasks", "undo", task, code=1)
        marked = w.run("tasks", "apply", task, "--markers")
        assert "1 file has conflict markers" in marked.err and "conflict calc.sh" in marked.out
        assert "<<<<<<<" in w.read("calc.sh")
        assert "begins; what undo needs" in w.run("tasks", "log", task).out


def a_branch_in_the_way_of_the_result():
    with World() as w:
        w.git("branch", "sparks")
        report = w.do(say(FIX), say(FINISH), code=4)
        assert (report["status"], report["error"]["code"]) == ("paused", "conflict"), report
        w.git("branch", "-m", "sparks", "mine")
        report = w.json("tasks", "resume", report["task"])
        assert report["verdict"] == "verified", report
        assert w.git("rev-parse", report["branch"]).strip() == report["commit"]


def do_apply():
    with World() as w:
        report = w.do(say(FIX), say(FINISH), words=["--apply"])
        assert "$1 + $2" in w.read("calc.sh")
        w.run("tasks", "undo", report["task"])
        assert "$1 - $2" in w.read("calc.sh")
        w.do(say(FINISH), say(FINISH), say(FINISH), words=["--apply"], code=1)
        assert "$1 - $2" in w.read("calc.sh")


def risky_files_need_a_yes():
    with World() as w:
        ci = ("file_write", {"path": ".github/workflows/ci.yml", "content": "on: push\n"})
        report = w.do(say(FIX, ci), say(FINISH), words=["--apply"], code=4)
        assert report["status"] == "done" and "$1 - $2" in w.read("calc.sh")
        assert report["error"]["code"] == "approval_pending"
        assert report["risky_files"] == [".github/workflows/ci.yml"]
        refused = w.run("tasks", "apply", report["task"], code=4)
        assert ".github/workflows/ci.yml" in refused.err
        # -y never answers what taint asks for; an answer to the question does, and to nothing else
        w.run("-y", "tasks", "apply", report["task"], code=4)
        assert not os.path.exists(os.path.join(w.repo, ".github"))
        asked = w.json("approvals", "list")
        assert len(asked) == 1 and asked[0]["tool"] == "apply", asked
        w.run("approvals", "allow", asked[0]["id"])
        w.run("tasks", "apply", report["task"])
        assert w.read(".github/workflows/ci.yml") == "on: push\n"


def a_plain_folder():
    with World(git=False) as w:
        report = w.do(say(FIX), say(FINISH))
        assert report["branch"] is None and report["verified"]
        w.run("tasks", "apply", report["task"])
        assert "$1 + $2" in w.read("calc.sh")


def export_and_replay():
    with World() as w:
        w.env["MY_API_KEY"] = "correct-horse-battery"
        leak = ("shell", {"command": "echo correct-horse-battery"})
        task = w.do(say(leak, text="key sk-abcdefghijklmnop1234"), say(FIX), say(FINISH))["task"]
        play = os.path.join(w.folder, "out.play")
        w.run("tasks", "export", task, "-o", play)
        with open(play, encoding="utf-8") as file:
            text = file.read()
        assert text == w.run("tasks", "export", task).out
        assert "correct-horse" not in text and "sk-abc" not in text and "[redacted" in text
        assert json.loads(text.splitlines()[0])["repo"]["files"]["calc.sh"]
        w.git("rm", "-q", "-r", "--cached", ".")    # the play has its own files
        assert w.json("tasks", "replay", play)["same"] is True
        assert w.json("tasks", "replay", task)["same"] is True
        with open(play, "w", encoding="utf-8") as file:
            file.write(text.replace('"verdict":"verified"', '"verdict":"review"'))
        difference = w.json("tasks", "replay", play, code=1)["difference"]
        assert difference == {"where": "verdict", "expected": "review", "got": "verified"}
        with open(play, "w", encoding="utf-8") as file:
            file.write(text.replace('"prefix":"', '"prefix":"0'))
        assert w.json("tasks", "replay", play, code=1)["difference"]["where"] == "request"
        with open(play, "w", encoding="utf-8") as file:
            file.write(text.replace("$1 + $2", "$2 + $1"))
        assert w.json("tasks", "replay", play, code=1)["difference"]["where"] == "final tree"
        assert len(w.json("tasks", "list")) == 1
        w.run("tasks", "replay", "/no/such.play", code=2)


def ghosts_and_doctor():
    with World() as w:
        lines = w.run("ghosts").out.splitlines()
        assert [line.split(" — ")[0] for line in lines] == ["coder", "scout"]
        assert not os.path.exists(os.path.join(w.folder, "home", "store.db"))
        w.fixed()
        stats = {g["name"]: g["stats"] for g in w.json("ghosts", "--stats")}
        assert stats["coder"] == {"tasks": 1, "done": 1, "verified": 1}
        report = w.json("doctor", "--skip-llm")
        assert list(report) == ["schema_version", "generated_at", "summary", "checks"]
        status = {c["id"]: c["status"] for c in report["checks"]}
        assert status["store"] == status["git"] == "PASS" and status["model"] == "WARN"
        w.run("doctor", "--skip-llm", "--ci")
        w.run("doctor", "--skip-llm", "--fail-on-warn", code=1)
        w.run("doctor", "--security")
        with open(os.path.join(w.folder, "home", "store.db"), "r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * 4096)
        w.run("doctor", "--skip-llm", "--ci", code=1)


class NoModels(http.server.BaseHTTPRequestHandler):
    """A server that answers, but has no /models."""

    def do_GET(self):
        self.send_error(404)

    def log_message(self, *_):
        pass


def model_of(report):
    return next(check for check in report["checks"] if check["id"] == "model")


def doctor_and_the_model():
    """On a fresh machine there is no model yet: a warning with the ways to go on."""
    with World() as w:
        fresh = w.run("doctor")
        row = " ".join(fresh.out[fresh.out.index("model "):].split())
        assert "WARN" in fresh.out and "OPENAI_API_KEY" in row and "sparks demo" in row
        server = http.server.HTTPServer(("127.0.0.1", 0), NoModels)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"openai.url=http://127.0.0.1:{server.server_port}"
        found = model_of(w.json("doctor", "--ci", "--set", url))
        server.shutdown()
        server.server_close()
        assert found["status"] == "WARN"
        assert "no /models" in found["observed"] and "/v1" in found["remediation"]
        gone = model_of(w.json("doctor", "--ci", "--set", url, code=1))
        assert gone["status"] == "FAIL"


def a_task_outlives_its_configuration():
    """A key that the next shell lacks, a model's name mistyped: it pauses, and goes on with
    another one."""
    with World() as w:
        w.run("do", "x", "--check", CHECK, "--set", "openai.url=http://127.0.0.1:1", "--set",
              "llm.max_retries=0", code=69)
        task = w.json("tasks", "list")[0]["task"]
        again = w.run("tasks", "resume", task, code=78)
        assert "no model is configured" in again.out and "tasks resume" in again.out, again.out
        assert w.json("tasks", "show", task)["status"] == "paused"
        report = w.json("tasks", "resume", task, "--model", w.play(say(FIX), say(FINISH)))
        assert report["verdict"] == "verified" and report["error"] is None, report
        shown = w.run("tasks", "show", task).out
        assert "no model" not in shown and "127.0.0.1:1" not in shown, shown


main(do_gives_the_pinned_object, dispatch_is_the_same, exit_codes,
     refused_before_anything_is_queued, a_check_that_cannot_run, list_is_newest_first,
     diff_log_and_explain, apply_and_undo, an_apply_that_was_cut_off,
     apply_conflicts_change_nothing, a_branch_in_the_way_of_the_result, do_apply,
     risky_files_need_a_yes, a_plain_folder, export_and_replay, ghosts_and_doctor,
     doctor_and_the_model, a_task_outlives_its_configuration)
