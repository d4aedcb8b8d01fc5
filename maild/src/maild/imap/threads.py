"""THREAD=REFERENCES (RFC 5256 section 3): messages to trees, by their references and then by their subjects.

Pure. Depth and breadth are the messages'; nothing here recurses, so a thread of ten thousand replies is only long.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Item:
    """What threading needs to know of a message."""

    number: int
    id: bytes
    references: tuple[bytes, ...]
    sent_at: int
    base_subject: str
    is_reply: bool


@dataclass(slots=True, eq=False)
class Node:
    """A place in a tree; without an item it stands for a message that is not here."""

    item: Item | None = None
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)

    @property
    def first(self) -> Item | None:
        """Its own message, or the first one below it."""
        node = self
        while node.item is None and node.children:
            node = node.children[0]
        return node.item

    @property
    def sort_key(self) -> tuple[int, int]:
        """By date, then by number."""
        item = self.first
        return (item.sent_at, item.number) if item else (0, 0)


def by_references(items: Iterable[Item]) -> list[Node]:
    """The threads in order."""
    nodes = _linked(items)
    roots = _pruned([node for node in nodes if node.parent is None])
    _sort(roots)
    return _gathered(roots)


def _linked(items: Iterable[Item]) -> list[Node]:
    """Steps 1 and 2: every reference is the parent of the one that follows it."""
    by_id: dict[bytes, Node] = {}
    nodes: list[Node] = []
    for item in items:
        node = by_id.get(item.id) if item.id else None
        if node is None or node.item is not None:
            # No Message-ID, or one that another message has: it cannot be referred to.
            node = Node()
            nodes.append(node)
            if item.id and item.id not in by_id:
                by_id[item.id] = node
        node.item = item
        parent: Node | None = None
        for reference in item.references:
            above = by_id.get(reference)
            if above is None:
                above = by_id[reference] = Node()
                nodes.append(above)
            if parent is not None and above.parent is None and not _is_above(above, parent):
                _attach(above, parent)
            parent = above
        if parent is not None and not _is_above(node, parent):
            _detach(node)
            _attach(node, parent)
        elif parent is None:
            _detach(node)
    return nodes


def _is_above(node: Node, other: Node) -> bool:
    """Whether a node is the other or stands above it: then the other cannot become its parent."""
    if not node.children:
        return node is other
    walk: Node | None = other
    while walk is not None:
        if walk is node:
            return True
        walk = walk.parent
    return False


def _attach(node: Node, parent: Node) -> None:
    node.parent = parent
    parent.children.append(node)


def _detach(node: Node) -> None:
    if node.parent is not None:
        node.parent.children.remove(node)
        node.parent = None


def _pruned(roots: list[Node]) -> list[Node]:
    """Step 3: places without a message go; their children move up, at the root only a single child."""
    for node in reversed(_below(roots)):
        kept: list[Node] = []
        for child in node.children:
            if child.item is not None:
                kept.append(child)
            else:
                kept += child.children
        for child in kept:
            child.parent = node
        node.children = kept
    found: list[Node] = []
    for root in roots:
        if root.item is not None or len(root.children) > 1:
            found.append(root)
        else:
            found += root.children
    for root in found:
        root.parent = None
    return found


def _below(roots: list[Node]) -> list[Node]:
    """All nodes, parents before their children."""
    order = list(roots)
    for node in order:
        order += node.children
    return order


def _sort(roots: list[Node]) -> None:
    """Step 4, and step 6 for what it sorts: siblings by date."""
    for node in reversed(_below(roots)):
        node.children.sort(key=lambda child: child.sort_key)
    roots.sort(key=lambda root: root.sort_key)


def _gathered(roots: list[Node]) -> list[Node]:
    """Steps 5 and 6: roots of one base subject become one thread."""
    table: dict[str, Node] = {}
    for root in roots:
        item = root.first
        subject = item.base_subject if item else ""
        if not subject:
            continue
        known = table.get(subject)
        if known is None or _goes_before(root, known):
            table[subject] = root
    found: list[Node] = []
    for root in roots:
        item = root.first
        top = table.get(item.base_subject) if item and item.base_subject else None
        if top is None or top is root:
            found.append(root)
        else:
            _merge(root, top, table)
    merged = list(dict.fromkeys(_current(root, table) for root in found))
    _sort(merged)
    return merged


def _goes_before(root: Node, known: Node) -> bool:
    """Whether a root represents its subject better (step 5.B.iii)."""
    if root.item is None:
        return known.item is not None
    if known.item is None:
        return False
    return known.item.is_reply and not root.item.is_reply


def _current(root: Node, table: dict[str, Node]) -> Node:
    item = root.first
    return table.get(item.base_subject, root) if item and item.base_subject else root


def _merge(root: Node, top: Node, table: dict[str, Node]) -> None:
    """Step 5.C: how two roots of one subject become one."""
    if top.item is None and root.item is None:
        for child in root.children:
            _attach(child, top)
    elif top.item is None or (root.item is not None and root.item.is_reply and not top.item.is_reply):
        _attach(root, top)
    else:
        subject = top.item.base_subject
        both = Node()
        _attach(top, both)
        _attach(root, both)
        table[subject] = both


def write(threads: list[Node]) -> bytes:
    """The trees as THREAD writes them."""
    out: list[bytes] = []
    stack: list[Node | bytes] = []
    for root in reversed(threads):
        stack += [b")", root, b"("]
    while stack:
        top = stack.pop()
        if isinstance(top, bytes):
            out.append(top)
            continue
        if top.item is not None:
            out.append(b"%d" % top.item.number)
        if len(top.children) == 1 and top.item is not None:
            out.append(b" ")
            stack.append(top.children[0])
        elif top.children:
            if top.item is not None:
                out.append(b" ")
            for child in reversed(top.children):
                stack += [b")", child, b"("]
    return b"".join(out)
