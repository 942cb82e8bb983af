"""The package as it would be installed, put together from the checkout: no maturin, no wheel."""

import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINDING = HERE.parent
ROOT = BINDING.parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
LIBRARY = Path(os.environ.get("HOS_PYTHON_LIB", TARGET / "debug" / "libhos_python.so"))
HOS = Path(os.environ.get("HOS_BIN", TARGET / "debug" / "hos"))


def prepare() -> Path:
    """Puts the package together below `target/`, and on the path of this process and its children."""
    place = TARGET / "python-layout" / LIBRARY.parent.name
    package = BINDING / "python" / "hos"
    made = set()
    for source in sorted(package.rglob("*")):
        if source.is_file() and source.suffix in (".py", ".pyi", ".typed"):
            made.add(_copy(source, place / "hos" / source.relative_to(package)))
    made.add(_copy(package / "py.typed", place / "hos" / "py.typed"))
    made.add(_copy(LIBRARY, place / "hos" / "_hos.abi3.so"))
    for old in (place / "hos").rglob("*"):
        if old.is_file() and old not in made and "__pycache__" not in old.parts and ".new-" not in old.name:
            old.unlink()
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != str(place)]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(place), *others])
    return place


def _copy(source: Path, to: Path) -> Path:
    one = source.stat()
    if not to.exists() or (to.stat().st_size, to.stat().st_mtime_ns) != (one.st_size, one.st_mtime_ns):
        to.parent.mkdir(parents=True, exist_ok=True)
        # In one step: another run may have the old one loaded.
        new = to.with_name(f"{to.name}.new-{os.getpid()}")
        shutil.copy2(source, new)
        os.replace(new, to)
    return to


if __name__ == "__main__":
    print(prepare())
