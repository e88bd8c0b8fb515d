#!/usr/bin/env python3
"""Dependency folders that git ignores: lent to the box, never written, no part of a result."""
import json
import os

from world import FINISH, FIX, World, main, say

CHECK = ". ./node_modules/dep.sh; [ $(dep) = 5 ] && sh test.sh"


class Carrying(World):
    def __init__(self):
        super().__init__()
        self.env["SPARKS_AUTONOMY_LEVEL"] = "autonomous"    # what it runs is about the sandbox: nobody is asked


def ignored(world, line="node_modules/"):
    world.write(".gitignore", line + "\n")
    world.git("add", "-A")
    world.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "ignore")
    world.write("node_modules/dep.sh", "dep() { echo 5; }\n")


def outputs(world, task, kind="tool.result"):
    log = [json.loads(line) for line in world.run("tasks", "log", task, "--json").out.splitlines()]
    return [e["payload"].get("text") or e["payload"].get("tail") for e in log if e["kind"] == kind]


def shell(command):
    return say(("shell", {"command": command}))


def what_is_written_stays_in_a_layer():
    with Carrying() as w:
        ignored(w)
        report = w.json("do", "x", "-y", "--check", CHECK, "--model", w.play(
            shell("cat node_modules/dep.sh; echo 'dep() { echo 9; }' > node_modules/dep.sh; echo 1 > node_modules/new"),
            shell("cat node_modules/dep.sh node_modules/new"), say(FIX), say(FINISH)))
        # the check saw the folder as it is, not as the task made it
        assert report["verdict"] == "verified" and report["files_changed"] == ["calc.sh"], report
        first, second = outputs(w, report["task"])[:2]
        assert "echo 5" in first and "echo 9" in second and second.rstrip().endswith("1"), (first, second)
        assert w.read("node_modules/dep.sh") == "dep() { echo 5; }\n" and os.listdir(w.repo + "/node_modules") == ["dep.sh"]
        log = w.run("tasks", "log", report["task"], "--json").out
        assert "Dependency folders that git ignores: node_modules" in log, log


def sensitive_files_in_it_are_not_there():
    with Carrying() as w:
        ignored(w)
        w.write("node_modules/pkg/.env", "TOKEN=plainly-secret\n")
        w.write("node_modules/pkg/server.pem", "plainly-secret\n")
        w.write("look.sh", "cat node_modules/pkg/.env node_modules/pkg/server.pem; rm -rf node_modules/pkg;"
                " grep -r plainly-s node_modules || echo none\n")
        report = w.json("do", "x", "-y", "--check", CHECK, "--model", w.play(
            shell("sh look.sh"),      # by its name the law would refuse it: here it is the wall's turn
            say(FIX), say(FINISH)))
        assert report["verdict"] == "verified", report
        assert "none" in outputs(w, report["task"])[0] and "plainly-secret" not in w.run(
            "tasks", "log", report["task"], "--json").out.replace("grep -r plainly", ""), outputs(w, report["task"])


def what_leads_elsewhere_is_not_lent():
    with Carrying() as w:
        ignored(w, "node_modules\ntarget")
        outside = os.path.join(w.folder, "outside")
        os.mkdir(outside)
        with open(os.path.join(outside, "file"), "w", encoding="utf-8") as file:
            file.write("of the host\n")
        os.symlink(outside, os.path.join(w.repo, "target"))
        # nor does the task get a folder made elsewhere by putting a link in its place
        report = w.json("do", "x", "-y", "--check", "sh test.sh", "--model", w.play(
            shell("ls target/file; ls node_modules"),
            shell(f"rm -rf node_modules; mkdir sub; ln -s {outside} sub/node_modules; ls"), say(FIX), say(FINISH)))
        assert report["verdict"] == "verified", report
        assert "of the host" not in str(outputs(w, report["task"])) and os.listdir(outside) == ["file"]


def the_list_is_an_option():
    with Carrying() as w:
        ignored(w, "node_modules/\nlib.d/")
        w.write("lib.d/x", "there\n")
        play = w.play(shell("cat lib.d/x; ls node_modules"), say(FIX), say(FINISH))
        report = w.json("do", "x", "-y", "--check", "sh test.sh", "--set", 'box.carry=["lib.d"]', "--model", play)
        text = outputs(w, report["task"])[0]
        assert "there" in text and "cannot access 'node_modules'" in text, text
        for name in "../x", "a/b", "..", "":
            error = w.json("do", "x", "-y", "--set", f'box.carry=["{name}"]', "--check", "true", "--model", play, code=78)["error"]
            assert error["code"] == "config" and "is no name of a folder" in error["message"], error
        # where there are no mounts, nothing stands in their place
        report = w.json("do", "x", "-y", "--check", "sh test.sh", "--set", "box.tier=landlock", "--model", w.play(
            shell("ls -d node_modules || echo none"), say(FIX), say(FINISH)))
        assert "none" in outputs(w, report["task"])[0], outputs(w, report["task"])
        assert "lib.d" in w.run("config", "explain", "box.carry", "--set", 'box.carry=["lib.d"]').out


