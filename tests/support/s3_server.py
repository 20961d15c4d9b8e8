"""A small S3-compatible server in this process: objects in memory, signatures (AWS Signature Version 4) checked."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

BUCKET, REGION, KEY_ID, SECRET = "fuze-exports", "eu-test-1", "AKIDTEST", "b4ckets-s3cret-of-the-tests"


@dataclass
class S3Server:
    """What the server holds and was asked; `fault` is the status of all answers, if set."""

    objects: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    fault: int = 0
    url: str = ""

    def __call__(self, environ: dict[str, object], start_response: object) -> object:
        request = Request(environ)  # type: ignore[arg-type]
        body = request.get_data()
        self.requests.append((request.method, request.path))
        if self.fault:
            response = Response("<Error/>", self.fault)
        elif not is_signed(request, body):
            response = Response("<Error><Code>SignatureDoesNotMatch</Code></Error>", 403)
        elif not request.path.startswith(f"/{BUCKET}"):
            response = Response("<Error><Code>NoSuchBucket</Code></Error>", 404)
        else:
            response = self._answer(request, request.path.removeprefix(f"/{BUCKET}").strip("/"), body)
        return response(environ, start_response)  # type: ignore[arg-type]

    def _answer(self, request: Request, key: str, body: bytes) -> Response:
        if request.method == "PUT":
            self.objects[key] = body
            return Response(headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
        if request.method == "POST" and "delete" in request.args:
            keys = [
                element.text or "" for element in ElementTree.fromstring(body).iter() if element.tag.endswith("Key")
            ]
            for name in keys:
                self.objects.pop(name, None)
            deleted = "".join(f"<Deleted><Key>{escape(name)}</Key></Deleted>" for name in keys)
            return _xml(f"<DeleteResult>{deleted}</DeleteResult>")
        if not key:
            return self._list(request.args.get("prefix", ""), request.args.get("delimiter", ""))
        if key not in self.objects:
            return Response("<Error><Code>NoSuchKey</Code></Error>", 404)
        headers = {"ETag": '"x"', "Last-Modified": "Mon, 30 Nov 2026 00:00:00 GMT"}
        return Response(self.objects[key], headers=headers, mimetype="application/octet-stream")

    def _list(self, prefix: str, delimiter: str) -> Response:
        found, folders = [], set()
        for name in sorted(name for name in self.objects if name.startswith(prefix)):
            head, cut, _ = name[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
            if cut:
                folders.add(prefix + head + cut)
            else:
                found.append(name)
        contents = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(self.objects[name])}</Size><ETag>x</ETag>"
            "<LastModified>2026-11-30T00:00:00.000Z</LastModified></Contents>"
            for name in found
        )
        common = "".join(
            f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in sorted(folders)
        )
        return _xml(f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}{common}</ListBucketResult>")


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: the requests are in the list."""


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server at a free port of this machine."""
    server = S3Server()
    running = make_server("127.0.0.1", 0, server, threaded=True, request_handler=_Quiet)
    server.url = f"http://127.0.0.1:{running.server_port}"
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


def is_signed(request: Request, body: bytes) -> bool:
    """Tell whether a request has the signature of the key, over its headers and body."""
    algorithm, _, rest = request.headers.get("Authorization", "").partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    names = parts.get("SignedHeaders", "").split(";")
    stamp, digest = request.headers.get("x-amz-date", ""), request.headers.get("x-amz-content-sha256", "")
    if algorithm != "AWS4-HMAC-SHA256" or "host" not in names or digest not in (_sha256(body), "UNSIGNED-PAYLOAD"):
        return False
    scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
    pairs = sorted(parse_qsl(request.query_string.decode(), keep_blank_values=True))
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    headers = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names)
    path = quote(request.path, safe="/-_.~")
    canonical = "\n".join([request.method, path, query, headers, ";".join(names), digest])
    text = "\n".join([algorithm, stamp, scope, _sha256(canonical.encode())])
    key = b"AWS4" + SECRET.encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return parts.get("Credential") == f"{KEY_ID}/{scope}" and hmac.compare_digest(parts["Signature"], key.hex())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _xml(body: str) -> Response:
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>{body}', mimetype="application/xml")
