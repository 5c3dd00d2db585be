import type { AsyncApiDocument } from '@nestbox/kernel';
import { describe, expect, it } from 'vitest';
import { fieldRows } from './fields.js';
import { asyncApiPage } from './page.js';

const document: AsyncApiDocument = {
  asyncapi: '3.0.0',
  info: { title: 'Lamps <b>&</b>', version: '7', description: 'For a test.' },
  defaultContentType: 'application/json',
  channels: {
    'lamp.lit': { address: 'evt.lamp.lit', title: 'LampLit', description: 'Kept.', tags: [{ name: 'lamp' }], messages: { 'lamp.lit': { $ref: '#/components/messages/lamp.lit' } } },
    'lamp.light': { address: 'cmd.lamp.light', title: 'Light', messages: { 'lamp.light': { $ref: '#/components/messages/lamp.light' } } },
    'lamp.light.reply': { address: null, title: 'Reply', messages: { 'lamp.light.reply': { $ref: '#/components/messages/lamp.light.reply' } } },
  },
  operations: {
    publish: { action: 'send', title: 'lamp publishes LampLit', tags: [{ name: 'lamp' }], channel: { $ref: '#/channels/lamp.lit' } },
    answer: { action: 'receive', title: 'lamp answers Light', tags: [{ name: 'lamp' }], channel: { $ref: '#/channels/lamp.light' }, reply: { address: { location: '$message.header#/reply', description: '' }, channel: { $ref: '#/channels/lamp.light.reply' } } },
  },
  components: {
    schemas: { Headers: { type: 'object', properties: { 'ce-id': { type: 'string' } }, required: ['ce-id'] } },
    messages: {
      'lamp.lit': {
        name: 'lamp.lit', title: 'LampLit', summary: 'A lamp was lit.', contentType: 'application/json', examples: [{ payload: { lamp: '</pre><script>' } }],
        headers: { allOf: [{ $ref: '#/components/schemas/Headers' }, { properties: { 'ce-type': { type: 'string', const: 'lamp.lit' } } }] },
        payload: { type: 'object', properties: { lamp: { type: 'string', description: 'Which "lamp".' } }, required: ['lamp'] },
      },
      'lamp.light': { name: 'lamp.light', title: 'Light', contentType: 'application/json', payload: { type: 'object' } },
      'lamp.light.reply': { name: 'lamp.light.reply', title: 'Reply to Light', contentType: 'application/json', payload: { type: 'object', properties: { lit: { type: 'boolean' } } } },
    },
  },
};

describe('the page about messages', () => {
  const page = asyncApiPage(document);

  it('shows every channel with its messages; a reply with its request', () => {
    expect([...page.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id)).toEqual(['lamp.lit', 'lamp.light']);
    expect([...page.matchAll(/<h3>([^<]+)/g)].map(([, title]) => title)).toEqual(['LampLit', 'Light', 'Reply to Light']);
    expect(page).toContain('<b>Sent</b>: lamp publishes LampLit');
    expect(page).toContain('Light: no fields.');
    expect(page).toMatch(/<th scope="row"><code>ce-type<\/code><\/th><td>string<\/td><td>no<\/td><td>always &quot;lamp.lit&quot;/);
  });

  it('takes nothing of the document for markup', () => {
    expect(page).toContain('Lamps &lt;b&gt;&amp;&lt;/b&gt;');
    expect(page).toContain('&lt;/pre&gt;&lt;script&gt;');
    expect(page).toContain('Which &quot;lamp&quot;.');
    expect(page).not.toMatch(/<script/);
  });

  it('loads nothing from elsewhere', () => {
    expect(page).not.toMatch(/https?:|src=|@import|url\(/);
  });

  it('can be read without eyes and without a mouse', () => {
    expect(page).toContain('<html lang="en">');
    expect(page).toMatch(/<a class="skip" href="#messages">/);
    expect(page).toMatch(/<nav aria-label="Messages">/);
    expect(page.match(/<table>/g)).toHaveLength(page.match(/<caption>/g)!.length);
    const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    for (const [, target] of page.matchAll(/(?:href="#|aria-labelledby=")([^"]+)"/g)) expect(ids).toContain(target);
    for (const [, attributes] of page.matchAll(/<(?:pre|div class="scroll")([^>]*)>/g)) expect(attributes).toContain('tabindex="0"');
  });
});

describe('the rows of a table of fields', () => {
  it('go into objects and lists, and tell the rules', () => {
    const inner = { title: 'Line', type: 'object', properties: { quantity: { type: 'integer', minimum: 1, maximum: 9 } }, required: ['quantity'] };
    const schema = {
      properties: {
        lines: { type: 'array', items: inner, minItems: 1, maxItems: 100 },
        first: inner,
        note: { type: ['string', 'null'], maxLength: 5, default: 'x', enum: ['x', null], pattern: '^x' },
        anything: {},
        when: { type: 'string', format: 'date-time', minLength: 3 },
      },
      required: ['lines'],
    };
    expect(fieldRows(schema).map(({ path, type, required, rules }) => [path, type, required, rules])).toEqual([
      ['lines', 'list of Line', true, '1 to 100 items'],
      ['lines[].quantity', 'integer', true, '1 to 9'],
      ['first', 'Line', false, ''],
      ['first.quantity', 'integer', true, '1 to 9'],
      ['note', 'string or null', false, 'one of "x", null; at most 5 characters; matches ^x; default "x"'],
      ['anything', 'anything', false, ''],
      ['when', 'string (date-time)', false, 'at least 3 characters'],
    ]);
  });
});
