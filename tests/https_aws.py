"""Secrets Manager behind TLS."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import botocore
import trustme


class _EverySecret(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        answer = {"Name": "s", "ARN": "arn", "VersionId": "v", "SecretString": "{}"}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve(bundle: Path) -> Iterator[str]:
    """Serve every secret; write the authority's certificate, among those of the world, to a file.

    Yields:
        The URL.

    """
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    world = Path(botocore.__file__).with_name("cacert.pem").read_bytes()
    bundle.write_bytes(world + authority.cert_pem.bytes())
    with ThreadingHTTPServer(("127.0.0.1", 0), _EverySecret) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
