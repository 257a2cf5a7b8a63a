"""Faults -> text like a compiler's, JSON, SARIF, or annotations of GitHub."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runner import __version__
from runner.errors import Diagnostic

FORMATS = ("text", "json", "sarif", "github")


def render(diagnostics: Sequence[Diagnostic], format: str = "text") -> str:
    """All faults in one of `FORMATS`."""
    if format == "json":
        return json.dumps([{**asdict(each), "file": shown(each.file)} for each in diagnostics], indent=2)
    if format == "sarif":
        return json.dumps(sarif(diagnostics), indent=2)
    if format == "github":
        return "\n".join(annotation(each) for each in diagnostics)
    return "\n\n".join(text(each) for each in diagnostics)


def shown(file: str) -> str:
    """The path relative to where we are, if it lies below."""
    relative = os.path.relpath(file) if file else ""
    return file if relative.startswith("..") else relative


def text(fault: Diagnostic) -> str:
    """Place, code and message; the line; a caret; what to do."""
    place = f"{shown(fault.file)}:{fault.line}:{fault.column}" if fault.line else shown(fault.file)
    lines = [f"{place}: {fault.severity}[{fault.code}]: {fault.message}"]
    source = line_of(fault)
    gutter = " " * len(str(fault.line))
    if source is not None:
        tabs = source.replace("\t", " ")
        length = max(1, min(fault.end_column, len(source)) - fault.column + 1)
        lines += [f"{gutter} |", f"{fault.line} | {tabs}", f"{gutter} | {' ' * (fault.column - 1)}{'^' * length}"]
    if fault.hint:
        lines.append(f"{gutter} = help: {fault.hint}")
    return "\n".join(lines)


def line_of(fault: Diagnostic) -> str | None:
    """The offending line as written."""
    if not fault.line or not Path(fault.file).is_file():
        return None
    lines = Path(fault.file).read_text(encoding="utf-8-sig", errors="replace").split("\n")
    return lines[fault.line - 1].rstrip("\r") if fault.line <= len(lines) else None


def annotation(fault: Diagnostic) -> str:
    """A workflow command of GitHub."""
    message = f"{fault.message}. {fault.hint}".strip().replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    file = shown(fault.file).replace("%", "%25").replace(",", "%2C").replace(":", "%3A")
    place = f"file={file},line={fault.line or 1},col={fault.column or 1},endColumn={fault.end_column or 1}"
    return f"::{'error' if fault.severity == 'error' else 'warning'} {place},title={fault.code}::{message}"


def sarif(diagnostics: Sequence[Diagnostic]) -> dict[str, Any]:
    """SARIF 2.1.0, for code scanning."""
    codes = sorted({each.code for each in diagnostics})
    driver = {"name": "runner", "version": __version__, "rules": [{"id": code} for code in codes]}
    results = [
        {
            "ruleId": each.code,
            "level": each.severity,
            "message": {"text": f"{each.message}. {each.hint}".strip()},
            "locations": [{"physicalLocation": location(each)}],
        }
        for each in diagnostics
    ]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}],
    }


def location(fault: Diagnostic) -> dict[str, Any]:
    """Where a fault stands; SARIF's end column is exclusive."""
    region = {
        "startLine": max(fault.line, 1),
        "startColumn": max(fault.column, 1),
        "endColumn": max(fault.end_column, 1) + 1,
    }
    return {"artifactLocation": {"uri": Path(shown(fault.file)).as_posix()}, "region": region}
