"""The sandbox of a template: plain data, listed filters, and bounds on memory and time.

A template is a program and may be untrusted. Jinja's sandbox blocks Python's internals; this one also blocks
all methods except METHODS, other files, and excessive use of memory or time. The output of a template is
counted in characters against a budget per rendering; work without output is limited by CPU time.
"""

import contextlib
from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any, Final

from jinja2 import StrictUndefined, Undefined, pass_context
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.filters import FILTERS
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment

from harness.prompting.filters import KNOWN, LISTING, OF_TEXT, OWN, cost_of, printf
from harness.prompting.plain import PlainData
from harness.prompting.render_budget import ENTRY, RenderBudget, TooMuch, Turns, sizes_of
from harness.prompting.template_guard import HELD, JOINED, TURNS

WIDEST: Final = 100_000
"""The largest number that a filter accepts, such as a width."""
BITS: Final = 1_000
"""The most bits of an integer that is computed: dividing longer ones takes quadratic time."""
FARTHEST: Final = 1_000_000_000
"""The largest bound of a range: a list of longer numbers takes any memory."""

METHODS: Final[Mapping[type, tuple[str, ...]]] = {
    str: (
        "capitalize", "casefold", "count", "endswith", "find", "isalpha", "isdigit", "islower", "isnumeric",
        "isspace", "istitle", "isupper", "lower", "lstrip", "partition", "removeprefix", "removesuffix",
        "rfind", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "swapcase",
        "title", "upper",
    ),
    dict: ("get", "items", "keys", "values"),
    list: ("count", "index"),
    tuple: ("count", "index", "grouper", "list"),
    LoopContext: (
        "changed", "cycle", "depth", "depth0", "first", "index", "index0", "last", "length", "nextitem",
        "previtem", "revindex", "revindex0",
    ),
}  # fmt: skip
"""The methods and attributes of a value that a template may use."""
_BOUNDED: Final = ("join", "replace")
"""Methods of a text that are replaced by the filters of the same name."""


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one template; its budget is reset for each rendering.

    `cites`: whether shots record their clauses, so that an empty list is an answer.
    """

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))

    def __init__(self) -> None:
        self.budget = RenderBudget()
        self.cites = True
        super().__init__(
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            # Folding constants would run a filter before there is a budget.
            optimized=False,
            finalize=pass_context(lambda context, value: context.environment.budget.text(value)),
        )
        own = {**OWN, HELD: lambda value: value}
        known = {name: FILTERS[name] for name in KNOWN} | own
        self.filters = {name: self._counted(name, function) for name, function in known.items()}
        self.filters[TURNS] = partial(Turns, self.budget)
        self.filters[JOINED] = lambda parts: "".join(map(self.budget.text, parts))
        self.globals = {"range": partial(self._range)}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An entry of a table takes precedence over a method of the same name."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An entry, or one of METHODS. A text is counted: filters by attribute hold it for every value."""
        found = self._item(obj, argument)
        self.budget.spend(1 + (len(found) if isinstance(found, str) else 0))
        return found

    def _item(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Undefined):
            str(obj)  # says what is undefined
        if isinstance(obj, dict | list | tuple | str):
            with contextlib.suppress(LookupError, TypeError):
                return obj[argument]
        if isinstance(argument, str) and argument.startswith("_"):
            return self.unsafe_undefined(obj, argument)
        found = self._method(obj, argument)
        if found is not None:
            return found
        kind = obj.kind if isinstance(obj, PlainData) else ""
        hint = f"{kind!r} has no attribute {argument!r} (it has: {', '.join(obj)})" if kind else None
        return self.undefined(hint, obj=obj, name=argument)

    def _method(self, obj: Any, name: Any) -> Any:
        if isinstance(obj, str) and name in _BOUNDED:
            own = self.filters[name]
            return partial(own, self, obj) if name == "replace" else partial(own, self, d=obj)
        for kind, names in METHODS.items():
            if isinstance(obj, kind) and name in names:
                found = getattr(obj, name, None)
                if isinstance(obj, str):
                    return partial(self._of_text, found, name, obj)
                return partial(found) if callable(found) else found
        return None

    def _of_text(self, method: Any, name: str, text: str, *args: Any, **named: Any) -> Any:
        self.budget.spend(cost_of(name, text, next(iter((*args, *named.values())), None)))
        return method(*args, **named)

    def call(self, context: Context, function: Any, *args: Any, **named: Any) -> Any:
        """Call a macro, a recursive loop, or a method that `getitem` returned."""
        if isinstance(function, LoopContext):
            args = tuple(Turns(self.budget, one) for one in args)
        elif not isinstance(function, Macro | partial):
            raise SecurityError(f"{_kind(function)} cannot be called")
        self.budget.spend()
        return self._kept(context.call(function, *args, **named))

    def call_test(self, *args: Any, **named: Any) -> Any:
        """Run a test such as `in`."""
        self.budget.spend()
        return super().call_test(*args, **named)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator, with a bounded result."""
        if operator == "**":
            raise TooMuch("no powers in a prompt: write the number")
        if operator == "%" and isinstance(left, str):
            given = right if isinstance(right, tuple) else (right,)
            return self._kept(
                printf(self, left, **right) if isinstance(right, dict) else printf(self, left, *given)
            )
        if operator == "*":
            self._allow_product(left, right)
        return self._kept(self.binop_table[operator](left, right))

    def _allow_product(self, left: Any, right: Any) -> None:
        for value, times in ((left, right), (right, left)):
            if isinstance(value, str | list | tuple) and isinstance(times, int):
                self.budget.spend(len(value) * max(times, 0) * (1 if isinstance(value, str) else ENTRY))

    def _range(self, *bounds: int) -> list[int]:
        if any(abs(bound) > FARTHEST for bound in bounds):
            raise TooMuch(f"range is given a number beyond {FARTHEST:,}")
        found = range(*bounds)
        self.budget.spend(len(found) * ENTRY)
        return list(found)

    def _counted(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Run a filter with bounded arguments, and count its result."""
        passed = int(hasattr(function, "jinja_pass_arg"))

        @wraps(function)
        def counted(*args: Any, **named: Any) -> Any:
            self.budget.spend()
            for given in (*args[passed + 1 :], *named.values()):
                if isinstance(given, int | float) and abs(given) > WIDEST:
                    raise TooMuch(f"{name} is given {given}: at most {WIDEST:,}")
            if name in OF_TEXT and isinstance(args[passed], dict | list | tuple):
                raise TemplateRuntimeError(f"{name} takes a text: write | json or | join first")
            if name in LISTING and isinstance(args[passed], str | dict | list | tuple):
                self.budget.spend(len(args[passed]) * ENTRY)
            if name in OF_TEXT and isinstance(args[passed], str):
                what = next(iter((*args[passed + 1 :], *named.values())), None)
                self.budget.spend(cost_of(name, args[passed], what))
            return self._kept(function(*args, **named))

        return counted

    def _kept(self, value: Any) -> Any:
        """Count a result; a generator becomes a list, and text marked as HTML plain text."""
        if isinstance(value, int) and value.bit_length() > BITS:
            raise TooMuch("a number that is too large")
        if isinstance(value, str | int | float | Undefined | None):
            self.budget.spend_all(sizes_of(value))
            return str(value) if type(value) is not str and isinstance(value, str) else value
        if not isinstance(value, list | tuple | dict):
            value = list(self.budget.ticking(value))
        self.budget.spend_all(sizes_of(value))
        return value


def _kind(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return "a table"
    return "what is undefined" if isinstance(value, Undefined) else f"a value such as {str(value)[:40]!r}"
