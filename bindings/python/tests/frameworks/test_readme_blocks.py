"""The README's blocks for frameworks."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import house  # noqa: E402, F401
import readme  # noqa: E402

GROUND = """
import hos
from hos import Uid

class Shop:
    def __init__(self, id):
        self.id = id

    def __hos_uid__(self):
        return Uid("Pazar::Shop", self.id)

@hos.per_process
def law():
    return hos.Engine.open("law", store="hos.db")
"""

DJANGO = """
import sys, types
shop = types.ModuleType("shop")
shop.law, shop.principal = law, lambda user: Uid("Pazar::Account", user.username)
sys.modules["shop"] = shop
import django
from django.conf import settings
settings.configure(
    AUTHENTICATION_BACKENDS=AUTHENTICATION_BACKENDS, HOS=HOS, INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
from django.contrib.auth.models import User
print(User(username="ayse").has_perm("shop.view", Shop("s1")), User(username="ayse").has_perm("shop.edit", Shop("s1")))
"""

FASTAPI = """
import warnings
warnings.simplefilter("ignore")
from fastapi.testclient import TestClient
client = TestClient(app)
print([client.get("/shops/s1", headers={"x-user": who}).status_code for who in ("ayse", "nobody")])
"""


class Readme(unittest.TestCase):
    def says(self, framework, more, wanted):
        (block,) = [text for _, text in readme.blocks() if readme.of_framework(text) == framework]
        with tempfile.TemporaryDirectory() as place:
            readme.found_in(place)
            said = readme.run(place, GROUND + block + more)
            self.assertEqual((said.returncode, said.stderr, said.stdout.strip()), (0, "", wanted))

    def test_django(self):
        self.says("django", DJANGO, "True False")

    def test_fastapi(self):
        self.says("fastapi", FASTAPI, "[200, 403]")


if __name__ == "__main__":
    unittest.main()
