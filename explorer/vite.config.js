import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Puts `.br` and `.gz` beside what they make a good deal smaller, so that the server never compresses. */
function compressed() {
  const walk = (directory) =>
    readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? walk(path) : [path];
    });
  return {
    name: 'compressed',
    closeBundle() {
      // The page itself is filled in by the server.
      for (const file of walk('dist/page/explorer')) {
        const text = readFileSync(file);
        const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } };
        for (const [ending, made] of [
          ['.br', brotliCompressSync(text, quality)],
          ['.gz', gzipSync(text, { level: 9 })],
        ]) {
          if (made.length < statSync(file).size * 0.9) writeFileSync(file + ending, made);
        }
      }
    },
  };
}

export default defineConfig({
  // Relative, so that it works behind a proxy that serves the API under another path.
  base: './',
  plugins: [react(), compressed()],
  worker: { format: 'es' },
  build: {
    outDir: 'dist/page',
    emptyOutDir: true,
    assetsDir: 'explorer',
    target: 'es2022',
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 10_000,
    // Never inlined: a script in a data: address would need a weaker policy.
    assetsInlineLimit: (file) => /\.(ttf|woff2|svg|png)$/.test(file),
  },
});
