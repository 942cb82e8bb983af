/**
 * Makes the page: one file that needs no other, whose policy names its own script and style and nothing else.
 * @module
 */

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const HERE = fileURLToPath(new URL('./', import.meta.url));

/** Where the page is kept. */
export const PAGE = fileURLToPath(new URL('../verify.html', import.meta.url));

/**
 * The page as its sources have it, the same each time.
 * @returns {Promise<string>}
 */
export async function makePage() {
  const worker = await bundled('worker.js', {});
  const script = await bundled('main.js', { 'globalThis.HOS_WORKER_SOURCE': JSON.stringify(worker) });
  const style = readFileSync(`${HERE}style.css`, 'utf8').trim();
  if (/<\/(?:script|style)|<!--/i.test(script + style)) throw new Error('script or style would end early');
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types worker',
  ].join('; ');
  const parts = { policy, script, style };
  return readFileSync(`${HERE}index.html`, 'utf8').replace(/\{\{(policy|script|style)\}\}/g, (_, name) => parts[/** @type {keyof typeof parts} */ (name)]);
}

/**
 * @param {string} entry
 * @param {Record<string, string>} define
 */
async function bundled(entry, define) {
  const { outputFiles } = await build({
    entryPoints: [`${HERE}${entry}`],
    absWorkingDir: HERE,
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
    minify: true,
    legalComments: 'none',
    define,
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error('nothing was built');
  return file.text.trim().replace(/<\/(script|style)/gi, '<\\/$1').replace(/<!--/g, '<\\!--');
}

/** @param {string} text as it stands in the page */
function hashOf(text) {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, await makePage());
