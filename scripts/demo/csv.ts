import { readFileSync } from 'node:fs';

/**
 * The rows of a CSV file, by the names in its first line. Fields are plain text: the files here need no quotes, and one
 * that has some is refused rather than misread.
 * @throws Error with file and line
 */
export function readCsv<C extends string>(file: string, columns: readonly C[]): Record<C, string>[] {
  return parseCsv(readFileSync(file, 'utf8'), columns, file);
}

/** Like {@link readCsv}, of a text; `name` stands for it in errors. */
export function parseCsv<C extends string>(text: string, columns: readonly C[], name: string): Record<C, string>[] {
  const [head = '', ...lines] = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const names = head.split(',');
  const positions = columns.map((column) => {
    const position = names.indexOf(column);
    if (position === -1) throw new Error(`${name}:1: there is no column "${column}".`);
    return [column, position] as const;
  });
  return lines.map((line, index) => {
    const fields = line.split(',');
    if (line.includes('"')) throw new Error(`${name}:${index + 2}: quoted fields are not supported.`);
    if (fields.length !== names.length) throw new Error(`${name}:${index + 2}: ${fields.length} fields instead of ${names.length}.`);
    return Object.fromEntries(positions.map(([column, position]) => [column, fields[position]!])) as Record<C, string>;
  });
}
