"""Checks of a template when it is parsed: refuse forbidden statements, count what makes or repeats output."""

from collections.abc import Iterator
from typing import Any, Final

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.visitor import NodeTransformer

from harness.storage.strict_json import whole_text

SOURCE: Final = 500_000
"""The most characters of a template."""
NODES: Final = 20_000
"""The most Jinja nodes of a template."""
_TAKEN = (
    nodes.Template, nodes.Output, nodes.For, nodes.If, nodes.Macro, nodes.CallBlock, nodes.FilterBlock,
    nodes.With, nodes.Assign, nodes.AssignBlock, nodes.Name, nodes.Literal, nodes.Pair, nodes.Keyword,
    nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr, nodes.Slice,
    nodes.Concat, nodes.Compare, nodes.Operand, nodes.BinExpr, nodes.UnaryExpr,
)  # fmt: skip
"""All other statements are refused, above all those that load another file."""
_WORDS = {nodes.Scope: "autoescape", nodes.FromImport: "import", nodes.NSRef: "a value set within another"}
HELD, TURNS, JOINED = "[]", "in", "~"
"""Filters that a template cannot name: they count a value, a loop's iterations, and a concatenation."""


def parse_guarded(environment: Environment, source: str) -> nodes.Template:
    """Parse a template and add counting to every place that makes or repeats output."""
    if len(source) > SOURCE:
        raise TemplateSyntaxError(f"longer than {SOURCE:,} characters", 1)
    tree = environment.parse(source)
    line = 1
    for number, node in enumerate(_walk(tree), start=1):
        line = node.lineno or line
        if not isinstance(node, _TAKEN):
            word = _WORDS.get(type(node), type(node).__name__.lower())
            raise TemplateSyntaxError(
                f"{word} is not allowed in a prompt: its files cannot load others", line
            )
        if (
            isinstance(node, nodes.Const)
            and isinstance(node.value, str)
            and whole_text(node.value) != node.value
        ):
            raise TemplateSyntaxError("contains half a surrogate pair, which is not a character", line)
        if number > NODES:
            raise TemplateSyntaxError(f"more than {NODES:,} Jinja nodes", line)
    guarded: nodes.Template = _TemplateGuard().visit(tree)
    return guarded


class _TemplateGuard(NodeTransformer):
    """Adds the counting filters where a template makes or repeats output."""

    def visit_Output(self, node: nodes.Output) -> nodes.Node:
        """Count literal text when it is written, since a loop can repeat it."""
        data = nodes.TemplateData
        node.nodes = [
            nodes.Const(one.data, lineno=one.lineno) if isinstance(one, data) else one for one in node.nodes
        ]
        return self.generic_visit(node)

    def visit_For(self, node: nodes.For) -> nodes.Node:
        """Count a loop's iterations."""
        self.generic_visit(node)
        node.iter = _filtered(node.iter, TURNS)
        return node

    def visit_List(self, node: nodes.Expr) -> nodes.Node:
        """Count a list: it can hold another one twice."""
        return _filtered(self.generic_visit(node), HELD)

    visit_Dict = visit_List

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        """Count a tuple, unless it is an assignment target."""
        self.generic_visit(node)
        return node if node.ctx != "load" else _filtered(node, HELD)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        """Count a slice, which is a copy."""
        self.generic_visit(node)
        return _filtered(node, HELD) if isinstance(node.arg, nodes.Slice) else node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        """Count a concatenation of texts."""
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), JOINED)


def _filtered(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    yield tree
    for child in tree.iter_child_nodes():
        yield from _walk(child)
