import type { AsyncApiChannel, AsyncApiDocument, AsyncApiMessage, AsyncApiOperation, AsyncApiReference, JsonSchema } from '@nestbox/kernel';
import { fieldRows } from './fields.js';
import { type Html, html } from './html.js';
import { STYLE } from './style.js';

/** A channel with everything that the document says about it elsewhere. */
interface Section {
  readonly id: string;
  readonly channel: AsyncApiChannel;
  readonly operations: readonly AsyncApiOperation[];
  readonly messages: readonly AsyncApiMessage[];
}

/** An AsyncAPI document as a page for people: HTML and a little CSS, no script. */
export function asyncApiPage(document: AsyncApiDocument): string {
  const { info } = document;
  const sections = sectionsOf(document);
  const groups = Map.groupBy(sections, ({ channel }) => channel.tags?.[0]?.name ?? 'others');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title}: messages</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#messages">Skip to the messages</a>
<header>
<h1>${info.title}: messages</h1>
<p>${info.description} Version ${info.version}. The same as an <a href="asyncapi.json">AsyncAPI document</a>.</p>
</header>
<nav aria-label="Messages">
${[...groups].map(([group, members]) => html`<h2>${group}</h2><ul>${members.map(({ id, channel }) => html`<li><a href="#${id}">${channel.title}</a></li>`)}</ul>`)}
</nav>
<main id="messages">
${sections.map((section) => sectionHtml(section, document))}
</main>
</body>
</html>
`.text;
}

/** The channels that have an address; the replies are shown with their requests. */
function sectionsOf({ channels, operations, components }: AsyncApiDocument): Section[] {
  return Object.entries(channels).filter(([, { address }]) => address !== null).map(([id, channel]) => {
    const own = Object.values(operations).filter((operation) => keyOf(operation.channel) === id);
    const replies = own.flatMap(({ reply }) => (reply ? Object.values(channels[keyOf(reply.channel)]!.messages) : []));
    return { id, channel, operations: own, messages: [...Object.values(channel.messages), ...replies].map((reference) => components.messages[keyOf(reference)]!) };
  });
}

function sectionHtml({ id, channel, operations, messages }: Section, document: AsyncApiDocument): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${channel.title} <small>${id}</small></h2>
<p>Subject <code>${channel.address ?? ''}</code>. ${channel.description}</p>
<ul>${operations.map(({ action, title }) => html`<li><b>${action === 'send' ? 'Sent' : 'Received'}</b>: ${title}</li>`)}</ul>
${messages.map((message) => messageHtml(message, document))}
</section>
`;
}

function messageHtml({ title, summary, headers, payload, examples = [] }: AsyncApiMessage, document: AsyncApiDocument): Html {
  return html`<article>
<h3>${title}</h3>
${summary !== undefined && html`<p>${summary}</p>`}
${tableHtml(`Payload of ${title}`, payload)}
${examples.map((example) => html`<details><summary>Example of ${title}</summary><pre tabindex="0">${JSON.stringify(example.payload, undefined, 2)}</pre></details>`)}
${headers && html`<details><summary>Headers of ${title}</summary>${tableHtml(`Headers of ${title}`, resolve(headers, document))}</details>`}
</article>
`;
}

function tableHtml(caption: string, schema: JsonSchema): Html {
  const rows = fieldRows(schema);
  if (rows.length === 0) return html`<p>${caption}: no fields.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Needed</th><th scope="col">Rules</th><th scope="col">What it is</th></tr></thead>
<tbody>
${rows.map(({ path, type, required, rules, description }) => html`<tr><th scope="row"><code>${path}</code></th><td>${type}</td><td>${required ? 'yes' : 'no'}</td><td>${rules}</td><td>${description}</td></tr>
`)}</tbody>
</table></div>`;
}

/** A schema with what it refers to, as one. */
function resolve(schema: JsonSchema, document: AsyncApiDocument): JsonSchema {
  const parts = (schema.allOf ?? [schema]).map((part) => (part.$ref === undefined ? part : document.components.schemas[keyOf({ $ref: part.$ref })]!));
  return { type: 'object', properties: Object.assign({}, ...parts.map(({ properties }) => properties)) as NonNullable<JsonSchema['properties']>, required: parts.flatMap(({ required = [] }) => required) };
}

/** The last part of a JSON pointer. */
function keyOf({ $ref }: AsyncApiReference): string {
  return $ref.slice($ref.lastIndexOf('/') + 1).replaceAll('~1', '/').replaceAll('~0', '~');
}
