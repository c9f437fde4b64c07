// Runs the client generators that web, mobile and partner code use, on the schema and one generated operation per root field.
// node codegen.mjs URL|SDLFILE [--sdl FILE] [--scalars Decimal=string,DateTime=string] [--py BINDIR (has ariadne-codegen)] [--rust BIN (rustgen)] [--only ts,client,relay,tada,genql,py,rust] [--keep DIR]
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildSchema, parse, specifiedScalarTypes, validate } from 'graphql';
import { coverage } from '@graphql-inspector/core';
import { Source } from 'graphql';
import { args, Report, sdlOf } from './lib/common.mjs';
import { operations } from './lib/ops.mjs';
import { customScalars, scalarsOf } from './lib/scalars.mjs';

const here = path.dirname(new URL(import.meta.url).pathname), o = args(), R = new Report('codegen', o), only = o.only && new Set(o.only.split(','));
const sdl = await sdlOf(o), tmp = o.keep ? path.resolve(o.keep) : fs.mkdtempSync(path.join(os.tmpdir(), 'cg-'));
fs.mkdirSync(tmp, { recursive: true });
const w = (f, s) => { fs.mkdirSync(path.dirname(path.join(tmp, f)), { recursive: true }); fs.writeFileSync(path.join(tmp, f), s); };
const bin = (n) => path.join(here, 'node_modules/.bin', n);
try { fs.symlinkSync(path.join(here, 'node_modules'), path.join(tmp, 'node_modules')); } catch {}
const run = (cmd, a, opt = {}) => { const r = spawnSync(cmd, a, { cwd: tmp, encoding: 'utf8', timeout: 240000, env: { ...process.env, CI: '1', NO_COLOR: '1' }, ...opt }); return { ok: r.status === 0, out: `${r.error ?? ''}${r.stdout ?? ''}${r.stderr ?? ''}`.trim() }; };
const want = (k) => !only || only.has(k);
const tail = (r, n = 260) => r.ok ? '' : r.out.split('\n').filter((l) => l.trim() && !/^\s+at |deprecat|Warning:/i.test(l)).slice(-8).join(' / ').slice(-n);

const schema = buildSchema(sdl, { assumeValidSDL: true }), ops = operations(schema), doc = ops.map((x) => x.text).join('\n');
const errs = validate(schema, parse(doc)); R.ok('C01', 'MUST', `${ops.length} generated operations are valid`, errs.length === 0, errs.map((e) => e.message).join(' | '));
w('schema.graphql', sdl); w('ops.graphql', doc);
const custom = customScalars(schema);
const map = scalarsOf(schema, { ...(schema.getType('_Any') ? { _Any: 'unknown' } : {}), ...Object.fromEntries((o.scalars ?? '').split(',').filter(Boolean).map((x) => x.split('='))) });
const cov = await coverage(schema, ops.map((x) => new Source(x.text, x.name)));
const types = Object.values(cov.types), uncovered = types.flatMap((t) => Object.entries(t.children).filter(([, c]) => c.hits === 0).map(([k]) => `${t.type?.name ?? ''}.${k}`));
R.add('C02', 'INFO', 'graphql-inspector coverage of the generated operations', 'pass', `${uncovered.length} fields not covered`);
const nonIdent = Object.values(schema.getTypeMap()).filter((t) => /^(String|Int|Float|Boolean|ID|Promise|Error|Object|Array|Map|Set|Date|Record|Function|Symbol|Option|Result|Vec|Box|Self|None|True|False)$/.test(t.name) && !specifiedScalarTypes.some((s) => s.name === t.name)).map((t) => t.name);
R.ok('C03', 'SHOULD', 'no type is named as a built-in of TypeScript, Rust, Python, Kotlin or Swift', nonIdent.length === 0, nonIdent);
const kw = new Set('type self super crate fn impl move ref dyn async await match loop in is as class def del pass from import global lambda yield None True False operator init default protocol extension func internal public private object fun val var when interface package return switch case where enum struct import static throw throws try catch finally typealias companion hashCode toString equals'.split(' '));
const fieldKw = Object.values(schema.getTypeMap()).filter((t) => !t.name.startsWith('__')).flatMap((t) => [...(t.getFields ? Object.keys(t.getFields()) : []), ...(t.getValues ? t.getValues().map((v) => v.name) : [])].filter((f) => kw.has(f)).map((f) => `${t.name}.${f}`));
R.ok('C04', 'SHOULD', 'no field or enum value is a keyword of Rust, Python, Kotlin or Swift (Apollo Kotlin/iOS are not installable here; this stands in)', fieldKw.length === 0, fieldKw);
const caseClash = (names) => { const m = {}; for (const n of names) (m[n.toLowerCase().replace(/_/g, '')] ??= []).push(n); return Object.values(m).filter((x) => x.length > 1); };
R.ok('C05', 'SHOULD', 'no names differ only by case or underscores (files and classes clash on macOS, in Kotlin and Swift)', !caseClash(Object.keys(schema.getTypeMap())).length && Object.values(schema.getTypeMap()).every((t) => !(t.getFields || t.getValues) || !caseClash(t.getValues ? t.getValues().map((v) => v.name) : Object.keys(t.getFields())).length), JSON.stringify(caseClash(Object.keys(schema.getTypeMap()))));
R.ok('C06', 'SHOULD', 'every custom scalar has specifiedByURL (a generator can map it)', custom.every((n) => schema.getType(n).specifiedByURL), custom.filter((n) => !schema.getType(n).specifiedByURL).join());

