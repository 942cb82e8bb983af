"""Hosts: worlds with a database of their own, by each driver that is there. Those whose server no environment variable names are
left out, which is said once."""

import atexit
import importlib
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import layout  # noqa: E402
from house import AYSE, H1, LAW, MERT, hos  # noqa: E402

__all__ = ["ALL", "AYSE", "H1", "LAW", "MERT", "Host", "hos", "of"]

FOUND = [
    ["init", "--law", str(LAW), "--founder", "Account::ayse", "--role", "Role::operator", "--attr", "active=true", "--tenant", "t1"],
    ["directory", "put", "Account::mert", "--attr", "active=true", "--tenant", "universe", "--as", "Account::ayse"],
    ["directory", "put", "Hall::h1", "--attr", "open=true", "--tenant", "t1", "--as", "Account::ayse"],
    ["law", "activate", str(LAW), "--mode", "lamp=shadow", "--tenant", "t1", "--as", "Account::ayse"],
    ["work"],
]
TABLES = """
CREATE TABLE orders (id {text} PRIMARY KEY, status {text} NOT NULL);
CREATE TABLE pays (id {text} NOT NULL, evt {text} PRIMARY KEY);
CREATE TABLE counts (id {text} PRIMARY KEY, n INTEGER NOT NULL);
INSERT INTO counts VALUES ('a', 0);
INSERT INTO counts VALUES ('b', 0);
"""


class Host:
    """A kind of connection to a kind of database. `explicit`: transactions are begun by a statement, on a connection that commits
    each of its own otherwise."""

    module = ""
    dialect = ""
    key = "key"
    text = "VARCHAR(64)"
    explicit = False
    settings = ()

    def __init__(self, name=None, explicit=False, settings=()):
        self.name = name or self.module
        self.explicit = explicit
        self.settings = settings
        self.place = None
        self.database = ""

    made = 0
    # A store of each dialect, in which most tests keep out of each other's way by their ids.
    shared = {}

    @property
    def driver(self):
        return importlib.import_module(self.module)

    def share(self):
        """Takes the store of the dialect, and makes it where it is not there yet."""
        if self.dialect not in Host.shared:
            Host.shared[self.dialect] = self
            self.found()
            atexit.register(self.drop)
        one = Host.shared[self.dialect]
        self.place, self.database = one.place, one.database
        return self

    def hos(self, *words):
        """Runs `hos` on the store."""
        command = [str(layout.HOS), *words, "--store", self.url(), "--key-file", os.path.join(self.place.name, "seal.key")]
        said = subprocess.run(command, capture_output=True, text=True)
        if said.returncode != 0:
            raise AssertionError(f"hos {' '.join(words)}: {said.stdout}{said.stderr}")
        return said.stdout

    def found(self):
        """Makes the database, the store in it, and the world's own tables."""
        self.place = tempfile.TemporaryDirectory()
        self.database = f"hos_py_{os.getpid()}_{Host.made}"
        Host.made += 1
        self.create()
        for words in FOUND:
            self.hos(*words)
        connection = self.connect()
        for sql in filter(None, map(str.strip, TABLES.format(text=self.text).split(";"))):
            self.do(connection, sql)
        self.commit(connection)
        connection.close()
        return self

    def connect(self):
        connection = self.opened()
        for sql in self.settings:
            self.do(connection, sql)
        if not self.explicit and self.settings:
            connection.commit()
        return connection

    def alone(self):
        """A connection in no transaction, whose statements commit by themselves."""
        connection = self.connect()
        if self.module == "sqlite3":
            connection.isolation_level = None
        elif self.dialect == "postgres":
            connection.rollback()
            connection.autocommit = True
        else:
            connection.autocommit(True)
        return connection

    def do(self, connection, sql, *params):
        cursor = connection.cursor()
        cursor.execute(self.places(sql), params)
        cursor.close()

    def rows(self, connection, sql, *params):
        cursor = connection.cursor()
        cursor.execute(self.places(sql), params)
        found = [tuple(row) for row in cursor.fetchall()]
        cursor.close()
        return found

    def places(self, sql):
        return sql

    def begin(self, connection):
        if self.explicit:
            self.do(connection, "BEGIN")

    def commit(self, connection):
        self.do(connection, "COMMIT") if self.explicit else connection.commit()

    def rollback(self, connection):
        self.do(connection, "ROLLBACK") if self.explicit else connection.rollback()

    def is_there(self):
        return True

    def in_transaction(self, connection):
        """Whether the database itself says so."""
        raise NotImplementedError


class OnServer(Host):
    variable = ""

    def is_there(self):
        return bool(os.environ.get(self.variable))

    def server(self):
        url = urlsplit(os.environ[self.variable])
        return {"host": url.hostname, "port": url.port, "user": url.username, "password": url.password}

    def url(self):
        return f"{os.environ[self.variable].rpartition('/')[0]}/{self.database}"

    def create(self):
        self.administer(f"CREATE DATABASE {self.database}")


