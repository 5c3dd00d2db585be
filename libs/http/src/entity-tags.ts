/** An entity tag of a request. Source: RFC 9110, section 8.8.3. */
export interface EntityTag {
  readonly weak: boolean;
  /** What is between the quotes. */
  readonly value: string;
}

/** What may come before a tag, a tag and what has to follow it; or the end. */
const ELEMENT = /[\t ,]*(?:(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[\t ]*(?=,|$)|$)/y;

/** The tags of `If-Match` or `If-None-Match`; `*` for any; undefined when the header is neither. */
export function readEntityTags(header: string): readonly EntityTag[] | '*' | undefined {
  if (header.trim() === '*') return '*';
  const tags: EntityTag[] = [];
  ELEMENT.lastIndex = 0;
  while (ELEMENT.lastIndex < header.length) {
    const found = ELEMENT.exec(header);
    if (!found) return undefined;
    const [, weak, value] = found;
    if (value !== undefined) tags.push({ weak: weak !== undefined, value });
  }
  return tags.length > 0 ? tags : undefined;
}

/** The strong entity tag of a version. */
export function entityTag(version: number): string {
  return `"${version}"`;
}
