// The operations of examples/operations: valid, fit for the generators, registered as trusted documents, and run for a day against the demonstration by their hashes alone.
// node operations.mjs SDLFILE --program REGULARS [--operations DIR]
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { buildSchema, parse, print, validate } from 'graphql';
import { args, Report } from './lib/common.mjs';
import { scalarsOf } from './lib/scalars.mjs';

const here = import.meta.dirname;
const o = args();
const R = new Report('operations', o);
const program = path.resolve(o.program);
const folder = path.resolve(o.operations ?? path.join(here, '../../examples/operations'));
const tmp = fs.mkdtempSync(path.join(os.tmpdir(), 'operations-'));
const servers = [];
process.on('exit', () => {
  servers.forEach((server) => server.kill('SIGKILL'));
  fs.rmSync(tmp, { recursive: true, force: true });
});
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const write = (file, text) => {
  fs.mkdirSync(path.dirname(path.join(tmp, file)), { recursive: true });
  fs.writeFileSync(path.join(tmp, file), text);
};
// Nothing of this machine's own settings may help or harm.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('REGULARS') && name !== 'DATABASE_URL'));
const run = (command, a, cwd = tmp) => {
  const r = spawnSync(command, a, { cwd, encoding: 'utf8', timeout: 240_000, env: { ...env, CI: '1', NO_COLOR: '1' } });
  return { ok: r.status === 0, said: `${r.error ?? ''}${r.stdout ?? ''}`, all: `${r.error ?? ''}${r.stdout ?? ''}${r.stderr ?? ''}`.trim().slice(-280) };
};
const bin = (name) => path.join(here, 'node_modules/.bin', name);

const sdl = fs.readFileSync(o.url, 'utf8');
const schema = buildSchema(sdl);
const texts = new Map();
for (const file of fs.readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.graphql')).sort()) {
  texts.set(file.replace(/\.graphql$/, '').replaceAll(path.sep, '/'), fs.readFileSync(path.join(folder, file), 'utf8'));
}
const steps = JSON.parse(fs.readFileSync(path.join(folder, 'steps.json'), 'utf8'));

// What is written down about them.
const wrong = [...texts].flatMap(([name, text]) => validate(schema, parse(text)).map((error) => `${name}: ${error.message}`));
R.ok('O01', 'MUST', `${texts.size} operations are valid`, texts.size > 0 && wrong.length === 0, wrong.join(' | '));
const single = [...texts].filter(([, text]) => parse(text).definitions.filter((d) => d.kind === 'OperationDefinition' && d.name).length !== 1);
R.ok('O02', 'MUST', 'each file has one operation, with a name', single.length === 0, single.map(([name]) => name));
const named = new Set(['session/sign-in', ...steps.map((step) => step.run)]);
const unused = [...texts.keys()].filter((name) => !named.has(name));
R.ok('O03', 'MUST', 'the day uses every operation', unused.length === 0, unused);

// Generators: typed code that compiles, and manifests of what clients would send.
fs.symlinkSync(path.join(here, 'node_modules'), path.join(tmp, 'node_modules'));
write('schema.graphql', sdl);
for (const [name, text] of texts) write(`documents/${name}.graphql`, text);
const compiler = { strict: true, noEmit: true, target: 'ES2022', module: 'ESNext', moduleResolution: 'Bundler', skipLibCheck: true, lib: ['ES2022', 'DOM'], preserveSymlinks: true };
const scalars = scalarsOf(schema);
// Fragments of one name in two files are two fragments for a client, and one for the generator: each file on its own.
const generates = {};
for (const name of texts.keys()) {
  generates[`typed/${name}.ts`] = { documents: `documents/${name}.graphql`, plugins: ['typescript-operations', 'typed-document-node'] };
}
write('typed.json', JSON.stringify({ schema: 'schema.graphql', config: { strictScalars: true, scalars, useTypeImports: true }, generates }));
let r = run(bin('graphql-codegen'), ['--config', 'typed.json']);
R.ok('O10', 'MUST', 'graphql-codegen makes typed documents of them', r.ok, r.all);
if (r.ok) {
  write('typed/tsconfig.json', JSON.stringify({ compilerOptions: compiler, include: ['**/*.ts'] }));
  r = run(bin('tsc'), ['-p', 'typed']);
  R.ok('O11', 'MUST', 'they compile under tsc --strict', r.ok, r.all);
}

