// Writes the documents that are generated from the code. With --check it only compares, and fails when one is out of date.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.ts';
import { fail, projectRoot } from './project.ts';

try {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  if (!build()) process.exit(1);
  // Only after the build: the definitions are read from what is built.
  const { documents } = await import('./docs/documents.ts');
  const settings = await import(pathToFileURL(path.join(projectRoot, 'dist/core/settings.js')).href);
  const stale = [...documents(settings.settingSections)].filter(([file, text]) => textOf(file) !== text);
  if (values.check && stale.length > 0) throw new Error(`Out of date: ${stale.map(([file]) => file).join(', ')}. What to do: npm run docs, and commit the result.`);
  for (const [file, text] of stale) {
    writeFileSync(path.join(projectRoot, file), text);
    console.log(`wrote ${file}`);
  }
  if (stale.length === 0) console.log('All generated documents are up to date.');
} catch (error) {
  fail(error);
}

function textOf(file: string): string | undefined {
  const full = path.join(projectRoot, file);
  return existsSync(full) ? readFileSync(full, 'utf8') : undefined;
}
