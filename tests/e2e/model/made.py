"""A made-up model of the BERT family, wheels of it, and a server that gives them out, badly where a
test wants that."""
import base64
import hashlib
import http.server
import io
import json
import os
import struct
import threading
import zipfile

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + [chr(c) for c in range(ord("a"), ord("z") + 1)] + \
    ["##" + chr(c) for c in range(ord("a"), ord("z") + 1)]
LAYERS, HEADS, HIDDEN, INNER, PLACES = 1, 2, 16, 20, 32


def tensors(seed):
    """Name to (shape, floats); another seed is another model."""
    state = [seed * 2654435761 % 2**32]

    def values(n):
        out = []
        for _ in range(n):
            state[0] = (state[0] * 1664525 + 1013904223) % 2**32
            out.append((state[0] / 2**32 - 0.5) * 0.4)
        return out
    shapes = {"embeddings.word_embeddings.weight": (len(WORDS), HIDDEN),
              "embeddings.position_embeddings.weight": (PLACES, HIDDEN),
              "embeddings.token_type_embeddings.weight": (2, HIDDEN),
              "embeddings.LayerNorm.weight": (HIDDEN,), "embeddings.LayerNorm.bias": (HIDDEN,)}
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            shapes[f"{at}attention.{part}.weight"] = (HIDDEN, HIDDEN)
            shapes[f"{at}attention.{part}.bias"] = (HIDDEN,)
        shapes[f"{at}intermediate.dense.weight"] = (INNER, HIDDEN)
        shapes[f"{at}intermediate.dense.bias"] = (INNER,)
        shapes[f"{at}output.dense.weight"] = (HIDDEN, INNER)
        shapes[f"{at}output.dense.bias"] = (HIDDEN,)
        for norm in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"{at}{norm}.weight"] = shapes[f"{at}{norm}.bias"] = (HIDDEN,)
    made = {}
    for name, shape in shapes.items():
        n = shape[0] * (shape[1] if len(shape) > 1 else 1)
        made[name] = (shape, [1 + v for v in values(n)] if "LayerNorm.weight" in name
                      else values(n))
    return made


def safetensors(seed):
    header, data = {}, b""
    for name, (shape, values) in tensors(seed).items():
        raw = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": list(shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + data


def files(seed=1):
    """The files of a model's folder."""
    config = {"model_type": "bert", "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
              "hidden_size": HIDDEN, "intermediate_size": INNER, "vocab_size": len(WORDS),
              "max_position_embeddings": PLACES, "hidden_act": "gelu", "layer_norm_eps": 1e-12}
    return {"model.safetensors": safetensors(seed), "config.json": json.dumps(config).encode(),
            "vocab.txt": ("\n".join(WORDS) + "\n").encode(),
            "1_Pooling/config.json": b'{"pooling_mode_cls_token": false, '
                                     b'"pooling_mode_mean_tokens": true}'}


def folder(path, seed=1):
    for name, data in files(seed).items():
        os.makedirs(os.path.dirname(os.path.join(path, name)), exist_ok=True)
        with open(os.path.join(path, name), "wb") as file:
            file.write(data)
    return path


def wheel(seed=1, more=(), padding=0):
    """Bytes of a wheel with the model in pkg/model/; `more` are entries beside it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in more:
            archive.writestr(name, data)
        for name, data in files(seed).items():
            archive.writestr("pkg/model/" + name, data)
        if padding:
            archive.writestr(zipfile.ZipInfo("pkg/padding"), os.urandom(padding))
    return out.getvalue()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Server:
    """Files by their path, over HTTP on loopback. Tests change its attributes while it runs."""

    def __init__(self):
        self.pages = {}         # path -> (type, bytes)
        self.redirects = {}     # path -> Location
        self.requests = []      # (path, headers)
        self.password = None    # of every request, "user:word"
        self.ranges = True      # whether a rest can be had
        self.cut = []           # lengths after which the next answers break off
        self.hold = None        # (length, event): stops there until the event
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.answer(self)

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None    # clients that go away belong to it
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()

    def asked(self, path):
        return [headers for asked, headers in self.requests if asked == path]

    def answer(self, request):
        self.requests.append((request.path, dict(request.headers)))
        if self.password and not self.is_let_in(request):
            return self.refuse(request, 401)
        if request.path in self.redirects:
            return self.refuse(request, 302, self.redirects[request.path])
        if request.path not in self.pages:
            return self.refuse(request, 404)
        kind, data = self.pages[request.path]
        begin, end, status = 0, len(data), 200
        wanted = request.headers.get("Range")
        if wanted and self.ranges:
            first, last = wanted.split("=")[1].split("-")
            begin, end, status = int(first), int(last) + 1 if last else len(data), 206
            if begin >= len(data):
                return self.refuse(request, 416)
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(end - begin))
        request.end_headers()
        self.send(request, data[begin:end])
        return None

    def send(self, request, data):
        if self.cut and len(data) > 1:
            request.wfile.write(data[:self.cut.pop(0)])
            request.wfile.flush()
            request.close_connection = True
            request.connection.close()
            return
        if self.hold and len(data) > 1:
            length, event = self.hold
            request.wfile.write(data[:length])
            request.wfile.flush()
            event.wait(60)
            data = data[length:]
        try:
            request.wfile.write(data)
        except OSError:
            pass

    def is_let_in(self, request):
        want = "Basic " + base64.b64encode(self.password.encode()).decode()
        return request.headers.get("Authorization") == want

    @staticmethod
    def refuse(request, status, where=None):
        request.send_response(status)
        if where:
            request.send_header("Location", where)
        request.send_header("Content-Length", "0")
        request.end_headers()
