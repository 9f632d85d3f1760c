// Who takes part, and what of the load's options each needs. `folder` is that of the start script
// in ../peers, which runs with `environment`; a server without one is the load's own floor.
// `measures`: only these are meant.

const JVM_WARMUP_S = 10; // until its compiler has done most of what it will do
const LOG_IN = ['--connect-header', 'login:guest', '--connect-header', 'passcode:guest'];

const DEFLATE = { STOMPGATE_TRANSPORT_DEFLATE_ENABLED: 'true' };

export const SERVERS = {
  stompgate: { title: 'stompgate', folder: 'stompgate', workers: 1 },
  'one-worker': { title: 'stompgate, one worker', folder: 'stompgate', workers: 1 },
  'two-workers': { title: 'stompgate, two workers', folder: 'stompgate', workers: 2 },

  'stompgate-tls': {
    title: 'stompgate by TLS', folder: 'stompgate', environment: { PEER_TLS: 'yes' }, options: ['--insecure'],
  },

  // A message compressed once for all, and once for each subscriber with reference to what it got before.
  'stompgate-deflate': {
    title: 'stompgate, deflate', folder: 'stompgate', environment: DEFLATE, options: ['--deflate'],
  },
  'stompgate-takeover': {
    title: 'stompgate, deflate for each', folder: 'stompgate',
    environment: { ...DEFLATE, STOMPGATE_TRANSPORT_DEFLATE_SERVER_CONTEXT_TAKEOVER: 'true' },
    options: ['--deflate', '--deflate-takeover'],
  },

  // It gives no receipts, and publishes the same bytes to all: ids of their own it does not know.
  bun: { title: 'Bun', folder: 'bun', options: ['--confirm', 'probe'], load: { ids: 'same' } },

  // No receipts either, and without a setting of its own it keeps no order.
  spring: {
    title: 'Spring', folder: 'spring', options: ['--confirm', 'probe', '--order', 'any'], warmupS: JVM_WARMUP_S,
  },
  artemis: { title: 'Artemis', folder: 'artemis', options: LOG_IN, warmupS: JVM_WARMUP_S },
  rabbitmq: { title: 'RabbitMQ', folder: 'rabbitmq', options: [...LOG_IN, '--vhost', '/'], warmupS: 5 },

  // Each round waits for its last delivery, so how many there are in a second says nothing.
  floor: { title: 'the floor (send() alone)', measures: ['server_us_per_delivery'] },
};

/** Whether that number of a server means anything. */
export const isMeasured = (name, measure) => SERVERS[name].measures?.includes(measure) ?? true;
