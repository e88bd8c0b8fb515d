#!/usr/bin/env python3
"""`sparks sandbox`: run, probe, explain, as people and scripts call them. Prints TAP."""
import json
import os
import pty
import subprocess
import time

from world import CHECK, FINISH, SPARKS, World, main, say

KEYS = {"exit_code", "signal", "timed_out", "tier", "seconds", "rss_max", "stdout", "stderr",
        "truncated", "blocked", "refused", "untold"}


def boxed(w, *words, code=0, **more):
    return w.run("sandbox", "run", *words, code=code, **more)


def output_input_and_exit_code_are_the_commands():
    with World() as w:
        done = boxed(w, "--", "sh", "-c", "pwd; echo bad >&2; exit 7", code=7)
        assert (done.out, done.err) == (w.repo + "\n", "bad\n"), (done.out, done.err)
        done = boxed(w, "sh", "-c", "echo $1", "sh", "--json")     # words of a command are its own
        assert done.out == "--json\n", done.out
        text = bytes(range(256)) * 5000
        assert subprocess.run([SPARKS, "sandbox", "run", "--", "cat"], env=w.env, cwd=w.repo, input=text,
                              stdout=subprocess.PIPE, check=True, timeout=60).stdout == text
    with World() as w:
        boxed(w, "--", "no-such-command", code=127)
        boxed(w, "--", "./other.txt", code=126)
        boxed(w, "--", "sh", "-c", "kill -TERM $$", code=143)
        done = boxed(w, "--set", "box.timeout_secs=1", "--", "sleep", "60", code=124)
        assert "timeout" in done.err and "sandbox explain" in done.err, done.err


def it_writes_into_the_folder_and_nowhere_else():
    with World() as w:
        boxed(w, "--", "sh", "-c", "echo new >made; echo x >../outside || true")
        assert w.read("made") == "new\n" and not os.path.exists(w.folder + "/outside")
        other = os.path.join(w.folder, "other")
        os.mkdir(other)
        boxed(w, "--dir", other, "--", "touch", "here")
        assert os.listdir(other) == ["here"]


def a_copy_is_thrown_away():
    with World() as w:
        w.write(".env", "KEY=1\n")
        done = boxed(w, "--copy", "--", "sh", "-c", "rm -rf * .env; pwd; git status --short | wc -l")
        assert done.out.split() == [w.repo, "3"], done.out
        assert w.read("calc.sh") and w.read(".env")
        assert os.listdir(os.path.join(w.env["SPARKS_HOME"], "trees")) == []
        os.mkdir(w.repo + "/sub")
        w.write("sub/file", "x")
        done = boxed(w, "--copy", "--dir", w.repo + "/sub", "--", "sh", "-c", "pwd; ls; ls ..; ls -a .. | grep env || true")
        assert done.out.split() == [w.repo + "/sub", "file", "calc.sh", "other.txt", "sub",
                                    "test.sh"], done.out


def json_is_one_object():
    with World() as w:
        one = json.loads(boxed(w, "--json", "--", "sh", "-c", "echo out; echo err >&2; exit 3",
                               code=3).out)
        assert set(one) == KEYS, one
        assert (one["stdout"], one["stderr"], one["exit_code"], one["blocked"]) == (
            "out\n", "err\n", 3, []), one
        one = json.loads(boxed(w, "--json", "--", "sh", "-c", "kill -9 $$", code=137).out)
        assert (one["exit_code"], one["signal"]) == (137, 9), one
        done = boxed(w, "--json", "--set", "box.timeout_secs=1", "--", "sleep", "9", code=124)
        one = json.loads(done.out)
        assert one["timed_out"] and one["blocked"][0]["rule"] == "timeout", one
        done = boxed(w, "--json", "--set", "box.fsize_bytes=1048576", "--", "dd", "if=/dev/zero",
                     "of=big", "bs=64k", "count=100", code=153)
        assert json.loads(done.out)["blocked"][0]["rule"] == "fsize", done.out
        one = json.loads(boxed(w, "--json", "--", "sh", "-c", "yes | head -c 3000000").out)
        assert one["truncated"] and len(one["stdout"]) == 1 << 20, one["truncated"]


def a_flood_of_output_is_ended():
    with World() as w:
        begun = time.monotonic()
        one = json.loads(boxed(w, "--json", "--", "yes", code=137).out)
        assert one["blocked"][0]["rule"] == "output" and one["truncated"], one["blocked"]
        begun = time.monotonic() - begun
        assert begun < 20, begun