// Sources of a small client, as the generators of manifests want them that read TypeScript.
const hello = 'query ManifestHelloQuery { company { ...ManifestName } }';
const name = 'fragment ManifestName on Company { name }';
const manifests = [];
write('client/app.ts', `import { graphql } from './gen';\nexport const f = graphql(\`${name}\`);\nexport const q = graphql(\`${hello}\`);\n`);
write('client.json', JSON.stringify({ schema: 'schema.graphql', documents: 'client/app.ts', generates: { 'client/gen/': { preset: 'client', presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' } }, config: { strictScalars: true, scalars, useTypeImports: true } } } }));
r = run(bin('graphql-codegen'), ['--config', 'client.json']);
R.ok('O20', 'MUST', 'the client preset of graphql-codegen writes a manifest', r.ok, r.all);
manifests.push(['codegen', 'client/gen/persisted-documents.json']);

const relay = (text) => `graphql\`${text.replaceAll('ManifestHelloQuery', 'appHelloQuery').replaceAll('ManifestName', 'app_name')}\``;
write('relay/src/app.ts', `const graphql = (x: any) => x;\nexport const f = ${relay(name)};\nexport const q = ${relay(hello)};\n`);
write('relay/manifest.json', '{}');
write('relay/relay.config.json', JSON.stringify({ src: './src', language: 'typescript', schema: '../schema.graphql', eagerEsModules: true, customScalarTypes: scalars, persistConfig: { file: './manifest.json', algorithm: 'SHA256' } }));
r = run(bin('relay-compiler'), [], path.join(tmp, 'relay'));
R.ok('O21', 'MUST', 'relay-compiler writes a manifest', r.ok, r.all);
manifests.push(['relay', 'relay/manifest.json']);

// The hash is what the editor's plugin would write beside the document.
const printed = print(parse(`${hello} ${name}`));
write('tada/tsconfig.json', JSON.stringify({ compilerOptions: { ...compiler, plugins: [{ name: 'gql.tada/ts-plugin', schema: '../schema.graphql', tadaOutputLocation: './graphql-env.d.ts', tadaPersistedLocation: './manifest.json' }] }, include: ['**/*.ts'] }));
write('tada/app.ts', `import { initGraphQLTada } from 'gql.tada';\nimport type { introspection } from './graphql-env.d.ts';\nconst graphql = initGraphQLTada<{ introspection: introspection }>();\nconst f = graphql(\`${name}\`);\nconst q = graphql(\`${hello}\`, [f]);\nexport const p = graphql.persisted<typeof q>('sha256:${sha256(printed)}');\n`);
r = run(bin('gql.tada'), ['generate-output'], path.join(tmp, 'tada'));
if (r.ok) r = run(bin('gql.tada'), ['generate-persisted'], path.join(tmp, 'tada'));
R.ok('O22', 'MUST', 'gql.tada writes a manifest', r.ok, r.all);
manifests.push(['tada', 'tada/manifest.json']);

// Of the operations themselves, as Apollo's client would send them: with `__typename` everywhere.
write('apollo/persisted-query-manifest.config.json', JSON.stringify({ documents: ['../documents/**/*.graphql'], output: 'manifest.json' }));
r = run(bin('generate-persisted-query-manifest'), [], path.join(tmp, 'apollo'));
R.ok('O23', 'MUST', 'generate-persisted-query-manifest of Apollo writes a manifest', r.ok, r.all);
manifests.push(['apollo', 'apollo/manifest.json']);

// All of them are registered while nothing else runs.
const data = path.join(tmp, 'data');
const demo = ['--data', data, '--customers', '200', '--stores', '3', '--seed', '11'];
r = run(program, ['demo', '--no-serve', ...demo]);
R.ok('O30', 'MUST', 'the demonstration is made', r.ok, r.all);
const server = spawn(program, ['demo', ...demo, '--listen', '127.0.0.1:0'], { env: { ...env, REGULARS_DOCUMENTS: 'registered' }, stdio: ['ignore', 'pipe', 'ignore'] });
servers.push(server);
const endpoint = await new Promise((done, failed) => {
  let said = '';
  server.on('exit', (code) => failed(new Error(`the server ended with ${code}`)));
  server.stdout.on('data', (text) => {
    const found = /regulars listens on (http:\/\/\S+)/.exec((said += text));
    if (found) done(found[1]);
  });
});
const tokens = new Map();
const ask = async (body, as) => {
  const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  if (as) headers.authorization = `Bearer ${tokens.get(as).accessToken}`;
  return (await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(body) })).json();
};
const code = (answer) => answer.errors?.[0]?.extensions?.code;
const byHash = (text, variables) => ({ documentId: `sha256:${sha256(text)}`, variables });
const signIn = texts.get('session/sign-in');
R.ok('O31', 'MUST', 'before they are registered none of them runs', code(await ask(byHash(signIn))) === 'PERSISTED_QUERY_NOT_IN_LIST' && code(await ask({ query: signIn })) === 'QUERY_NOT_IN_SAFELIST');
for (const [client, file] of manifests) {
  r = run(program, ['documents', 'register', file, '--client', client, '--data', data]);
  R.ok(`O32/${client}`, 'MUST', `the manifest of ${client} is registered`, r.ok && / new document/.test(r.said), r.all);
}
r = run(program, ['documents', 'register', folder, '--client', 'examples', '--data', data]);
R.ok('O33', 'MUST', 'the folder is registered', r.ok && r.said.includes(`${texts.size} new document(s)`), r.all);
// Nodes believe for two seconds that a hash is unknown.
await wait(2_500);

// The day.
const now = new Date();
const days = (count) => new Date(now.getTime() + count * 86_400_000).toISOString();
const taken = new Map(Object.entries({ key: `EX-${randomUUID().slice(0, 8)}`, now: now.toISOString(), today: days(0).slice(0, 10), tomorrow: days(1), later: days(2) }));
const filled = (value) => {
  if (typeof value === 'string') {
    const whole = /^\$(\w+)$/.exec(value);
    if (whole) return known(whole[1]);
    return value.replace(/\$(\w+)/g, (_, name) => known(name));
  }
  if (Array.isArray(value)) return value.map(filled);
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(inner)]));
  return value;
};
function known(name) {
  if (!taken.has(name)) throw new Error(`nothing was taken as '${name}'`);
  return taken.get(name);
}
const perform = async (step) => {
  if (step.as && !tokens.has(step.as)) {
    const answer = await ask(byHash(signIn, { email: `${step.as}@demo.example`, password: 'regulars-demo' }));
    const session = answer.data?.sessionCreate.session;
    if (!session) throw new Error(`${step.as} cannot sign in: ${JSON.stringify(answer)}`);
    tokens.set(step.as, session);
  }
  taken.set('refreshToken', tokens.get(step.as)?.refreshToken);
  const answer = await ask(byHash(texts.get(step.run), filled(step.variables ?? {})), step.as);
  const errors = [...(answer.errors ?? []), ...Object.values(answer.data ?? {}).flatMap((payload) => payload?.userErrors ?? [])];
  if (errors.length > 0 || !answer.data || Object.values(answer.data).includes(null)) throw new Error(JSON.stringify(answer));
  for (const [name, at] of Object.entries(step.take ?? {})) {
    const value = at.split('.').reduce((inner, part) => inner?.[part], answer.data);
    if (value === undefined || value === null) throw new Error(`there is no ${at} in ${JSON.stringify(answer)}`);
    taken.set(name, value);
  }
};
for (const [index, step] of steps.entries()) {
  let failed = '';
  try {
    await perform(step);
  } catch (error) {
    failed = error.message;
  }
  R.ok(`O40/${index + 1}`, 'MUST', `${step.run} as ${step.as} by its hash`, failed === '', failed);
}
r = run(program, ['documents', 'remove', '--client', 'examples', '--data', data]);
R.ok('O50', 'MUST', 'the folder is removed again', r.ok, r.all);
server.removeAllListeners('exit');
server.kill('SIGTERM');
R.done();
process.exit();
