import assert from 'node:assert/strict';
import test from 'node:test';
import { conclude, judge, median, narrow, spread, summarize } from '../judge.js';

const good = (speed, cpu) => ({ ok: true, mode: 'fanout', deliveries_per_s: speed, server_us_per_delivery: cpu });
const row = {
  name: 'r',
  work: 'w',
  servers: ['stompgate', 'bun', 'floor'],
  claims: [
    { measure: 'deliveries_per_s', peer: 'bun', atLeast: 2 },
    { measure: 'server_us_per_delivery', peer: 'floor', atMost: 1.5 },
  ],
};
const runs = { stompgate: [good(200, 1.5)], bun: [good(100, 2)], floor: [good(500, 1)] };

test('the median is the middle, or the mean of the two there', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([10, 9, 100]), 10);
  assert.equal(median([]), undefined);
});

test('the spread is a part of the median', () => {
  assert.equal(spread([90, 100, 110]), 0.2);
  assert.equal(spread([5]), 0);
});

test('one failed run spoils all of a server', () => {
  assert.equal(summarize([good(1, 1), { ok: false, failure: 'lost' }]).failure, 'lost');
  assert.equal(summarize([]).failure, 'no run');
  assert.equal(summarize([{ mode: 'fanout' }]).failure, 'no run');
});

test('runs become the median of every number that all of them have', () => {
  const all = summarize([good(1, 4), good(3, 5), { ...good(2, 9), extra: 1 }]);

  assert.deepEqual(all.median, { deliveries_per_s: 2, server_us_per_delivery: 5 });
  assert.equal(all.runs, 3);
});

test('a row holds at its bounds', () => {
  const result = conclude(row, runs);

  assert.deepEqual(result.claims.map((claim) => [claim.ratio, claim.holds]), [[2, true], [1.5, true]]);
  assert.equal(result.holds, true);
});

test('a row does not hold beyond a bound', () => {
  assert.equal(conclude(row, { ...runs, stompgate: [good(199, 1.5)] }).holds, false);
  assert.equal(conclude(row, { ...runs, stompgate: [good(200, 1.51)] }).holds, false);
});

test('a row does not hold when a run of it failed', () => {
  const failed = [{ ok: false, failure: 'lost' }];

  for (const name of row.servers) {
    assert.equal(conclude(row, { ...runs, [name]: failed }).holds, false, name);
  }
  assert.equal(conclude({ ...row, claims: [] }, { ...runs, stompgate: failed }).holds, false);
});

test('who is only shown may fail', () => {
  const shown = { ...row, servers: [...row.servers, 'artemis'] };

  assert.equal(conclude(shown, { ...runs, artemis: [{ ok: false }] }).holds, true);
});

test('where nothing is claimed, all must have run', () => {
  const shown = { ...row, claims: [] };

  assert.equal(conclude(shown, runs).holds, true);
  assert.equal(conclude(shown, { ...runs, bun: [{ ok: false }] }).holds, false);
});

test('a claim without a peer is about the number itself', () => {
  const summaries = { stompgate: summarize([{ ok: true, rss_bytes_per_connection: 1300 }]) };
  const claim = { measure: 'rss_bytes_per_connection', atMost: 1300 };

  assert.equal(judge(claim, summaries, 'stompgate').holds, true);
  assert.equal(judge({ ...claim, atMost: 1299 }, summaries, 'stompgate').holds, false);
  assert.equal(judge({ ...claim, measure: 'nothing' }, summaries, 'stompgate').holds, false);
});

test('a peer of which nothing was measured proves nothing', () => {
  assert.equal(conclude(row, { ...runs, bun: [good(0, 2)] }).holds, false);
  assert.equal(conclude(row, { ...runs, bun: [] }).holds, false);
});

test('a row that is not there yet does not hold, one that is judged elsewhere is not judged', () => {
  assert.equal(conclude({ name: 'a', work: 'w', absent: 'why' }, {}).holds, false);
  assert.equal(conclude({ name: 'a', work: 'w', elsewhere: 'where' }, {}).holds, true);
});

test('a row against one peer claims what it claims of that one', () => {
  const narrowed = narrow(row, 'floor');

  assert.deepEqual(narrowed.servers, ['stompgate', 'floor']);
  assert.deepEqual(narrowed.claims, [row.claims[1]]);
});
