"""A model over HTTP that wants to see a key."""
import contextlib
import http.server
import json
import threading

from world import FINISH, FIX


@contextlib.contextmanager
def server_of(key, usage=None):
    """A model that repairs calc.sh for who has the key, and refuses everybody else; `usage` is
    what each answer says that it took."""
    turns = [FIX, FINISH]

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            good = self.headers.get("Authorization") == "Bearer " + key
            value = {"error": {"message": "who are you?"}}
            if good:
                name, arguments = turns.pop(0)
                value = {"model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls",
                         "message": {"role": "assistant", "content": "", "tool_calls": [
                             {"id": "c", "type": "function", "function": {
                                 "name": name, "arguments": json.dumps(arguments)}}]}}]}
                if usage:
                    value["usage"] = usage
            body = json.dumps(value).encode()
            self.send_response(200 if good else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
