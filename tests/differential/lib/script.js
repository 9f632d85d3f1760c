// Reads a script: README.md of this folder describes the format.

import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { OPCODE } from '../../interop/js/lib/raw.js';

export const SCRIPTS = fileURLToPath(new URL('../scripts', import.meta.url));
const BLOCK = '    ';
const OPCODES = { more: OPCODE.CONTINUATION, text: OPCODE.TEXT, binary: OPCODE.BINARY, close: OPCODE.CLOSE,
  ping: OPCODE.PING, pong: OPCODE.PONG };

/** All names of scripts, "group/rule". */
export function names() {
  return readdirSync(SCRIPTS, { withFileTypes: true }).filter((group) => group.isDirectory())
    .flatMap((group) => readdirSync(path.join(SCRIPTS, group.name)).filter((file) => file.endsWith('.txt'))
      .map((file) => `${group.name}/${file.slice(0, -4)}`)).sort();
}

export function read(name) {
  return parse(name, readFileSync(path.join(SCRIPTS, `${name}.txt`), 'utf8'));
}

const SIMPLE = { n: '\n', r: '\r', 0: '\0', t: '\t', '\\': '\\' };

/** Bytes written on one line: \n \r \t \0 \\ \xHH; the rest is UTF-8. */
export function unescape(text) {
  const pieces = text.split(/(\\x[0-9a-fA-F]{2}|\\.)/s).map((piece) => {
    if (piece[0] !== '\\') return Buffer.from(piece);
    if (piece[1] === 'x' && piece.length === 4) return Buffer.from([parseInt(piece.slice(2), 16)]);
    if (SIMPLE[piece[1]] === undefined) throw new Error(`unknown escape ${piece}`);
    return Buffer.from(SIMPLE[piece[1]]);
  });

  return Buffer.concat(pieces);
}

/** Lines of a block as one STOMP frame: an empty line ends the headers, NUL the frame. */
function frameOf(block) {
  return (block.includes('') ? block.join('\n') : `${block.join('\n')}\n\n`) + '\0';
}

/** "Name: value" sets or adds a header, "-Name" leaves a usual one out. */
function headersOf(block) {
  const headers = {};

  for (const line of block) {
    const [, name, value] = /^([^:]+):[ ]?(.*)$/.exec(line) ?? [];
    if (line[0] === '-') headers[line.slice(1)] = null;
    else if (name === undefined) throw new Error(`no header: '${line}'`);
    else headers[name] = headers[name] === undefined ? value : [].concat(headers[name], value);
  }
  return headers;
}

// Each step: how its line looks, and what it becomes. `{ block }` are the indented lines below it.
const STEPS = [
  [/^server (\S+)$/, ([server]) => ({ verb: 'server', server })],
  [/^compare (message ids)$/, ([what]) => ({ verb: 'compare', what })],
  [/^settle$/, () => ({ verb: 'settle', by: 'barrier' })],
  [/^settle by ping$/, () => ({ verb: 'settle', by: 'ping' })],
  [/^(\w+) opens (\S+)(?: as (\S+))?$/, ([client, target, user], block) =>
    ({ verb: 'open', client, target, user, headers: headersOf(block) })],
  [/^(\w+) connects(?: as (\S+))?$/, ([client, user], block) => ({ verb: 'connect', client, user, headers: block })],
  [/^(\w+) asks ([A-Z]+) (\S+)$/, ([client, method, target], block) =>
    ({ verb: 'ask', client, method, target, headers: headersOf(block) })],
  [/^(\w+) sends( binary)?(?: (.+))?$/, ([client, binary, text], block) =>
    ({ verb: 'frame', client, opcode: binary ? OPCODE.BINARY : OPCODE.TEXT,
      ...(text === undefined ? { literal: frameOf(block) } : { text }), options: {} })],
  [/^(\w+) frames (\w+)((?: (?:unfinished|unmasked|rsv=\d|length=\d+|opcode=\d+))*)(?: (.+))?$/,
    ([client, kind, flags, text]) => {
      const value = (name) => new RegExp(`${name}=(\\d+)`).exec(flags)?.[1];
      const opcode = Number(value('opcode') ?? OPCODES[kind]);
      if (Number.isNaN(opcode)) throw new Error(`unknown kind of frame: ${kind}`);
      return { verb: 'frame', client, opcode, text: text ?? '', options: {
        fin: !flags.includes('unfinished'), mask: !flags.includes('unmasked'), rsv: Number(value('rsv') ?? 0),
        ...(value('length') && { length: Number(value('length')) }) } };
    }],
  [/^(\w+) writes (.+)$/, ([client, text]) => ({ verb: 'write', client, text })],
  [/^(\w+) closes(?: (\d+)(?: (.+))?)?$/, ([client, code, reason]) =>
    ({ verb: 'close', client, code: code === undefined ? undefined : Number(code), reason })],
  [/^(\w+) cuts$/, ([client]) => ({ verb: 'cut', client })],
  [/^(\w+) waits for the close$/, ([client]) => ({ verb: 'wait', client, what: 'close' })],
  [/^(\w+) waits for a (frame|heart-beat|pong)$/, ([client, what]) => ({ verb: 'wait', client, what })],
];

export function parse(name, source) {
  const script = { name, server: 'usual', compares: new Set(), steps: [], source };
  const lines = source.replace(/\n$/, '').split('\n');

  for (let i = 0; i < lines.length; i++) {
    const at = i;
    const line = lines[i].trimEnd();
    if (line === '' || line[0] === '#') continue;
    const block = [];
    // An empty line belongs to the block when more of the block follows.
    while (i + 1 < lines.length && (lines[i + 1].startsWith(BLOCK) ||
      (lines[i + 1] === '' && block.length !== 0 && lines[i + 2]?.startsWith(BLOCK))))
      block.push(lines[++i].slice(BLOCK.length));
    const found = STEPS.find(([form]) => form.test(line));
    try {
      if (found === undefined) throw new Error(`no step: '${line}'`);
      const step = found[1](found[0].exec(line).slice(1), block);
      if (step.verb === 'server') script.server = step.server;
      else if (step.verb === 'compare') script.compares.add(step.what);
      else script.steps.push({ ...step, line });
    } catch (error) {
      throw new Error(`scripts/${name}.txt:${at + 1}: ${error.message}`);
    }
  }
  if (!/^# \S/.test(lines[0])) throw new Error(`scripts/${name}.txt: the first line must be "# " and the rule`);
  script.rule = lines[0].slice(2);
  return script;
}
