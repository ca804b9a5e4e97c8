"""A camera in the network: sends JPEG pictures over HTTP, may be cut off and come back, asks for a password, hangs."""

from __future__ import annotations

import base64
import hashlib
import socket
import ssl
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import parse_http_list, parse_keqv_list

import cv2
import numpy as np

PERIOD = 0.02  # seconds between two pictures
# Key and certificate of `camera.example`, signed by itself, expired in 2020: good for nothing but these tests.
CERTIFICATE = Path(__file__).with_name("camera.pem")
NONCE = "5ccc069c403ebaf9f0171e9517f40e41"
DIGEST = f'Digest realm="camera", nonce="{NONCE}"'
LONGEST_HANG = 20.0  # so that a broken test ends too


class MjpegServer:
    """Serves one stream at any path but these: `/none` is missing, `/page` is no picture, `/silent` sends nothing,
    `/snapshot` is one picture.

    Args:
        user: “NAME:PASSWORD” that a client has to give; "" for none.
        digest: whether the password is asked for by Digest, as most cameras do, rather than by Basic.
        tls: whether it speaks https, by a certificate that nobody should trust.

    Attributes:
        size: width and height of the pictures; may be changed while the stream runs.
        frozen: while it is set, connections stay open but send nothing.
        clients: how many have asked so far.
    """

    def __init__(self, user: str = "", digest: bool = False, tls: bool = False) -> None:
        self.user, self.digest, self.tls, self.size = user, digest, tls, (64, 48)
        self.frozen, self.clients = threading.Event(), 0
        self._over = threading.Event()
        self._port = 0
        self.start()

    def address(self, path: str = "live", user: str = "") -> str:
        """Return the address of a path, with user and password."""
        return f"http{'s' if self.tls else ''}://{user}{'@' if user else ''}127.0.0.1:{self._port}/{path}"

    def start(self) -> None:
        """Be switched on, at the same port as before."""
        self._over.clear()
        self._sockets: list[socket.socket] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.clients += 1
                server._sockets.append(self.connection)
                with suppress(OSError):
                    server._answer(self)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        ThreadingHTTPServer.allow_reuse_address = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            # The handshake is done by the thread of the client, so that one that says nothing blocks no other.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Be switched off: every connection is cut, and nobody answers."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        for connection in self._sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        if self.user and not self._accepts(request):
            request.send_response(401)
            request.send_header("WWW-Authenticate", DIGEST if self.digest else 'Basic realm="camera"')
            request.end_headers()
            return
        path = request.path.partition("?")[0]
        if path == "/silent":
            self._over.wait(LONGEST_HANG)
            return
        kinds = {"/page": "text/html", "/snapshot": "image/jpeg"}
        request.send_response(404 if path == "/none" else 200)
        request.send_header("Content-Type", kinds.get(path, "multipart/x-mixed-replace; boundary=next"))
        request.end_headers()
        if path == "/page":
            request.wfile.write(b"<html>" + b"x" * 5000)
        elif path == "/snapshot":
            request.wfile.write(self._picture(0))
        elif path != "/none":
            self._send_pictures(request)

    def _accepts(self, request: BaseHTTPRequestHandler) -> bool:
        """Return whether a request has the right user and password."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if not self.digest:
            return (kind, given) == ("Basic", base64.b64encode(self.user.encode()).decode())
        fields = parse_keqv_list(parse_http_list(given))
        name, _, password = self.user.partition(":")
        secret, asked = _md5(f"{name}:camera:{password}"), _md5(f"{request.command}:{request.path}")
        return kind == "Digest" and fields.get("response") == _md5(f"{secret}:{NONCE}:{asked}")

    def _send_pictures(self, request: BaseHTTPRequestHandler) -> None:
        number = 0
        while not self._over.wait(PERIOD):
            if not self.frozen.is_set():
                jpeg = self._picture(number)
                head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                request.wfile.write(head.encode() + jpeg + b"\r\n")
                number += 1

    def _picture(self, number: int) -> bytes:
        """Return a JPEG that is red on the left, with the noise of a sensor."""
        width, height = self.size
        picture = np.zeros((height, width, 3), np.uint8)
        picture[..., :2] = np.random.default_rng(number).integers(0, 12, (height, width, 2), np.uint8)
        picture[:, : width // 2, 2] = 200
        return cv2.imencode(".jpg", picture)[1].tobytes()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
