/**
 * Has the verifier ask a memory whether a signature holds: `node --import ./testing/remember.mjs ...`. For the differential run alone, in
 * which the same few notes come again in thousands of bundles, and most of the time went into their curve. The verifier itself
 * remembers nothing.
 */

import { register } from 'node:module';

const hooks = `
  export async function resolve(specifier, context, next) {
    const found = await next(specifier, context);
    const asked = found.url.endsWith('/src/ed25519.js') && !context.parentURL?.endsWith('/testing/remembered.js');
    return asked ? { ...found, url: found.url.replace('/src/ed25519.js', '/testing/remembered.js') } : found;
  }
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
