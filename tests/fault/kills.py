"""What the tests that kill share: the journal they find, and what must not stand in it."""
import collections
import json
import os
import sqlite3


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


def problems_of(rows):
    """What must not be in the journal of a task that was killed and taken up."""
    found = []
    if duplicates(rows, "model.result", "turn"):
        found.append("a recorded model call was made again")
    if duplicates(rows, "tool.result", "turn", "index"):
        found.append("a tool call has two results")
    unsafe = [row for row in rows if row[1] != "tool.intent" or
              row[2].get("name") in ("shell", "git")]
    if duplicates(unsafe, "tool.intent", "turn", "index"):
        found.append("an unsafe call was started twice")
    if [row[0] for row in rows] != list(range(1, len(rows) + 1)):
        found.append("the journal has gaps")
    return found
