/**
 * Computes what the plain page may load: `node scripts/pins.js` writes `plain/pins.txt` from the packages in
 * `plain/node_modules`, whose own hashes npm has checked against the lockfile. With `--check` it compares.
 */

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const plain = new URL('../plain/', import.meta.url);
const FILES = [
  ['react', 'umd/react.production.min.js'],
  ['react-dom', 'umd/react-dom.production.min.js'],
  ['graphiql', 'graphiql.min.js'],
  ['graphiql', 'graphiql.min.css'],
];

const text = FILES.map(([name, path]) => {
  const folder = new URL(`node_modules/${name}/`, plain);
  const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
  const hash = createHash('sha384').update(readFileSync(new URL(path, folder))).digest('base64');
  return `${name}@${version}/${path} sha384-${hash}\n`;
}).join('');

const place = new URL('pins.txt', plain);
if (!process.argv.includes('--check')) {
  writeFileSync(place, text);
} else if (readFileSync(place, 'utf8') !== text) {
  console.error(`plain/pins.txt differs from the packages; it should be\n${text}`);
  process.exit(1);
}
