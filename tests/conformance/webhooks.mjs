// A message that was really delivered, verified by the libraries of Standard Webhooks for JavaScript and Python, against a demonstration that is thrown away.
// node webhooks.mjs 127.0.0.1 --program REGULARS [--py .venv/bin]
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { args, Report } from './lib/common.mjs';

const here = import.meta.dirname;
const o = args();
const R = new Report('webhooks', o);
const program = path.resolve(o.program);
const python = path.resolve(o.py ?? path.join(here, '.venv/bin'), 'python');
const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'webhooks-'));
const servers = [];
process.on('exit', () => {
  servers.forEach((server) => server.kill('SIGKILL'));
  fs.rmSync(tmp, { recursive: true, force: true });
});
// Nothing of this machine's own settings may help or harm.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('REGULARS') && name !== 'DATABASE_URL'));

const got = [];
const receiver = http.createServer((request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    got.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
    response.writeHead(204).end();
  });
});
await new Promise((done) => receiver.listen(0, '127.0.0.1', done));
const url = `http://127.0.0.1:${receiver.address().port}/hook`;
const message = async (count) => {
  for (let n = 0; n < 300 && got.length < count; n++) await wait(100);
  if (got.length < count) throw new Error(`${got.length} instead of ${count} messages`);
  return got[count - 1];
};

const demo = ['demo', '--data', path.join(tmp, 'data'), '--customers', '50', '--stores', '2', '--seed', '11', '--listen', '127.0.0.1:0'];
const server = spawn(program, demo, { env: { ...env, REGULARS_WEBHOOK_PRIVATE_TARGETS: 'true' }, stdio: ['ignore', 'pipe', 'ignore'] });
servers.push(server);
const endpoint = await new Promise((done, failed) => {
  let said = '';
  server.on('exit', (code) => failed(new Error(`the server ended with ${code}`)));
  server.stdout.on('data', (text) => {
    const found = /regulars listens on (http:\/\/\S+)/.exec((said += text));
    if (found) done(found[1]);
  });
});
let token;
const ask = async (query, input) => {
  const headers = { 'content-type': 'application/json' };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await (await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify({ query, variables: { input } }) })).json();
  const payload = Object.values(answer.data ?? {})[0];
  if (!payload || payload.userErrors?.length) throw new Error(JSON.stringify(answer));
  return payload;
};
const signIn = 'mutation($input: SessionCreateInput!) { sessionCreate(input: $input) { session { accessToken } userErrors { message } } }';
token = (await ask(signIn, { email: 'admin@demo.example', password: 'regulars-demo' })).session.accessToken;
const client = await ask('mutation($input: ClientCreateInput!) { clientCreate(input: $input) { client { id } userErrors { message } } }', {
  name: 'Receiver', scopes: ['CUSTOMERS_READ'], places: { wholeCompany: true },
});
const hook = await ask('mutation($input: WebhookCreateInput!) { webhookCreate(input: $input) { webhook { id } secret userErrors { message } } }', {
  clientId: client.client.id, url, kinds: ['CUSTOMER_CREATED'],
});

const verifies = (secret, { headers, body }) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
};
const verifiesInPython = (secret, { headers, body }) => {
  const said = spawnSync(python, [path.join(here, 'webhooks.py')], { input: JSON.stringify({ secret, headers, body }), encoding: 'utf8' });
  if (said.status === 2) return false;
  if (said.status !== 0) throw new Error(`${said.error ?? ''}${said.stderr}`);
  return true;
};
const both = { npm: verifies, PyPI: verifiesInPython };

await ask('mutation($input: CustomerCreateInput!) { customerCreate(input: $input) { customer { id } userErrors { message } } }', { fullName: 'Somebody New' });
const first = await message(1);
const other = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
for (const [name, check] of Object.entries(both)) {
  R.ok(`W01/${name}`, 'MUST', `the library of ${name} takes a delivered message`, check(hook.secret, first));
  R.ok(`W02/${name}`, 'MUST', `the library of ${name} refuses it under another secret`, !check(other, first));
  R.ok(`W03/${name}`, 'MUST', `the library of ${name} refuses it changed`, !check(hook.secret, { ...first, body: first.body.replace('customer', 'costumer') }));
}
const told = JSON.parse(first.body);
R.ok('W04', 'MUST', 'it has type, timestamp and data', told.type === 'customer.created' && !Number.isNaN(Date.parse(told.timestamp)) && typeof told.data.customerId === 'string', first.body);
R.ok('W05', 'MUST', 'it names nobody', !first.body.includes('Somebody'), first.body);

const rotated = await ask('mutation($input: WebhookSecretRotateInput!) { webhookSecretRotate(input: $input) { secret userErrors { message } } }', { id: hook.webhook.id });
await ask('mutation($input: WebhookTestInput!) { webhookTest(input: $input) { delivery { id } userErrors { message } } }', { id: hook.webhook.id });
const second = await message(2);
for (const [name, check] of Object.entries(both)) {
  R.ok(`W06/${name}`, 'MUST', `while two secrets are good the library of ${name} takes either`, check(hook.secret, second) && check(rotated.secret, second));
}

server.removeAllListeners('exit');
const ended = new Promise((done) => server.on('exit', done));
server.kill('SIGTERM');
await ended;
receiver.close();
R.done();
