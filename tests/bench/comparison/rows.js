// What is compared, and what must come of it. A row has
//
//   name, work     for the command line; for people
//   load           mode and options of stompload
//   servers        who takes part, the subject first; those in no claim are only shown
//   claims         each a measure of the subject, `atLeast` or `atMost` so many times that of
//                  `peer`, or without a peer that number itself
//   isUnpinned     server and load may run on every core
//   absent         instead of all that: why it cannot be run; such a row does not hold
//   elsewhere      the same, but where it is judged instead

const SPEED = 'deliveries_per_s';
const CPU = 'server_us_per_delivery';
const P99 = 'latency_p99_us';

const fanout = (options) => ({ mode: 'fanout', subscribers: 1000, size: 128, window: 16, ids: 'same', ...options });

const equalIds = (window, timesBun) => ({
  name: `fanout-${window}`,
  work: `fan-out to 1,000, 128 B, ${window} in flight, equal ids`,
  load: fanout({ window }),
  servers: ['stompgate', 'bun', 'spring', 'artemis', 'rabbitmq', 'floor'],
  claims: [
    { measure: SPEED, peer: 'bun', atLeast: timesBun },
    { measure: SPEED, peer: 'spring', atLeast: 25 },
    { measure: SPEED, peer: 'rabbitmq', atLeast: 40 },
    { measure: CPU, peer: 'floor', atMost: 1.5 },
  ],
});

const ownIds = (window) => ({
  name: `own-${window}`,
  work: `fan-out to 1,000, 128 B, ${window} in flight, each its own id (Bun: equal ones)`,
  load: fanout({ window, ids: 'own' }),
  servers: ['stompgate', 'bun'],
  claims: [{ measure: SPEED, peer: 'bun', atLeast: 1 }],
});

const single = (subscribers) => ({
  name: `single-${subscribers}`,
  work: `fan-out to ${subscribers.toLocaleString('en')}, 128 B, one message at a time`,
  load: fanout({ subscribers, window: 1 }),
  servers: ['stompgate', 'bun', 'floor'],
  claims: [
    { measure: CPU, peer: 'bun', atMost: 1 },
    { measure: CPU, peer: 'floor', atMost: 1.1 },
  ],
});

const echo = (clients, others) => ({
  name: `echo-${clients}`,
  work: `echo, ${clients.toLocaleString('en')} clients, 128 B, one message each`,
  load: { mode: 'echo', clients, size: 128, window: 1 },
  servers: ['stompgate', 'bun', ...others],
  claims: [{ measure: CPU, peer: 'bun', atMost: 0.9 }],
});

export const ROWS = [
  equalIds(16, 1.25),
  equalIds(128, 2),
  ownIds(16),
  ownIds(128),
  single(1000),
  single(10000),
  {
    name: 'single-io-uring',
    work: 'fan-out to 1,000, 128 B, one message at a time, by io_uring: CPU a delivery <= 0.85 x Bun',
    absent: 'io_uring is not built yet',
  },
  {
    name: 'large',
    work: 'fan-out to 1,000, 16 KiB, 4 in flight',
    load: fanout({ size: 16384, window: 4 }),
    servers: ['stompgate', 'bun'],
    claims: [{ measure: SPEED, peer: 'bun', atLeast: 1.5 }],
  },
  echo(50, ['spring', 'artemis', 'rabbitmq']),
  echo(1000, []),
  {
    name: 'rate-200',
    work: '200 messages a second to 1,000, 128 B, by a fixed schedule',
    load: fanout({ rate: 200 }),
    servers: ['stompgate', 'bun'],
    claims: [{ measure: P99, peer: 'bun', atMost: 1 }],
  },
  {
    name: 'two-workers',
    work: 'two workers against one, 100 messages a second to 1,000, 128 B, nothing pinned',
    load: fanout({ rate: 100 }),
    servers: ['two-workers', 'one-worker'],
    claims: [{ measure: CPU, peer: 'one-worker', atMost: 1.25 }],
    isUnpinned: true,
  },
  {
    name: 'idle',
    work: '10,000 idle subscribed connections, each with a user, heart-beats and limits',
    load: { mode: 'idle', connections: 10000, hold: 2, 'heart-beat': '0,10000' },
    servers: ['stompgate'],
    hasUsers: true,
    claims: [{ measure: 'rss_bytes_per_connection', atMost: 1300 }],
  },
  {
    name: 'idle-tls',
    work: '10,000 idle subscribed TLS connections, each with a user, heart-beats and limits',
    load: { mode: 'idle', connections: 10000, hold: 2, 'heart-beat': '0,10000' },
    servers: ['stompgate-tls'],
    hasUsers: true,
    claims: [{ measure: 'rss_bytes_per_connection', atMost: 18000 }],
  },
  {
    name: 'deflate',
    work: 'fan-out to 1,000, 1 kB JSON with deflate, 16 in flight',
    load: fanout({ size: 1024, body: 'json' }),
    servers: ['stompgate-deflate', 'stompgate-takeover', 'stompgate'],
    claims: [{ measure: SPEED, peer: 'stompgate-takeover', atLeast: 10 }],
  },
  {
    name: 'others',
    work: 'one publish with 1, 10^3, 10^6 other destinations subscribed: instructions the same within 5 %',
    elsewhere: 'tests/bench/micro counts instructions',
  },
];
