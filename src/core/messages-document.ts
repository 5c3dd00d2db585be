import type { AsyncApiDocument } from '@nestbox/kernel';
import { asyncApiDocument, type Subjects } from '@nestbox/messaging';
import { contexts } from '../contexts.js';

/** What the contexts say to each other, whichever of them run in this process. */
export function messagesDocument(subjects?: Subjects): AsyncApiDocument {
  return asyncApiDocument(Object.values(contexts), {
    title: 'Nestbox',
    description: 'Events, commands and queries between the contexts of Northwind Traders, over NATS. Within one process they travel without a broker, in the same shape.',
    version: '1',
    license: 'MIT',
    ...(subjects && { subjects }),
  });
}
