// Results for people: a table for the terminal, the document with its chart. Pure.

import { SERVERS, isMeasured } from './servers.js';

export const MEASURES = {
  deliveries_per_s: { title: 'deliveries a second', short: 'deliveries a second', digits: 0 },
  server_us_per_delivery: { title: 'us CPU a delivery', short: 'CPU a delivery', digits: 3 },
  latency_p50_us: { title: 'p50 us', short: 'p50', digits: 0 },
  latency_p99_us: { title: 'p99 us', short: 'p99', digits: 0 },
  rss_bytes_per_connection: { title: 'bytes a connection', short: 'bytes a connection', digits: 0 },
};

export function format(value, digits) {
  return value === undefined ? '-' :
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const percent = (part) => `${Math.round(part * 100)} %`;

/** How busy the load was: near 100 % it was the limit, not the server. */
function loadShare(summary, secondsMeasured) {
  const used = summary.median.load_cpu_s;

  return used === undefined ? '-' : percent(used / secondsMeasured);
}

/** What must be, and what is. */
export function claimText(claim) {
  const [sign, bound] = claim.atLeast !== undefined ? ['>=', claim.atLeast] : ['<=', claim.atMost];
  const what = MEASURES[claim.measure].short;
  const times = claim.peer === undefined ? format(bound, 0) : `${bound} x ${SERVERS[claim.peer].title}`;
  const is = claim.peer === undefined ? format(claim.ratio, 0) : format(claim.ratio, 2);

  return { must: `${what} ${sign} ${times}`, is, verdict: claim.holds ? 'holds' : 'DOES NOT HOLD' };
}

/** A row's servers as cells: name, then a number for each measure that one of them has. */
function cells(result, secondsMeasured) {
  const names = result.row.servers;
  const measures = Object.keys(MEASURES).filter((measure) =>
    names.some((name) => result.summaries[name].median?.[measure] !== undefined));
  const head = ['server', ...measures.map((measure) => MEASURES[measure].title), 'load busy'];

  return [head, ...names.map((name) => {
    const summary = result.summaries[name];

    if (summary.failure !== undefined) {
      return [SERVERS[name].title, `failed: ${summary.failure}`, ...head.slice(2).map(() => '')];
    }
    return [SERVERS[name].title, ...measures.map((measure) => {
      const value = isMeasured(name, measure) ? summary.median[measure] : undefined;
      const around = summary.runs > 1 && value !== undefined ? ` (${percent(summary.spread[measure])})` : '';

      return format(value, MEASURES[measure].digits) + around;
    }), loadShare(summary, secondsMeasured)];
  })];
}

function padded(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));

  return lines.map((line) => line.map((cell, i) =>
    (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ').trimEnd());
}

const whyNot = (row) => row.absent !== undefined ? `not there yet: ${row.absent}` : `not here: ${row.elsewhere}`;

/** One row for the terminal. */
export function rowText(result, secondsMeasured) {
  const { row } = result;

  if (row.servers === undefined) {
    return `${row.name}: ${row.work}\n  ${whyNot(row)}\n`;
  }
  const claims = result.claims.map(claimText).map(({ must, is, verdict }) => `  ${must}: ${is}, ${verdict}`);

  return [`${row.name}: ${row.work}`, ...padded(cells(result, secondsMeasured)).map((line) => `  ${line}`),
    ...(claims.length === 0 ? ['  (nothing is claimed of these)'] : claims), ''].join('\n');
}

const tableLine = (line) => `| ${line.join(' | ')} |`;

function markdownTable(lines) {
  return [tableLine(lines[0]), tableLine(lines[0].map((_, i) => (i === 0 ? '---' : '--:'))),
    ...lines.slice(1).map(tableLine)].join('\n');
}

/** The first table: each claim of each row, in one line. */
function overview(results) {
  const lines = [['work', 'must be', 'is', '']];

  for (const { row, claims } of results) {
    if (row.servers === undefined) {
      lines.push([row.work, '', '', whyNot(row)]);
    }
    claims.map(claimText).forEach(({ must, is, verdict }, i) =>
      lines.push([i === 0 ? row.work : '', must, is, verdict === 'holds' ? verdict : `**${verdict.toLowerCase()}**`]));
  }
  return [tableLine(lines[0]), '| --- | --- | --: | --- |', ...lines.slice(1).map(tableLine)].join('\n');
}

/** The whole document. */
export function documentText({ results, machine, versions, command, rounds, secondsMeasured }) {
  const held = results.filter((result) => result.holds && result.row.servers !== undefined).length;
  const judged = results.filter((result) => result.row.elsewhere === undefined).length;
  const sections = results.filter((result) => result.row.servers !== undefined).map((result) =>
    `### ${result.row.work}\n\n${markdownTable(cells(result, secondsMeasured))}\n`);

  return `# Benchmarks

<!-- Written by tests/bench/compare, with its chart. -->

The gateway beside other servers, on one machine, driven by one load that counts every delivery and
fails when one is missing ([tests/bench](../tests/bench/README.md)). Server and load have a core each,
but where it says otherwise. The servers take turns run by run; each run begins with a new server and a
warm-up that is not counted. Numbers are medians of ${rounds} ${rounds === 1 ? 'run' : 'runs'} of ${secondsMeasured} s, in
brackets how far the runs are apart.

The floor is a bare loop of \`send()\` of the same bytes to as many connections, as many messages in one
\`send()\` as are in flight: what the kernel asks of any server. Bun's server does less than a broker must:
no checks, limits, receipts or counts, and the same bytes for everybody.

${held} of ${judged} rows hold.

${overview(results)}

![What each server delivers, and what a delivery costs it](benchmarks.svg)

## How it was measured

- machine: ${machine}
${versions.map((version) => `- ${version}`).join('\n')}
- command: \`${command}\`

## All numbers

"Load busy" is how much of its time the load was on a CPU: near 100 % it is the limit, not the server.

${sections.join('\n')}`;
}
