"""Counts in words."""


def more_of(count: int, shown: int) -> str:
    """What follows the first names of a list: how many more there are; empty if all are shown."""
    return f" and {count - shown:,} more" if count > shown else ""


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 pair`, `2,000 pairs`, `2 queries`; `many` is for a noun with its verb, or another plural."""
    if many is None:
        many = f"{one[:-1]}ies" if one.endswith("y") and one[-2] not in "aeiou" else f"{one}s"
    return f"{count:,} {one if count == 1 else many}"
