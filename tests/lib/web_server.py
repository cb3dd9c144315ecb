# SPDX-License-Identifier: MIT
"""Small HTTP servers for system tests: a tree of index.json files, or answers by a function."""
import http.server
import json
import os
import ssl
import threading


class Server:
    """Serves in threads on 127.0.0.1; `answer(request)` returns (status, headers, body bytes), or
    None when it has written to request.wfile itself. Requests are kept in .log."""

    def __init__(self, answer, cert=None, family_v6=False):
        outer = self
        self.log = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30
            wbufsize = 65536  # one packet an answer
            disable_nagle_algorithm = True

            def handle_any(self):
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length)
                outer.log.append((self.command, self.path, dict(self.headers), self.body))
                out = answer(self)
                if out is None:
                    self.close_connection = True
                    return
                status, headers, body = out
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *args):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, address):
                pass  # a client that goes away is what many of these tests want

        self.http = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(cert)
            self.http.socket = context.wrap_socket(
                self.http.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.http.shutdown()
        self.http.server_close()

    def paths(self):
        return [path for _, path, _, _ in self.log]


def reply(document, status=200, **headers):
    return status, {"Content-Type": "application/json", **headers}, json.dumps(document).encode()


def tree(folder):
    """Answers from FOLDER/URL/index.json, as the mock-up servers of DMTF and SNIA do."""
    root = os.path.realpath(folder)

    def answer(request):
        path = request.path.split("?")[0].split("#")[0].strip("/")
        file = os.path.realpath(os.path.join(root, path, "index.json"))
        if not file.startswith(root + "/") or not os.path.isfile(file):
            return reply({"error": {"message": "no such resource"}}, 404)
        with open(file, "rb") as f:
            return 200, {"Content-Type": "application/json"}, f.read()

    return answer


def documents(file):
    """Answers from one JSON file that maps paths to documents."""
    with open(file) as f:
        known = json.load(f)

    def answer(request):
        document = known.get(request.path.rstrip("/"))
        return reply({}, 404) if document is None else reply(document)

    return answer


# The least that has a capacity and a count: a subsystem with one pool.
ROOT = "/redfish/v1"
POOL = f"{ROOT}/Storage/s/StoragePools/1"
SMALL = {
    ROOT: {"Storage": {"@odata.id": f"{ROOT}/Storage"}},
    f"{ROOT}/Storage": {"Members": [{"@odata.id": f"{ROOT}/Storage/s"}]},
    f"{ROOT}/Storage/s": {"StoragePools": {"@odata.id": f"{ROOT}/Storage/s/StoragePools"}},
    f"{ROOT}/Storage/s/StoragePools": {"Members": [{"@odata.id": POOL}]},
    POOL: {"Id": "1", "Name": "p", "Capacity": {"Data": {"AllocatedBytes": 100, "ConsumedBytes": 7}},
           "IOStatistics": {"WriteIORequests": 12}},
}


def tree_or_documents(name):
    return tree(name) if os.path.isdir(name) else documents(name + ".json")
