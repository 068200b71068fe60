"""How deep JSON is nested, told without parsing it: parsers recurse, and a recursion that goes too deep ends a process.

Python's limit of recursion is a setting that any library may raise, so it is no protection.
"""

import re

_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


def is_nested_beyond(content: bytes, depth_max: int) -> bool:
    """Whether arrays and objects are nested more than so deep. What is not JSON is counted as if it were."""
    if content.count(b"[") + content.count(b"{") <= depth_max:
        return False
    depth = 0
    for match in _STRUCTURE.finditer(content):
        token = match[0]
        if token in (b"[", b"{"):
            depth += 1
            if depth > depth_max:
                return True
        elif token in (b"]", b"}"):
            depth -= 1
    return False
