// The page, in a browser: what it says of good and bent bundles, that it never says yes by accident, and that nothing goes out.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { LAWS, TRUST, TRUST_NONE, tell } from '../testing/story.js';
import { handle } from '../testing/world.js';

const PAGE = new URL('../verify.html', import.meta.url);
const CHROMIUM = process.env.HOS_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic', '--no-first-run'];

/** @type {{ makePage: () => Promise<string> } | null} */
const builder = await import('../page/build.js').catch(() => null);
const playwright = await import('playwright-core').catch(() => null);

describe('the page as it is kept', () => {
  test('is what its sources make', { skip: builder === null && 'esbuild is not there: npm ci installs it' }, async () => {
    const kept = readFileSync(PAGE, 'utf8');
    assert.ok(kept === (await builder?.makePage()), 'verify.html is stale: npm run build');
  });

  test('names no other place, and no handler', () => {
    const markup = readFileSync(PAGE, 'utf8').replace(/<script>[\s\S]*?<\/script>|<style>[\s\S]*?<\/style>/g, '');
    assert.doesNotMatch(markup, /\bsrc=|\bhref=|https?:|\son[a-z]+=|javascript:/i);
    assert.match(markup, /default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; worker-src blob:;/);
    assert.doesNotMatch(markup, /unsafe-/);
  });
});

const skip = playwright === null ? 'playwright-core is not there: npm ci installs it' : !existsSync(CHROMIUM) && `no chromium at ${CHROMIUM}: apt-get install chromium, or HOS_CHROMIUM`;

