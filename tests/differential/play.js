// The runner behind ./run: plays scripts to both servers, compares, reports.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as docs from './lib/docs.js';
import * as expected from './lib/expected.js';
import { play } from './lib/player.js';
import { names, read } from './lib/script.js';
import { Gateway, SERVERS, Spring } from './lib/targets.js';
import { CUT, difference } from './lib/transcript.js';

const RESULTS = fileURLToPath(new URL('../../build/differential/results.json', import.meta.url));
/** Scripts at a time: they share nothing but the servers. */
const AT_ONCE = 8;
/**
 * Spring now and then loses an ERROR, which it writes past its queue, while the frame before it is
 * still being written: only the close comes then. And it writes CONNECTED past the queue that keeps
 * the order, so that answers to frames right behind CONNECT may overtake it. Tomcat at times resets
 * a connection with unread input, which takes the close frame with it. So it gets several tries; the
 * gateway has one.
 */
const SPRING_TRIES = 10;

const has = (flag) => process.argv.includes(flag);
const profile = process.argv.find((arg) => arg.startsWith('--profile='))?.slice('--profile='.length);
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('--'));
const scripts = names().map(read);
const meant = expected.load(scripts.map(({ name }) => name));

if (has('--docs')) {
  writeFileSync(docs.FILE, docs.render(scripts, meant));
  process.exit(0);
}

const chosen = wanted.length === 0 ? scripts
  : scripts.filter(({ name }) => wanted.some((one) => name === one || name.startsWith(`${one}/`)));
if (chosen.length === 0) {
  console.error(`tests/differential/run: no script is named ${wanted.join(', ')}`);
  process.exit(2);
}
for (const { name, server } of chosen) {
  if (SERVERS[server] === undefined) throw new Error(`scripts/${name}.txt: no server is called '${server}'`);
}

const wasReset = (lines) => lines.some((line) => line.endsWith(CUT));
const isReordered = (lines, others) => [...lines].sort().join('\n') === [...others].sort().join('\n');
const lostError = (lines) => lines.some((line, i) => / close 1002$/.test(line) && !/: ERROR/.test(lines[i - 1] ?? ''));

async function compare(script, { spring, gateway }) {
  const [ours, first] = await Promise.all([play(script, gateway), play(script, spring)]);
  let theirs = first;

  const isUnlucky = () => difference(theirs, ours).length !== 0 && 
    (lostError(theirs) || wasReset(theirs) || isReordered(theirs, ours));
  for (let left = SPRING_TRIES - 1; left > 0 && isUnlucky(); left--) theirs = await play(script, spring);
  const entry = meant.differences.get(script.name);
  const found = difference(theirs, ours);

  return { script, theirs, ours, found, entry, verdict: expected.judge(found, entry, profile ?? 'usual') };
}

/** All of `items` through `work`, so many at a time. */
async function concurrently(items, atOnce, work) {
  const results = new Array(items.length);
  let next = 0;
  const line = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i]);
    }
  };

  await Promise.all(Array.from({ length: atOnce }, line));
  return results;
}

function show({ script, theirs, ours, found, entry, verdict }) {
  const indent = (lines) => lines.map((line) => `    ${line}`).join('\n');

  console.log(`--- ${script.name}: ${verdict}\n  ${script.rule}`);
  if (wanted.length !== 0) console.log(`${indent(script.source.split('\n'))}\n`);
  if (wanted.length !== 0 || verdict === 'different')
    console.log(`  Spring\n${indent(theirs)}\n  gateway\n${indent(ours)}`);
  if (found.length !== 0) console.log(`  difference\n${found.map((line) => `  ${line}`).join('\n')}`);
  if (verdict === 'different' && entry !== undefined)
    console.log(`  expected.txt has instead\n${indent(expected.linesFor(entry, profile ?? 'usual'))}`);
}

function table(results) {
  const groups = new Map();

  for (const { script, verdict } of results) {
    const group = script.name.slice(0, script.name.indexOf('/'));
    const row = groups.get(group) ?? { same: 0, better: 0, different: 0 };
    row[verdict]++;
    groups.set(group, row);
  }
  const print = (...cells) => console.log(cells[0].padEnd(20) + cells.slice(1).map((c) => String(c).padStart(10)).join(''));
  print('group', 'scripts', 'same', 'better', 'different');
  for (const [group, { same, better, different }] of groups)
    print(group, same + better + different, same, better, different);
}

function docsAreStale() {
  return !existsSync(docs.FILE) || readFileSync(docs.FILE, 'utf8') !== docs.render(scripts, meant);
}

const started = Date.now();
process.setMaxListeners(0); // each server waits for the end of this process, to end with it
const servers = [...new Set(chosen.map(({ server }) => server))];
const targets = new Map(await Promise.all(servers.map(async (name) => {
  const [spring, gateway] = await Promise.all([Spring.start(name, profile), Gateway.start(name)]);
  return [name, { spring, gateway }];
})));
const results = await concurrently(chosen, AT_ONCE, (script) => compare(script, targets.get(script.server)));
const count = (verdict) => results.filter((one) => one.verdict === verdict).length;
let isWrong = count('different') !== 0;

for (const result of results.filter(({ verdict }) => wanted.length !== 0 || verdict === 'different')) show(result);
for (const [name, { spring, gateway }] of targets) {
  await spring.stop();
  for (const complaint of await gateway.stop()) {
    console.log(`--- the gateway '${name}': ${complaint}`);
    isWrong = true;
  }
}
mkdirSync(path.dirname(RESULTS), { recursive: true });
writeFileSync(RESULTS, JSON.stringify(results.map(({ script, verdict, theirs, ours, found }) =>
  ({ name: script.name, verdict, spring: theirs, gateway: ours, difference: found })), null, 2));
if (wanted.length === 0 && docsAreStale()) {
  console.log('--- docs/spring-compatibility.md is stale: tests/differential/run --docs');
  isWrong = true;
}
table(results);
console.log(`${((Date.now() - started) / 1000).toFixed(1)} s, ${profile ?? 'Spring Boot 4.1'}`);
console.log(`scripts ${results.length}, same ${count('same')}, better ${count('better')}, ` +
  `different ${count('different')}`);
process.exit(isWrong ? 1 : 0);
