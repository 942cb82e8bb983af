"""Every block of the README runs, and prints what it says. Those of frameworks are run in `frameworks/`."""

import re
import tempfile
import unittest

import house  # noqa: F401
import layout
import readme


class Readme(unittest.TestCase):
    def test_it_does_what_it_says(self):
        with tempfile.TemporaryDirectory() as place:
            readme.found_in(place)
            code = readme.plain()
            said = readme.run(place, code)
            self.assertEqual((said.returncode, said.stderr), (0, ""))
            self.assertEqual(said.stdout.splitlines(), readme.promised(code))

    def test_it_installs_what_is_built_here(self):
        project = (layout.BINDING / "pyproject.toml").read_text()
        name = re.search(r'^name = "(.+)"$', project, re.M)[1]
        version = re.search(r'^version = "(.+)"$', (layout.ROOT / "Cargo.toml").read_text(), re.M)[1]
        installed = re.findall(r"pip install (\S+)`", (layout.BINDING / "README.md").read_text())
        self.assertEqual(installed, [f"./{name.replace('-', '_')}-{version}-cp39-abi3-<platform>.whl"])
        self.assertNotEqual(name, "hos", "the index has one, and it is not this")

    def test_no_block_is_left_out(self):
        known = {"sh", "python"}
        self.assertEqual({language for language, _ in readme.blocks()}, known)
        frameworks = [readme.of_framework(text) for _, text in readme.blocks() if readme.of_framework(text)]
        self.assertEqual(frameworks, ["django", "fastapi"])


if __name__ == "__main__":
    unittest.main()
