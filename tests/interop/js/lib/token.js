import { createHmac } from 'node:crypto';

export const ISSUER = 'https://issuer.example';
export const SECRET = 'a-secret-of-the-interop-tests-that-is-long-enough';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A compact JWS with HS256. `claims` win over what is put in by itself; undefined removes. */
export function token(sub, claims = {}, { secret = SECRET, header = {} } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const signed = encode({ alg: 'HS256', typ: 'JWT', ...header }) + '.' +
    encode({ iss: ISSUER, sub, iat: now, exp: now + 600, ...claims });

  return signed + '.' + createHmac('sha256', secret).update(signed).digest('base64url');
}

export const bearer = (sub, claims, options) => ({ Authorization: `Bearer ${token(sub, claims, options)}` });

const now = () => Math.floor(Date.now() / 1000);

/** Tokens that nobody may come in with: name and how to make it. */
export const BAD_TOKENS = [
  ['of another secret', () => token('mallory', {}, { secret: 'another secret, as long as the right one is' })],
  ['that has expired', () => token('mallory', { exp: now() - 3600 })],
  ['that is not valid yet', () => token('mallory', { nbf: now() + 3600 })],
  ['of another issuer', () => token('mallory', { iss: 'https://elsewhere.example' })],
  ['without a signature and alg none', () =>
    token('mallory', {}, { header: { alg: 'none' } }).replace(/[^.]*$/, '')],
  ['with alg none and a signature', () => token('mallory', {}, { header: { alg: 'none' } })],
  ['with an algorithm the issuer does not use', () => token('mallory', {}, { header: { alg: 'RS256' } })],
  ['with an unknown critical header', () => token('mallory', {}, { header: { crit: ['x'], x: 1 } })],
  ['whose payload was changed', () => {
    const parts = token('mallory').split('.');
    return [parts[0], encode({ iss: ISSUER, sub: 'root', exp: now() + 600 }), parts[2]].join('.');
  }],
  ['whose user name has a line feed', () => token('mallory\nuser-name:root')],
  ['whose user name is longer than 256 bytes', () => token('m'.repeat(257))],
  ['without a user name', () => token(undefined)],
  ['that is no token', () => 'abc'],
];
