/**
 * The examples are right: valid by the committed schema, and answered by the demonstration.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { buildSchema, getOperationAST, parse, validate } from 'graphql';
import { DEMO_ACCOUNTS, DEMO_PASSWORD, GROUPS, WELCOME } from '../page/examples.js';
import { MEDIA, Told } from '../page/stream.js';
import { ask, demo, throwAway } from './demo.js';

/** Within this time whatever can be said against a subscription has been said. */
const MOMENT_MS = 500;
const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
/** What an example is there to show where it is not an answer. */
const TROUBLE = new Map([
  ['What is refused, and how that looks', 'FORBIDDEN'],
  ['Sign in, as a program does it', 'INVALID_CREDENTIALS'],
]);
let server;

before(async () => {
  server = await demo(throwAway());
});

after(() => server?.stop());

test('the plain page is pinned to what its packages hold', () => {
  execFileSync(process.execPath, [new URL('../scripts/pins.js', import.meta.url).pathname, '--check'], {
    stdio: 'inherit',
  });
});

test('every example is valid by the schema', () => {
  const examples = GROUPS.flatMap((group) => group.examples);
  assert.ok(examples.length >= 15);
  for (const { title, query } of [...examples, { title: 'welcome', query: WELCOME }]) {
    const wrong = validate(schema, parse(query)).map((error) => error.message);
    assert.deepEqual(wrong, [], title);
  }
});

test('there are examples for each role, and an account for each in the demonstration', () => {
  const roles = Object.keys(schema.getType('Role').toConfig().values).sort();
  assert.deepEqual(
    GROUPS.map((group) => group.role)
      .filter((role) => role !== null)
      .sort(),
    roles,
  );
  assert.deepEqual(DEMO_ACCOUNTS.map((account) => account.role).sort(), roles);
});

test('every example is answered by the demonstration, for whom it is meant', async () => {
  for (const group of GROUPS) {
    const role = group.role ?? 'ANALYST';
    const { email } = DEMO_ACCOUNTS.find((account) => account.role === role);
    const token = await signIn(email);
    for (const example of group.examples) {
      const variables = structuredClone(example.variables);
      if (variables?.input?.cardNumber) variables.input.cardNumber = await cardNumber(token);
      if (variables?.store) variables.store = await store(token);
      if (isSubscription(example.query)) {
        const wrong = await begun({ query: example.query, variables }, token);
        assert.equal(wrong, null, `${group.name}: ${example.title}: ${JSON.stringify(wrong)}`);
        continue;
      }
      const answer = await ask(server.endpoint, { query: example.query, variables }, token);
      const said = JSON.stringify(answer);
      const trouble = [
        ...(answer.errors ?? []).map((error) => error.extensions?.code),
        ...Object.values(answer.data ?? {}).flatMap((payload) =>
          (payload?.userErrors ?? []).map((error) => error.code),
        ),
      ];
      const expected = TROUBLE.get(example.title);
      assert.deepEqual(trouble, expected ? [expected] : [], `${group.name}: ${example.title}: ${said}`);
      // An example that shows nothing is none.
      for (const list of Object.values(answer.data ?? {})) {
        if (example.title !== 'Work in the background') {
          assert.notEqual(list?.nodes?.length, 0, `${group.name}: ${example.title}`);
        }
      }
    }
  }
});

async function signIn(email) {
  const answer = await ask(server.endpoint, {
    query: 'mutation ($i: SessionCreateInput!) { sessionCreate(input: $i) { session { accessToken } } }',
    variables: { i: { email, password: DEMO_PASSWORD } },
  });
  return answer.data.sessionCreate.session.accessToken;
}

const isSubscription = (query) => getOperationAST(parse(query))?.operation === 'subscription';

/** Begins a subscription and ends it again; gives what was said against it, or null. What it tells is not awaited. */
async function begun(request, token) {
  const response = await fetch(server.endpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: MEDIA, Authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
  });
  if (!response.headers.get('Content-Type')?.startsWith(MEDIA)) return response.json();
  const told = new Told(response.body);
  const first = await Promise.race([told.next(), new Promise((resolve) => setTimeout(resolve, MOMENT_MS))]);
  await told.return();
  return first === undefined || first.value?.data ? null : first;
}

async function store(token) {
  const answer = await ask(server.endpoint, { query: '{ viewer { roles { store { id } } } }' }, token);
  return answer.data.viewer.roles.find((held) => held.store).store.id;
}

async function cardNumber(token) {
  const answer = await ask(server.endpoint, { query: '{ customers(first: 50) { nodes { card { number status } } } }' }, token);
  return answer.data.customers.nodes.find((node) => node.card?.status === 'ACTIVE').card.number;
}
