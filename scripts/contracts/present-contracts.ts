import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { catalogueOf } from '@nestbox/messaging';
import { projectRoot } from '../project.ts';
import { type Contract, contractsOf } from './contract.ts';

/** The contracts of the contexts as they are built. */
export async function presentContracts(): Promise<Contract[]> {
  const { contexts } = await import(pathToFileURL(path.join(projectRoot, 'dist/contexts.js')).href);
  return contractsOf(catalogueOf(Object.values(contexts)));
}
