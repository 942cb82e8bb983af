"""The README's blocks, and a place to run them in."""

import os
import re
import shutil
import subprocess
import sys

import layout

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)


def blocks():
    """Each fenced block: its language, and its text."""
    found = FENCE.findall((layout.BINDING / "README.md").read_text(encoding="utf-8"))
    assert len(found) >= 8, "the README lost its blocks"
    return found


def of_framework(text):
    """The framework that a block needs, if it needs one."""
    first = text.splitlines()[0]
    return first[2:] if first in ("# django", "# fastapi") else None


def plain():
    """The Python of the blocks that need nothing else, in their order."""
    return "\n".join(text for language, text in blocks() if language == "python" and of_framework(text) is None)


def promised(code):
    """What its prints are said to print."""
    lines = [line for line in code.splitlines() if re.match(r"\s*print\(", line)]
    assert all("  # " in line for line in lines), "a print that promises nothing"
    return [line.rsplit("  # ", 1)[1] for line in lines]


def found_in(place):
    """Runs the blocks of the shell in a directory that has the law and `hos`."""
    shutil.copytree(layout.ROOT / "examples" / "pazar" / "law", os.path.join(place, "law"))
    environment = {**os.environ, "PATH": f"{layout.HOS.parent}{os.pathsep}{os.environ['PATH']}"}
    ran = 0
    for language, text in blocks():
        if language == "sh":
            said = subprocess.run(["sh", "-eu", "-c", text], cwd=place, env=environment, capture_output=True, text=True)
            assert said.returncode == 0, said.stdout + said.stderr
            ran += 1
    assert ran > 0


def run(place, code):
    """Runs Python in that directory."""
    return subprocess.run([sys.executable, "-c", code], cwd=place, env=dict(os.environ), capture_output=True, text=True)
