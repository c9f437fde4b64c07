/**
 * The company's sign-in, the whole way: a browser, the program, and a certified provider that is not of our making. What
 * a provider does wrong on purpose is tried in `tests/api/company_sign_in`.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Browser } from './browser.js';
import { freePort, serve } from './program.js';
import { keys, provider } from './provider.js';

const PAGE = 'https://admin.shop.example/in';
const REDEEM = `mutation ($ticket: String!) {
  sessionCreateFromTicket(input: { ticket: $ticket }) { session { accessToken refreshToken } userErrors { code } }
}`;
const WHO = '{ viewer { staff { name email } roles { role } } }';

/** How a client may be set up with a provider: who knows it, and how tokens are signed. */
const CLIENTS = [
  { client_id: 'basic', client_secret: 'a secret: +/%&=', id_token_signed_response_alg: 'RS256' },
  { client_id: 'post', client_secret: 'secret', token_endpoint_auth_method: 'client_secret_post', id_token_signed_response_alg: 'ES256' },
  { client_id: 'public', token_endpoint_auth_method: 'none', id_token_signed_response_alg: 'EdDSA' },
  { client_id: 'pss', client_secret: 'secret', id_token_signed_response_alg: 'PS256' },
  { client_id: 'shared', client_secret: 'x'.repeat(40), id_token_signed_response_alg: 'HS256' },
];

function settings(issuer, callback, client) {
  return {
    REGULARS_OIDC_ISSUER: issuer,
    REGULARS_OIDC_CLIENT_ID: client.client_id,
    REGULARS_OIDC_CLIENT_SECRET: client.client_secret ?? '',
    REGULARS_OIDC_REDIRECT_URL: callback,
    REGULARS_OIDC_RETURN_URLS: PAGE,
    REGULARS_OIDC_SCOPES: 'email,profile,groups',
    REGULARS_OIDC_GROUPS: 'office=HEADQUARTERS',
    REGULARS_OIDC_CREATE_STAFF: 'true',
    REGULARS_PASSWORD_SIGN_IN: 'false',
    REGULARS_LOG: 'trace',
  };
}

/** Signs in from the page on; gives what stands behind the `#`. */
async function signIn(program, person, browser = new Browser(PAGE)) {
  const begin = `${program.base}/auth/oidc/start?return_to=${encodeURIComponent(PAGE)}`;
  const { location, status, steps } = await browser.signIn(begin, person);
  assert.ok(location, `it ended with ${status} at ${steps.at(-1)}`);
  const [name, value] = new URL(location).hash.slice(1).split('=');
  return { [name]: value, steps };
}

for (const claimsInToken of [true, false]) {
  describe(`a provider that tells all ${claimsInToken ? 'in its token' : 'at its userinfo endpoint'}`, () => {
    const started = { keys: keys('first'), claimsInToken };
    let port;
    let callback;

    before(async () => {
      port = await freePort();
      callback = `http://127.0.0.1:${port}/auth/oidc/callback`;
      started.provider = await provider({ ...started, callback, clients: CLIENTS });
    });
    after(() => started.provider.stop());

    for (const client of CLIENTS.slice(0, 4)) {
      const { client_id: name, id_token_signed_response_alg: alg } = client;
      test(`somebody comes in by a client of the kind '${name}', signed ${alg}`, async () => {
        const program = await serve(port, settings(started.provider.issuer, callback, client));
        try {
          const browser = new Browser(PAGE);
          const { ticket, steps } = await signIn(program, 'mei', browser);
          const answer = await program.ask(REDEEM, { ticket });
          const { session, userErrors } = answer.data.sessionCreateFromTicket;
          assert.deepEqual(userErrors, []);
          const who = await program.ask(WHO, {}, session.accessToken);
          assert.deepEqual(who.data.viewer, {
            staff: { name: 'Mei Lin', email: 'mei@shop.example' },
            roles: [{ role: 'HEADQUARTERS' }],
          });
          // The provider still knows the browser, and nobody is asked again.
          const again = await signIn(program, 'nobody', browser);
          assert.ok(again.ticket && again.steps.length < steps.length);
          const twice = await program.ask(REDEEM, { ticket });
          assert.deepEqual(twice.data.sessionCreateFromTicket.userErrors, [{ code: 'INVALID_CREDENTIALS' }]);

          // Who may not come in.
          assert.equal((await signIn(program, 'han')).error, 'no_account');
          assert.equal((await signIn(program, 'kim')).error, 'email_not_verified');
          assert.equal((await signIn(program, null)).error, 'access_denied');
          const password = await program.ask(
            'mutation { sessionCreate(input: { email: "mei@shop.example", password: "x" }) { userErrors { code } } }',
          );
          assert.deepEqual(password.data.sessionCreate.userErrors, [{ code: 'NOT_ALLOWED' }]);

          // However much is logged, nothing that opens a door is in it.
          const back = new URL(steps.find((step) => step.startsWith(callback)));
          const secrets = [ticket, session.refreshToken, session.accessToken, back.searchParams.get('code')];
          if (client.client_secret && client.client_secret !== 'secret') secrets.push(client.client_secret);
          for (const secret of secrets) assert.ok(!program.log().includes(secret), secret);
        } finally {
          await program.stop();
        }
      });
    }

    test('a token signed with the secret that both know lets nobody in', async () => {
      const program = await serve(port, settings(started.provider.issuer, callback, CLIENTS[4]));
      try {
        assert.equal((await signIn(program, 'mei')).error, 'provider_answer_invalid');
      } finally {
        await program.stop();
      }
    });
  });
}

test('the provider may change its keys', async () => {
  const port = await freePort();
  const callback = `http://127.0.0.1:${port}/auth/oidc/callback`;
  const first = await provider({ keys: keys('old'), callback, clients: CLIENTS });
  const program = await serve(port, settings(first.issuer, callback, CLIENTS[0]));
  let second;
  try {
    const began = Date.now();
    assert.ok((await signIn(program, 'mei')).ticket);
    await first.stop();
    second = await provider({ keys: keys('new'), port: first.port, callback, clients: CLIENTS });
    // Keys are read again at most once in ten seconds.
    await wait(Math.max(0, 10_500 - (Date.now() - began)));
    assert.ok((await signIn(program, 'mei')).ticket);
  } finally {
    await (second ?? first).stop();
    await program.stop();
  }
});
