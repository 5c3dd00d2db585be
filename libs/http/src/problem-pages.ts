import type { ProblemEntry } from './problem-catalogue.js';

const STYLE = `:root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}
h1{line-height:1.2}dt{font-weight:600;margin-top:1rem}dd{margin:0}table{border-collapse:collapse;width:100%}caption{text-align:start;padding-bottom:.5rem}
th,td{text-align:start;padding:.25rem .75rem .25rem 0;border-bottom:1px solid color-mix(in srgb,currentcolor 20%,transparent);font-weight:400;vertical-align:top}
thead th{font-weight:600}code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}`;

/** The page of one problem, for people: what it is, why, and what to do. */
export function problemPage({ code, title, status, kind, cause, cure }: ProblemEntry): string {
  const facts: readonly (readonly [name: string, html: string])[] = [
    ['Code', `<code>${escape(code)}</code>`],
    ['HTTP status', String(status)],
    ...(kind ? [['Kind', escape(kind)] as const] : []),
    ['Why it happens', prose(cause)],
    ['What to do', prose(cure)],
  ];
  const list = facts.map(([name, html]) => `<dt>${name}</dt><dd>${html}</dd>`).join('\n');
  return page(title, `<nav><a href="/problems">All problems</a></nav>\n<h1>${escape(title)}</h1>\n<dl>\n${list}\n</dl>`);
}

/** The page with all problems. */
export function problemListPage(problems: readonly ProblemEntry[]): string {
  const rows = problems.map(({ type, code, title, status }) => `<tr><th scope="row"><a href="${escape(type)}"><code>${escape(code)}</code></a></th><td>${status}</td><td>${escape(title)}</td></tr>`);
  const table = `<table>\n<caption>${problems.length} problems, by their codes.</caption>
<thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Title</th></tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody>\n</table>`;
  return page('Problems', `<h1>Problems</h1>\n<p>What may be answered instead of what was asked for. Programs go by the <code>code</code>, which stays.</p>\n${table}`);
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title><style>${STYLE}</style></head>
<body><main>
${content}
</main></body>
</html>
`;
}

/** Text with code in backticks. */
function prose(text: string): string {
  return escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
