"""Content digests: equal content has an equal digest, independent of key order."""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and without white space, as UTF-8. ValueError for NaN and infinity."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "surrogatepass")


def digest(value: Any) -> str:
    """`sha256:<hex>` of a JSON value's canonical form."""
    return digest_bytes(canonical_json(value))


def digest_bytes(content: bytes) -> str:
    """`sha256:<hex>` of bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()
