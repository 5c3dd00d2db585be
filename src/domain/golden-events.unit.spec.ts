import 'reflect-metadata';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { catalogueOf } from '@nestbox/messaging';
import { goldenEventProblems } from '@nestbox/testing';
import { describe, expect, it } from 'vitest';
import { contexts } from '../contexts.js';

const { events } = catalogueOf(Object.values(contexts));
const folderOf = (context: string) => path.join(import.meta.dirname, context, 'models', 'golden-events');

describe('every event that was ever stored', () => {
  it.each(Object.keys(contexts))('in %s is read into the present class, and is valid there', async (context) => {
    const published = events.filter((event) => event.context === context).map(({ event }) => event);
    if (published.length > 0) expect(await goldenEventProblems(published, folderOf(context))).toEqual([]);
    else expect(existsSync(folderOf(context))).toBe(false);
  });
});