def nothing_runs_without_its_walls():
    with World() as w:
        done = boxed(w, "--set", "box.tier=native", "--set", "box.require_tier=native-full", "--", "touch", "ran", code=125)
        assert "require_tier" in done.err, done.err
        one = json.loads(boxed(w, "--json", "--set", "box.tier=native", "--set", "box.require_tier=native-full", "--", "touch",
                               "ran", code=125).out)
        assert one["error"]["code"] == "box_tier", one
        for words, says in ((("--allow", "127.1", "--", "true"), "--allow"),
                            (("--dir", "/nowhere", "--", "true"), "/nowhere"),
                            (("--dir", w.repo + "/calc.sh", "--", "true"), "not a folder"),
                            (("--spark", "nobody", "--", "true"), "there is no spark"),
                            (("--dir", "/", "--", "true"), "may change"),
                            (("--dir", w.folder, "--", "true"), "may change"),
                            (("--dir", w.env["SPARKS_HOME"], "--", "true"), "may change"), ((), "missing")):
            if words[:2] == ("--dir", w.folder):
                boxed(w, "--", "true")      # makes SPARKS_HOME
            done = boxed(w, *words, code=2)
            assert says in done.err, (words, done.err)
        assert not os.path.exists(w.repo + "/ran")


def a_host_that_is_not_allowed_is_named():
    with World() as w:
        one = json.loads(boxed(w, "--json", "--allow", "example.com", "--", "sh", "-c", "curl -sS http://example.org/").out)
        assert "example.org:80 is not among the allowed hosts" in one["stdout"], one
        assert one["blocked"] == [{"rule": "network", "what": "example.org:80 is not among the allowed hosts"}], one
        done = boxed(w, "--set", "box.allow=example.com", "--", "curl", "-sS", "-o", "/dev/null", "https://example.net/", code=56)
        assert "network: example.net:443 is not among" in done.err, done.err


def the_git_folder_stays_as_it_is():
    with World() as w:
        hook = "printf '#!/bin/sh\\ntouch /tmp/x' >.git/hooks/pre-commit"
        done = boxed(w, "--", "sh", "-c", "git config core.fsmonitor ./evil; " + hook +
                     "; mv .git aside; rm -rf .git; git log --format=%s; touch made")
        assert "start" in done.out, done.out
        assert "fsmonitor" not in w.read(".git/config")
        assert not os.path.exists(w.repo + "/.git/hooks/pre-commit") and w.read("made") == ""
        assert w.git("status", "--short") == "?? made\n"
        done = boxed(w, "--set", "box.tier=landlock", "--", "touch", "never", code=125)
        assert ".git" in done.err and "--copy" in done.err, done.err
        boxed(w, "--copy", "--set", "box.tier=landlock", "--", "touch", "never")
        assert not os.path.exists(w.repo + "/never")
    with World(git=False) as w:
        done = boxed(w, "--", "git", "init", "-q", ".")
        assert "the command made" in done.err and ".git" in done.err, done.err


def a_reading_spark_cannot_write():
    with World() as w:
        done = boxed(w, "--spark", "scout", "--", "touch", "new", code=1)
        assert "Read-only" in done.err or "denied" in done.err, done.err


def a_terminal_sees_no_control_characters():
    with World() as w:
        master, slave = pty.openpty()
        script = "printf 'a\\033]0;owned\\007b\\033[2Jc\\n'; printf 'e\\033[31mr\\n' >&2"
        subprocess.run([SPARKS, "sandbox", "run", "--", "sh", "-c", script], env=w.env, cwd=w.repo,
                       stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, check=True, timeout=60)
        os.close(slave)
        text = b""
        try:
            while True:
                text += os.read(master, 4096)
        except OSError:
            pass
        assert b"abc" in text and b"er" in text and b"\033]" not in text and b"\033[" not in text, text
        # a file gets the bytes
        assert boxed(w, "--", "printf", "a\\033[31mb").out == "a\033[31mb"


def a_folder_as_stdin_is_no_way_out():
    with World() as w:
        fd = os.open("/etc", os.O_RDONLY)
        done = boxed(w, "--", "sh", "-c", "ls /proc/self/fd/0/ ; ls /dev/stdin/; cat /dev/stdin/shadow",
                     stdin=fd, code=1)
        os.close(fd)
        assert "shadow" not in done.out, done.out