def a_spark_is_given_folders_of_the_host():
    with Carrying() as w:
        cache, tool = os.path.join(w.folder, "cache"), os.path.join(w.folder, "tool")
        os.mkdir(cache)
        with open(tool, "w", encoding="utf-8") as file:
            file.write("dep() { echo 5; }\n")
        profile = os.path.join(w.env["SPARKS_HOME"], "ghosts", "builder.toml")
        os.makedirs(os.path.dirname(profile), mode=0o700)

        def mounts(*lines):
            with open(profile, "w", encoding="utf-8") as file:
                file.write('name = "builder"\ntools = ["shell", "file_edit"]\n')
                file.writelines("[[mounts]]\n" + line for line in lines)

        mounts(f'host_path = "{cache}"\ncontainer_path = "/cache"\n', f'host_path = "{tool}"\nread_only = true\n')
        check = f". {tool}; [ $(dep) = 5 ] && ! touch /cache/check 2>/dev/null && sh test.sh"
        report = w.json("do", "x", "-y", "--ghost", "builder", "--check", check, "--model", w.play(
            shell(f"echo kept > /cache/file; echo 1 >> {tool} || cat {tool}"), say(FIX), say(FINISH)))
        assert report["verdict"] == "verified", report
        assert os.listdir(cache) == ["file"] and "echo 5" in outputs(w, report["task"])[0], outputs(w, report["task"])
        assert f"{cache} at /cache" in " ".join(w.run("ghosts", "show", "builder").out.split())
        for line, words in ((f'host_path = "{w.folder}"\n', "holds the state of sparks"),
                            (f'host_path = "{cache}"\ncontainer_path = "/proc/x"\n', "is a place of the box's own"),
                            (f'host_path = "{cache}"\ncontainer_path = "x"\n', "must be an absolute path")):
            mounts(line)
            done = w.run("ghosts", code=78)
            assert words in done.err and "builder.toml:" in done.err, done.err
        mounts('host_path = "."\ncontainer_path = "/workspace"\n')
        assert "is left out: give an absolute path" in w.run("ghosts").err
        mounts('host_path = "/nowhere/at/all"\n')
        error = w.json("do", "x", "-y", "--ghost", "builder", "--check", "true", "--model", w.play(say(FINISH)), code=1)["error"]
        assert "/nowhere/at/all" in error["message"], error


def uses_maven(w):
    os.makedirs(w.folder + "/.m2/repository")   # HOME of the test
    w.write("pom.xml", "<project/>")


def the_disk_is_counted_in_layers_too():
    with Carrying() as w:
        ignored(w)
        uses_maven(w)
        for place in ("node_modules/big", "big", "$HOME/.m2/repository/big"):
            report = w.json("do", "x", "-y", "--check", CHECK, "--set", "box.disk_bytes=67108864", "--model", w.play(
                shell(f"mkdir -p $(dirname {place}); head -c 500M /dev/zero > {place}; sleep 1; echo survived"), shell(f"rm -f {place}"),
                say(FIX), say(FINISH)))
            text = outputs(w, report["task"])[0]
            assert "blocked: disk" in text and "survived" not in text, (place, text)


def files_are_counted_in_layers_too():
    """With control groups and without: they count none."""
    for tier, places in (("auto", ("node_modules/many", "$HOME/.m2/repository/many")), ("native", ("node_modules/many", "many")),
                         ("landlock", ("many",))):
        with Carrying() as w:
            ignored(w)
            uses_maven(w)
            for place in places:
                words = ("--set", "box.tier=" + tier, "--set", "box.inodes=20000", "--set", "box.memory_bytes=8589934592")
                report = w.json("do", "x", "-y", "--check", "true" if tier == "landlock" else CHECK, *words, "--model", w.play(
                    shell(f"mkdir -p {place}; cd {place}; python3 -c 'for i in range(150000): open(str(i), \"w\")'; sleep 1; echo survived"),
                    shell(f"ls {place} | wc -l; rm -rf {place}"), say(FIX), say(FINISH)))
                stopped, left = outputs(w, report["task"])[:2]
                assert "blocked: inodes" in stopped and "survived" not in stopped, (tier, place, stopped)
                assert int(left.split("\n")[1]) < 100000, (tier, place, left)


main(the_disk_is_counted_in_layers_too, files_are_counted_in_layers_too, what_is_written_stays_in_a_layer, sensitive_files_in_it_are_not_there, what_leads_elsewhere_is_not_lent,
     the_list_is_an_option, a_spark_is_given_folders_of_the_host)