class Postgres(OnServer):
    variable = "HOS_TEST_POSTGRES"
    dialect = "postgres"

    def opened(self, database=None):
        name = {"dbname": database or self.database}
        connection = self.driver.connect(**self.server(), **name)
        connection.autocommit = self.explicit
        return connection

    def administer(self, sql):
        connection = self.opened(urlsplit(os.environ[self.variable]).path[1:])
        connection.autocommit = True
        self.do(connection, sql)
        connection.close()

    def drop(self):
        self.administer(f"DROP DATABASE {self.database} WITH (FORCE)")

    def id(self, connection):
        return self.rows(connection, "SELECT pg_backend_pid()")[0][0]

    def kill(self, connection, id):
        self.rows(connection, "SELECT pg_terminate_backend(%s)", id)

    def in_transaction(self, connection):
        return connection.info.transaction_status != 0


class Psycopg(Postgres):
    module = "psycopg"


class Psycopg2(Postgres):
    module = "psycopg2"


class Mysql(OnServer):
    variable = "HOS_TEST_MARIADB"
    dialect = "mysql"
    key = "`key`"

    def opened(self, database=None, **options):
        name = {"database": database or self.database}
        connection = self.driver.connect(**self.server(), **name, **{"autocommit": self.explicit, **options})
        return connection

    def administer(self, sql):
        connection = self.opened(urlsplit(os.environ[self.variable]).path[1:])
        self.do(connection, sql)
        connection.close()

    def drop(self):
        self.administer(f"DROP DATABASE {self.database}")

    def id(self, connection):
        return self.rows(connection, "SELECT CONNECTION_ID()")[0][0]

    def kill(self, connection, id):
        self.do(connection, f"KILL {id}")

    def in_transaction(self, connection):
        return bool(self.rows(connection, "SELECT @@in_transaction")[0][0])


class Pymysql(Mysql):
    module = "pymysql"


class Mysqlclient(Mysql):
    module = "MySQLdb"


class Sqlite(Host):
    module = "sqlite3"
    dialect = "sqlite"
    text = "TEXT"

    def url(self):
        return f"sqlite://{self.path}"

    @property
    def path(self):
        return os.path.join(self.place.name, "shop.db")

    def create(self):
        connection = self.opened()
        connection.execute("CREATE TABLE of_the_world (id TEXT)")
        connection.commit()
        connection.close()

    def drop(self):
        pass

    def opened(self, **options):
        own = {"isolation_level": None} if self.explicit else {}
        return self.driver.connect(self.path, timeout=20, check_same_thread=False, **own, **options)

    def places(self, sql):
        return sql.replace("%s", "?")

    def begin(self, connection):
        self.do(connection, "BEGIN IMMEDIATE")

    def in_transaction(self, connection):
        return connection.in_transaction


SNAPSHOT = "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL "
SQLITE = [lambda: Sqlite("sqlite"), lambda: Sqlite("sqlite, explicit", explicit=True)]
ALL = [
    *SQLITE,
    lambda: Psycopg("psycopg, explicit", explicit=True),
    lambda: Psycopg("psycopg, repeatable read", settings=[SNAPSHOT + "REPEATABLE READ"]),
    lambda: Psycopg("psycopg, serializable", settings=[SNAPSHOT + "SERIALIZABLE"]),
    lambda: Psycopg2(),
    lambda: Pymysql(),
    lambda: Pymysql("pymysql, explicit, snapshot isolation", explicit=True, settings=["SET SESSION innodb_snapshot_isolation = ON"]),
    lambda: Mysqlclient(),
]
# Each driver once.
DRIVERS = [ALL[0], ALL[2], ALL[5], ALL[6], ALL[8]]
# Those that are reached by exchanges, in either way of beginning.
REMOTE = [*ALL[2:4], ALL[5], ALL[6], ALL[7], ALL[8], lambda: Mysqlclient("MySQLdb, explicit", explicit=True)]
# Which stand for their databases where one driver is enough.
ONE_EACH = [ALL[0], ALL[2], ALL[6]]

PLACE = {"sqlite": 0, "postgres": 1, "mysql": 2}

_SAID = set()


def of(makers, *cases):
    """Test classes: each of the cases on each host that is there."""
    suite = unittest.TestSuite()
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    for make in makers:
        host = make()
        if not host.is_there():
            if host.variable not in _SAID:
                _SAID.add(host.variable)
                print(f"{host.variable} names no database: tests on it are left out", file=sys.stderr)
            continue
        for case in cases:
            name = f"{case.__name__} on {host.name}"
            suite.addTests(load(type(name, (case,), {"host": host, "__module__": case.__module__})))
    return suite
