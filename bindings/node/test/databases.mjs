// Databases of the host's own, made anew for a test and dropped behind it: PostgreSQL where `HOS_TEST_POSTGRES` names a server,
// MariaDB or MySQL where `HOS_TEST_MARIADB` does, and files of SQLite everywhere.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import mysql from "mysql2";
import mysqlPromise from "mysql2/promise";
import pg from "pg";
import { command, place, vectors } from "./house.mjs";

const postgres = process.env.HOS_TEST_POSTGRES ?? "";
const mariadb = process.env.HOS_TEST_MARIADB ?? "";

let number = 0;
const fresh = () => `hos_node_${process.pid}_${(number += 1)}`;
const within = (url, name) => Object.assign(new URL(url), { pathname: `/${name}` }).href;

const home = place();
const files = (name) => join(home, `${name}.db`);

/** What a host does with a connection of its own, whatever it is one of. */
class Host {
  constructor(connection, say, end, lose) {
    Object.assign(this, { connection, say, end, lose });
  }

  /** One value. */
  async one(sql) {
    const [row] = await this.say(sql);
    const [value] = Object.values(row);
    return typeof value === "bigint" || /^\d+$/.test(value) ? Number(value) : value;
  }

  begin = () => this.say("BEGIN");
  commit = () => this.say("COMMIT");
  rollback = () => this.say("ROLLBACK");
}

const pgHost = (client) => {
  // What is lost on purpose says so.
  client.on("error", () => {});
  return new Host(client, async (sql) => (await client.query(sql)).rows, () => client.end(), () => client.connection.stream.destroy());
};

const mysqlHost = (connection) => {
  const core = connection.connection ?? connection;
  core.on("error", () => {});
  const say = (sql) => new Promise((done, failed) => core.query(sql, (error, rows) => (error ? failed(error) : done(rows))));
  return new Host(connection, say, () => new Promise((done) => core.end(() => done())), () => core.stream.destroy());
};

const sqliteHost = (db) => {
  const say = (sql) => {
    const statement = db.prepare(sql);
    return statement.reader ? statement.all() : (statement.run(), []);
  };
  return new Host(db, say, () => db.close(), () => db.close());
};

/** Each kind of connection: how its database is made, and how a host connects to it. */
export const KINDS = {
  pg: {
    missing: postgres === "" && "HOS_TEST_POSTGRES names no server",
    make: (name) => pgSay(`CREATE DATABASE ${name}`),
    drop: (name) => pgSay(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
    url: (name) => within(postgres, name),
    async connect(url, options) {
      const client = new pg.Client({ connectionString: url, ...options });
      await client.connect();
      return pgHost(client);
    },
    pool: (url, options) => new pg.Pool({ connectionString: url, max: 4, ...options }),
    host: pgHost,
  },
  "mysql2/promise": {
    missing: mariadb === "" && "HOS_TEST_MARIADB names no server",
    make: (name) => mysqlSay(`CREATE DATABASE ${name}`),
    drop: (name) => mysqlSay(`DROP DATABASE IF EXISTS ${name}`),
    url: (name) => within(mariadb, name),
    connect: async (url, options) => mysqlHost(await mysqlPromise.createConnection({ uri: url, ...options })),
    pool: (url, options) => mysqlPromise.createPool({ uri: url, connectionLimit: 4, ...options }),
    host: mysqlHost,
  },
  mysql2: {
    missing: mariadb === "" && "HOS_TEST_MARIADB names no server",
    make: (name) => mysqlSay(`CREATE DATABASE ${name}`),
    drop: (name) => mysqlSay(`DROP DATABASE IF EXISTS ${name}`),
    url: (name) => within(mariadb, name),
    async connect(url, options) {
      const connection = mysql.createConnection({ uri: url, ...options });
      await new Promise((done, failed) => connection.connect((error) => (error ? failed(error) : done())));
      return mysqlHost(connection);
    },
    pool: (url, options) => mysql.createPool({ uri: url, connectionLimit: 4, ...options }),
    host: mysqlHost,
  },
  "better-sqlite3": {
    missing: false,
    make(name) {
      // The file is the host's own.
      new Sqlite(files(name)).pragma("journal_mode = WAL");
    },
    drop: () => {},
    url: (name) => `sqlite://${files(name)}`,
    connect: async (url, options) => sqliteHost(new Sqlite(url.slice("sqlite://".length), options)),
    host: sqliteHost,
  },
};

async function pgSay(sql) {
  const client = new pg.Client({ connectionString: postgres });
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function mysqlSay(sql) {
  const connection = await mysqlPromise.createConnection({ uri: mariadb });
  await connection.query(sql);
  await connection.end();
}

const characteristics = (level) => `SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL ${level}`;

/** Each kind at its database's default isolation, and at others that hosts set. */
export const VARIANTS = [
  { kind: "pg", name: "pg" },
  { kind: "pg", name: "pg, repeatable read", set: characteristics("REPEATABLE READ") },
  { kind: "pg", name: "pg, serializable", set: characteristics("SERIALIZABLE") },
  { kind: "pg", name: "pg, pipelined", options: { pipeline: true } },
  { kind: "mysql2/promise", name: "mysql2/promise" },
  { kind: "mysql2", name: "mysql2, innodb_snapshot_isolation", set: "SET SESSION innodb_snapshot_isolation = ON" },
  { kind: "better-sqlite3", name: "better-sqlite3" },
].map((variant) => ({ ...variant, skip: KINDS[variant.kind].missing }));

/** What does not depend on isolation is tested at fewer. */
export const FEWER = VARIANTS.filter((variant) => !/read|serializable/.test(variant.name));

/** A store in a database of its own, under the law of the vectors, and the host's tables beside it. Drops it behind the test. */
export async function world(t, { kind, set, options: own }) {
  const of = KINDS[kind];
  const name = fresh();
  await of.make(name);
  const url = of.url(name);
  const hosts = [];
  const dir = place();
  const file = join(dir, "url.txt");
  writeFileSync(file, `${url}\n`);
  const key = join(dir, "seal.key");
  const run = (...args) => command("", [...args, "--store-file", file, "--key-file", key]);
  t.after(async () => {
    for (const host of hosts) await Promise.resolve(host.end()).catch(() => {});
    await of.drop(name);
  });
  const founder = ["--founder", "Account::ayse", "--role", "Role::operator", "--attr", "active=true"];
  run("init", "--law", join(vectors, "law"), ...founder, "--tenant", "t1");
  run("directory", "put", "Account::mert", "--attr", "active=true", "--tenant", "universe", "--as", "Account::ayse");
  run("directory", "put", "Hall::h1", "--attr", "open=true", "--tenant", "t1", "--as", "Account::ayse");
  const connect = async (options) => {
    const host = await of.connect(url, { ...own, ...options });
    hosts.push(host);
    if (set !== undefined) await host.say(set);
    return host;
  };
  const host = await connect();
  await host.say("CREATE TABLE tickets (id VARCHAR(191) PRIMARY KEY, status VARCHAR(16) NOT NULL)");
  return {
    kind, url, host, connect, run, file, key, set, own,
    isNow: kind === "better-sqlite3",
    pool: () => of.pool(url, own),
    /** Seals what waits, and says what `hos verify` says. */
    verified() {
      run("work");
      return JSON.parse(run("verify", "--json"));
    },
  };
}
