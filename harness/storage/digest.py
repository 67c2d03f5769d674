"""Content addresses: equal content, equal digest, whatever the order of keys."""

import hashlib
import json
from typing import Any

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spare white space, as UTF-8. NaN and infinity are refused."""
    return _ENCODER.encode(value).encode("utf-8", "surrogatepass")


def digest(value: Any) -> str:
    """`sha256:<hex>` of a JSON value's canonical form."""
    return digest_bytes(canonical_json(value))


def digest_bytes(content: bytes) -> str:
    """`sha256:<hex>` of bytes as they are."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