const tsconfig = { compilerOptions: { strict: true, noEmit: true, target: 'ES2022', module: 'ESNext', moduleResolution: 'Bundler', skipLibCheck: true, lib: ['ES2022', 'DOM'], preserveSymlinks: true } };
const tsc = (dir) => { w(`${dir}/tsconfig.json`, JSON.stringify({ ...tsconfig, include: ['**/*.ts'] })); return run(bin('tsc'), ['-p', dir]); };
if (want('ts')) {
  w('cg.json', JSON.stringify({ schema: 'schema.graphql', documents: 'ops.graphql', config: { strictScalars: true, scalars: map, useTypeImports: true }, generates: { 'ts/schema.ts': { plugins: ['typescript'] }, 'ts/ops.ts': { plugins: ['typescript-operations', 'typed-document-node'] } } })); // since v6 operations carry their own input types and enums
  let r = run(bin('graphql-codegen'), ['--config', 'cg.json']); R.ok('C10', 'MUST', 'graphql-codegen typescript + operations + typed-document-node, strictScalars', r.ok, tail(r));
  if (r.ok) { r = tsc('ts'); R.ok('C11', 'MUST', 'its output compiles under tsc --strict', r.ok, tail(r)); }
}
if (want('client')) {
  w('client/src.ts', `import { graphql } from './gen';\n${ops.map((x, i) => `export const d${i} = graphql(\`${x.text}\`);`).join('\n')}\n`);
  w('cp.json', JSON.stringify({ schema: 'schema.graphql', documents: 'client/src.ts', ignoreNoDocuments: true, generates: { 'client/gen/': { preset: 'client', presetConfig: { persistedDocuments: true }, config: { strictScalars: true, scalars: map, useTypeImports: true } } } }));
  let r = run(bin('graphql-codegen'), ['--config', 'cp.json']); R.ok('C12', 'MUST', 'graphql-codegen client preset with persisted documents', r.ok, tail(r));
  if (r.ok) { r = tsc('client'); R.ok('C13', 'MUST', 'its output compiles under tsc --strict', r.ok, tail(r)); }
}
if (want('relay')) {
  const q = operations(schema).map((x) => ({ ...x, rn: `gen${x.name}` }));
  w('relay/src/gen.ts', `const graphql = (x: any) => x;\n` + q.map((x, i) => `export const q${i} = graphql\`${x.text.replace(x.name, x.rn)}\`;`).join('\n'));
  const conns = Object.entries(schema.getQueryType().getFields()).filter(([, f]) => /Connection$/.test(String(f.type).replace(/!$/, '')) && ['first', 'after'].every((a) => f.args.some((x) => x.name === a)));
  w('relay/src/page.ts', `const graphql = (x: any) => x;\n` + conns.slice(0, 5).map(([n, f], i) => `export const p${i} = graphql\`query page${i}Query($count: Int, $cursor: String) { ...page${i}_f @arguments(count: $count, cursor: $cursor) }\`;\nexport const f${i} = graphql\`fragment page${i}_f on ${schema.getQueryType().name} @refetchable(queryName: "page${i}RefetchQuery") @argumentDefinitions(count: {type: "Int", defaultValue: 10}, cursor: {type: "String"}) { ${n}(first: $count, after: $cursor) @connection(key: "page${i}_${n}") { edges { node { __typename } } } }\`;`).join('\n').replace(/page(\d)/g, 'page$1'));
  w('relay/relay.config.json', JSON.stringify({ src: './src', language: 'typescript', schema: '../schema.graphql', excludes: ['**/__generated__/**'], customScalarTypes: map, eagerEsModules: true }));
  const r = run(bin('relay-compiler'), [], { cwd: path.join(tmp, 'relay') }); R.ok('C14', 'MUST', `relay-compiler: ${q.length} operations, ${Math.min(5, conns.length)} @connection fragments with @refetchable`, r.ok, tail(r, 400));
}
if (want('tada')) {
  w('tada/tsconfig.json', JSON.stringify({ ...tsconfig, compilerOptions: { ...tsconfig.compilerOptions, plugins: [{ name: 'gql.tada/ts-plugin', schema: '../schema.graphql', tadaOutputLocation: './graphql-env.d.ts' }] }, include: ['**/*.ts'] }));
  let r = run(bin('gql.tada'), ['generate-output'], { cwd: path.join(tmp, 'tada') }); R.ok('C15', 'MUST', 'gql.tada generate-output', r.ok, tail(r));
  // It computes types within the type checker, which runs out of memory over a hundred operations of the full depth.
  const shallow = operations(schema, { depth: 1 });
  if (r.ok) { w('tada/src.ts', `import { initGraphQLTada, type ResultOf } from 'gql.tada';\nimport type { introspection } from './graphql-env.d.ts';\nconst graphql = initGraphQLTada<{ introspection: introspection; scalars: {${custom.map((n) => `${n}: ${map[n]}`)}} }>();\n${shallow.map((x, i) => `export const d${i} = graphql(\`${x.text}\`); export type T${i} = ResultOf<typeof d${i}>;`).join('\n')}\n`); r = run(bin('tsc'), ['-p', 'tada']); R.ok('C16', 'MUST', 'gql.tada operations type-check', r.ok, tail(r)); }
}
if (want('genql')) { let r = run(bin('genql'), ['--schema', 'schema.graphql', '--output', 'genql', ...custom.flatMap((n) => ['-S', `${n}:${map[n]}`])]); R.ok('C17', 'SHOULD', 'genql', r.ok, tail(r)); if (r.ok) { r = tsc('genql'); R.ok('C18', 'SHOULD', 'its output compiles under tsc --strict', r.ok, tail(r)); } }
if (want('py')) {
  const b = o.py ? path.resolve(o.py) : null;
  if (!b) R.add('C19', 'MUST', 'ariadne-codegen (give --py BINDIR)', 'skip');
  else { w('pyproject.toml', `[tool.ariadne-codegen]\nschema_path = "schema.graphql"\nqueries_path = "ops.graphql"\ntarget_package_name = "pyclient"\n${custom.map((n) => `[tool.ariadne-codegen.scalars.${n}]\ntype = "str"`).join('\n')}\n`);
    let r = run(path.join(b, 'ariadne-codegen'), []); R.ok('C19', 'MUST', 'ariadne-codegen', r.ok, tail(r)); if (r.ok) { r = run(path.join(b, 'python'), ['-c', 'import pyclient; print(len(pyclient.__all__))']); R.ok('C20', 'MUST', 'its output imports', r.ok, tail(r)); } }
}
if (want('rust')) { if (!o.rust) R.add('C21', 'MUST', 'rust graphql_client, cynic (give --rust BIN)', 'skip');
  else { const b = path.resolve(o.rust); let r = run(b, ['graphql_client', 'schema.graphql', 'ops.graphql']); R.ok('C21', 'MUST', 'rust graphql_client codegen', r.ok, tail(r)); r = run(b, ['cynic', 'schema.graphql', 'ops.graphql']); R.ok('C22', 'MUST', 'rust cynic: schema registration and querygen', r.ok, tail(r)); } }
if (!o.keep) fs.rmSync(tmp, { recursive: true });
R.done();
