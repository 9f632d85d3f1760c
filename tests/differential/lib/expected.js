// expected.txt: the differences that are meant, each with its reason. README.md describes the format.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const FILE = fileURLToPath(new URL('../expected.txt', import.meta.url));
const FIELDS = ['spring', 'gateway', 'because', 'as'];

/** {differences: Map of script name to entry, missing: [{title, text}]} */
export function parse(source, scripts) {
  const differences = new Map();
  const missing = [];
  let entry;
  let profile;

  source.split('\n').forEach((line, i) => {
    const fail = (what) => {
      throw new Error(`expected.txt:${i + 1}: ${what}: '${line}'`);
    };
    if (line === '' || line[0] === '#') return;
    const [, kind, name] = /^(better|decision|missing) (.+)$/.exec(line) ?? [];
    if (kind === 'missing') {
      entry = { kind, title: name };
      missing.push(entry);
      return;
    }
    if (kind !== undefined) {
      if (differences.has(name)) fail('there is one for this script already');
      if (!scripts.includes(name)) fail('no such script');
      entry = { kind, name, lines: { usual: [] } };
      profile = 'usual';
      differences.set(name, entry);
      return;
    }
    const text = /^ {2}(.*)$/.exec(line)?.[1];
    const [, field, value] = /^(\w+): (.*)$/.exec(text) ?? [];
    if (entry === undefined || text === undefined) fail('neither an entry nor part of one');
    if (/^[-+] /.test(text) && entry.lines) entry.lines[profile].push(text);
    else if (/^with \w+:$/.test(text) && entry.lines) entry.lines[profile = text.slice(5, -1)] = [];
    else if (field === 'text' && entry.kind === 'missing') entry.text = value;
    else if (FIELDS.includes(field) && entry.lines) entry[field] = value;
    else fail('neither a field nor a line of the difference');
  });
  for (const one of differences.values()) {
    const model = one.as === undefined ? one : differences.get(one.as);
    if (model === undefined || model.as !== undefined)
      throw new Error(`expected.txt: ${one.name} is as ${one.as}, which has no reason of its own`);
    for (const field of ['spring', 'gateway', 'because']) {
      one[field] ??= model[field];
      if (one[field] === undefined) throw new Error(`expected.txt: ${one.name} has no "${field}:"`);
    }
  }
  return { differences, missing };
}

export function load(scripts) {
  return parse(readFileSync(FILE, 'utf8'), scripts);
}

/** 'same', 'better' (a difference that is meant, line for line) or 'different'. */
export function judge(found, entry, profile) {
  const wanted = linesFor(entry, profile);

  if (found.length !== wanted.length || found.some((line, i) => line !== wanted[i])) return 'different';
  return found.length === 0 ? 'same' : 'better';
}

/** The difference that is meant with this Spring Boot line; none: []. */
export function linesFor(entry, profile) {
  return entry?.lines[profile] ?? entry?.lines.usual ?? [];
}
