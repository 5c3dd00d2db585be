/** Sections whose items claim nothing, so that there is nothing to show. */
const WITHOUT_PROOF = new Set(['Cannot occur, by construction', 'Not promised', 'Not tested']);

interface Link {
  readonly text: string;
  readonly target: string;
}

/**
 * What is wrong with the page of guarantees: a claim that links to no test, a test that does not exist, a link that
 * leads nowhere. A claim is an item of a list; a link to a spec has the title of a test in that file as its text.
 * @param read the text of a file, by its path seen from docs/; undefined when there is none
 */
export function brokenClaims(page: string, read: (target: string) => string | undefined): string[] {
  return sections(page).flatMap(({ title, items }) => [
    ...items.filter((item) => !WITHOUT_PROOF.has(title) && !linksIn(item).some(isTest)).map((item) => `no test is given for: ${excerpt(item)}`),
    ...items.flatMap(linksIn).flatMap((link) => brokenLink(link, read)),
  ]);
}

/** The headings of the page and the items of the lists below each. */
function sections(page: string): { title: string; items: string[] }[] {
  return page.split(/^## /m).slice(1).map((section) => {
    const [title = '', ...lines] = section.split('\n');
    const items = lines.join('\n').split(/\n{2,}|^(?=- )/m).filter((part) => part.startsWith('- '));
    return { title: title.trim(), items };
  });
}

function linksIn(item: string): Link[] {
  // The text may be broken over two lines, as any text.
  return [...item.matchAll(/\[([^\]]+)\]\(([^)\s]+)\)/g)].map(([, text, target]) => ({ text: text!.replaceAll(/\s+/g, ' '), target: target! }));
}

function isTest({ target }: Link): boolean {
  return target.endsWith('.spec.ts');
}

function brokenLink(link: Link, read: (target: string) => string | undefined): string[] {
  const { text, target } = link;
  if (target.startsWith('https://')) return [];
  const file = read(target);
  if (file === undefined) return [`there is no ${target}`];
  return isTest(link) && !titlesIn(file).has(text) ? [`${target} has no test "${text}"`] : [];
}

/** The titles of the tests and suites of a spec: what stands in quotes behind an opening bracket. */
function titlesIn(spec: string): Set<string> {
  return new Set([...spec.matchAll(/\((['"`])((?:\\.|(?!\1).)+)\1,/g)].map(([, , title]) => title!.replaceAll(/\\(.)/g, '$1')));
}

function excerpt(item: string): string {
  const line = item.replaceAll(/\s+/g, ' ');
  return line.length > 90 ? `${line.slice(0, 90)}…` : line;
}
