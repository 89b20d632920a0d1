"""Versions go to a dataset repository of the hub, tried against a local server that speaks its HTTP API."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.publish.press import Press, sources

from winnow.base.errors import DatasetDamaged, UsageError, WinnowError
from winnow.publish.dataset import Dataset
from winnow.storage.hub import push_version, repository_of

pytest.importorskip("huggingface_hub", reason="the extra hf is not installed")
TOKEN = "hf_secret"
REPOSITORY = "hf://me/articles"


@dataclass
class Hub:
    """One repository as the hub keeps it: commits are maps of paths to contents. ``lfs`` are the objects sent."""

    url: str = ""
    commits: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    lfs: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    exists: bool = False

    def files(self, revision: str) -> dict[str, bytes]:
        known = dict(self.commits)
        return known.get(self.tags.get(revision, revision), self.commits[-1][1] if revision == "main" else {})

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        if path == "/api/validate-yaml":
            return 200, {"errors": [], "warnings": []}
        if path == "/api/repos/create":
            self.exists = True
            self.commits.append(("0" * 40, {".gitattributes": b"*.parquet filter=lfs"}))
            return 200, {"url": f"{self.url}/datasets/me/articles"}
        if path.startswith("/lfs/"):
            self.lfs[path[5:]] = body
            assert hashlib.sha256(body).hexdigest() == path[5:]
            return 200, {}
        if not self.exists:
            return 404, {"error": "Repository not found"}
        if path.endswith("/refs"):
            main = [{"name": "main", "ref": "refs/heads/main", "targetCommit": self.commits[-1][0]}]
            tags = [{"name": n, "ref": f"refs/tags/{n}", "targetCommit": c} for n, c in self.tags.items()]
            return 200, {"branches": main, "converts": [], "tags": tags}
        if found := re.search(r"/tree/([^/?]+)", path):
            return 200, [self._entry(n, c) for n, c in self.files(found[1]).items()]
        if found := re.search(r"/tag/([^/?]+)", path):
            self.tags[json.loads(body)["tag"]] = found[1]
            return 200, {}
        if "/preupload/" in path:
            return 200, {"files": [
                {"path": f["path"], "shouldIgnore": False, "uploadMode": self._mode(f["path"])}
                for f in json.loads(body)["files"]
            ]}  # fmt: skip
        if path.endswith("/objects/batch"):
            objects = [{"oid": o["oid"], "size": o["size"]} for o in json.loads(body)["objects"]]
            return 200, {"transfer": "basic", "objects": [
                o if o["oid"] in self.lfs else o | {"actions": {"upload": {"href": f"{self.url}/lfs/{o['oid']}"}}}
                for o in objects
            ]}  # fmt: skip
        assert "/commit/main" in path, path
        return self._commit([json.loads(line) for line in body.splitlines()])

    def _commit(self, lines: list[dict[str, Any]]) -> tuple[int, Any]:
        parent, files = self.commits[-1]
        files = dict(files)
        for line in lines:
            key, value = line["key"], line["value"]
            if key == "header" and value.get("parentCommit", parent) != parent:
                return 412, {"error": "another commit came between"}
            if key == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif key == "lfsFile":
                files[value["path"]] = self.lfs[value["oid"]]
            elif key == "deletedFile":
                del files[value["path"]]
        oid = hashlib.sha1(json.dumps([parent, sorted(files)]).encode()).hexdigest()
        self.commits.append((oid, files))
        return 200, {"commitUrl": f"{self.url}/datasets/me/articles/commit/{oid}", "commitOid": oid}

    @staticmethod
    def _mode(name: str) -> str:
        return "lfs" if name.endswith(".parquet") else "regular"

    @staticmethod
    def _entry(name: str, content: bytes) -> dict[str, Any]:
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        entry: dict[str, Any] = {"type": "file", "path": name, "size": len(content), "oid": blob}
        if name.endswith(".parquet"):
            entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
        return entry


@pytest.fixture
def press(tmp_path: Path) -> Press:
    return Press(Dataset(tmp_path / "dataset"), tmp_path / "work")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    found = Hub()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size) if size else self.chunks()
            status, said = found.answer(self.command, self.path, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            if status == 404:
                self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def chunks(self) -> bytes:
            body = b""
            while "chunked" in self.headers.get("Transfer-Encoding", "") and (
                size := int(self.rfile.readline().strip(), 16)
            ):
                body += self.rfile.read(size)
                self.rfile.readline()
            return body

        do_GET = do_POST = do_PUT = answer

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_ENDPOINT", found.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)  # the stand-in speaks LFS alone
    yield found
    server.shutdown()
    server.server_close()


def view_of(dataset: Dataset, version: int) -> dict[str, bytes]:
    view = dataset.view(version)
    return {p.relative_to(view).as_posix(): p.read_bytes() for p in view.rglob("*") if p.is_file()}


def pushed_files(hub: Hub, revision: str) -> dict[str, bytes]:
    return {n: c for n, c in hub.files(revision).items() if n != ".gitattributes"}


def test_each_version_is_a_commit_with_a_tag_and_only_what_is_new_is_sent(press: Press, hub: Hub) -> None:
    press.publish(sources("a", "b"))
    told = push_version(press.dataset, 1, REPOSITORY, dry_run=True)
    assert not hub.exists and len(told.sent) == len(view_of(press.dataset, 1))
    assert push_version(press.dataset, 1, REPOSITORY) == told
    objects = set(hub.lfs)
    press.publish(sources("c"))
    push_version(press.dataset, 2, REPOSITORY)
    for number in (1, 2):
        assert pushed_files(hub, f"v{number}") == view_of(press.dataset, number)
    new = {f.sha256 for t in press.dataset.manifest(2).tables.values() for f in t.files} - objects
    assert set(hub.lfs) - objects == new
    again = push_version(press.dataset, 2, REPOSITORY)
    assert (again.sent, again.tagged) == ((), False)
    assert len(hub.commits) == 3
    assert not [a for a in hub.asked if "telemetry" in a]
    with pytest.raises(UsageError, match="has v2 already"):
        push_version(press.dataset, 1, REPOSITORY)


@pytest.mark.slow
def test_a_push_that_died_before_its_tag_is_ended_by_the_next(press: Press, hub: Hub, monkeypatch) -> None:
    from huggingface_hub import HfApi

    press.publish(sources("a"))
    with monkeypatch.context() as patch:
        patch.setattr(HfApi, "create_tag", lambda *_, **__: 1 / 0)
        with pytest.raises(WinnowError, match="cannot be written"):
            push_version(press.dataset, 1, REPOSITORY)
    done = push_version(press.dataset, 1, REPOSITORY)
    assert (done.sent, done.tagged, set(hub.tags)) == ((), True, {"v1"})
    assert pushed_files(hub, "v1") == view_of(press.dataset, 1)


@pytest.mark.slow
def test_what_is_damaged_here_or_other_there_is_not_pushed(press: Press, hub: Hub) -> None:
    press.publish(sources("a"))
    push_version(press.dataset, 1, REPOSITORY)
    hub.commits[-1][1]["manifest.json"] = b"{}"
    with pytest.raises(UsageError, match="its v1 has other files"):
        push_version(press.dataset, 1, REPOSITORY)
    file = press.dataset.files("documents", 1)[0]
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[:-1] + b"x")
    with pytest.raises(DatasetDamaged, match="was changed"):
        push_version(press.dataset, 1, REPOSITORY)


def test_what_the_hub_refuses_is_told_without_the_token(press: Press, hub: Hub) -> None:
    press.publish(sources("a"))
    hub.answer = lambda *_: (403, {"error": f"no rights with {TOKEN[:3]}"})  # type: ignore[method-assign]
    with pytest.raises(WinnowError, match="cannot be written") as told:
        push_version(press.dataset, 1, REPOSITORY)
    assert TOKEN not in str(told.value)
    with pytest.raises(UsageError, match="write hf://OWNER/NAME"):
        repository_of("hf://articles")
