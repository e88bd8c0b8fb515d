"""What the tests that kill share: the journal they find, and what must not stand in it."""
import collections
import json
import os
import sqlite3


ASIDE = 70, 7   # tokens of a question besides the work


def journal(folder, task=None):
    """[(seq, kind, payload)] of the task, or of the only one."""
    path = os.path.join(folder, "home", "store.db")
    if not os.path.exists(path):
        return []
    db = sqlite3.connect(path)
    try:
        return [(seq, kind, json.loads(payload)) for seq, kind, payload in
                db.execute("SELECT seq, kind, payload FROM journal WHERE task = ? OR ? IS NULL"
                           " ORDER BY seq", (task, task))]
    except sqlite3.OperationalError:
        return []   # killed before the tables were there
    finally:
        db.close()


def duplicates(rows, kind, *keys):
    seen = collections.Counter(tuple(payload.get(key) for key in keys)
                               for _, k, payload in rows if k == kind)
    return [key for key, n in seen.items() if n > 1]


def ledger_problems(folder, rows):
    """Every answer on record is booked once, and the sums are those of the rows."""
    path = os.path.join(folder, "home", "store.db")
    answers = collections.Counter()
    for _, kind, payload in rows:
        if kind == "model.result":
            answers["calls"] += 1
            for key in "input", "output":
                answers[key] += payload["usage"][key]
        if kind in ("routed", "critic", "judge") and payload.get("provider"):
            answers.update(calls=1, input=ASIDE[0], output=ASIDE[1])
    db = sqlite3.connect(path)
    try:
        booked = db.execute("SELECT count(*), coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0),"
                            " coalesce(sum(cost_nano), 0) FROM ledger WHERE state = 1").fetchone()
        left = db.execute("SELECT count(*) FROM ledger WHERE state <> 1").fetchone()[0]
        sums = db.execute("SELECT coalesce(sum(calls), 0), coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0),"
                          " coalesce(sum(cost_nano), 0) FROM ledger_sums").fetchone()
    finally:
        db.close()
    found = []
    if booked[:3] != (answers["calls"], answers["input"], answers["output"]) or not booked[3]:
        found.append(f"{dict(answers)} on record, {booked} booked")
    if booked != sums:
        found.append(f"{booked} booked, {sums} summed up")
    if left:
        found.append(f"{left} rows of the ledger are not settled")
    return found


def memories(folder):
    """What the memory was taught, without the task's own id: a list that must be the same over any kill."""
    db = sqlite3.connect(os.path.join(folder, "home", "store.db"))
    try:
        return sorted((id.split(".", 1)[1], kind, untrusted, state, text) for id, kind, untrusted, state, text in
                      db.execute("SELECT id, kind, untrusted, state, text FROM memories"))
    finally:
        db.close()


def problems_of(rows):
    """What must not be in the journal of a task that was killed and taken up."""
    found = []
    if duplicates(rows, "model.result", "turn"):
        found.append("a recorded model call was made again")
    if duplicates(rows, "routed", "key") or duplicates(rows, "critic", "round") or \
            duplicates(rows, "judge", "key"):
        found.append("a question that was settled was asked again")
    if duplicates(rows, "tool.result", "turn", "index"):
        found.append("a tool call has two results")
    for kind in "recall", "learn.intent", "learn.result":
        if duplicates(rows, kind, "key"):
            found.append(f"{kind} is there twice")
    unsafe = [row for row in rows if row[1] != "tool.intent" or
              row[2].get("name") in ("shell", "git")]
    if duplicates(unsafe, "tool.intent", "turn", "index"):
        found.append("an unsafe call was started twice")
    if [row[0] for row in rows] != list(range(1, len(rows) + 1)):
        found.append("the journal has gaps")
    return found
