import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../project.ts';
import { brokenPromises } from './broken-promises.ts';
import type { Contract } from './contract.ts';

const FOLDER = 'docs/contracts';

/** The contracts that are committed: what the contexts have promised so far. */
export function promisedContracts(): Contract[] {
  const folder = path.join(projectRoot, FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((file) => file.endsWith('.json')).toSorted().map((file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Contract);
}

/** @throws Error that names every promise that these contracts break, and what to do */
export function checkPromises(present: readonly Contract[], promised: readonly Contract[] = promisedContracts()): void {
  const broken = promised.flatMap((contract) => brokenPromises(contract, present.find(({ context }) => context === contract.context)));
  if (broken.length > 0) throw new Error(`${broken.length === 1 ? 'A contract is' : 'Contracts are'} broken:\n  ${broken.join('\n  ')}`);
}

/** The files that the contracts are kept in, and their texts. */
export function contractFiles(contracts: readonly Contract[]): [file: string, text: string][] {
  return contracts.map((contract) => [`${FOLDER}/${contract.context}.json`, `${JSON.stringify(contract, undefined, 2)}\n`]);
}
