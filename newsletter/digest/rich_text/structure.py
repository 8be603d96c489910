"""Bring a tree into the canonical form of rich text, of which each text has exactly one.

Canonical means: only what the table allows, blocks and inline content never mixed, marks in one
order, no empty elements, footnotes numbered by their first reference and at the end. Nothing that a
reader sees is lost and no words run together: unknown blocks become paragraphs, and unknown inline
elements leave their text.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from newsletter.digest.rich_text import notes, tables
from newsletter.digest.rich_text.attributes import (
    is_space,
    language_of,
    link_target,
    list_attributes,
    media_name,
    picture_attributes,
)
from newsletter.digest.rich_text.inline import (
    Marks,
    Run,
    is_blank,
    paragraphs,
    tidy,
    to_nodes,
    with_mark,
)
from newsletter.digest.rich_text.table import (
    NOTE,
    OTHER_BLOCKS,
    RENAMED,
    TEXT_BLOCKS,
)
from newsletter.digest.rich_text.tree import Element, Node, parse

MAX_NESTING = 8
"""How deep quotations, lists and tables may contain each other. Deeper ones become paragraphs."""

_SIMPLE_MARKS = {"strong", "em", "s", "sup", "sub"}
_FORGOTTEN = {"audio", "embed", "input", "map", "area", "source", "track", "video", "canvas"}


@dataclass
class Context:
    """What the parts of one text share: the keys of its footnotes, and those found so far."""

    keys: frozenset[str]
    notes: dict[str, list[Node]] = field(default_factory=dict)


def canonical(html: str) -> list[Element]:
    """Parse HTML and return its blocks in canonical form."""
    return normalize(parse(html))


def normalize(root: Element) -> list[Element]:
    """Return the blocks of a parsed text in canonical form."""
    context = Context(notes.keys(root))
    flow = Flow(context)
    flow.add_all(root.children)
    return notes.number(flow.finish(), context.notes)


class Flow:
    """Collects blocks. Loose inline content becomes blocks of the kind `tag`."""

    def __init__(
        self, context: Context, *, tag: str = "p", lang: str = "", nesting: int = 0
    ) -> None:
        self.context = context
        self.tag = tag
        self.lang = lang
        self.nesting = nesting
        self.blocks: list[Element] = []
        self.runs: list[Run] = []

    def finish(self) -> list[Element]:
        self.flush()
        return self.blocks

    def flush(self) -> None:
        """End the current block."""
        runs, self.runs = self.runs, []
        attrs = {"lang": self.lang} if self.lang else {}
        parts = list(paragraphs(runs)) if self.tag == "p" else [tidy(runs)]
        self.blocks += [
            Element(self.tag, to_nodes(part), dict(attrs)) for part in parts if not is_blank(part)
        ]

    def add_all(self, nodes: list[Node], marks: Marks = ()) -> None:
        for node in nodes:
            self.add(node, marks)

    def add(self, node: Node, marks: Marks = ()) -> None:
        if isinstance(node, str):
            self.runs.append(Run(node, marks))
            return
        tag = RENAMED.get(node.tag, node.tag)
        if tag in _FORGOTTEN:
            return
        if tag == "br":
            self.runs.append(Run("", marks, "break"))
        elif tag == "sup" and notes.reference(node) in self.context.keys:
            self.runs.append(Run(notes.reference(node), (), "note"))
        elif tag in TEXT_BLOCKS:
            self._add_block(node, marks, tag)
        elif tag in _BUILDERS:
            self.flush()
            self._add_container(tag, node, marks)
        elif tag == "li":
            self._add_stray_item(node)
        elif tag in OTHER_BLOCKS:
            self._add_block(node, marks, self.tag)
        else:
            self.add_all(node.children, _marked(node, tag, marks))

    def _add_block(self, node: Element, marks: Marks, tag: str) -> None:
        """Add a block whose loose content is of the kind `tag`, with marks from around it."""
        self.flush()
        outer = self.tag, self.lang
        self.tag, self.lang = tag, language_of(node) or self.lang
        self.add_all(node.children, marks)
        self.flush()
        self.tag, self.lang = outer

    def _add_container(self, tag: str, node: Element, marks: Marks) -> None:
        if self.nesting >= MAX_NESTING and tag not in {"hr", "img"}:
            self._add_block(node, marks, "p")
            return
        self.blocks += _BUILDERS[tag](self, node)

    def _add_stray_item(self, node: Element) -> None:
        """Add an item outside a list to the list just before it, or to a new one."""
        if not is_blank(self.runs):
            self.flush()
        self.runs = []
        made = _list(self, Element("ul", [node]))
        last = self.blocks[-1] if self.blocks else None
        if last and made and last.tag == "ul":
            last.children += made[0].children
        else:
            self.blocks += made

    def inside(self, node: Element) -> Flow:
        """Return a flow for what a container holds."""
        lang = language_of(node) or self.lang
        return Flow(self.context, lang=lang, nesting=self.nesting + 1)


def inline(flow: Flow, nodes: list[Node], *, credit: bool = False) -> list[Node]:
    """Return everything in `nodes` as inline content. Blocks in it are separated by line breaks."""
    inner = Flow(flow.context, nesting=MAX_NESTING)
    runs: list[Run] = []
    for node in nodes:
        if credit and isinstance(node, Element) and node.tag == "small":
            inner.add_all(node.children, (("small", ""),))
        else:
            inner.add(node)
    for block in inner.finish():
        if runs:
            runs.append(Run("", (), "break"))
        runs += runs_of(block.children)
    return to_nodes(tidy(runs))


def runs_of(nodes: list[Node], marks: Marks = ()) -> list[Run]:
    """Return canonical inline nodes as runs."""
    runs: list[Run] = []
    for node in nodes:
        if isinstance(node, str):
            runs.append(Run(node, marks))
        elif node.tag == "br":
            runs.append(Run("", marks, "break"))
        elif node.tag == "sup" and notes.reference(node):
            runs.append(Run(notes.reference(node), (), "note"))
        else:
            value = node.attrs.get("href", "") or node.attrs.get("lang", "")
            runs += runs_of(node.children, with_mark(marks, node.tag, value))
    return runs


def _marked(node: Element, tag: str, marks: Marks) -> Marks:
    """Return the marks of what an inline element contains."""
    if tag in _SIMPLE_MARKS:
        marks = with_mark(marks, tag)
    elif tag == "a" and (url := link_target(node.attrs.get("href", ""))):
        marks = with_mark(marks, "a", url)
    elif tag == "small" and ("small", "") in marks:
        return marks
    if lang := language_of(node):
        marks = with_mark(marks, "span", lang)
    return marks


def _quote(flow: Flow, node: Element) -> list[Element]:
    """Build a quotation. A last `footer` or `cite` is its source."""
    inner = flow.inside(node)
    source: list[Node] = []
    children = [child for child in node.children if not is_space(child)]
    last = children[-1] if children else None
    if isinstance(last, Element) and len(children) > 1 and _is_source(last):
        children.pop()
        source = _without_dash(inline(flow, last.children))
    inner.add_all(children)
    blocks: list[Node] = [*inner.finish()]
    if source and blocks:
        blocks.append(Element("footer", source))
    elif source:
        blocks.append(Element("p", source))
    return [Element("blockquote", blocks)] if blocks else []


def _without_dash(nodes: list[Node]) -> list[Node]:
    """Return the source of a quotation without the dash that every channel puts before it."""
    first, *others = runs_of(nodes) or [Run("")]
    if first.kind == "text":
        first = replace(first, text=first.text.lstrip(" —–-"))
    return to_nodes(tidy([first, *others]))


def _is_source(node: Element) -> bool:
    if node.tag in {"footer", "cite"}:
        return True
    inner = [child for child in node.children if not is_space(child)]
    only = inner[0] if len(inner) == 1 else None
    return node.tag == "p" and isinstance(only, Element) and only.tag == "cite"


def _list(flow: Flow, node: Element) -> list[Element]:
    """Build a list, or put the footnotes aside until all references are known."""
    items = _items(node)
    if node.tag == "ol" and "notes" in node.classes:
        _collect_notes(flow, items)
        return []
    built = [item for each in items if (item := _item(flow, node, each))]
    return [Element(node.tag, built, list_attributes(node, items))] if built else []


def _items(node: Element) -> list[Element]:
    """Return a list's items. What isn't one becomes one, and a list directly in it joins one."""
    items: list[Element] = []
    loose: list[Node] = []
    for child in [*node.children, Element("li")]:
        if isinstance(child, Element) and child.tag in {"ul", "ol"} and not loose and items:
            items[-1].children.append(child)
        elif isinstance(child, Element) and child.tag == "li":
            if loose:
                items.append(Element("li", loose))
            loose = []
            items.append(Element("li", child.children, dict(child.attrs)))
        elif loose or not is_space(child):
            loose.append(child)
    return items[:-1]


def _item(flow: Flow, parent: Element, node: Element) -> Element | None:
    inner = flow.inside(node)
    inner.lang = language_of(node) or language_of(parent) or flow.lang
    inner.add_all(node.children)
    content = unwrap_single(inner.finish())
    return Element("li", content) if content else None


def unwrap_single(blocks: list[Element]) -> list[Node]:
    """Return the blocks, without the `p` if one opens them and only lists follow."""
    first, rest = blocks[:1], blocks[1:]
    opens = bool(first) and first[0].tag == "p" and not first[0].attrs
    if opens and all(block.tag in {"ul", "ol"} for block in rest):
        return [*first[0].children, *rest]
    return [*blocks]


def _collect_notes(flow: Flow, items: list[Element]) -> None:
    for number, item in enumerate(items):
        key = (
            item.attrs.get("id", "").removeprefix(NOTE)
            or f"none-{len(flow.context.notes)}-{number}"
        )
        inner = Flow(flow.context, nesting=MAX_NESTING - 1)
        inner.add_all(item.children)
        if content := unwrap_single(inner.finish()):
            flow.context.notes.setdefault(key, []).extend(content)


def _table(flow: Flow, node: Element) -> list[Element]:
    def cell(source: Element) -> list[Node]:
        inner = flow.inside(source)
        inner.add_all(source.children)
        return unwrap_single(tables.without_tables(inner.finish()))

    return tables.build(node, cell=cell, caption=lambda nodes: inline(flow, nodes))


def _figure(flow: Flow, node: Element) -> list[Element]:
    """Build a figure around each picture. Without a picture, only the text is kept."""
    pictures = [each for each in node.elements() if each.tag == "img"]
    captions = [each for each in node.elements() if each.tag == "figcaption"]
    if not pictures:
        quotes = [each for each in node.children if isinstance(each, Element)]
        if any(each.tag == "blockquote" for each in quotes) and captions:
            quote = next(each for each in quotes if each.tag == "blockquote")
            source = Element("footer", captions[0].children)
            return _quote(flow, Element("blockquote", [*quote.children, source]))
        inner = Flow(flow.context, lang=flow.lang, nesting=flow.nesting)
        inner.add_all(node.children)
        return inner.finish()
    figures = [figure for each in pictures for figure in _picture(flow, each)]
    caption = [*inline(flow, captions[0].children, credit=True)] if captions else []
    if caption and figures:
        figures[-1].children.append(Element("figcaption", caption))
    return figures or ([Element("p", caption)] if caption else [])


def _picture(_flow: Flow, node: Element) -> list[Element]:
    source = node.attrs.get("src", "")
    if not media_name(source):
        return []
    attrs = {"src": source, **picture_attributes(node)}
    return [Element("figure", [Element("img", attrs=attrs)])]


def _rule(_flow: Flow, _node: Element) -> list[Element]:
    return [Element("hr")]


_BUILDERS = {
    "blockquote": _quote,
    "ul": _list,
    "ol": _list,
    "table": _table,
    "figure": _figure,
    "img": _picture,
    "hr": _rule,
}
