"""A real local server that speaks S3, conditional writes included."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyarrow import fs


@contextmanager
def serve_s3(
    bucket: str, requests: Counter[str] | None = None, fetched: list[str] | None = None
) -> Iterator[dict[str, str]]:
    """Serve one empty bucket; gives the environment in which a user's programs find it.

    `requests` are counted there by method; the paths of objects that are read, whole or in part, go into `fetched`.
    """
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line a request would bury what a failing test says
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    if requests is not None or fetched is not None:
        app = server._server.app

        def counted(environ: dict[str, Any], start_response: Any) -> Any:
            if requests is not None:
                requests[environ["REQUEST_METHOD"]] += 1
            is_list = "list-type" in environ["QUERY_STRING"]
            if fetched is not None and environ["REQUEST_METHOD"] == "GET" and not is_list:
                fetched.append(environ["PATH_INFO"])
            return app(environ, start_response)

        server._server.app = counted
    host, port = server.get_host_and_port()
    key, secret = "test-key", "test-secret"
    system = fs.S3FileSystem(
        endpoint_override=f"{host}:{port}", scheme="http", access_key=key, secret_key=secret, region="us-east-1",
        allow_bucket_creation=True,
    )  # fmt: skip
    system.create_dir(bucket)
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    finally:
        server.stop()
