"""Object stores that speak S3: listed and read by DuckDB's httpfs, which comes with its package.

Credentials and region come from the environment alone, under Amazon's own names, and httpfs reads
them there itself: no text of ours ever holds them.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TypeGuard
from urllib.parse import urlsplit

import duckdb

from pipelines.config.environment import store_endpoint
from pipelines.config.field_types import OBJECT_STORES
from pipelines.export.errors import ExportError, UnreachableStoreError, in_one_line, unreadable
from pipelines.sql_text import literal
from pipelines.warehouse.connect import quiet

_PACKAGE = "duckdb_extension_httpfs"
_KEYS = "correct AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN"
_REGION = "set AWS_REGION to the bucket's"
# What a server calls its refusal → the next step; of any other it is the keys.
_NEXT_STEPS = {
    "NoSuchBucket": "correct the bucket in 'path'",
    "AccessDenied": "permit these credentials to list the bucket and to read its objects",
    "AuthorizationHeaderMalformed": _REGION,
    "PermanentRedirect": _REGION,
}
_SERVER_ERRORS = 500


def is_object(path: str) -> bool:
    """Whether it is the address of an object, or of many."""
    return path.startswith(OBJECT_STORES)


def listed(pattern: str) -> list[tuple[str, int, int]]:
    """Address, size in bytes and time of change (ns since 1970) of what a glob matches.

    Raises ExportError where the store refuses it, UnreachableStoreError where it does not answer.
    """
    with quiet(duckdb.connect(":memory:")) as connection:
        attach(connection, pattern)
        # Globs are off for reading, where names are what they are.
        connection.execute("SET s3_url_compatibility_mode = false")
        try:
            # Answered by the listing alone: no content is read, and no object asked about.
            return connection.execute(
                f"SELECT filename, size, epoch_ns(last_modified) FROM read_blob({literal(pattern)})"
            ).fetchall()
        except duckdb.Error as error:
            raise _refused(pattern, error) from error


def attach(connection: duckdb.DuckDBPyConnection, url: str) -> None:
    """Let a connection read objects by their addresses, of which no character is a wildcard."""
    package = find_spec(_PACKAGE)
    folder = Path(package.origin).parent if package and package.origin else Path(_PACKAGE)
    file = folder / "extensions" / f"v{duckdb.__version__}" / "httpfs.duckdb_extension"
    try:
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute(f"LOAD {literal(file)}")
    except duckdb.Error as error:
        raise ExportError(
            f"{in_one_line(url)} is in an object store, which needs the package "
            f"{_PACKAGE.replace('_', '-')} {duckdb.__version__}: install it, or copy the files."
        ) from error
    connection.execute("SET s3_url_compatibility_mode = true")
    # Google's has one address; any other store is told by its endpoint.
    if url.startswith("s3://") and (endpoint := store_endpoint()):
        _set_endpoint(connection, endpoint)


def _set_endpoint(connection: duckdb.DuckDBPyConnection, endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise ExportError(
            "The environment variable AWS_ENDPOINT_URL is no address of a server: write such as "
            "https://minio.example:9000."
        )
    connection.execute("SET s3_endpoint = ?", [parts.netloc + parts.path.rstrip("/")])
    connection.execute("SET s3_use_ssl = ?", [parts.scheme == "https"])
    connection.execute("SET s3_url_style = 'path'")


def not_read(url: str, error: Exception) -> ExportError | None:
    """Why an object could not be read, where that is the store's doing and not its content's."""
    if _is_refusal(error):
        return unreadable(url, f"HTTP {error.status_code} {error.reason}")
    return _refused(url, error) if " HTTP " in str(error) else None


def _refused(url: str, error: Exception) -> ExportError:
    bucket = in_one_line("/".join(url.split("/", 3)[:3]))
    if _is_refusal(error):
        named = re.search(r"<Code>(\w+)</Code>", error.body)
        why = named[1] if named else f"HTTP {error.status_code}"
        return ExportError(
            f"The object store refuses {bucket} ({why}): {_NEXT_STEPS.get(why, _KEYS)}."
        )
    if "query parameters" in str(error):
        return ExportError(
            f"In {bucket} an object that 'path' matches has a ? in its name, and cannot be read: "
            "rename it, or make 'path' narrower."
        )
    return UnreachableStoreError(
        f"The object store of {bucket} does not answer: run the same command again when it does, "
        "or correct AWS_ENDPOINT_URL."
    )


def _is_refusal(error: Exception) -> TypeGuard[duckdb.HTTPException]:
    return isinstance(error, duckdb.HTTPException) and error.status_code < _SERVER_ERRORS
