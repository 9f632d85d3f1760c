// The chart of the document: for each row a bar for each server, long as its number is. Pure.

import { SERVERS, isMeasured } from './servers.js';
import { MEASURES, format } from './text.js';

const WIDTH = 860, LEFT = 190, BAR = 430, LINE = 20, TITLE = 34, MARGIN = 20;
const COLOURS = { subject: '#1f77b4', other: '#9aa5b1', floor: '#d9a441' };

const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

/** What a row is about: what its first claim measures. */
const measureOf = (row) => row.claims[0].measure;

const shownOf = (row) => row.servers.filter((name) => isMeasured(name, measureOf(row)));

function colour(row, name) {
  return name === row.servers[0] ? COLOURS.subject : name === 'floor' ? COLOURS.floor : COLOURS.other;
}

function bars(result, top) {
  const measure = measureOf(result.row);
  const names = shownOf(result.row);
  const values = names.map((name) => result.summaries[name].median?.[measure]);
  const most = Math.max(...values.filter((value) => value !== undefined), Number.MIN_VALUE);

  return names.map((name, i) => {
    const y = top + i * LINE;
    const length = Math.max(1, ((values[i] ?? 0) / most) * BAR);
    const label = values[i] === undefined ? 'failed' : format(values[i], MEASURES[measure].digits);

    return `<text x="${LEFT - 8}" y="${y + 14}" text-anchor="end">${escape(SERVERS[name].title)}</text>` +
      `<rect x="${LEFT}" y="${y + 3}" width="${length.toFixed(1)}" height="${LINE - 6}" fill="${colour(result.row, name)}"/>` +
      `<text x="${(LEFT + length + 6).toFixed(1)}" y="${y + 14}">${label}</text>`;
  }).join('\n');
}

/** The SVG of all rows that were run and compare something. */
export function chart(results) {
  const shown = results.filter((result) => (result.row.servers?.length ?? 0) > 1);
  const parts = [];
  let y = MARGIN;

  for (const result of shown) {
    const better = result.row.claims[0].atLeast !== undefined ? 'more' : 'less';
    const what = MEASURES[measureOf(result.row)].title;

    parts.push(`<text x="${MARGIN}" y="${y + 14}" font-weight="bold">${escape(result.row.work)}</text>`,
      `<text x="${WIDTH - MARGIN}" y="${y + 14}" text-anchor="end" fill="#555">${what}, ${better} is better</text>`,
      bars(result, y + 22));
    y += TITLE + shownOf(result.row).length * LINE;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + MARGIN}" ` +
    `font-family="sans-serif" font-size="12" fill="#222">\n<rect width="100%" height="100%" fill="#fff"/>\n` +
    `${parts.join('\n')}\n</svg>\n`;
}
