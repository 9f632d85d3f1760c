// The frame of a test file: one gateway, its tests, and a last test that ends it.

import assert from 'node:assert/strict';
import { test as nodeTest } from 'node:test';
import { Gateway, IS_SPRING } from './gateway.js';

const TEST_TIMEOUT_MS = 60_000;

/**
 * Spring now and then loses an ERROR, which it writes past its queue, when the CONNECTED before it
 * is still being written: only the close comes then. The gateway has one try.
 */
const TRIES = IS_SPRING ? 5 : 1;

/** Tests marked `only: 'gateway'` ask for what Spring's own server does not do. */
const NOT_SPRINGS = 'not what a Spring server does';

async function once(t, body) {
  const open = [];

  /** Ends `thing` by `end(thing)` when the test is over. */
  t.using = (thing, end = (it) => it.close()) => {
    open.push(() => end(thing));
    return thing;
  };
  try {
    await body(t);
  } finally {
    for (const end of open.reverse()) await end();
  }
}

/**
 * Starts a gateway (none for `settings` null) and returns it with `test` and `lastly`, which
 * must be the last call of the file.
 */
export async function suite(settings, args) {
  const gateway = settings === null ? null : await Gateway.start(settings, args);

  function test(name, options, body) {
    if (body === undefined) [options, body] = [{}, options];
    const skip = IS_SPRING && options.only === 'gateway' ? NOT_SPRINGS : false;

    nodeTest(name, { skip, timeout: TEST_TIMEOUT_MS }, async (t) => {
      for (let left = TRIES; ; left--) {
        try {
          await once(t, body);
          return;
        } catch (error) {
          if (gateway !== null) console.error(`--- the gateway's log\n${gateway.log()}\n---`);
          if (left === 1) throw error;
        }
      }
    });
  }

  function lastly() {
    if (gateway === null) return;
    nodeTest('the program ends clean on SIGTERM', { timeout: TEST_TIMEOUT_MS }, async () => {
      assert.deepEqual(await gateway.stop(), []);
    });
  }

  return { gateway, test, lastly };
}
