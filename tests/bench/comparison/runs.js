// One run: a new server, the load on it, and its end.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { token } from '../../interop/js/lib/token.js';
import { SERVERS } from './servers.js';

const PEERS = fileURLToPath(new URL('../peers', import.meta.url));
const LOAD_DEADLINE_S = 120; // beyond what it was asked for
const END_DEADLINE_MS = 10_000;

const script = (name) => path.join(PEERS, SERVERS[name].folder, 'start');

/** Installs what a server needs; exits with its messages when that fails. */
export function install(name) {
  if (SERVERS[name].folder !== undefined &&
      spawnSync(script(name), ['--install'], { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) {
    throw new Error(`${name} cannot be installed`);
  }
}

/** "Bun 1.4.5"; nothing for the floor. */
export function version(name) {
  return SERVERS[name].folder === undefined ? [] :
    [spawnSync(script(name), ['--version'], { encoding: 'utf8' }).stdout.trim()];
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');

  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const pinned = (cpu, words) => (cpu === undefined ? words : ['taskset', '-c', String(cpu), ...words]);

/** Resolves to { pid, url, end } once a WebSocket can be opened. */
async function start(name, cpu) {
  const words = pinned(cpu, [script(name), String(await freePort()), String(SERVERS[name].workers ?? 1)]);
  const child = spawn(words[0], words.slice(1), {
    stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...SERVERS[name].environment },
  });
  const closed = once(child, 'close');

  for await (const line of createInterface({ input: child.stdout })) {
    const found = /^ready (\d+) (wss?:\S+)$/.exec(line);

    if (found !== null) {
      return {
        pid: found[1],
        url: found[2],
        async end() {
          const timer = setTimeout(() => child.kill('SIGKILL'), END_DEADLINE_MS);

          child.kill('SIGTERM');
          await closed;
          clearTimeout(timer);
        },
      };
    }
  }
  await closed;
  throw new Error(`${name} did not start`);
}

/** Options of the load as words. */
export function loadWords(load) {
  const { mode, ...options } = load;

  return [mode, ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]), '--json'];
}

/** What the load is asked for in this row with this server. */
export function loadOf(row, name, { seconds, warmup }) {
  const server = SERVERS[name];
  const { mode, subscribers, size, window } = row.load;

  if (mode === 'idle') {
    return row.load;
  }
  const times = { seconds, warmup: Math.max(warmup, server.warmupS ?? 0) };

  return server.folder === undefined ? { mode: 'floor', subscribers, size, window, ...times } :
    { ...row.load, ...server.load, ...times };
}

/** The load's report, or { ok: false, failure }. */
async function runLoad(words, deadlineMs) {
  const program = process.env.STOMPGATE_TEST_LOAD;
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  let out = '', errors = '';

  child.stdout.on('data', (bytes) => { out += bytes; });
  child.stderr.on('data', (bytes) => { errors += bytes; });
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  try {
    return { ...JSON.parse(out), ok: code === 0 };
  } catch {
    return { ok: false, failure: errors.trim().split('\n').pop() || `the load ended with ${code}` };
  }
}

/** One row once with one server: a report of the load, `ok` true when all was well. */
export async function run(row, name, settings) {
  const { serverCpu, loadCpu } = row.isUnpinned ? {} : settings;
  const load = loadOf(row, name, settings);
  const words = loadWords(load);
  const deadlineMs = ((load.seconds ?? 0) + (load.warmup ?? 0) + LOAD_DEADLINE_S) * 1000;

  if (SERVERS[name].folder === undefined) {
    return runLoad([...words, '--cpu', String(serverCpu), '--cpu', String(loadCpu)], deadlineMs);
  }
  let server;
  try {
    server = await start(name, serverCpu);
  } catch (error) {
    return { ok: false, failure: error.message };
  }
  try {
    return await runLoad([...words, ...(SERVERS[name].options ?? []), '--url', server.url, '--pid', server.pid,
      ...(loadCpu === undefined ? [] : ['--cpu', String(loadCpu)]), ...(row.hasUsers ? ['--token', token('bench')] : []),
    ], deadlineMs);
  } finally {
    await server.end();
  }
}
