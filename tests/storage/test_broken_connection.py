"""A connection that breaks once costs a second try; what the store did before it broke is known for our own."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from tests.storage.conftest import Bucket

from winnow.base.object_store import Taken
from winnow.storage import lease

RESET = struct.pack("ii", 1, 0)  # linger for no second: what closes then resets


@contextmanager
def losing_answers(endpoint: str, count: int) -> Iterator[str]:
    """A relay before a server that closes so many connections when the answer comes; gives its address."""
    host, _, port = endpoint.removeprefix("http://").partition(":")
    lost = iter(range(count))
    listening = socket.create_server(("127.0.0.1", 0))

    def pass_on(source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                if is_answer and next(lost, None) is not None:
                    break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RD)
            end.close()

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                server = socket.create_connection((host, int(port)))
                for ends in ((client, server, False), (server, client, True)):
                    threading.Thread(target=pass_on, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()


def test_a_write_whose_answer_was_lost_is_tried_again_and_finds_its_own(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = os.environ["AWS_ENDPOINT_URL"]
    tag = None
    for content in (b"one", b"two"):
        with losing_answers(there, 1) as endpoint:
            monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
            tag = bucket.store.swap("name", content, tag).tag
    monkeypatch.setenv("AWS_ENDPOINT_URL", there)
    assert bucket.store.read("name")[0] == b"two"
    with losing_answers(there, 1) as endpoint, pytest.raises(Taken):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        bucket.store.swap("name", b"another's stands there")


def test_a_lease_is_held_over_a_broken_connection(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    with losing_answers(os.environ["AWS_ENDPOINT_URL"], 1) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with lease.hold(bucket.store, "run", "copy") as held:
            held.check()