def a_reader_that_goes_ends_it():
    with World() as w:
        with subprocess.Popen([SPARKS, "sandbox", "run", "--", "yes"], env=w.env, cwd=w.repo,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"y\n"
            child.stdout.close()
            assert child.wait(20) == 141


def a_row_of_keys_that_is_none_is_refused_without_hosts_too():
    """It may hold the key itself, which the message does not repeat."""
    row = 'box.credentials=["api.example.com Authorization: Bearer sk-of-somebody-4711"]'
    with World() as w:
        for words in (("sandbox", "run", "--set", row, "--", "touch", "x"), ("up", "--set", row)):
            said = w.run(*words, code=125 if words[0] == "sandbox" else 78).err
            assert "api.example.com" in said and "{SECRET}" in said and "4711" not in said, said
        assert not os.path.exists(os.path.join(w.repo, "x"))


def the_probe_tries_the_walls():
    with World() as w:
        one = w.json("sandbox", "probe")
        assert one["open"] == 0 and len(one["attempts"]) >= 20, one
        assert all(row["held"] for row in one["attempts"]), one["attempts"]
        assert any(row["control"] == "seccomp" for row in one["controls"])
        text = w.run("sandbox", "probe").out
        assert "0 got through" in text and one["tier"] in text
        one = w.json("sandbox", "probe", "--set", "box.tier=landlock", code=1)
        # what this tier is said to leave open, and nothing else
        assert {row["attempt"] for row in one["attempts"] if not row["held"]} <= {
            "leak.identity"}, one["attempts"]


def it_is_explained():
    with World() as w:
        text = w.run("sandbox", "explain").out
        for words in ("network", "[box] memory_bytes", "seccomp", "files"):
            assert words in text, (words, text)
        one = w.json("sandbox", "explain", "--set", "box.pids=77")
        rules = {row["rule"]: row for row in one["rules"]}
        assert "77" in rules["pids"]["what"] and rules["pids"]["option"] == "box.pids"
        assert one["blocked"] is None and one["refused"] is None and one["unseen"]
        task = w.json("do", "-y", "fill it", "--set", "box.fsize_bytes=1048576", "--check", CHECK, "--model",
                      w.play(say(("shell", {"command": "exec dd if=/dev/zero of=b bs=64k count=99"})),
                             say(FINISH)), "--set", "task.heal_attempts=0", code=1)["task"]
        one = w.json("sandbox", "explain", task)
        assert [row["rule"] for row in one["blocked"]] == ["fsize"], one
        assert one["blocked"][0]["allow"] == "[box] fsize_bytes"
        assert "fsize of shell" in w.run("sandbox", "explain", task).out
        assert one["refused"] == one["perhaps"] == one["untold"] == [], one


MOUNT = "python3 -c 'import ctypes; ctypes.CDLL(None).mount(0, 0, 0, 0, 0)'"


def refused_calls_are_explained():
    """What seccomp refused in tool calls and checks, and what only looks as if a wall was there."""
    with World() as w:
        calls = [("shell", {"command": f"{MOUNT}; {MOUNT}"}),
                 ("shell", {"command": f"{MOUNT}; chroot / true; echo x >/etc/new; echo fine"}),
                 ("shell", {"command": "echo x >/usr/new"})]
        for tier, says in (("native", "Read-only file system"), ("landlock", "Permission denied")):
            task = w.json("do", "-y", f"try {tier}", "--set", f"box.tier={tier}", "--check", f"{MOUNT}; {CHECK}",
                          "--model", w.play(*(say(call) for call in calls), say(FINISH)),
                          "--set", "task.heal_attempts=0", code=1)["task"]
            one = w.json("sandbox", "explain", task)
            by_call = {row["call"]: row for row in one["refused"]}
            assert set(by_call) - {"socket"} == {"mount", "chroot"}, one["refused"]
            # three in tool calls, one in each run of the check (before, after, its original)
            assert by_call["mount"]["times"] >= 5 and by_call["chroot"]["times"] == 1, one
            assert by_call["chroot"]["tool"] == "shell", one
            assert [row["tool"] for row in one["perhaps"]] == ["shell"], one["perhaps"]
            assert says in one["perhaps"][0]["line"] and "/usr/new" in one["perhaps"][0]["line"], one
            assert one["untold"] == [] and one["blocked"] == [], one
            text = w.run("sandbox", "explain", task).out
            for words in ("chroot, 1 time: shell", "a wall had been there", "Not on record", says):
                assert words in text, (words, text)
            log = w.run("tasks", "log", task, "--json").out
            assert log.count("the sandbox refused system calls") == 0, log   # only where a command failed
        task = w.json("do", "-y", "try without", "--set", "box.count_refused=false", "--check", CHECK, "--model",
                      w.play(say(("shell", {"command": MOUNT})), say(FINISH)), "--set",
                      "task.heal_attempts=0", code=1)["task"]
        one = w.json("sandbox", "explain", task)
        assert one["refused"] == [] and "count_refused" in one["untold"][0], one
        assert "not counted" in w.run("sandbox", "explain", task).out


def refused_calls_of_a_failed_command_are_named():
    with World() as w:
        done = boxed(w, "--", "sh", "-c", MOUNT + "; exit 3", code=3)
        assert "refused the system call mount (1 time)" in done.err and "explain" in done.err, done.err
        assert boxed(w, "--", "sh", "-c", MOUNT).err == ""
        one = json.loads(boxed(w, "--json", "--", "sh", "-c", MOUNT).out)
        assert (one["refused"], one["untold"]) == ([{"call": "mount", "times": 1}], None), one
        task = w.json("do", "-y", "fail", "--check", CHECK, "--model",
                      w.play(say(("shell", {"command": MOUNT + "; exit 3"})), say(FINISH)), "--set",
                      "task.heal_attempts=0", code=1)["task"]
        assert "[the sandbox refused system calls: mount]" in w.run("tasks", "log", task, "--json").out


IDS = ["container.mode", "container.caps_dropped", "rootfs.readonly", "network.mode", "limits.pid",
       "limits.memory", "limits.cpu", "network.credentials", "guard.tool_allowlist", "guard.path_validation",
       "guard.sensitive_patterns"]
CONTROLS = {"container_mode", "caps_dropped", "rootfs_readonly", "network_mode", "pid_limit",
            "memory_limit", "cpu_quota", "tool_guard", "path_guard", "sensitive_pattern_guard", "credentials"}


def doctor_probes_the_controls_of_each_spark():
    with World() as w:
        one = w.json("doctor", "--security")
        assert one["schema_version"] == "v1" and one["generated_at"], one
        summary = one["summary"]
        assert summary["ghosts_total"] == len(one["ghosts"]) == len(w.json("ghosts")), summary
        assert summary["checks_fail"] == summary["ghosts_failing"] == 0, one
        for ghost in one["ghosts"]:
            assert [check["id"] for check in ghost["checks"]] == IDS
            assert set(ghost["effective_controls"]) == CONTROLS
            for check in ghost["checks"]:
                assert set(check) == {"id", "status", "probed", "observed", "expected", "remediation"}
                assert check["probed"] != ("not probed" in check["observed"]), check
        checks = {check["id"]: check for check in one["ghosts"][0]["checks"]}
        for name in IDS[:6] + IDS[9:]:
            assert checks[name]["probed"] and checks[name]["status"] == "pass", checks[name]
        assert len(one["probes"]) >= 20
        rows = '["a.test X-Key: {key.there}", "b.test X-Key: {key.missing}"]'
        w.env["SPARKS_KEY_THERE"] = "a-key-that-is-there"
        keys = w.json("doctor", "--security", "--set", "box.credentials=" + rows, "--set", "box.allow=b.test")
        check = next(check for check in keys["ghosts"][0]["checks"] if check["id"] == "network.credentials")
        assert check["status"] == "warn" and check["observed"].startswith(
            "a.test (key.there, and the host is not allowed), b.test (key.missing, which is not there)"), check
        weak = w.json("doctor", "--security", "--ci", "--set", "box.tier=landlock")
        assert weak["ghosts"][0]["status"] == "warn", weak["ghosts"][0]
        none = w.json("doctor", "--security", "--ci", "--set", "box.require_tier=native-full", "--set",
                      "box.tier=landlock", code=1)
        assert none["summary"]["overall_status"] == "fail", none["summary"]
        checks = {check["id"]: check for check in none["ghosts"][0]["checks"]}
        assert not checks["network.mode"]["probed"] and checks["network.mode"]["status"] == "warn"
        text = w.run("doctor", "--security").out
        assert "limits.memory" in text and "0 got through" in text, text


if __name__ == "__main__":
    main(output_input_and_exit_code_are_the_commands, it_writes_into_the_folder_and_nowhere_else,
         a_copy_is_thrown_away, json_is_one_object, a_flood_of_output_is_ended,
         nothing_runs_without_its_walls, a_host_that_is_not_allowed_is_named, the_git_folder_stays_as_it_is, a_reading_spark_cannot_write,
         a_terminal_sees_no_control_characters, a_folder_as_stdin_is_no_way_out,
         a_reader_that_goes_ends_it, a_row_of_keys_that_is_none_is_refused_without_hosts_too, the_probe_tries_the_walls, it_is_explained,
         refused_calls_are_explained, refused_calls_of_a_failed_command_are_named,
         doctor_probes_the_controls_of_each_spark)
