// Writes the documents that are generated from the code. With --check it only compares, and fails when one is out of
// date. Fails, too, when docs/guarantees.md claims what no test shows, or a context breaks its contract.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.ts';
import { checkPromises } from './contracts/golden-contracts.ts';
import { brokenClaims } from './docs/guarantees.ts';
import { fail, projectRoot } from './project.ts';

try {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  if (!build()) process.exit(1);
  // Only after the build: the definitions are read from what is built.
  const { documents } = await import('./docs/documents.ts');
  const settings = await import(pathToFileURL(path.join(projectRoot, 'dist/core/settings.js')).href);
  const { metrics } = await import(pathToFileURL(path.join(projectRoot, 'dist/core/metrics.js')).href);
  const { messagesDocument } = await import(pathToFileURL(path.join(projectRoot, 'dist/core/messages-document.js')).href);
  const { apiDocument } = await import(pathToFileURL(path.join(projectRoot, 'dist/core/api-document.js')).href);
  const { presentContracts } = await import('./contracts/present-contracts.ts');
  const contracts = await presentContracts();
  // A promise that is broken is never written over.
  checkPromises(contracts);
  const stale = [...documents(settings.settingSections, metrics, messagesDocument(), await apiDocument(), contracts)].filter(([file, text]) => textOf(file) !== text);
  if (values.check && stale.length > 0) throw new Error(`Out of date: ${stale.map(([file]) => file).join(', ')}. What to do: npm run docs, and commit the result.`);
  for (const [file, text] of stale) {
    mkdirSync(path.dirname(path.join(projectRoot, file)), { recursive: true });
    writeFileSync(path.join(projectRoot, file), text);
    console.log(`wrote ${file}`);
  }
  const broken = brokenClaims(textOf('docs/guarantees.md') ?? '', (target) => textOf(path.join('docs', target)));
  if (broken.length > 0) throw new Error(`docs/guarantees.md claims what no test shows:\n  ${broken.join('\n  ')}\nWhat to do: name the test as it is called now, or give the claim one.`);
  if (stale.length === 0) console.log('All generated documents are up to date.');
} catch (error) {
  fail(error);
}

function textOf(file: string): string | undefined {
  const full = path.join(projectRoot, file);
  return existsSync(full) && statSync(full).isFile() ? readFileSync(full, 'utf8') : undefined;
}
