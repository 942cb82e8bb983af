"""What is said of types is so: mypy --strict over the package and samples of its use, and stubtest against the module itself."""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import layout  # noqa: E402

PLACE = layout.prepare()
TYPED = HERE.parent / "typed"


class Types(unittest.TestCase):
    def test_the_types_of_a_law_fit_the_package(self):
        """What `hos law types --py` makes: an actor has them, and a misspelt event is found."""
        made = layout.ROOT / "examples" / "pazar" / "types"
        code, said = self.mypy("--strict", "pazar_sound.py", path=made)
        self.assertEqual(code, 0, said)
        code, said = self.mypy("--strict", "pazar_unsound.py", path=made)
        found = re.findall(r"pazar_unsound\.py:(\d+): error: ", said)
        lines = (TYPED / "pazar_unsound.py").read_text(encoding="utf-8").splitlines()
        wanted = [str(number) for number, line in enumerate(lines, 1) if line.endswith("# error")]
        self.assertEqual((code, found), (1, wanted), said)

    def mypy(self, *words, module="mypy", path=PLACE):
        config = ["--config-file", str(layout.BINDING / "pyproject.toml")]
        options = [*config, "--cache-dir", str(layout.TARGET / "mypy-cache")] if module == "mypy" else []
        environment = {**os.environ, "MYPYPATH": os.pathsep.join({str(PLACE), str(path)}), "PYTHONPATH": str(PLACE)}
        command = [sys.executable, "-m", module, *options, *words]
        said = subprocess.run(command, cwd=TYPED, env=environment, capture_output=True, text=True)
        return said.returncode, said.stdout + said.stderr

    def test_the_package_is_strict(self):
        code, said = self.mypy("--strict", "--python-version", "3.10", "-p", "hos")
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"no issues found in [12]\d source files")

    def test_sound_use_is_sound(self):
        code, said = self.mypy("--strict", "sound.py")
        self.assertEqual(code, 0, said)

    def test_unsound_use_is_found(self):
        wanted = {}
        for number, line in enumerate((TYPED / "unsound.py").read_text(encoding="utf-8").splitlines(), 1):
            kind = re.search(r"# error: (\S+)$", line)
            if kind:
                wanted[number] = kind.group(1)
        code, said = self.mypy("--strict", "unsound.py")
        found = {int(line): kind for line, kind in re.findall(r"unsound\.py:(\d+): error: .*\[(\S+)\]", said)}
        self.assertEqual((code, found), (1, wanted), said)

    def test_the_stub_is_the_module(self):
        code, said = self.mypy("--ignore-disjoint-bases", "hos._hos", module="mypy.stubtest")
        self.assertEqual(code, 0, said)
        self.assertIn("no issues found", said)


if __name__ == "__main__":
    unittest.main()
