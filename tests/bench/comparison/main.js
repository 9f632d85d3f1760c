// The command: see ../compare for what it does and takes.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chart } from './chart.js';
import { conclude, narrow } from './judge.js';
import { ROWS } from './rows.js';
import { install, run, version } from './runs.js';
import { SERVERS } from './servers.js';
import { documentText, rowText } from './text.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const RESULTS = path.join(root, 'build/compare/results.json');

class WrongCommand extends Error {}

function number(name, text, least) {
  const value = Number(text);

  if (text === '' || !Number.isFinite(value) || value < least) {
    throw new WrongCommand(`--${name}: '${text}' is no number from ${least}`);
  }
  return value;
}

function allowedCpus() {
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1];

  return list.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);

    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

function parse() {
  let given;
  try {
    given = parseArgs({
      options: {
        row: { type: 'string' }, peer: { type: 'string' }, rounds: { type: 'string' }, output: { type: 'string' },
        seconds: { type: 'string', default: '5' }, warmup: { type: 'string', default: '2' },
        'server-cpu': { type: 'string' }, 'load-cpu': { type: 'string' }, list: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new WrongCommand(error.message);
  }
  const cpus = allowedCpus();
  const isOnce = given.row !== undefined && given.peer !== undefined;
  const settings = {
    isList: given.list,
    isAll: given.row === undefined && given.peer === undefined,
    rounds: number('rounds', given.rounds ?? (isOnce ? '1' : '3'), 1),
    seconds: number('seconds', given.seconds, 0.1),
    warmup: number('warmup', given.warmup, 0),
    serverCpu: number('server-cpu', given['server-cpu'] ?? String(cpus[0]), 0),
    loadCpu: number('load-cpu', given['load-cpu'] ?? String(cpus[cpus.length - 1]), 0),
    rows: ROWS,
  };

  settings.output = given.output ?? (settings.isAll ? path.join(root, 'docs') : undefined);
  if (given.row !== undefined) {
    settings.rows = ROWS.filter((row) => row.name === given.row);
    if (settings.rows.length === 0) {
      throw new WrongCommand(`unknown row '${given.row}': expected one of ${ROWS.map((row) => row.name).join(', ')}`);
    }
  }
  if (given.peer !== undefined) {
    settings.rows = settings.rows.filter((row) => row.servers?.slice(1).includes(given.peer))
      .map((row) => narrow(row, given.peer));
    if (settings.rows.length === 0) {
      throw new WrongCommand(`'${given.peer}' is not compared with ${given.row === undefined ? 'in any row' : `in row ${given.row}`}`);
    }
  }
  if (!settings.isList && settings.serverCpu === settings.loadCpu) {
    throw new WrongCommand('server and load need a CPU each');
  }
  return settings;
}

function list() {
  for (const { name, work, servers } of ROWS) {
    console.log(`${name.padEnd(16)} ${work}${servers ? ` [${servers.slice(1).join(', ')}]` : ' (cannot be run)'}`);
  }
}

/** The servers of a row in turn, another first each round. */
async function runRow(row, settings) {
  const runs = Object.fromEntries((row.servers ?? []).map((name) => [name, []]));

  for (let round = 0; round < settings.rounds && row.servers !== undefined; round++) {
    for (let turn = 0; turn < row.servers.length; turn++) {
      const name = row.servers[(round + turn) % row.servers.length];
      const result = await run(row, name, settings);

      runs[name].push(result);
      console.error(`${row.name} ${round + 1}/${settings.rounds} ${name}: ` + (result.ok ?
        `${result.deliveries_per_s ?? result.rss_bytes_per_connection}` : `FAILED: ${result.failure}`));
    }
  }
  return runs;
}

function machine() {
  const release = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  const gib = Math.round(os.totalmem() / 2 ** 30);

  return `${os.cpus()[0].model}, ${os.cpus().length} CPUs, ${gib} GiB, ${release}, Linux ${os.release()}`;
}

function commit() {
  try {
    return ` (${execFileSync('git', ['-C', root, 'describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()})`;
  } catch {
    return '';
  }
}

function versions(rows) {
  const names = new Set(rows.flatMap((row) => row.servers ?? []));

  return [...new Set([...names].flatMap((name) =>
    version(name).map((text) => (SERVERS[name].folder === 'stompgate' ? text + commit() : text))))];
}

async function main() {
  const settings = parse();
  if (settings.isList) {
    list();
    return 0;
  }
  for (const name of new Set(settings.rows.flatMap((row) => row.servers ?? []))) {
    install(name);
  }
  const results = [];
  for (const row of settings.rows) {
    results.push(conclude(row, await runRow(row, settings)));
    console.log(rowText(results[results.length - 1], settings.seconds));
  }
  const report = {
    results,
    machine: machine(),
    versions: versions(settings.rows),
    command: ['tests/bench/compare', ...process.argv.slice(2)].join(' '),
    rounds: settings.rounds,
    secondsMeasured: settings.seconds,
  };
  mkdirSync(path.dirname(RESULTS), { recursive: true });
  writeFileSync(RESULTS, JSON.stringify(report, null, 1));
  if (settings.output !== undefined) {
    mkdirSync(settings.output, { recursive: true });
    writeFileSync(path.join(settings.output, 'benchmarks.md'), documentText(report));
    writeFileSync(path.join(settings.output, 'benchmarks.svg'), chart(results));
  }
  const broken = results.filter((result) => !result.holds);
  console.log(broken.length === 0 ? 'every row holds' :
    `${broken.length} of ${results.length} rows do not hold: ${broken.map((result) => result.row.name).join(', ')}`);
  return broken.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`tests/bench/compare: ${error.message}`);
  process.exitCode = error instanceof WrongCommand ? 2 : 1;
}
