import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const libs = fileURLToPath(new URL('./libs', import.meta.url));

export default defineConfig({
  // Tests run the TypeScript of the libraries, so a test never passes on a stale build.
  resolve: { alias: [{ find: /^@nestbox\/([a-z]+)$/, replacement: `${libs}/$1/src/index.ts` }] },
  test: {
    include: ['{src,libs,test,scripts}/**/*.{unit,int,e2e}.spec.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
