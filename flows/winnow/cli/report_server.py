"""Serves the reports of a dataset to a browser on this machine, for links to files are blocked on other pages."""

from __future__ import annotations

import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from winnow.base.files import at_hand

if TYPE_CHECKING:
    from winnow.publish.dataset import Dataset

_PAGE = re.compile(r"/v([1-9][0-9]{0,8})/report\.html")
_OWN_NAMES = ("127.0.0.1", "localhost")


class ReportServer(ThreadingHTTPServer):
    """Answers on 127.0.0.1 with the report of each version, and the page over all of them.

    ``/`` leads to the report of `version`, or of the latest.

    It serves nothing else, and nothing to a page that reaches this machine under another name (DNS rebinding).
    """

    daemon_threads = True

    def __init__(self, dataset: Dataset, version: int | None, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self._dataset, self._version = dataset, version

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def page(self, path: str) -> bytes | str | None:
        """Returns the page at `path`, the path it leads to, or None where nothing is there."""
        if path == "/":
            return f"/v{self._version or self._dataset.latest_version()}/report.html"
        index = self._dataset.index_page
        file = index if path == f"/{index.name}" else None
        if found := _PAGE.fullmatch(path):
            self._dataset.lay_out([int(found[1])])
            file = self._dataset.view(int(found[1])) / "report.html"
        return at_hand(file).read_bytes() if file and file.is_file() else None

    def knows(self, host: str) -> bool:
        name, _, port = host.partition(":")
        return name in _OWN_NAMES and port in ("", str(self.server_port))


class _Handler(BaseHTTPRequestHandler):
    server: ReportServer

    def do_GET(self) -> None:
        page = (
            self.server.page(self.path.partition("?")[0]) if self.server.knows(self.headers.get("Host", "")) else None
        )
        if page is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        if isinstance(page, str):
            self.send_response(HTTPStatus.FOUND)
            self.send_header("Location", page)
            self.end_headers()
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None: ...
