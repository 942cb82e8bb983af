// A store's own export, cosigned through the universe's log by witnesses of this test, and what both verifiers say of it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COSIGNATURE_TYPE } from '../src/key.js';
import { utf8 } from '../src/text.js';
import { judgeBundle, verdictJson } from '../src/verdict.js';
import { Signer, seedOf } from '../testing/signer.js';

const HOS = process.env.HOS_BINARY;
const LAW = fileURLToPath(new URL('../../hos-cli/tests/law', import.meta.url));
const SIGNERS = [1, 2, 3].map((byte) => new Signer(`witness.example/${byte}`, seedOf(byte), COSIGNATURE_TYPE));

describe('witnesses of the whole store', { skip: HOS === undefined && 'set HOS_BINARY to the command hos' }, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'hos-witness-'));
  const file = (/** @type {string} */ name) => path.join(folder, name);
  /** The origins that were asked for. @type {string[]} */
  const asked = [];
  /** The first witness answers nothing of worth. */
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      const signer = SIGNERS[Number(request.url?.split('/')[1])];
      const text = body.slice(body.indexOf('\n\n') + 2, body.lastIndexOf('\n\n') + 1);
      asked.push(text.split('\n')[0] ?? '');
      response.end(signer === SIGNERS[0] ? 'none\n' : signer?.line(text));
    });
  });

  /** @param {...string} args */
  function hos(...args) {
    const env = { PATH: process.env.PATH, LANG: 'C', HOS_STORE: file('hos.db'), HOS_TENANT: 'pazar', HOS_AS: 'Account::root' };
    return new Promise((resolve, reject) => {
      execFile(String(HOS), ['--time', '2026-03-01T12:00:00Z', ...args], { env }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    });
  }

  before(async () => {
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)));
    await hos('init', '--law', LAW, '--founder', 'Account::root', '--role', 'Role::operator', '--attr', 'active=true');
    await hos('directory', 'put', 'Account::ayse', '--attr', 'active=true', '--tenant', 'universe');
    await hos('begin', 'order', 'o-1', 'place', '--as', 'Account::ayse', '--fact', 'buyer=ayse', '--fact', 'total=4200');
    const { keys } = JSON.parse(await hos('keys', 'show', '--json'));
    const { vkey } = keys.find((/** @type {{ tenant: string }} */ { tenant }) => tenant === 'pazar');
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    const lines = SIGNERS.map((signer, i) => `witness w${i} ${signer.vkey} http://127.0.0.1:${port}/${i}\n`).join('');
    writeFileSync(file('policy'), `log ${vkey}\n${lines}group most 2 w0 w1 w2\nquorum most\n`);
    await hos('export', '--instance', 'order/o-1', '--policy', file('policy'), '-o', file('o.hosb'));
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  test('one question a witness, of the universe alone', () => {
    assert.deepEqual(asked.map((origin) => origin.split('/')[2]), ['universe', 'universe', 'universe']);
  });

  test('both believe it, by the same witnesses', async () => {
    const { verdict, detail } = judgeBundle(readFileSync(file('o.hosb')), readFileSync(file('policy')));
    assert.deepEqual([verdict.verdict, verdict.witnesses], ['anchored', ['w1', 'w2']], `${detail}`);
    const theirs = await hos('verify', file('o.hosb'), '--trust', file('policy'), '--json');
    assert.deepEqual(JSON.parse(theirs), JSON.parse(verdictJson(verdict)));
  });

  test('a policy that asks for the witness who did not sign believes nothing', () => {
    const all = readFileSync(file('policy'), 'utf8').replace('most 2 w0', 'most 3 w0');
    const { verdict } = judgeBundle(readFileSync(file('o.hosb')), utf8(all));
    assert.deepEqual([verdict.code, verdict.where], ['trust.quorum', 'logs 0']);
  });
});
