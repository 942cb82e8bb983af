"""Every block of the README runs, and prints what it says. Those of frameworks are run in `frameworks/`."""

import tempfile
import unittest

import house  # noqa: F401
import readme


class Readme(unittest.TestCase):
    def test_it_does_what_it_says(self):
        with tempfile.TemporaryDirectory() as place:
            readme.found_in(place)
            code = readme.plain()
            said = readme.run(place, code)
            self.assertEqual((said.returncode, said.stderr), (0, ""))
            self.assertEqual(said.stdout.splitlines(), readme.promised(code))

    def test_no_block_is_left_out(self):
        known = {"sh", "python"}
        self.assertEqual({language for language, _ in readme.blocks()}, known)
        frameworks = [readme.of_framework(text) for _, text in readme.blocks() if readme.of_framework(text)]
        self.assertEqual(frameworks, ["django", "fastapi"])


if __name__ == "__main__":
    unittest.main()
