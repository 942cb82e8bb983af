/**
 * Verifies beside the page, so that the page never hangs. One bundle a worker; then it gives records for showing when asked.
 * @module
 */

import { judgeBundle } from '../src/verdict.js';
import { overview, recordView } from './view.js';

/** @type {import('../src/verdict.js').Story | null} */
let story = null;

self.addEventListener('message', ({ data }) => {
  if (data.what === 'judge') {
    const judged = judgeBundle(data.bundle, data.trust, data.against);
    story = judged.story;
    self.postMessage({ what: 'judged', verdict: judged.verdict, detail: judged.detail, overview: story === null ? null : overview(story) });
  } else if (data.what === 'records' && story !== null) {
    const { from, count } = data;
    self.postMessage({ what: 'records', from, records: story.records.slice(from, from + count).map(recordView) });
  }
});
