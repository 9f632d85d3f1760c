// What the runner itself must be able to tell.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPCODE } from '../../interop/js/lib/raw.js';
import * as expected from '../lib/expected.js';
import { parse, unescape } from '../lib/script.js';
import { difference, transcript } from '../lib/transcript.js';

const steps = (source) => parse('group/rule', `# A rule.\n${source}\n`).steps;

test('escapes_become_bytes', () => {
  const rows = [['a\\n\\r\\t\\0\\\\', 'a\n\r\t\0\\'], ['\\\\n', '\\n'], ['\\xff\\x00', Buffer.from([255, 0])],
    ['안', '안']];

  for (const [text, bytes] of rows) assert.deepEqual(unescape(text), Buffer.from(bytes), text);
  assert.throws(() => unescape('\\q'), /unknown escape/);
});

test('a_block_is_a_frame_taken_literally', () => {
  const rows = [
    ['a sends\n    SEND\n    x:a\\cb\n\n    body', 'SEND\nx:a\\cb\n\nbody\0'],
    ['a sends\n    SEND\n    x:1', 'SEND\nx:1\n\n\0'],
    ['a sends\n    SEND\n\n    two\n\n    lines\n\nsettle', 'SEND\n\ntwo\n\nlines\0'],
  ];

  for (const [source, frame] of rows) assert.equal(steps(source)[0].literal, frame);
});

test('frames_have_flags', () => {
  const [step] = steps('a frames text unfinished unmasked rsv=4 length=7 opcode=3 x y');

  assert.deepEqual([step.opcode, step.text, step.options], [3, 'x y', { fin: false, mask: false, rsv: 4, length: 7 }]);
  assert.deepEqual(steps('a frames more')[0].opcode, OPCODE.CONTINUATION);
});

test('headers_are_set_repeated_and_left_out', () => {
  const [step] = steps('a opens /ws as joe\n    X: 1\n    X: 2\n    Empty:\n    -Upgrade');

  assert.deepEqual(step.headers, { X: ['1', '2'], Empty: '', Upgrade: null });
  assert.equal(step.user, 'joe');
});

test('a_line_that_is_no_step_is_an_error_with_its_number', () => {
  assert.throws(() => steps('a connects\na dances'), /scripts\/group\/rule.txt:3: no step: 'a dances'/);
  assert.throws(() => parse('group/rule', 'a connects\n'), /first line/);
});

test('a_difference_is_found_wherever_it_is', () => {
  const rows = [
    [['a'], ['a'], []],
    [['a'], [], ['- a']],
    [[], ['a'], ['+ a']],
    [['a', 'b', 'c'], ['a', 'x', 'c'], ['- b', '+ x']],
    [['a', 'b'], ['b', 'a'], ['- a', '+ a']],
  ];

  for (const [before, after, lines] of rows) assert.deepEqual(difference(before, after), lines);
});

const ENTRY = 'better g/a\n  spring: s\n  gateway: g\n  because: b\n';

test('only_the_difference_that_is_meant_passes', () => {
  const { differences } = expected.parse(`${ENTRY}  - x\n  + y\n  with boot35:\n`, ['g/a']);
  const entry = differences.get('g/a');
  const rows = [
    [['- x', '+ y'], entry, 'usual', 'better'],
    [[], entry, 'usual', 'different'], // it has gone
    [['- x'], entry, 'usual', 'different'],
    [['- x', '+ z'], entry, 'usual', 'different'],
    [[], entry, 'boot35', 'same'],
    [['- x', '+ y'], entry, 'boot35', 'different'],
    [[], undefined, 'usual', 'same'],
    [['+ y'], undefined, 'usual', 'different'],
  ];

  for (const [found, one, profile, verdict] of rows)
    assert.equal(expected.judge(found, one, profile), verdict, JSON.stringify([found, profile]));
});

test('an_entry_needs_its_script_and_its_reason', () => {
  const rows = [
    [ENTRY, [], /no such script/],
    [`${ENTRY}${ENTRY}`, ['g/a'], /one for this script already/],
    ['better g/a\n  spring: s\n  gateway: g\n  + y\n', ['g/a'], /no "because:"/],
    ['better g/a\n  as: g/b\n', ['g/a'], /no reason of its own/],
    [`${ENTRY}  what\n`, ['g/a'], /neither a field/],
  ];

  for (const [source, scripts, what] of rows) assert.throws(() => expected.parse(source, scripts), what);
});

function seen(events, { compares = new Set(), wasOpen = false } = {}) {
  return transcript({
    n: 'u00001z',
    script: { compares },
    target: { address: '127.0.0.1:1', messageId: /(\\nmessage-id:)(id-\d+)(?=\\n)/g, sessionId: /session-\d+/g },
    clients: new Map([['a', { name: 'a', events, wasOpen }]]),
  });
}

const message = (text, isBinary = false) => ({ kind: 'message', isBinary, payload: Buffer.from(text) });

test('only_ids_are_hidden', () => {
  assert.deepEqual(seen([message('MESSAGE\nmessage-id:id-7\nx:id-7\n\n/topic/u00001z\0')]),
    ['a: MESSAGE\\nmessage-id:<id>\\nx:id-7\\n\\n/topic/${n}\\0']);
  assert.deepEqual(seen([message('Unknown session-12', true)], { wasOpen: true }),
    ['a: binary Unknown <session>', 'a: (open)']);
  assert.deepEqual(seen([message('M\nmessage-id:forged\n\n\0')]), ['a: M\\nmessage-id:forged\\n\\n\\0']);
});

test('message_ids_are_numbered_where_a_script_compares_them', () => {
  const one = (id) => message(`M\nmessage-id:${id}\n\n\0`);

  assert.deepEqual(seen([one('id-5'), one('id-6'), one('id-5')], { compares: new Set(['message ids']) })
    .map((line) => /<id \d+>/.exec(line)[0]), ['<id 1>', '<id 2>', '<id 1>']);
});

test('only_siblings_of_one_message_are_sorted', () => {
  const one = (subscription, body) => message(`MESSAGE\nd:x\nsubscription:${subscription}\n\n${body}\0`);
  const order = (events) => seen(events).map((line) => /subscription:(.*)\\0/.exec(line)[1].replace('\\n\\n', ' '));

  assert.deepEqual(order([one('2', 'x'), one('1', 'x')]), ['1 x', '2 x']);
  assert.deepEqual(order([one('2', 'x'), one('1', 'y')]), ['2 x', '1 y']);
});

test('bytes_stay_visible', () => {
  assert.deepEqual(seen([{ kind: 'message', isBinary: true, payload: Buffer.from([0xff, 0x01, 0x0a]) }]),
    ['a: binary \\xff\\x01\\n']);
  assert.deepEqual(seen([message('x'.repeat(100))]), ['a: ${"x" * 100}']);
});
