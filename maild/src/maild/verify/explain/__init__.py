"""What a receiver would make of a message, line by line: the tutorial's "원본 보기" with reasons and remedies."""

from maild.verify.explain.line import Level, Line
from maild.verify.explain.path import Path, path_of
from maild.verify.explain.report import Own, explain

__all__ = ["Level", "Line", "Own", "Path", "explain", "path_of"]