describe('the page in a browser', { skip }, () => {
  /** @type {import('playwright-core').Browser} */
  let browser;
  before(async () => {
    browser = await /** @type {NonNullable<typeof playwright>} */ (playwright).chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  });
  after(async () => {
    await browser?.close();
  });

  /**
   * @param {{ locale?: string, init?: () => void, clock?: boolean }} [given]
   */
  async function open({ locale = 'en-GB', init, clock = false } = {}) {
    const context = await browser.newContext({ locale });
    const page = await context.newPage();
    /** @type {string[]} */
    const faults = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => void (message.type() === 'error' && faults.push(message.text())));
    /** @type {string[]} */
    const requests = [];
    page.on('request', (request) => void (/^(?:file|blob):/.test(request.url()) || requests.push(request.url())));
    if (clock) await page.clock.install();
    if (init !== undefined) await page.addInitScript(init);
    await page.goto(PAGE.href);
    const level = page.locator('#verdict');
    return {
      page,
      faults,
      requests,
      trust: (/** @type {string} */ text) => page.setInputFiles('#trust', { name: 'mine.trust', mimeType: 'text/plain', buffer: Buffer.from(text) }),
      bundle: (/** @type {Uint8Array} */ bytes) => page.setInputFiles('#bundle', { name: 'o-17.hosb', mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) }),
      /** @param {string} due */
      async says(due) {
        await page.waitForFunction((expected) => document.getElementById('verdict')?.dataset.level === expected, due);
        return (await level.textContent()) ?? '';
      },
      body: async () => (await page.locator('body').innerText()) ?? '',
    };
  }

  test('a good bundle, dropped', async () => {
    const { page, says, faults, requests } = await open();
    await drop(page, '[data-drop="trust"]', 'mine.trust', Buffer.from(TRUST));
    await drop(page, '[data-drop="bundle"]', 'o-17.hosb', tell().bytes);
    const text = await says('anchored');
    assert.match(text, /Anchored.*Complete: all records of this instance, as of entry 10 of hos\/b883.*order\/o-17.*new → paid → shipped.*8 opened, 1 hidden, 1 erased.*w1, w2/s);
    await page.locator('#timeline > li').nth(2).waitFor();
    const records = await page.locator('#timeline > li').allInnerTexts();
    assert.equal(records.length, 3);
    assert.match(records[0] ?? '', /begun · place\s+new\s+allow/);
    assert.match(records[0] ?? '', /principal\s+Pazar::Account::"ayse".*facts\s+total\s+4200/s);
    assert.match(records[1] ?? '', /moved · pay\s+new → paid.*principal\s+hidden.*amount\s+4200.*free bytes\s+erased/s);
    assert.deepEqual(await page.locator('ul.notices > li').evaluateAll((items) => items.map((item) => item.getAttribute('data-notice'))), ['hidden_parts', 'erased_parts', 'claimed_time', 'weak_durability']);
    assert.match(await page.locator('.laws').innerText(), /policies\/orders\.cedar 58 bytes/);
    assert.deepEqual([faults, requests], [[], []]);
  });

  test('no quorum: intact', async () => {
    const { says, trust, bundle } = await open();
    await trust(TRUST_NONE);
    await bundle(tell().bytes);
    assert.match(await says('intact'), /Intact/);
  });

  test('a bent bundle is refused with its code, and nothing of it is shown', async () => {
    const { page, says, trust, bundle, faults } = await open();
    await trust(TRUST);
    await bundle(tell({ model: (model) => void (model.laws = []) }).bytes);
    assert.match(await says('refused'), /Refused.*law\.missing.*Nothing in this file may be believed.*records 0/s);
    assert.equal(await page.locator('#story').isHidden(), true);
    await bundle(Uint8Array.of(1, 2, 3));
    await page.getByText('bundle.not_canonical').waitFor();
    assert.deepEqual(faults, []);
  });

  test('without a trust file nothing says yes', async () => {
    const { says, bundle, body } = await open();
    await bundle(tell().bytes);
    assert.match(await says('waiting'), /Not verified yet.*Choose a trust file/s);
    assert.doesNotMatch(await body(), /anchored|intact|complete|✓/i);
  });

  test('a wrong trust file is no verdict on the bundle', async () => {
    const { page, says, bundle, body } = await open();
    await bundle(tell().bytes);
    await page.locator('summary').first().click();
    await page.locator('#trust-text').fill('quorum none\n');
    assert.match(await says('unverified'), /Not verified.*policy\.no_log.*Your trust file is wrong/s);
    assert.doesNotMatch(await body(), /anchored|intact|✓/i);
    await page.locator('#trust-text').fill(TRUST);
    await says('anchored');
    await page.locator('#trust-text').fill('');
    assert.match(await says('waiting'), /Choose a trust file/);
    assert.equal(await page.locator('#story').isHidden(), true);
  });

  test('a checkpoint that was kept vouches, or shows two histories', async () => {
    const { page, says, trust, bundle } = await open();
    await trust(TRUST_NONE);
    await bundle(tell().bytes);
    await says('intact');
    await page.setInputFiles('#against', { name: 'kept', mimeType: 'text/plain', buffer: Buffer.from(tell().note) });
    await says('anchored');
    await page.setInputFiles('#against', { name: 'kept', mimeType: 'text/plain', buffer: Buffer.from(tell({ drafts: (draft) => void (draft.name === 'key' && (draft.header = { 8: 7 })) }).note) });
    assert.match(await says('refused'), /trust\.fork/);
  });

  test('in Turkish, by the browser and by hand', async () => {
    const { page, says, trust, bundle } = await open({ locale: 'tr-TR' });
    assert.equal(await page.locator('html').getAttribute('lang'), 'tr');
    await trust(TRUST);
    await bundle(tell().bytes);
    assert.match(await says('anchored'), /Tanıklı.*Tam: bu örneğin bütün kayıtları/s);
    assert.match(await page.locator('#timeline > li').first().innerText(), /başladı · place\s+new\s+izin/);
    await page.getByRole('button', { name: 'English' }).click();
    assert.match(await says('anchored'), /Anchored/);
    assert.match(await page.locator('#timeline > li').first().innerText(), /begun · place/);
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  });

  test('whatever a bundle says is text', async () => {
    const evil = '<img src=x onerror=alert(1)>\u202e\u0007</script>';
    const { page, says, trust, bundle, faults } = await open();
    await trust(TRUST);
    const bent = tell({
      drafts: (draft) => {
        if (draft.name !== 'begun') return;
        draft.header = { ...draft.header, 18: [evil], 28: null };
        draft.parts = (draft.parts ?? []).map((part) => (part.slot === 6 ? { ...part, content: evil } : part.slot === 3 ? { ...part, content: new Map([[evil, evil]]) } : part));
      },
    });
    await bundle(bent.bytes);
    assert.match(await says('anchored'), /order\/<img src=x onerror=alert\(1\)>\\u\{202e\}\\u\{7\}<\/script>/);
    await page.locator('#timeline > li').nth(2).waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);
    assert.doesNotMatch(await page.locator('body').innerHTML(), /[\u202e\u0007]/);
    assert.deepEqual(faults, []);
  });

  test('many records come by and by', async () => {
    const { page, says, trust, bundle } = await open();
    const names = Array.from({ length: 60 }, (_, i) => `more-${i}`);
    await trust(TRUST);
    await bundle(tell({ more: names.map((name) => (of) => ({ name, tenant: 'pazar-tr', thread: handle(0x11), header: { 8: 2, 10: of('law-2'), 11: LAWS[1]?.hash ?? null, 19: 'order' } })), records: ['begun', 'paid', 'shipped', ...names] }).bytes);
    await says('anchored');
    await page.locator('#timeline > li').nth(49).waitFor();
    assert.equal(await page.locator('#timeline > li').count(), 50);
    await page.getByRole('button', { name: 'Show more records' }).click();
    await page.locator('#timeline > li').nth(62).waitFor();
    assert.equal(await page.locator('#more').isHidden(), true);
  });

  test('a worker that fails, hangs or talks nonsense is no yes', async () => {
    /** @type {[() => void, boolean, RegExp][]} */
    const cases = [
      [() => void (window.Worker = /** @type {any} */ (class { constructor() { throw new Error('none'); } })), false, /Not verified/],
      [() => void (window.Worker = /** @type {any} */ (class extends EventTarget { postMessage() { this.dispatchEvent(new Event('error')); } terminate() {} })), false, /Something unexpected/],
      [() => void (window.Worker = /** @type {any} */ (class extends EventTarget { postMessage() {} terminate() {} })), true, /took too long/],
      [() => void (window.Worker = /** @type {any} */ (class extends EventTarget { postMessage() { this.dispatchEvent(new MessageEvent('message', { data: { what: 'judged', verdict: { verdict: 'yes', code: null }, overview: {} } })); } terminate() {} })), false, /Something unexpected/],
      [() => void (window.Worker = /** @type {any} */ (class extends EventTarget { postMessage() { this.dispatchEvent(new MessageEvent('message', { data: { what: 'judged', verdict: { verdict: 'anchored', code: null }, overview: null } })); } terminate() {} })), false, /Something unexpected/],
    ];
    for (const [init, clock, due] of cases) {
      const { page, says, trust, bundle, body } = await open({ init, clock });
      await trust(TRUST);
      await bundle(tell().bytes);
      if (clock) {
        await says('working');
        await page.clock.fastForward(200_000);
      }
      assert.match(await says('unverified'), due);
      assert.doesNotMatch(await body(), /anchored|intact|✓/i);
    }
  });

  test('nothing goes out, nothing is run that the page did not bring', async () => {
    let asked = 0;
    const server = createServer((_, response) => {
      asked += 1;
      response.setHeader('access-control-allow-origin', '*').end('x');
    });
    await /** @type {Promise<void>} */ (new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)));
    const address = `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/`;
    try {
      const { page } = await open();
      const outcome = await page.evaluate(async (url) => {
        const attempt = async (/** @type {() => any} */ what) => Promise.resolve().then(what).then(() => 'done', () => 'refused');
        const loaded = (/** @type {HTMLElement} */ element) => new Promise((resolve, reject) => {
          element.addEventListener('load', resolve);
          element.addEventListener('error', reject);
          document.body.append(element);
        });
        const policy = /** @type {any} */ (window).trustedTypes.createPolicy('worker', { createScriptURL: (/** @type {string} */ text) => text });
        const code = `fetch(${JSON.stringify(url)}).then(() => postMessage('done'), () => postMessage('refused'))`;
        const worker = new Worker(policy.createScriptURL(URL.createObjectURL(new Blob([code]))));
        const image = new Image();
        image.src = url;
        const handler = document.createElement('p');
        handler.setAttribute('style', 'color: red');
        return {
          fetch: await attempt(() => fetch(url)),
          image: await attempt(() => loaded(image)),
          beacon: navigator.sendBeacon(url) ? 'queued' : 'refused',
          socket: await attempt(() => new Promise((resolve, reject) => { const socket = new WebSocket(url.replace('http', 'ws')); socket.onopen = resolve; socket.onerror = reject; })),
          worker: await new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); worker.onerror = () => resolve('refused'); }),
          eval: await attempt(() => (0, eval)('1')),
          markup: await attempt(() => { document.body.insertAdjacentHTML('beforeend', '<b>x</b>'); }),
          styled: handler.style.color === 'red' && getComputedStyle(handler).color === 'rgb(255, 0, 0)' ? 'done' : 'refused',
          policies: await attempt(() => /** @type {any} */ (window).trustedTypes.createPolicy('another', {})),
        };
      }, address);
      assert.deepEqual({ ...outcome, beacon: '' }, { fetch: 'refused', image: 'refused', beacon: '', socket: 'refused', worker: 'refused', eval: 'refused', markup: 'refused', styled: 'refused', policies: 'refused' });
      assert.equal(asked, 0);
    } finally {
      server.close();
    }
  });
});

/**
 * @param {import('playwright-core').Page} page
 * @param {string} where
 * @param {string} name
 * @param {Uint8Array} bytes
 */
async function drop(page, where, name, bytes) {
  await page.locator(where).evaluate(
    (box, { name, base64 }) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))], name));
      for (const kind of ['dragover', 'drop']) box.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer }));
    },
    { name, base64: Buffer.from(bytes).toString('base64') },
  );
}
