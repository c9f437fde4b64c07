/**
 * A real OpenID Connect provider on this machine, with people who sign in by their name alone.
 */

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

/** Whom it knows: what they are called there, and what is said of them. */
const PEOPLE = {
  mei: { email: 'mei@shop.example', email_verified: true, name: 'Mei Lin', groups: ['office'] },
  han: { email: 'han@shop.example', email_verified: true, name: 'Han Yue', groups: ['elsewhere'] },
  kim: { email: 'kim@shop.example', email_verified: false, name: 'Kim Min', groups: ['office'] },
};

/** A key for each of the signatures. */
export function keys(generation) {
  const made = [
    ['RS256', 'rsa', { modulusLength: 2048 }],
    ['PS256', 'rsa', { modulusLength: 2048 }],
    ['ES256', 'ec', { namedCurve: 'P-256' }],
    ['EdDSA', 'ed25519', {}],
  ];
  return made.map(([alg, kind, options]) => ({
    ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }),
    alg,
    use: 'sig',
    kid: `${alg}-${generation}`,
  }));
}

/**
 * Starts one.
 * @param {{ callback: string, keys: object[], port?: number, claimsInToken?: boolean, clients: object[] }} settings
 */
export async function provider(settings) {
  const server = createServer();
  await new Promise((done) => server.listen(settings.port ?? 0, '127.0.0.1', done));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const own = new Provider(issuer, {
    clients: settings.clients.map((client) => ({
      redirect_uris: [settings.callback],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      ...client,
    })),
    claims: { email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'], openid: ['sub'] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    conformIdTokenClaims: !settings.claimsInToken,
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] },
    jwks: { keys: settings.keys },
    cookies: { keys: ['of a test'] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_, id) => PEOPLE[id] && { accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) },
    pkce: { required: () => true },
  });
  server.on('request', own.callback());
  const stop = () =>
    new Promise((done) => {
      server.closeAllConnections();
      server.close(done);
    });
  return { issuer, port: server.address().port, stop };
}
