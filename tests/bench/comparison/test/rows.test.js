import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { chart } from '../chart.js';
import { conclude } from '../judge.js';
import { ROWS } from '../rows.js';
import { loadOf, loadWords } from '../runs.js';
import { SERVERS } from '../servers.js';
import { MEASURES, documentText, rowText } from '../text.js';

const times = { seconds: 5, warmup: 2 };
const measured = ROWS.filter((row) => row.servers !== undefined);

/** Runs in which every number is the same. */
const even = (row) => Object.fromEntries((row.servers ?? []).map((name) => [name,
  [{ ok: true, load_cpu_s: 1, ...Object.fromEntries(Object.keys(MEASURES).map((measure) => [measure, 4])) }]]));

test('names are unique', () => {
  assert.equal(new Set(ROWS.map((row) => row.name)).size, ROWS.length);
});

test('claims are about servers that take part, by measures that have a name', () => {
  for (const row of measured) {
    assert.ok(row.claims.length > 0, row.name);
    for (const claim of row.claims) {
      assert.ok(claim.peer === undefined || row.servers.slice(1).includes(claim.peer), row.name);
      assert.ok(MEASURES[claim.measure] !== undefined, row.name);
      assert.ok((claim.atLeast === undefined) !== (claim.atMost === undefined), row.name);
    }
  }
});

test('every server has a script that can be started, or is the floor', () => {
  for (const name of new Set(measured.flatMap((row) => row.servers))) {
    if (SERVERS[name].folder !== undefined) {
      accessSync(fileURLToPath(new URL(`../../peers/${SERVERS[name].folder}/start`, import.meta.url)), constants.X_OK);
    }
  }
});

test('the load is the same for all but for what a server cannot do', () => {
  const [row] = ROWS.filter(({ name }) => name === 'own-16');

  assert.deepEqual(loadWords(loadOf(row, 'stompgate', times)), ['fanout', '--subscribers', '1000', '--size', '128',
    '--window', '16', '--ids', 'own', '--seconds', '5', '--warmup', '2', '--json']);
  assert.deepEqual(loadOf(row, 'bun', times), { ...loadOf(row, 'stompgate', times), ids: 'same' });
  assert.equal(loadOf(row, 'spring', times).warmup, 10);
  assert.deepEqual(loadOf(row, 'floor', times),
    { mode: 'floor', subscribers: 1000, size: 128, window: 16, seconds: 5, warmup: 2 });
});

test('whatever happens can be told and drawn', () => {
  const failed = (row) => Object.fromEntries((row.servers ?? []).map((name) => [name, [{ ok: false, failure: 'a | b' }]]));

  for (const runs of [even, failed]) {
    const results = ROWS.map((row) => conclude(row, runs(row)));
    const text = documentText({
      results, machine: 'one', versions: ['a 1'], command: 'compare', rounds: 1, secondsMeasured: 5,
    });

    results.forEach((result) => assert.ok(rowText(result, 5).includes(result.row.work)));
    ROWS.forEach((row) => assert.ok(text.includes(row.work), row.name));
    for (const written of [text, chart(results), ...results.map((result) => rowText(result, 5))]) {
      assert.doesNotMatch(written, /undefined|NaN|Infinity|\[object/);
    }
  }
});

test('the table says what does not hold', () => {
  const [row] = measured;
  const text = rowText(conclude(row, even(row)), 5);

  assert.match(text, /deliveries a second >= 1\.25 x Bun: 1\.00, DOES NOT HOLD/);
  assert.match(text, /CPU a delivery <= 1\.5 x the floor \(send\(\) alone\): 1\.00, holds/);
  assert.match(text, /stompgate +4 +4\.000 +4 +4 +4 +20 %/);
  assert.match(text, /the floor \(send\(\) alone\) +- +4\.000 +- +- +- +20 %/);
});

test('bars are as long as their numbers', () => {
  const [row] = measured;
  const runs = even(row);
  runs.bun[0].deliveries_per_s = 8;
  const widths = [...chart([conclude(row, runs)]).matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)"/g)].map((m) => Number(m[1]));

  assert.equal(widths.length, row.servers.length - 1); // the floor has no speed
  assert.equal(widths[1], 2 * widths[0]);
});
