// Compares what the contexts promise each other by the classes as they are with what they have promised before
// (docs/contracts), and fails when somebody would notice. What was added there is written by `npm run docs`.
import { build } from './build.ts';
import { checkPromises, promisedContracts } from './contracts/golden-contracts.ts';
import { fail } from './project.ts';

try {
  if (!build()) process.exit(1);
  // Only after the build: the classes are read from what is built.
  const { presentContracts } = await import('./contracts/present-contracts.ts');
  checkPromises(await presentContracts());
  const promised = promisedContracts();
  const messages = promised.flatMap(({ events, requests }) => [...Object.keys(events), ...Object.keys(requests)]);
  console.log(`All contracts are kept: ${messages.length} messages of ${promised.length} contexts.`);
} catch (error) {
  fail(error);
}
