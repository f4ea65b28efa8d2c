"""Azurite, a server of Azure Blob Storage, with an empty container."""

import base64
import hashlib
import hmac
import urllib.request
from email.utils import formatdate
from pathlib import Path

# The account and its key are Azurite's own, and public.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def command(program: Path, port: int, folder: Path) -> list[str]:
    """The command that serves on a port, with the program `azurite-blob` and its files in a folder."""
    return [str(program), "--location", str(folder / "azurite"), "--blobPort", str(port), "--skipApiVersionCheck"]


def container_request(port: int, name: str) -> urllib.request.Request:
    """The request that creates a container, signed with the shared key."""
    path = f"/{ACCOUNT}/{name}"
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-12-02"}
    # Verb, eleven standard headers that are empty, the headers of Azure, and the resource with its query.
    lines = ["PUT", *[""] * 11, *[f"{key}:{value}" for key, value in headers.items()]]
    lines += [f"/{ACCOUNT}{path}", "restype:container"]
    signature = hmac.new(base64.b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}"
    return urllib.request.Request(
        f"http://127.0.0.1:{port}{path}?restype=container", b"", {**headers, "Content-Type": ""}, method="PUT"
    )
