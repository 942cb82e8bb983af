"""`gunicorn --preload`, with gunicorn itself: an engine belongs to the worker that opened it."""

import http.client
import os
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from house import LAW, Stored  # noqa: E402

APP = '''
import json, os, hos

@hos.per_process
def engine():
    return hos.Engine.open(os.environ["LAW"], store=os.environ["STORE"])

# Opened in the master, before it forks: of no use in a worker.
inherited = hos.Engine.open(os.environ["LAW"], store=os.environ["STORE"])
if os.environ.get("IN_MASTER") == "closed":
    inherited.close()
    engine().tenant("t1").as_('S::Account::"ayse"').record("notes.page", "master")

def app(environ, start):
    path = environ["PATH_INFO"]
    try:
        used = inherited if path == "/inherited" else engine()
        ayse = used.tenant("t1").as_('S::Account::"ayse"')
        said = {"pid": os.getpid(), "can": ayse.can("hall.enter", 'S::Hall::"h1"').allowed}
        said["written"] = ayse.record("notes.page", "worker").allowed
    except hos.HosError as error:
        said = {"pid": os.getpid(), "error": type(error).__name__, "message": error.message}
    body = json.dumps(said).encode()
    start("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
'''


class Gunicorn(Stored):
    def serve(self, *words, **environment):
        Path(self.place.name, "served.py").write_text(APP, encoding="utf-8")
        command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", *words, "served:app"]
        environment = {**os.environ, "STORE": self.store, "LAW": str(LAW), **environment}
        log = open(os.path.join(self.place.name, "log"), "w+", encoding="utf-8")
        self.addCleanup(log.close)
        master = subprocess.Popen(command, cwd=self.place.name, env=environment, stdout=log, stderr=log)
        self.addCleanup(self.stop, master)
        until = time.monotonic() + 30
        while time.monotonic() < until and master.poll() is None:
            log.flush()
            said = Path(log.name).read_text(encoding="utf-8")
            if "Listening at: http://127.0.0.1:" in said and said.count("Booting worker") >= 2:
                return master, int(said.split("Listening at: http://127.0.0.1:")[1].split()[0])
            time.sleep(0.05)
        self.fail(Path(log.name).read_text(encoding="utf-8"))

    @staticmethod
    def stop(master):
        if master.poll() is None:
            master.terminate()
            try:
                master.wait(20)
            except subprocess.TimeoutExpired:
                master.kill()
                master.wait()

    def ask(self, port, path="/"):
        import json

        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def until_both(self, port, path="/"):
        """Answers of both workers, by process."""
        said = {}
        until = time.monotonic() + 20
        while len(said) < 2 and time.monotonic() < until:
            one = self.ask(port, path)
            said[one["pid"]] = one
        self.assertEqual(len(said), 2)
        return said

    def test_opened_in_the_master(self):
        master, port = self.serve("--preload")
        for one in self.until_both(port, "/inherited").values():
            self.assertEqual(one["error"], "ClosedError")
            self.assertIn("before a fork", one["message"])
        # The master keeps its own open; the workers open theirs beside it.
        for one in self.until_both(port).values():
            self.assertEqual((one["can"], one["written"]), (True, True))
        self.stop(master)
        self.assertEqual(master.returncode, 0)
        self.verify()

    def test_opened_lazily_and_workers_that_are_killed(self):
        master, port = self.serve("--preload", "--max-requests", "10", IN_MASTER="closed")
        pids = set(self.until_both(port))
        self.assertNotIn(master.pid, pids)
        os.kill(next(iter(pids)), signal.SIGKILL)
        seen = set()
        for _ in range(60):
            one = self.ask(port)
            self.assertEqual((one.get("can"), one.get("written")), (True, True), one)
            seen.add(one["pid"])
        self.assertGreater(len(seen - pids), 0, "workers were replaced")
        self.stop(master)
        self.verify()

    def test_with_threads(self):
        master, port = self.serve("--preload", "--threads", "4", IN_MASTER="closed")
        for one in self.until_both(port).values():
            self.assertEqual((one["can"], one["written"]), (True, True))
        self.stop(master)
        self.verify()


if __name__ == "__main__":
    unittest.main()
