import { describe, expect, it } from 'vitest';
import { random } from './fixture.spec.js';
import { Subjects, fromToken, token } from './subjects.js';

const alphabet = [...'aZ09_-.*> \t\r\n%$/\\"', 'é', 'ß', '漢', '🙂', '\u0000', '%2E'];

describe('token', () => {
  it('leaves plain names alone', () => {
    expect(token('order-placed_2')).toBe('order-placed_2');
  });

  it('escapes what means something in a subject', () => {
    expect(token('a.b c*d>e')).toBe('a%2Eb%20c%2Ad%3Ee');
    expect(token('')).toBe('%');
    expect(token('é')).toBe('%C3%A9');
  });

  it('is one safe token and comes back, for any text', () => {
    const next = random(42);
    for (let i = 0; i < 2000; i++) {
      const text = Array.from({ length: Math.floor(next() * 12) }, () => alphabet[Math.floor(next() * alphabet.length)]).join('');
      const escaped = token(text);
      expect(escaped).toMatch(/^[A-Za-z0-9_%-]+$/);
      expect(fromToken(escaped)).toBe(text);
    }
  });
});

describe('Subjects', () => {
  const event = { lane: 7, tenantId: 'acme.com', type: 'ordering.order-placed', schemaVersion: 2 };

  it('names events, requests, pokes and streams', () => {
    const subjects = new Subjects();
    expect(subjects.event('ordering', event)).toBe('evt.ordering.7.acme%2Ecom.order-placed.v2');
    expect(subjects.events('ordering')).toBe('evt.ordering.>');
    expect(subjects.lane('ordering', 7)).toBe('evt.ordering.7.>');
    expect(subjects.eventType('ordering.order-placed')).toBe('evt.ordering.*.*.order-placed.*');
    expect(subjects.request('command', 'ordering.place-order')).toBe('cmd.ordering.place-order');
    expect(subjects.request('query', 'ordering.get-order')).toBe('qry.ordering.get-order');
    expect(subjects.requests('command', 'ordering')).toBe('cmd.ordering.*');
    expect(subjects.requests('query', 'ordering')).toBe('qry.ordering.*');
    expect(subjects.poke('commit.ordering')).toBe('poke.commit%2Eordering');
    expect(subjects.stream('ordering')).toBe('EVT_ordering');
  });

  it('puts the namespace in front', () => {
    const subjects = new Subjects('test-1');
    expect(subjects.event('ordering', event)).toBe('test-1.evt.ordering.7.acme%2Ecom.order-placed.v2');
    expect(subjects.request('query', 'ordering.get-order')).toBe('test-1.qry.ordering.get-order');
    expect(subjects.stream('ordering')).toBe('TEST-1_EVT_ordering');
  });

  it('finds the lane in a subject', () => {
    for (const subjects of [new Subjects(), new Subjects('ns')]) {
      expect(subjects.laneOf(subjects.event('ordering', event))).toBe(7);
      expect(subjects.laneOf(subjects.event('ordering', { ...event, lane: 31, tenantId: '' }))).toBe(31);
    }
    expect(new Subjects().laneOf('evt.ordering')).toBeNaN();
  });

  it('refuses a namespace that is no token, and capitals, which stream names could not tell apart', () => {
    for (const namespace of ['a.b', 'a b', '*', '>', 'Prod', 'é']) {
      expect(() => new Subjects(namespace)).toThrow(/NATS_NAMESPACE[\s\S]*small letters/);
    }
  });
});
