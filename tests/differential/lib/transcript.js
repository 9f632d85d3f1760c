// What a play showed, as lines that can be compared.

export const CUT = '(connection ended without a close)';
/** A run of one character as long as this is told, not shown. */
const LONG_RUN = /(.)\1{63,}/gs;

/** Bytes on one line: what is not printable as an escape, like in the scripts. */
function show(payload) {
  const text = payload.toString('utf8');
  const exact = Buffer.from(text).equals(payload) ? text : payload.toString('latin1');
  const isUtf8 = exact === text;

  return exact.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t')
    .replace(/\0/g, '\\0')
    .replace(isUtf8 ? /[\x01-\x1f\x7f]/g : /[\x01-\x1f\x7f-\xff]/g,
      (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replace(LONG_RUN, (run) => `\${"${run[0]}" * ${run.length}}`);
}

function line(event) {
  switch (event.kind) {
    case 'answer':
      return [event.status, ...event.headers.map(([name, value]) => `[${name}: ${value}]`),
        ...(event.body === '' ? [] : [show(Buffer.from(event.body))])].join(' ');
    case 'message':
      return (event.isBinary ? 'binary ' : '') + show(event.payload);
    case 'close':
      return `close ${event.code}${event.reason === '' ? '' : ` ${event.reason}`}`;
    case 'pong':
      return `pong ${event.payload}`;
    case 'vain':
      return `(waited in vain for ${event.what})`;
    case 'broken':
      return `(not WebSocket: ${event.what})`;
    case 'cut':
      return CUT;
    default:
      return event.kind;
  }
}

const SUBSCRIPTION = /^((?:binary )?MESSAGE\\n(?:.*?\\n)?)subscription:(.*?)(\\n.*)$/;

/**
 * One publication goes to the several subscriptions of a session in no promised order: neighbours
 * that differ in nothing else stand sorted.
 */
function sortSiblings(lines) {
  const key = (text) => {
    const [, before, , after] = SUBSCRIPTION.exec(text) ?? [];
    return before === undefined ? undefined : before + after;
  };

  for (let from = 0, to; from < lines.length; from = to) {
    const first = key(lines[from]);
    for (to = from + 1; first !== undefined && to < lines.length && key(lines[to]) === first;) to++;
    lines.splice(from, to - from, ...lines.slice(from, to).sort());
  }
  return lines;
}

/** Ids are the server's own; equal ones stay equal when a script compares them. */
function normalizer({ script, target, n }) {
  const seen = new Map();
  const number = (id) => {
    if (!seen.has(id)) seen.set(id, seen.size + 1);
    return seen.get(id);
  };
  const message = script.compares.has('message ids') ? (id) => `<id ${number(id)}>` : () => '<id>';

  return (text) => text
    .replaceAll(n, '${n}')
    .replaceAll(target.address, '${address}')
    .replace(target.messageId, (all, before, id) => `${before}${message(id)}`)
    .replace(target.sessionId, '<session>')
    .replace(/"timestamp":"[^"]*"/, '"timestamp":"<time>"');
}

export function transcript(play) {
  const normalize = normalizer(play);

  return [...play.clients.values()].flatMap((client) => {
    const lines = client.events.map((event) => normalize(line(event)));
    if (client.wasOpen) lines.push('(open)');
    return sortSiblings(lines).map((text) => `${client.name}: ${text}`);
  });
}

/** The shortest edit from `before` to `after`: lines with "- " and "+ ", equal ones left out. */
export function difference(before, after) {
  const length = Array.from({ length: before.length + 1 }, () => new Array(after.length + 1).fill(0));

  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      length[i][j] = before[i] === after[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
    }
  }
  const lines = [];
  for (let i = 0, j = 0; i < before.length || j < after.length;) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      i++;
      j++;
    } else if (j >= after.length || (i < before.length && length[i + 1][j] >= length[i][j + 1])) {
      lines.push(`- ${before[i++]}`);
    } else {
      lines.push(`+ ${after[j++]}`);
    }
  }
  return lines;
}
